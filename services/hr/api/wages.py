"""Monthly wages, for the guard on deductions."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter

from services.hr.actions import wage
from services.hr.api.may import may
from services.hr.queries.wages import WageView, wage_view, wages
from shared.money import PositiveFen
from shared.web import Body, Edge

routes = APIRouter(tags=["wages"])


class SetWage(Body):
    """The monthly wage."""

    monthly_wage_fen: PositiveFen


@routes.post("/people/{person_id}/wage", summary="Set a person's monthly wage, for the guard on deductions [R94, D22]")
def set_wage(person_id: UUID, body: SetWage, edge: Annotated[Edge, may("set_wage")]) -> WageView:
    def act() -> WageView:
        return wage_view(
            wage.set_(
                edge.session,
                person_id=person_id,
                monthly_wage_fen=body.monthly_wage_fen,
                actor=edge.actor,
                now=edge.now,
            )
        )

    return edge.once(body, act)


@routes.get("/people/{person_id}/wages", summary="A person's wages, now and before [D22]")
def list_wages(person_id: UUID, edge: Annotated[Edge, may("read_wages")]) -> list[WageView]:
    return wages(edge.session, edge.actor, person_id)
