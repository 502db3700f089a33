"""Finance's JSON API: one action for each route; money in fen, moments with a zone."""

from collections.abc import Iterator
from datetime import date
from itertools import islice
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter
from fastapi.responses import PlainTextResponse, StreamingResponse
from pydantic import Field

from services.finance import queries
from services.finance.actions import (
    charge,
    custody,
    price,
    receipt,
    receipt_book,
    refund,
    reopening,
    reserve,
    settlement,
)
from services.finance.queries import (
    AccountView,
    BalanceView,
    CashCheckView,
    CashDifferenceView,
    CashView,
    ChargeView,
    DamageView,
    FineView,
    HandOverView,
    JournalView,
    MissingCashView,
    NoticesReceivedView,
    PriceDifferenceView,
    PriceVersionView,
    ProposalView,
    ReceiptBookView,
    ReceiptView,
    RefundView,
    ReopeningView,
    ReserveStatementView,
    ReserveView,
    SettlementView,
)
from services.finance.rules.access import MAY
from services.finance.rules.charge import ChargeState
from services.finance.rules.checklist import Checked
from services.finance.rules.custody import HandOverState
from services.finance.rules.receipt import InvoiceState, Method, ReceiptState
from services.finance.rules.refund import RefundMethod
from services.finance.rules.reserve import ProposalState, Use
from shared.db import database
from shared.messages import PayoutLine, PriceItem
from shared.money import PositiveFen
from shared.paging import Page
from shared.people import Actor
from shared.web import After, Body, Edge, Limit, MonthName, Reason, Short, Words, permissions

api = APIRouter(prefix="/api", tags=["finance"])
may = permissions("finance", MAY)


class DraftItem(Body):
    """One line of the price book: a fee must lie from `min_fen` to `max_fen` [R57]."""

    code: Short
    trade: Short
    name: Short
    unit: Short
    min_fen: PositiveFen
    max_fen: PositiveFen


class DraftPrices(Body):
    """A version of the price book, whole [R55]."""

    effective_from: date
    items: list[DraftItem] = Field(min_length=1, max_length=1000)


class CarryReceipt(Body):
    """The worker who takes the receipt to the owner [R35]."""

    worker_id: UUID


class CollectFee(Body):
    """The money taken: exactly the agreed fee, against a carried receipt or a new one [R33, R34]."""

    method: Method
    amount_fen: PositiveFen
    reference: Short | None = Field(default=None, description="of the payment; needed unless it is cash [D12]")
    receipt_id: UUID | None = Field(default=None, description="the carried receipt; omit for a new one [R35]")


class OfferHandOver(Body):
    """Cash offered to the next in the chain [R36]."""

    site_id: UUID
    to_person_id: UUID
    receipt_ids: list[UUID] | None = Field(
        default=None, min_length=1, max_length=1000, description="omit for all the cash in hand at the site"
    )


Pieces = Annotated[int, Field(ge=1, le=100_000, strict=True)]

Notes = Annotated[
    dict[int, Pieces] | None,
    Field(min_length=1, description="fen of a note or coin -> pieces, like {'10000': 3}; instead of counted_fen"),
]


class CountHandOver(Body):
    """What the receiver counted: the sum, or note by note; one of both [R85]."""

    counted_fen: PositiveFen | None = None
    notes: Notes = None


class ReceiveOnBehalf(CountHandOver):
    """The cash of somebody who can't hand it over himself any more, counted by finance [R84, R86]."""

    site_id: UUID
    from_person_id: UUID
    reason: Words


class MakeGood(Body):
    """What the cashier counted: all that is missing."""

    counted_fen: PositiveFen


class ReceiveNotices(Body):
    """The site whose notices finance takes in."""

    site_id: UUID


class IssueReceiptBook(Body):
    """A book's numbers; they follow those issued to the site before [R34]."""

    site_id: UUID
    first: Annotated[int, Field(ge=1, le=999_999, strict=True)]
    last: Annotated[int, Field(ge=1, le=999_999, strict=True)]


class RecordInvoice(Body):
    """An invoice beside the receipt, or the red one that cancels it [R34]."""

    number: Short
    state: InvoiceState


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


class ProposeReserveUse(Body):
    """What the fund is to be used for; a reward names its person [R73-R76]."""

    site_id: UUID
    use: Use
    person_id: UUID | None = None
    amount_fen: PositiveFen
    reason: Words
    damage_id: UUID | None = Field(default=None, description="the damage a loss makes good [R74]")
    request_id: UUID | None = Field(default=None, description="the job a rework belongs to [R75]")


class DecideReserveUse(Body):
    """The leader's decision [R77]."""

    approve: bool
    reason: Words


class DecideReopening(Body):
    """The leader's decision [D18]; approving voids both signatures."""

    approve: bool
    reason: Words


@api.post("/price-versions", status_code=201, summary="Draft the next version of the price book [R55]")
def draft_prices(body: DraftPrices, edge: Annotated[Edge, may("draft_prices")]) -> PriceVersionView:
    def act() -> PriceVersionView:
        version = price.draft(
            edge.session,
            effective_from=body.effective_from,
            items=[PriceItem(**item.model_dump()) for item in body.items],
            actor=edge.actor,
            now=edge.now,
        )
        return queries.price_version_view(version)

    return edge.once(body, act)


@api.post("/price-versions/{version_id}/approve", summary="Approve a version; not by who drafted it [R56, D10]")
def approve_prices(version_id: UUID, edge: Annotated[Edge, may("approve_prices")]) -> PriceVersionView:
    version = price.approve(edge.session, version_id=version_id, actor=edge.actor, now=edge.now)
    return queries.price_version_view(version)


@api.get("/price-versions", summary="Versions of the price book [R55]")
def list_price_versions(
    edge: Annotated[Edge, may("read_prices")], after: After = None, limit: Limit = 100
) -> Page[PriceVersionView]:
    return queries.price_versions(edge.session, after=after, limit=limit)


@api.get("/charges", summary="Charges in order of registration [R26, R33]")
def list_charges(
    edge: Annotated[Edge, may("read_charges")],
    state: ChargeState | None = None,
    after: After = None,
    limit: Limit = 100,
) -> Page[ChargeView]:
    return queries.charges(edge.session, edge.actor, state=state, after=after, limit=limit)


@api.get("/charges/{request_id}", summary="One charge [R33]")
def read_charge(request_id: UUID, edge: Annotated[Edge, may("read_charges")]) -> ChargeView:
    return queries.charge_by_id(edge.session, edge.actor, request_id)


@api.post("/charges/{request_id}/carry", status_code=201, summary="Give a worker the receipt to take along [R35]")
def carry_receipt(request_id: UUID, body: CarryReceipt, edge: Annotated[Edge, may("carry_receipt")]) -> ReceiptView:
    def act() -> ReceiptView:
        carried = receipt.carry(
            edge.session, request_id=request_id, worker_id=body.worker_id, actor=edge.actor, now=edge.now
        )
        return queries.receipt_as_left(edge.session, carried)

    return edge.once(body, act)


@api.post("/charges/{request_id}/collect", status_code=201, summary="Take the agreed fee [R33, R34, R70-R72]")
def collect_fee(request_id: UUID, body: CollectFee, edge: Annotated[Edge, may("collect_fee")]) -> ReceiptView:
    def act() -> ReceiptView:
        used = receipt.collect(
            edge.session,
            request_id=request_id,
            method=body.method,
            amount_fen=body.amount_fen,
            reference=body.reference,
            receipt_id=body.receipt_id,
            actor=edge.actor,
            now=edge.now,
        )
        return queries.receipt_as_left(edge.session, used)

    return edge.once(body, act)


@api.get("/receipts", summary="Receipts in order of numbering; a worker's own [R34]")
def list_receipts(
    edge: Annotated[Edge, may("read_receipts")],
    *,
    state: ReceiptState | None = None,
    month: MonthName | None = None,
    holder_id: UUID | None = None,
    after: After = None,
    limit: Limit = 100,
) -> Page[ReceiptView]:
    return queries.receipts(
        edge.session, edge.actor, state=state, month=month, holder_id=holder_id, after=after, limit=limit
    )


@api.post("/receipts/{receipt_id}/void", summary="A receipt is spoilt: its number stays, void [R35]")
def void_receipt(receipt_id: UUID, body: Reason, edge: Annotated[Edge, may("void_receipt")]) -> ReceiptView:
    voided = receipt.void(edge.session, receipt_id=receipt_id, reason=body.reason, actor=edge.actor, now=edge.now)
    return queries.receipt_as_left(edge.session, voided)


@api.post("/hand-overs", status_code=201, summary="Offer cash to the next in the chain [R36, R84, R85]")
def offer_hand_over(body: OfferHandOver, edge: Annotated[Edge, may("offer_hand_over")]) -> HandOverView:
    def act() -> HandOverView:
        offered = custody.offer(
            edge.session,
            site_id=body.site_id,
            to_person_id=body.to_person_id,
            receipt_ids=body.receipt_ids,
            actor=edge.actor,
            now=edge.now,
        )
        return queries.hand_over_as_left(edge.session, offered, edge.actor)

    return edge.once(body, act)


@api.get("/hand-overs", summary="Hand-overs in order of offering; a worker's own [R36]")
def list_hand_overs(
    edge: Annotated[Edge, may("read_hand_overs")],
    state: HandOverState | None = None,
    after: After = None,
    limit: Limit = 100,
) -> Page[HandOverView]:
    return queries.hand_overs(edge.session, edge.actor, state=state, after=after, limit=limit)


@api.post("/hand-overs/{hand_over_id}/count", summary="The receiver counts, then is told what was offered [R85, R86]")
def count_hand_over(
    hand_over_id: UUID, body: CountHandOver, edge: Annotated[Edge, may("count_hand_over")]
) -> HandOverView:
    def act() -> HandOverView:
        counted = custody.count(
            edge.session,
            hand_over_id=hand_over_id,
            counted_fen=body.counted_fen,
            notes=body.notes,
            actor=edge.actor,
            now=edge.now,
        )
        return queries.hand_over_as_left(edge.session, counted, edge.actor)

    return edge.once(body, act)


@api.post("/hand-overs/{hand_over_id}/withdraw", summary="The giver takes his offer back [R36]")
def withdraw_hand_over(hand_over_id: UUID, edge: Annotated[Edge, may("withdraw_hand_over")]) -> HandOverView:
    withdrawn = custody.withdraw(edge.session, hand_over_id=hand_over_id, actor=edge.actor, now=edge.now)
    return queries.hand_over_as_left(edge.session, withdrawn, edge.actor)


@api.get("/cash", summary="Cash not with finance, by holder [R86]")
def list_cash(edge: Annotated[Edge, may("read_cash")]) -> list[CashView]:
    return queries.cash(edge.session, edge.actor)


@api.get("/cash-checks", summary="A month's daily cash checks [R36, R85, D6]")
def list_cash_checks(month: MonthName, edge: Annotated[Edge, may("read_cash")]) -> list[CashCheckView]:
    return queries.cash_checks(edge.session, edge.actor, month=month)


@api.get("/missing-cash", summary="Cash that was still out the next morning [R86, D6]")
def list_missing_cash(
    edge: Annotated[Edge, may("read_cash")], after: After = None, limit: Limit = 100
) -> Page[MissingCashView]:
    return queries.missing_cash(edge.session, edge.actor, after=after, limit=limit)


@api.get("/reserve", summary="What each site's reserve fund holds [R72]")
def list_reserves(edge: Annotated[Edge, may("read_reserve")]) -> list[ReserveView]:
    return queries.reserves(edge.session, edge.actor)


@api.post("/reserve/proposals", status_code=201, summary="Propose a use of the reserve fund [R73-R76]")
def propose_reserve_use(body: ProposeReserveUse, edge: Annotated[Edge, may("propose_reserve_use")]) -> ProposalView:
    def act() -> ProposalView:
        proposed = reserve.propose(
            edge.session,
            site_id=body.site_id,
            use=body.use,
            person_id=body.person_id,
            amount_fen=body.amount_fen,
            reason=body.reason,
            damage_id=body.damage_id,
            request_id=body.request_id,
            actor=edge.actor,
            now=edge.now,
        )
        return queries.proposal_view(proposed)

    return edge.once(body, act)


@api.get("/reserve/proposals", summary="Proposed uses of the reserve fund [R76]")
def list_proposals(
    edge: Annotated[Edge, may("read_reserve")],
    state: ProposalState | None = None,
    after: After = None,
    limit: Limit = 100,
) -> Page[ProposalView]:
    return queries.proposals(edge.session, edge.actor, state=state, after=after, limit=limit)


@api.post("/reserve/proposals/{proposal_id}/decide", summary="The leader in charge approves or rejects [R77, D17]")
def decide_reserve_use(
    proposal_id: UUID, body: DecideReserveUse, edge: Annotated[Edge, may("decide_reserve_use")]
) -> ProposalView:
    def act() -> ProposalView:
        decided = reserve.decide(
            edge.session,
            proposal_id=proposal_id,
            approve=body.approve,
            reason=body.reason,
            actor=edge.actor,
            now=edge.now,
        )
        return queries.proposal_view(decided)

    return edge.once(body, act)


@api.get("/settlements", summary="A month's settlement at each site [R89-R94]")
def list_settlements(month: MonthName, edge: Annotated[Edge, may("read_settlements")]) -> list[SettlementView]:
    return queries.settlements(edge.session, edge.actor, month=month)


@api.post("/settlements/{site_id}/{month}/agree-accounts", summary="Desk or finance signs the accounts [R90, D18]")
def agree_accounts(site_id: UUID, month: MonthName, edge: Annotated[Edge, may("agree_accounts")]) -> SettlementView:
    agreed = settlement.agree_accounts(edge.session, site_id=site_id, month=month, actor=edge.actor, now=edge.now)
    return queries.settlement_as_left(edge.session, agreed)


@api.post("/settlements/{site_id}/{month}/compute", summary="Compute shares, rewards and fines [R91, R93]")
def compute_settlement(
    site_id: UUID, month: MonthName, edge: Annotated[Edge, may("compute_settlement")]
) -> SettlementView:
    computed = settlement.compute(edge.session, site_id=site_id, month=month, actor=edge.actor, now=edge.now)
    return queries.settlement_as_left(edge.session, computed)


@api.post("/settlements/{site_id}/{month}/approve", summary="Approve the payout; not by who computed it [R92]")
def approve_settlement(
    site_id: UUID, month: MonthName, edge: Annotated[Edge, may("approve_settlement")]
) -> SettlementView:
    def act() -> SettlementView:
        approved = settlement.approve(edge.session, site_id=site_id, month=month, actor=edge.actor, now=edge.now)
        return queries.settlement_as_left(edge.session, approved)

    return edge.once(None, act)


@api.get("/settlements/{site_id}/{month}/checklist", summary="What is left to do at the month's end [R89-R92, D18]")
def read_checklist(site_id: UUID, month: MonthName, edge: Annotated[Edge, may("read_settlements")]) -> list[Checked]:
    return queries.checklist(edge.session, edge.actor, site_id=site_id, month=month)


@api.get("/settlements/{site_id}/{month}/dry-run", summary="What computing would give now; stores nothing [R91, R93]")
def try_settlement(site_id: UUID, month: MonthName, edge: Annotated[Edge, may("read_settlements")]) -> SettlementView:
    return settlement.try_out(edge.session, site_id=site_id, month=month, actor=edge.actor)


@api.get("/settlements/{site_id}/{month}/payout", summary="What HR is sent: each person's line with its jobs [R92]")
def read_payout(site_id: UUID, month: MonthName, edge: Annotated[Edge, may("read_settlements")]) -> list[PayoutLine]:
    return queries.payout(edge.session, edge.actor, site_id=site_id, month=month)


@api.post(
    "/settlements/{site_id}/{month}/reopen", status_code=201, summary="Propose to reopen a month not approved yet [D18]"
)
def reopen_settlement(
    site_id: UUID, month: MonthName, body: Reason, edge: Annotated[Edge, may("propose_reopening")]
) -> ReopeningView:
    def act() -> ReopeningView:
        proposed = reopening.propose(
            edge.session, site_id=site_id, month=month, reason=body.reason, actor=edge.actor, now=edge.now
        )
        return queries.reopening_view(proposed)

    return edge.once(body, act)


@api.post("/settlements/{site_id}/{month}/reopen/decide", summary="Decide whether a month is reopened [D16, D18]")
def decide_reopening(
    site_id: UUID, month: MonthName, body: DecideReopening, edge: Annotated[Edge, may("decide_reopening")]
) -> ReopeningView:
    def act() -> ReopeningView:
        decided = reopening.decide(
            edge.session,
            site_id=site_id,
            month=month,
            approve=body.approve,
            reason=body.reason,
            actor=edge.actor,
            now=edge.now,
        )
        return queries.reopening_view(decided)

    return edge.once(body, act)


@api.get("/settlements/{site_id}/{month}/reopenings", summary="Every proposal to reopen a month [D18]")
def list_reopenings(
    site_id: UUID, month: MonthName, edge: Annotated[Edge, may("read_settlements")]
) -> list[ReopeningView]:
    return queries.reopenings(edge.session, edge.actor, site_id=site_id, month=month)


@api.post("/price-versions/{version_id}/withdraw", summary="Take a draft back [R55]")
def withdraw_prices(version_id: UUID, edge: Annotated[Edge, may("withdraw_prices")]) -> PriceVersionView:
    def act() -> PriceVersionView:
        version = price.withdraw(edge.session, version_id=version_id, actor=edge.actor, now=edge.now)
        return queries.price_version_view(version)

    return edge.once(None, act)


@api.get("/price-versions/in-force", summary="The version fees are agreed from on a day [R57, D10]")
def read_price_version_in_force(on: date, edge: Annotated[Edge, may("read_prices")]) -> PriceVersionView:
    return queries.price_version_in_force(edge.session, on=on)


@api.get("/price-versions/{version_id}/difference", summary="What a version changes against the one it follows [R56]")
def read_price_difference(version_id: UUID, edge: Annotated[Edge, may("read_prices")]) -> PriceDifferenceView:
    return queries.price_difference(edge.session, version_id)


@api.get("/reserve/{site_id}/statement", summary="A month of the reserve fund, from the ledger [R72-R77]")
def read_reserve_statement(
    site_id: UUID, month: MonthName, edge: Annotated[Edge, may("read_reserve")]
) -> ReserveStatementView:
    return queries.reserve_statement(edge.session, edge.actor, site_id=site_id, month=month)


@api.get("/ledger/accounts", summary="The chart of accounts")
def list_accounts(edge: Annotated[Edge, may("read_ledger")]) -> list[AccountView]:  # noqa: ARG001  # the right to read
    return queries.accounts()


@api.get(
    "/ledger/export.beancount",
    summary="The ledger for beancount, whole or one month, so that a stranger can check the books",
    response_class=PlainTextResponse,
)
def export_ledger(edge: Annotated[Edge, may("read_ledger")], month: MonthName | None = None) -> StreamingResponse:
    name = f"bianmin-{month}.beancount" if month else "bianmin.beancount"
    return StreamingResponse(
        _beancount(edge.actor, month),
        media_type="text/plain; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


def _beancount(actor: Actor, month: str | None) -> Iterator[str]:
    # the request's transaction ends before the answer is sent; this one sees a single moment of the books
    with database("finance").session() as session:
        session.connection(execution_options={"isolation_level": "REPEATABLE READ"})
        pieces = queries.beancount_of(session, actor, month=month)
        while chunk := "".join(islice(pieces, 1000)):
            yield chunk


@api.get("/ledger/balances", summary="Every account's balance; together they are zero")
def list_balances(edge: Annotated[Edge, may("read_ledger")]) -> list[BalanceView]:
    return queries.balances(edge.session, edge.actor)


@api.get("/ledger/journals", summary="The ledger, in the order it was written")
def list_journals(
    edge: Annotated[Edge, may("read_ledger")], after: After = None, limit: Limit = 100
) -> Page[JournalView]:
    return queries.journals(edge.session, edge.actor, after=after, limit=limit)


@api.get("/fines", summary="Fines to be deducted [R93]")
def list_fines(edge: Annotated[Edge, may("read_fines")], after: After = None, limit: Limit = 100) -> Page[FineView]:
    return queries.fines(edge.session, edge.actor, after=after, limit=limit)


@api.post("/charges/receive", summary="Take in finance's copies of a site's notices [R26]")
def receive_notices(body: ReceiveNotices, edge: Annotated[Edge, may("receive_notices")]) -> NoticesReceivedView:
    def act() -> NoticesReceivedView:
        received = charge.receive(edge.session, site_id=body.site_id, actor=edge.actor, now=edge.now)
        return NoticesReceivedView(body.site_id, received, edge.actor.person_id, edge.now)

    return edge.once(body, act)


@api.get("/damages", summary="Damage reported on visits [R63, R74]")
def list_damages(
    edge: Annotated[Edge, may("read_damages")], after: After = None, limit: Limit = 100
) -> Page[DamageView]:
    return queries.damages(edge.session, edge.actor, after=after, limit=limit)


@api.post("/receipt-books", status_code=201, summary="Issue a book of receipts to a site's desk [R34, R35]")
def issue_receipt_book(body: IssueReceiptBook, edge: Annotated[Edge, may("issue_receipt_book")]) -> ReceiptBookView:
    def act() -> ReceiptBookView:
        book = receipt_book.issue(
            edge.session, site_id=body.site_id, first=body.first, last=body.last, actor=edge.actor, now=edge.now
        )
        return queries.receipt_book_as_left(edge.session, book)

    return edge.once(body, act)


@api.get("/receipt-books", summary="Books of receipts, with how many numbers are where [R34, R35]")
def list_receipt_books(
    edge: Annotated[Edge, may("read_receipt_books")], after: After = None, limit: Limit = 100
) -> Page[ReceiptBookView]:
    return queries.receipt_books(edge.session, edge.actor, after=after, limit=limit)


@api.post("/receipt-books/{book_id}/return", summary="The desk gives a book back; its unused numbers with it [R35]")
def return_receipt_book(book_id: UUID, edge: Annotated[Edge, may("return_receipt_book")]) -> ReceiptBookView:
    def act() -> ReceiptBookView:
        book = receipt_book.return_(edge.session, book_id=book_id, actor=edge.actor, now=edge.now)
        return queries.receipt_book_as_left(edge.session, book)

    return edge.once(None, act)


@api.post("/receipts/{receipt_id}/bring-back", summary="A carried receipt came back unused: it is on hand again [R35]")
def bring_back_receipt(receipt_id: UUID, edge: Annotated[Edge, may("bring_back_receipt")]) -> ReceiptView:
    def act() -> ReceiptView:
        brought = receipt.bring_back(edge.session, receipt_id=receipt_id, actor=edge.actor, now=edge.now)
        return queries.receipt_as_left(edge.session, brought)

    return edge.once(None, act)


@api.post("/receipts/{receipt_id}/explain", summary="Why a receipt was still out at closing time [R35, D6]")
def explain_receipt(receipt_id: UUID, body: Reason, edge: Annotated[Edge, may("explain_receipt")]) -> ReceiptView:
    def act() -> ReceiptView:
        explained = receipt.explain(
            edge.session, receipt_id=receipt_id, reason=body.reason, actor=edge.actor, now=edge.now
        )
        return queries.receipt_as_left(edge.session, explained)

    return edge.once(body, act)


@api.post("/receipts/{receipt_id}/invoice", summary="An invoice was written beside a receipt, or cancelled [R34]")
def record_invoice(receipt_id: UUID, body: RecordInvoice, edge: Annotated[Edge, may("record_invoice")]) -> ReceiptView:
    def act() -> ReceiptView:
        beside = receipt.record_invoice(
            edge.session,
            receipt_id=receipt_id,
            number=body.number,
            state=body.state,
            actor=edge.actor,
            now=edge.now,
        )
        return queries.receipt_as_left(edge.session, beside)

    return edge.once(body, act)


@api.post("/hand-overs/{hand_over_id}/settle-difference", summary="The receiver states what is missing [R86]")
def settle_difference(
    hand_over_id: UUID, body: Reason, edge: Annotated[Edge, may("settle_difference")]
) -> HandOverView:
    def act() -> HandOverView:
        stated = custody.settle_difference(
            edge.session, hand_over_id=hand_over_id, reason=body.reason, actor=edge.actor, now=edge.now
        )
        return queries.hand_over_as_left(edge.session, stated, edge.actor)

    return edge.once(body, act)


@api.post("/hand-overs/{hand_over_id}/confirm-difference", summary="The giver confirms it: he owes it [R86, R88]")
def confirm_difference(hand_over_id: UUID, edge: Annotated[Edge, may("confirm_difference")]) -> HandOverView:
    def act() -> HandOverView:
        confirmed = custody.confirm_difference(edge.session, hand_over_id=hand_over_id, actor=edge.actor, now=edge.now)
        return queries.hand_over_as_left(edge.session, confirmed, edge.actor)

    return edge.once(None, act)


@api.post("/hand-overs/on-behalf", status_code=201, summary="Finance takes the cash of somebody who is gone [R84, R86]")
def receive_on_behalf(body: ReceiveOnBehalf, edge: Annotated[Edge, may("receive_on_behalf")]) -> HandOverView:
    def act() -> HandOverView:
        received = custody.receive_on_behalf(
            edge.session,
            site_id=body.site_id,
            from_person_id=body.from_person_id,
            reason=body.reason,
            counted_fen=body.counted_fen,
            notes=body.notes,
            actor=edge.actor,
            now=edge.now,
        )
        return queries.hand_over_as_left(edge.session, received, edge.actor)

    return edge.once(body, act)


@api.get("/cash-differences", summary="What was missing when cash was counted [R86, R88]")
def list_cash_differences(
    edge: Annotated[Edge, may("read_cash")], after: After = None, limit: Limit = 100
) -> Page[CashDifferenceView]:
    return queries.cash_differences(edge.session, edge.actor, after=after, limit=limit)


@api.post("/cash-differences/{difference_id}/make-good", summary="What was missing was brought to finance [R86, D7]")
def make_good(difference_id: UUID, body: MakeGood, edge: Annotated[Edge, may("make_good")]) -> CashDifferenceView:
    def act() -> CashDifferenceView:
        made_good = custody.make_good(
            edge.session, difference_id=difference_id, counted_fen=body.counted_fen, actor=edge.actor, now=edge.now
        )
        return queries.cash_difference_view(made_good)

    return edge.once(body, act)


@api.post("/refunds", status_code=201, summary="Propose to give back a fee, all or part [D13, D16]")
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
        return queries.refund_as_left(edge.session, proposed)

    return edge.once(body, act)


@api.get("/refunds", summary="Fees given back [D13, D16]")
def list_refunds(
    edge: Annotated[Edge, may("read_refunds")],
    month: MonthName | None = None,
    after: After = None,
    limit: Limit = 100,
) -> Page[RefundView]:
    return queries.refunds(edge.session, edge.actor, month=month, after=after, limit=limit)


@api.post("/refunds/{refund_id}/decide", summary="The leader decides; what he approves is paid at once [D13, D16]")
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
        return queries.refund_as_left(edge.session, decided)

    return edge.once(body, act)
