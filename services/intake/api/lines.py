"""Lines of the month's statistics that are disputed, and settled by both sides [R41]."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter
from pydantic import Field

from services.intake.actions import line
from services.intake.api.may import may
from services.intake.queries.statistics import MonthView, months
from services.intake.rules.statistics import Item
from shared.messages import FieldDepartment
from shared.money import MAX_FEN
from shared.web import Body, Edge, MonthName, Words

routes = APIRouter(tags=["lines"])


class DisputeLine(Body):
    """A line of the statistics the department does not accept, and why [R41]."""

    department: FieldDepartment
    item: Item
    reason: Words


class SettleLine(Body):
    """The figure the desk proposes for a disputed line (a count, or fen), and how it was found [R41]."""

    department: FieldDepartment
    item: Item
    figure: int = Field(strict=True, ge=-MAX_FEN, le=MAX_FEN)
    note: Words


class AcceptLine(Body):
    """The other side accepts the figure proposed [R41]."""

    department: FieldDepartment
    item: Item
    note: Words = "accepted"


@routes.post("/months/{month}/sites/{site_id}/lines/dispute", summary="A department does not accept a line [R41]")
def dispute_line(
    month: MonthName, site_id: UUID, body: DisputeLine, edge: Annotated[Edge, may("dispute_line")]
) -> list[MonthView]:
    def act() -> list[MonthView]:
        line.dispute(edge.session, site_id=site_id, month=month, actor=edge.actor, now=edge.now, **dict(body))
        return months(edge.session, edge.actor, month=month)

    return edge.once(body, act)


@routes.post("/months/{month}/sites/{site_id}/lines/settle", summary="The desk proposes a disputed line's figure [R41]")
def settle_line(
    month: MonthName, site_id: UUID, body: SettleLine, edge: Annotated[Edge, may("settle_line")]
) -> list[MonthView]:
    def act() -> list[MonthView]:
        line.settle(edge.session, site_id=site_id, month=month, actor=edge.actor, now=edge.now, **dict(body))
        return months(edge.session, edge.actor, month=month)

    return edge.once(body, act)


@routes.post("/months/{month}/sites/{site_id}/lines/accept", summary="The other side accepts the figure proposed [R41]")
def accept_line(
    month: MonthName, site_id: UUID, body: AcceptLine, edge: Annotated[Edge, may("accept_line")]
) -> list[MonthView]:
    def act() -> list[MonthView]:
        line.accept(edge.session, site_id=site_id, month=month, actor=edge.actor, now=edge.now, **dict(body))
        return months(edge.session, edge.actor, month=month)

    return edge.once(body, act)
