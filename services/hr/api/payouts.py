"""Payouts, and whether each person was paid his line."""

from dataclasses import dataclass
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter
from pydantic import Field

from services.hr.actions import payout
from services.hr.api.may import may
from services.hr.queries.payouts import PayoutLineView, PayoutView, payout_line, payouts
from shared.messages import FailureCause
from shared.paging import Page
from shared.web import After, Body, Edge, Limit, Short, Words

routes = APIRouter(tags=["payouts"])


class ConfirmPaid(Body):
    """The bank's or the pay slip's reference."""

    reference: Short


class TellFailed(Body):
    """Why the person could not be paid."""

    cause: FailureCause
    reason: Words


class ResultRow(Body):
    """What became of one person's payment: paid under a reference, or failed for a cause and a reason."""

    row: int = Field(ge=1, le=1_000_000, description="where it stands in the file, which a refusal names")
    person_id: UUID
    reference: Short | None = None
    cause: FailureCause | None = None
    reason: Words | None = None


class TellResults(Body):
    """The results of a payout as the bank's file has them: all of them, or none."""

    rows: list[ResultRow] = Field(min_length=1, max_length=1000)


@dataclass(frozen=True)
class ResultsView:
    """How many were paid, and how many failed."""

    paid: int
    failed: int


@routes.get("/payouts", summary="Approved payouts, with what each person gets [R92-R94]")
def list_payouts(
    edge: Annotated[Edge, may("read_payouts")], after: After = None, limit: Limit = 100
) -> Page[PayoutView]:
    return payouts(edge.session, edge.actor, after=after, limit=limit)


@routes.post("/payouts/{settlement_id}/lines/{person_id}/paid", summary="The person was paid his line [R92]")
def confirm_paid(
    settlement_id: UUID, person_id: UUID, body: ConfirmPaid, edge: Annotated[Edge, may("confirm_payment")]
) -> PayoutLineView:
    def act() -> PayoutLineView:
        payout.paid(
            edge.session,
            settlement_id=settlement_id,
            person_id=person_id,
            reference=body.reference,
            actor=edge.actor,
            now=edge.now,
        )
        return payout_line(edge.session, settlement_id, person_id)

    return edge.once(body, act)


@routes.post("/payouts/{settlement_id}/lines/{person_id}/failed", summary="The person could not be paid, and why [R92]")
def tell_failed(
    settlement_id: UUID, person_id: UUID, body: TellFailed, edge: Annotated[Edge, may("confirm_payment")]
) -> PayoutLineView:
    def act() -> PayoutLineView:
        payout.failed(
            edge.session,
            settlement_id=settlement_id,
            person_id=person_id,
            cause=body.cause,
            reason=body.reason,
            actor=edge.actor,
            now=edge.now,
        )
        return payout_line(edge.session, settlement_id, person_id)

    return edge.once(body, act)


@routes.post("/payouts/{settlement_id}/results", summary="What became of many lines at once: all, or none [R92]")
def tell_results(settlement_id: UUID, body: TellResults, edge: Annotated[Edge, may("confirm_payment")]) -> ResultsView:
    def act() -> ResultsView:
        told = [payout.Result(**dict(one)) for one in body.rows]
        payout.results(edge.session, settlement_id=settlement_id, told=told, actor=edge.actor, now=edge.now)
        paid = sum(one.reference is not None for one in told)
        return ResultsView(paid, len(told) - paid)

    return edge.once(body, act)
