"""Refunds of fees [D13, D16]."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter

from services.finance.actions import refund
from services.finance.api.may import may
from services.finance.queries.refunds import RefundView, refund_as_left, refunds
from services.finance.rules.refund import RefundMethod
from shared.money import PositiveFen
from shared.paging import Page
from shared.web import After, Body, Edge, Limit, MonthName, Words

routes = APIRouter(tags=["refunds"])


class ProposeRefund(Body):
    """What is given back of a fee, and how [D13]."""

    receipt_id: UUID
    amount_fen: PositiveFen
    reason: Words
    method: RefundMethod


class DecideRefund(Body):
    """The leader's decision [D16]."""

    approve: bool
    reason: Words


@routes.post("/refunds", status_code=201, summary="Propose to give back a fee, all or part [D13, D16]")
def propose_refund(body: ProposeRefund, edge: Annotated[Edge, may("propose_refund")]) -> RefundView:
    def act() -> RefundView:
        proposed = refund.propose(
            edge.session,
            receipt_id=body.receipt_id,
            amount_fen=body.amount_fen,
            reason=body.reason,
            method=body.method,
            actor=edge.actor,
            now=edge.now,
        )
        return refund_as_left(edge.session, proposed)

    return edge.once(body, act)


@routes.get("/refunds", summary="Fees given back [D13, D16]")
def list_refunds(
    edge: Annotated[Edge, may("read_refunds")],
    month: MonthName | None = None,
    after: After = None,
    limit: Limit = 100,
) -> Page[RefundView]:
    return refunds(edge.session, edge.actor, month=month, after=after, limit=limit)


@routes.post("/refunds/{refund_id}/decide", summary="The leader decides; what he approves is paid at once [D13, D16]")
def decide_refund(refund_id: UUID, body: DecideRefund, edge: Annotated[Edge, may("decide_refund")]) -> RefundView:
    def act() -> RefundView:
        decided = refund.decide(
            edge.session,
            refund_id=refund_id,
            approve=body.approve,
            reason=body.reason,
            actor=edge.actor,
            now=edge.now,
        )
        return refund_as_left(edge.session, decided)

    return edge.once(body, act)
