"""The settlements of a month [R89-R94, D18]."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter

from services.finance.actions import calculation, settlement
from services.finance.api.may import may
from services.finance.queries.checklists import checklist
from services.finance.queries.payouts import payout
from services.finance.queries.settlements import SettlementView, settlement_as_left, settlements
from services.finance.rules.checklist import Checked
from shared.messages import PayoutLine
from shared.web import Edge, MonthName

routes = APIRouter(tags=["settlements"])


@routes.get("/settlements", summary="A month's settlement at each site [R89-R94]")
def list_settlements(month: MonthName, edge: Annotated[Edge, may("read_settlements")]) -> list[SettlementView]:
    return settlements(edge.session, edge.actor, month=month)


@routes.post("/settlements/{site_id}/{month}/agree-accounts", summary="Desk or finance signs the accounts [R90, D18]")
def agree_accounts(site_id: UUID, month: MonthName, edge: Annotated[Edge, may("agree_accounts")]) -> SettlementView:
    agreed = settlement.agree_accounts(edge.session, site_id=site_id, month=month, actor=edge.actor, now=edge.now)
    return settlement_as_left(edge.session, agreed)


@routes.post("/settlements/{site_id}/{month}/compute", summary="Compute shares, rewards and fines [R91, R93]")
def compute_settlement(
    site_id: UUID, month: MonthName, edge: Annotated[Edge, may("compute_settlement")]
) -> SettlementView:
    computed = calculation.compute(edge.session, site_id=site_id, month=month, actor=edge.actor, now=edge.now)
    return settlement_as_left(edge.session, computed)


@routes.post("/settlements/{site_id}/{month}/approve", summary="Approve the payout; not by who computed it [R92]")
def approve_settlement(
    site_id: UUID, month: MonthName, edge: Annotated[Edge, may("approve_settlement")]
) -> SettlementView:
    def act() -> SettlementView:
        approved = settlement.approve(edge.session, site_id=site_id, month=month, actor=edge.actor, now=edge.now)
        return settlement_as_left(edge.session, approved)

    return edge.once(None, act)


@routes.get("/settlements/{site_id}/{month}/checklist", summary="What is left to do at the month's end [R89-R92, D18]")
def read_checklist(site_id: UUID, month: MonthName, edge: Annotated[Edge, may("read_settlements")]) -> list[Checked]:
    return checklist(edge.session, edge.actor, site_id=site_id, month=month)


@routes.get(
    "/settlements/{site_id}/{month}/dry-run", summary="What computing would give now; stores nothing [R91, R93]"
)
def try_settlement(site_id: UUID, month: MonthName, edge: Annotated[Edge, may("read_settlements")]) -> SettlementView:
    return calculation.try_out(edge.session, site_id=site_id, month=month, actor=edge.actor)


@routes.get("/settlements/{site_id}/{month}/payout", summary="What HR is sent: each person's line with its jobs [R92]")
def read_payout(site_id: UUID, month: MonthName, edge: Annotated[Edge, may("read_settlements")]) -> list[PayoutLine]:
    return payout(edge.session, edge.actor, site_id=site_id, month=month)
