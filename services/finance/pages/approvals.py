"""What waits for the leader 待批: months, reopenings, refunds, uses of the reserve fund, prices [D16-D18]."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Response

from services.finance.api.refunds import DecideRefund, decide_refund
from services.finance.api.reserves import DecideReserveUse, decide_reserve_use
from services.finance.pages.parts import free
from services.finance.pages.see import see
from services.finance.queries.prices import price_drafts
from services.finance.queries.receipts import receipts_by_ids
from services.finance.queries.refunds import RefundView, refunds
from services.finance.queries.reopenings import reopenings_waiting
from services.finance.queries.reserves import ProposalView, proposals, reserves
from services.finance.queries.settlements import SettlementView, settlements_computed
from services.finance.rules.refund import RefundState
from services.finance.rules.reserve import ProposalState
from shared.ui.forms import Form
from shared.ui.views import View

pages = APIRouter()

ALL = 1000
"""As many as can wait: what is decided here is decided one by one."""


def _refund_forms(view: View, waiting: list[RefundView]) -> dict[UUID, Form[DecideRefund]]:
    """A form for each refund he may decide: not his own, and not of a fee he took himself."""
    took = {
        one.id: one.collected_by
        for one in receipts_by_ids(view.session, view.actor, [one.receipt_id for one in waiting])
    }
    return {
        one.id: Form(DecideRefund, id=str(one.id))
        for one in waiting
        if free(view, "decide_refund", proposer=one.proposed_by, collector=took.get(one.receipt_id))
    }


def _use_forms(view: View, waiting: list[ProposalView]) -> dict[UUID, Form[DecideReserveUse]]:
    return {
        one.id: Form(DecideReserveUse, id=str(one.id))
        for one in waiting
        if free(view, "decide_reserve_use", proposer=one.proposed_by, beneficiary=one.person_id)
    }


def _approves(view: View, one: SettlementView) -> bool:
    signers = frozenset(filter(None, (one.desk_agreed_by, one.finance_agreed_by)))
    return free(view, "approve_settlement", proposer=one.drafted_by, signer=signers)


def _approvals(view: View, failed: tuple[UUID, Form[Any]] | None = None) -> Response:
    months = settlements_computed(view.session, view.actor)
    back = refunds(view.session, view.actor, month=None, state=RefundState.PROPOSED, after=None, limit=ALL).items
    uses = proposals(view.session, view.actor, state=ProposalState.PROPOSED, after=None, limit=ALL).items
    forms: dict[UUID, Form[Any]] = {**_refund_forms(view, back), **_use_forms(view, uses)}
    forms |= dict([failed]) if failed else {}
    drafts = price_drafts(view.session)
    reopening = reopenings_waiting(view.session, view.actor)
    return view.show(
        "approvals.html",
        live="finance",
        months=[(one, _approves(view, one)) for one in months],
        reopening=[(one, free(view, "decide_reopening", proposer=one.reopening.proposed_by)) for one in reopening],
        refunds=back,
        uses=uses,
        drafts=[(one, free(view, "approve_prices", proposer=one.drafted_by)) for one in drafts],
        forms=forms,
        funds={one.site_id: one.balance_fen for one in reserves(view.session, view.actor)},
        count=len(months) + len(reopening) + len(back) + len(uses) + len(drafts),
    )


@pages.get("/approvals")
def approvals(view: Annotated[View, see("read_settlements")]) -> Response:
    return _approvals(view)


@pages.post("/refunds/{refund_id}/decide")
def decide_on_refund(refund_id: UUID, view: Annotated[View, see("decide_refund")]) -> Response:
    return view.submit(
        Form(DecideRefund, id=str(refund_id)),
        lambda body: decide_refund(refund_id, body, view),
        then="/finance/approvals",
        again=lambda form: _approvals(view, (refund_id, form)),
        said="已批示",
    )


@pages.post("/reserve/proposals/{proposal_id}/decide")
def decide_on_use(proposal_id: UUID, view: Annotated[View, see("decide_reserve_use")]) -> Response:
    return view.submit(
        Form(DecideReserveUse, id=str(proposal_id)),
        lambda body: decide_reserve_use(proposal_id, body, view),
        then="/finance/approvals",
        again=lambda form: _approvals(view, (proposal_id, form)),
        said="已批示",
    )
