"""Reads of finance: frozen views for the API, each limited to the sites of the person asking; money in fen."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from itertools import groupby
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Row, func, or_, select, text, true
from sqlalchemy.orm import InstrumentedAttribute, Session, joinedload, selectinload

from services.finance.models import (
    CashDifference,
    Charge,
    Damage,
    Fine,
    HandOver,
    Invoice,
    Journal,
    JournalLine,
    MissingCash,
    Person,
    PriceVersion,
    Proposal,
    Receipt,
    ReceiptBook,
    Refund,
    Reopening,
    Settlement,
    SettlementLine,
    Site,
    SiteDay,
)
from services.finance.rules import beancount
from services.finance.rules.access import OWN_ONLY
from services.finance.rules.checklist import Checked, check
from services.finance.rules.custody import HandOverState
from services.finance.rules.deduction import Guard
from services.finance.rules.ledger import CHART, Account
from services.finance.rules.price import ChangedItem, PriceState, difference
from services.finance.rules.receipt import ReceiptState
from shared.access import at_sites_of
from shared.calendar import first_day, last_day
from shared.errors import NotFound
from shared.messages import FeeItem, PayoutLine
from shared.messages import PriceItem as PriceItemView
from shared.paging import Page, page_of
from shared.people import Actor, site_for

FRESH = {"populate_existing": True}


@dataclass(frozen=True)
class PriceVersionView:
    """A version of the price book [R55, R56]."""

    id: UUID
    number: int
    state: str
    effective_from: date
    drafted_by: UUID
    approved_by: UUID | None
    approved_at: datetime | None
    withdrawn_by: UUID | None
    withdrawn_at: datetime | None
    items: list[PriceItemView]


@dataclass(frozen=True)
class ChargeWorkerView:
    """Who did the job, and his weight."""

    person_id: UUID
    name: str
    weight: int


@dataclass(frozen=True)
class ChargeView:
    """What an owner owes for a job; `receipt_id` is its receipt, carried or used.

    `items` is the settlement list of `revision`; `received_by` took in finance's copy of the notice.
    """

    request_id: UUID
    notice_number: str
    site_id: UUID
    department: str
    fee_fen: int
    items: list[FeeItem]
    price_version: int
    revision: int
    state: str
    received_by: UUID | None
    received_at: datetime | None
    accepted_at: datetime | None
    workers: list[ChargeWorkerView]
    receipt_id: UUID | None


@dataclass(frozen=True)
class ShareView:
    """One worker's share of one fee."""

    person_id: UUID
    share_fen: int


@dataclass(frozen=True)
class InvoiceView:
    """An invoice beside a receipt, or the red one that cancelled it."""

    number: str
    state: str
    recorded_by: UUID
    recorded_at: datetime


@dataclass(frozen=True)
class ReceiptView:
    """A receipt; what concerns the job is empty until it is written, what concerns the money until it is used.

    `short_fen` of its cash is owed by an earlier holder; `refunded_fen` was given back to the owner.
    """

    id: UUID
    number: str
    book_id: UUID | None
    request_id: UUID | None
    site_id: UUID
    department: str | None
    state: str
    amount_fen: int | None
    carried_by: UUID | None
    void_reason: str | None
    method: str | None
    reference: str | None
    collected_by: UUID | None
    collected_at: datetime | None
    day: date | None
    month: str | None
    holder_id: UUID | None
    received_at: datetime | None
    company_fen: int | None
    workers_fen: int | None
    reserve_fen: int | None
    short_fen: int
    refunded_fen: int
    shares: list[ShareView]
    invoices: list[InvoiceView]


@dataclass(frozen=True)
class HandOverView:
    """Cash offered by one person to the next; its receiver is told the amount and receipts once he has counted."""

    id: UUID
    site_id: UUID
    from_id: UUID
    to_id: UUID
    state: str
    amount_fen: int | None
    receipt_ids: list[UUID]
    on_behalf_reason: str | None
    offered_at: datetime
    counted_fen: int | None
    counted_notes: dict[str, int] | None
    counted_at: datetime | None
    difference_reason: str | None


@dataclass(frozen=True)
class CashView:
    """Cash of a site in one person's hands."""

    site_id: UUID
    holder_id: UUID
    holder_name: str
    amount_fen: int
    receipts: int


@dataclass(frozen=True)
class CashFindingView:
    """Cash one person still held when the day was checked."""

    holder_id: UUID
    amount_fen: int
    receipts: int


@dataclass(frozen=True)
class CarriedFindingView:
    """A receipt that was out when the day was checked; without an outcome it is still to be accounted for."""

    receipt_id: UUID
    number: str
    carried_by: UUID
    outcome: str | None
    reason: str | None
    settled_by: UUID | None
    settled_at: datetime | None


@dataclass(frozen=True)
class CashCheckView:
    """A business day's check; `held_fen` was still out at closing time, as were the receipts `carried`."""

    site_id: UUID
    day: date
    closes_at: datetime
    checked_at: datetime | None
    chased_at: datetime | None
    closed_at: datetime | None
    held_fen: int
    findings: list[CashFindingView]
    carried: list[CarriedFindingView]


@dataclass(frozen=True)
class MissingCashView:
    """Cash that was still out the next morning: in his hands, or owed by him of a difference."""

    id: UUID
    site_id: UUID
    day: date
    holder_id: UUID
    holder_name: str
    difference_id: UUID | None
    amount_fen: int
    receipt_numbers: list[str]
    found_at: datetime
    returned_at: datetime | None


@dataclass(frozen=True)
class ReserveView:
    """What a site's reserve fund holds."""

    site_id: UUID
    balance_fen: int


@dataclass(frozen=True)
class ProposalView:
    """A proposed use of the reserve fund; `month` is the one it was approved in."""

    id: UUID
    site_id: UUID
    use: str
    person_id: UUID | None
    amount_fen: int
    reason: str
    state: str
    proposed_by: UUID
    decided_by: UUID | None
    decided_at: datetime | None
    decision: str | None
    month: str | None
    settlement_id: UUID | None
    damage_id: UUID | None
    request_id: UUID | None


@dataclass(frozen=True)
class PayoutFailureView:
    """Why HR could not pay a person, at the last attempt [R92]."""

    attempt: int
    cause: str
    reason: str
    failed_at: datetime


@dataclass(frozen=True)
class SettlementLineView:
    """What one person gets for a month, why, and whether he has it [R91-R94]; see `PayoutLine` for the sums.

    share = earned by his jobs - brought + share_carried; `failure` is empty once he is paid.
    """

    person_id: UUID
    name: str
    share_fen: int
    reward_fen: int
    fine_fen: int
    from_bonus_fen: int
    from_wage_fen: int
    carried_fen: int
    guard: Guard
    brought_fen: int
    share_carried_fen: int
    net_fen: int
    case_numbers: list[str]
    paid_at: datetime | None = None
    payment_reference: str | None = None
    failure: PayoutFailureView | None = None


@dataclass(frozen=True)
class SettlementView:
    """A site's month."""

    id: UUID
    site_id: UUID
    month: str
    state: str
    closes_at: datetime
    statistics_agreed_at: datetime | None
    desk_agreed_by: UUID | None
    finance_agreed_by: UUID | None
    drafted_by: UUID | None
    approved_by: UUID | None
    approved_at: datetime | None
    hr_received_at: datetime | None
    received_fen: int
    company_fen: int
    workers_fen: int
    reserve_fen: int
    rewards_fen: int
    fines_from_bonus_fen: int
    from_wage_fen: int
    carried_fen: int
    brought_fen: int
    share_carried_fen: int
    net_fen: int
    lines: list[SettlementLineView]


@dataclass(frozen=True)
class BalanceView:
    """An account's balance: debit +, credit −."""

    account: str
    site_id: UUID
    person_id: UUID | None
    amount_fen: int


@dataclass(frozen=True)
class JournalLineView:
    """One side of an entry: debit +, credit −."""

    line: int
    account: str
    site_id: UUID
    person_id: UUID | None
    amount_fen: int


@dataclass(frozen=True)
class JournalView:
    """An entry of the ledger."""

    id: UUID
    site_id: UUID
    kind: str
    at: datetime
    reference: str
    lines: list[JournalLineView]


@dataclass(frozen=True)
class FineView:
    """A fine to be deducted; `settlement_id` is the settlement that computed it."""

    case_id: UUID
    case_number: str
    site_id: UUID
    person_id: UUID
    person_name: str
    offence: str
    month: str
    amount_fen: int
    confirmed_at: datetime
    settlement_id: UUID | None
    settled_at: datetime | None


@dataclass(frozen=True)
class ReceiptBookView:
    """A book of receipts at a site's desk: how many of its numbers are in each state."""

    id: UUID
    site_id: UUID
    first: int
    last: int
    issued_by: UUID
    issued_at: datetime
    returned_by: UUID | None
    returned_at: datetime | None
    on_hand: int
    carried: int
    used: int
    voided: int
    returned: int


@dataclass(frozen=True)
class CashDifferenceView:
    """What was missing (negative: too much) when cash was counted."""

    id: UUID
    hand_over_id: UUID
    site_id: UUID
    giver_id: UUID
    receiver_id: UUID
    amount_fen: int
    reason: str
    recorded_at: datetime
    made_good_by: UUID | None
    made_good_at: datetime | None


@dataclass(frozen=True)
class RefundShareView:
    """What one worker's share is lessened by (negative)."""

    person_id: UUID
    share_fen: int


@dataclass(frozen=True)
class RefundView:
    """A fee given back, all or part; `month` and the three parts are set once it is approved."""

    id: UUID
    receipt_id: UUID
    receipt_number: str
    request_id: UUID
    site_id: UUID
    department: str
    amount_fen: int
    reason: str
    method: str
    state: str
    proposed_by: UUID
    decided_by: UUID | None
    decided_at: datetime | None
    decision: str | None
    month: str | None
    company_fen: int | None
    workers_fen: int | None
    reserve_fen: int | None
    shares: list[RefundShareView]


@dataclass(frozen=True)
class DamageView:
    """Damage done on a visit, as the department reported it."""

    damage_id: UUID
    request_id: UUID
    round: int
    site_id: UUID
    department: str
    description: str
    estimate_fen: int | None
    reported_by: UUID
    reported_at: datetime


@dataclass(frozen=True)
class NoticesReceivedView:
    """The copies of notices just taken in."""

    site_id: UUID
    request_ids: list[UUID]
    received_by: UUID
    received_at: datetime


def _own(
    actor: Actor, *people: InstrumentedAttribute[UUID] | InstrumentedAttribute[UUID | None]
) -> ColumnElement[bool]:
    """Keeps a worker's query to what he takes part in."""
    return or_(*(person == actor.person_id for person in people)) if actor.role in OWN_ONLY else true()


def price_version_view(version: PriceVersion) -> PriceVersionView:
    """One version as shown."""
    return PriceVersionView(
        id=version.id,
        number=version.number,
        state=version.state,
        effective_from=version.effective_from,
        drafted_by=version.drafted_by,
        approved_by=version.approved_by,
        approved_at=version.approved_at,
        withdrawn_by=version.withdrawn_by,
        withdrawn_at=version.withdrawn_at,
        items=_price_items(version),
    )


def _price_items(version: PriceVersion) -> list[PriceItemView]:
    return [
        PriceItemView(
            code=item.code,
            trade=item.trade,
            name=item.name,
            unit=item.unit,
            min_fen=item.min_fen,
            max_fen=item.max_fen,
        )
        for item in version.items
    ]


def price_versions(session: Session, *, after: UUID | None, limit: int) -> Page[PriceVersionView]:
    """Versions of the company's price book."""
    query = select(PriceVersion).options(selectinload(PriceVersion.items))
    return page_of(session, query, PriceVersion.id, price_version_view, after=after, limit=limit)


CHARGE = (selectinload(Charge.workers), selectinload(Charge.receipt))


def _charge_view(charge: Charge) -> ChargeView:
    return ChargeView(
        request_id=charge.request_id,
        notice_number=charge.notice_number,
        site_id=charge.site_id,
        department=charge.department,
        fee_fen=charge.fee_fen,
        items=[FeeItem(**item) for item in charge.items],
        price_version=charge.price_version,
        revision=charge.revision,
        state=charge.state,
        received_by=charge.received_by,
        received_at=charge.received_at,
        accepted_at=charge.accepted_at,
        workers=[ChargeWorkerView(w.person_id, w.name, w.weight) for w in charge.workers],
        receipt_id=charge.receipt.id if charge.receipt else None,
    )


def charges(session: Session, actor: Actor, *, state: str | None, after: UUID | None, limit: int) -> Page[ChargeView]:
    """Charges in order of registration, of one state or all."""
    query = select(Charge).where(at_sites_of(actor, Charge.site_id)).options(*CHARGE)
    if state is not None:
        query = query.where(Charge.state == state)
    return page_of(session, query, Charge.request_id, _charge_view, after=after, limit=limit)


def charge_by_id(session: Session, actor: Actor, request_id: UUID) -> ChargeView:
    """One charge. Raises NotFound when it is none of the person's sites."""
    query = select(Charge).where(Charge.request_id == request_id, at_sites_of(actor, Charge.site_id)).options(*CHARGE)
    charge = session.scalars(query).one_or_none()
    if charge is None:
        raise NotFound("charge", request_id)
    return _charge_view(charge)


def _receipt_view(receipt: Receipt) -> ReceiptView:
    return ReceiptView(
        id=receipt.id,
        number=receipt.number,
        book_id=receipt.book_id,
        request_id=receipt.request_id,
        site_id=receipt.site_id,
        department=receipt.department,
        state=receipt.state,
        amount_fen=receipt.amount_fen,
        carried_by=receipt.carried_by,
        void_reason=receipt.void_reason,
        method=receipt.method,
        reference=receipt.reference,
        collected_by=receipt.collected_by,
        collected_at=receipt.collected_at,
        day=receipt.day,
        month=receipt.month,
        holder_id=receipt.holder_id,
        received_at=receipt.received_at,
        company_fen=receipt.company_fen,
        workers_fen=receipt.workers_fen,
        reserve_fen=receipt.reserve_fen,
        short_fen=receipt.short_fen,
        refunded_fen=receipt.refunded_fen,
        shares=[ShareView(share.person_id, share.share_fen) for share in receipt.shares],
        invoices=[_invoice_view(invoice) for invoice in receipt.invoices],
    )


def _invoice_view(invoice: Invoice) -> InvoiceView:
    return InvoiceView(invoice.number, invoice.state, invoice.recorded_by, invoice.recorded_at)


RECEIPT = (selectinload(Receipt.shares), selectinload(Receipt.invoices))


def receipts(
    session: Session,
    actor: Actor,
    *,
    state: str | None,
    month: str | None,
    holder_id: UUID | None,
    after: UUID | None,
    limit: int,
) -> Page[ReceiptView]:
    """Receipts in order of numbering, of one state, month or holder of the cash, or all; a worker's own only."""
    query = (
        select(Receipt)
        .where(
            at_sites_of(actor, Receipt.site_id),
            _own(actor, Receipt.carried_by, Receipt.collected_by, Receipt.holder_id),
        )
        .options(*RECEIPT)
    )
    if state is not None:
        query = query.where(Receipt.state == state)
    if month is not None:
        query = query.where(Receipt.month == month)
    if holder_id is not None:
        query = query.where(Receipt.holder_id == holder_id)
    return page_of(session, query, Receipt.id, _receipt_view, after=after, limit=limit)


def receipt_as_left(session: Session, receipt: Receipt) -> ReceiptView:
    """A receipt as the action under way leaves it."""
    session.flush()
    return _receipt_view(
        session.scalars(
            select(Receipt).where(Receipt.id == receipt.id).options(*RECEIPT).execution_options(**FRESH)
        ).one()
    )


def _hand_over_view(hand_over: HandOver, reader: Actor) -> HandOverView:
    # who knows what should be there does not count: he is told afterwards [R85]
    blind = hand_over.state is HandOverState.OFFERED and hand_over.to_id == reader.person_id
    return HandOverView(
        id=hand_over.id,
        site_id=hand_over.site_id,
        from_id=hand_over.from_id,
        to_id=hand_over.to_id,
        state=hand_over.state,
        amount_fen=None if blind else hand_over.amount_fen,
        receipt_ids=[] if blind else [row.receipt_id for row in hand_over.receipts],
        on_behalf_reason=hand_over.on_behalf_reason,
        offered_at=hand_over.offered_at,
        counted_fen=hand_over.counted_fen,
        counted_notes=hand_over.counted_notes,
        counted_at=hand_over.counted_at,
        difference_reason=hand_over.difference_reason,
    )


def hand_overs(
    session: Session, actor: Actor, *, state: str | None, after: UUID | None, limit: int
) -> Page[HandOverView]:
    """Hand-overs in order of offering, of one state or all; a worker's own only."""
    query = (
        select(HandOver)
        .where(at_sites_of(actor, HandOver.site_id), _own(actor, HandOver.from_id, HandOver.to_id))
        .options(selectinload(HandOver.receipts))
    )
    if state is not None:
        query = query.where(HandOver.state == state)
    return page_of(session, query, HandOver.id, lambda row: _hand_over_view(row, actor), after=after, limit=limit)


def hand_over_as_left(session: Session, hand_over: HandOver, actor: Actor) -> HandOverView:
    """A hand-over as the action under way leaves it."""
    session.flush()
    return _hand_over_view(
        session.scalars(
            select(HandOver)
            .where(HandOver.id == hand_over.id)
            .options(selectinload(HandOver.receipts))
            .execution_options(**FRESH)
        ).one(),
        actor,
    )


def cash(session: Session, actor: Actor) -> list[CashView]:
    """Cash not with finance, by site and holder [R86]."""
    query = (
        select(Receipt.site_id, Person.id, Person.name, func.sum(Receipt.amount_fen - Receipt.short_fen), func.count())
        .join(Person, Person.id == Receipt.holder_id)
        .where(Receipt.holder_id.is_not(None), at_sites_of(actor, Receipt.site_id))
        .group_by(Receipt.site_id, Person.id)
        .order_by(Receipt.site_id, Person.id)
    )
    return [
        CashView(site_id, holder_id, name, int(amount_fen or 0), count)
        for site_id, holder_id, name, amount_fen, count in session.execute(query)
    ]


def cash_checks(session: Session, actor: Actor, *, month: str) -> list[CashCheckView]:
    """A month's business days at the person's sites [R36, R85]."""
    query = (
        select(SiteDay)
        .where(SiteDay.day.between(first_day(month), last_day(month)), at_sites_of(actor, SiteDay.site_id))
        .order_by(SiteDay.site_id, SiteDay.day)
        .options(selectinload(SiteDay.findings), selectinload(SiteDay.carried))
    )
    return [
        CashCheckView(
            site_id=day.site_id,
            day=day.day,
            closes_at=day.closes_at,
            checked_at=day.checked_at,
            chased_at=day.chased_at,
            closed_at=day.closed_at,
            held_fen=day.held_fen,
            findings=[CashFindingView(f.holder_id, f.amount_fen, f.receipts) for f in day.findings],
            carried=[
                CarriedFindingView(
                    f.receipt_id, f.number, f.carried_by, f.outcome, f.reason, f.settled_by, f.settled_at
                )
                for f in day.carried
            ],
        )
        for day in session.scalars(query)
    ]


def _missing_cash_view(missing: MissingCash) -> MissingCashView:
    return MissingCashView(
        id=missing.id,
        site_id=missing.site_id,
        day=missing.day,
        holder_id=missing.holder_id,
        holder_name=missing.holder_name,
        difference_id=missing.difference_id,
        amount_fen=missing.amount_fen,
        receipt_numbers=missing.receipt_numbers,
        found_at=missing.found_at,
        returned_at=missing.returned_at,
    )


def missing_cash(session: Session, actor: Actor, *, after: UUID | None, limit: int) -> Page[MissingCashView]:
    """Cash that was named as missing, in the order it was found; returned or not [R86]."""
    query = select(MissingCash).where(at_sites_of(actor, MissingCash.site_id))
    return page_of(session, query, MissingCash.id, _missing_cash_view, after=after, limit=limit)


def reserve_fen(session: Session, site_id: UUID) -> int:
    """What a site's reserve fund holds, from the ledger: its credits less its debits [R72]."""
    credit = select(-func.coalesce(func.sum(JournalLine.amount_fen), 0)).where(
        JournalLine.account == Account.RESERVE_FUND, JournalLine.site_id == site_id
    )
    return int(session.scalars(credit).one())


def reserves(session: Session, actor: Actor) -> list[ReserveView]:
    """The reserve fund of each of the person's sites, by code."""
    query = (
        select(Site.id, -func.coalesce(func.sum(JournalLine.amount_fen), 0))
        .outerjoin(JournalLine, (JournalLine.site_id == Site.id) & (JournalLine.account == Account.RESERVE_FUND))
        .where(at_sites_of(actor, Site.id))
        .group_by(Site.id)
        .order_by(Site.code)
    )
    return [ReserveView(site_id, int(balance_fen)) for site_id, balance_fen in session.execute(query)]


def proposal_view(proposal: Proposal) -> ProposalView:
    """One proposal as shown."""
    return ProposalView(
        id=proposal.id,
        site_id=proposal.site_id,
        use=proposal.use,
        person_id=proposal.person_id,
        amount_fen=proposal.amount_fen,
        reason=proposal.reason,
        state=proposal.state,
        proposed_by=proposal.proposed_by,
        decided_by=proposal.decided_by,
        decided_at=proposal.decided_at,
        decision=proposal.decision,
        month=proposal.month,
        settlement_id=proposal.settlement_id,
        damage_id=proposal.damage_id,
        request_id=proposal.request_id,
    )


def proposals(
    session: Session, actor: Actor, *, state: str | None, after: UUID | None, limit: int
) -> Page[ProposalView]:
    """Proposals in order of drafting, of one state or all."""
    query = select(Proposal).where(at_sites_of(actor, Proposal.site_id))
    if state is not None:
        query = query.where(Proposal.state == state)
    return page_of(session, query, Proposal.id, proposal_view, after=after, limit=limit)


def _line_view(line: SettlementLine) -> SettlementLineView:
    last = line.failures[-1] if line.failures and line.paid_at is None else None
    return SettlementLineView(
        person_id=line.person_id,
        name=line.name,
        share_fen=line.share_fen,
        reward_fen=line.reward_fen,
        fine_fen=line.fine_fen,
        from_bonus_fen=line.from_bonus_fen,
        from_wage_fen=line.from_wage_fen,
        carried_fen=line.carried_fen,
        guard=line.guard,
        brought_fen=line.brought_fen,
        share_carried_fen=line.share_carried_fen,
        net_fen=line.net_fen,
        case_numbers=line.case_numbers,
        paid_at=line.paid_at,
        payment_reference=line.payment_reference,
        failure=PayoutFailureView(last.attempt, last.cause, last.reason, last.failed_at) if last else None,
    )


JOB_SHARES = """
    SELECT s.person_id, w.name, r.number AS receipt_number, s.share_fen
    FROM receipts r
    JOIN receipt_shares s ON s.receipt_id = r.id
    JOIN charge_workers w ON w.request_id = r.request_id AND w.person_id = s.person_id
    WHERE r.site_id = :site_id AND r.month = :month AND r.state = 'used'
    UNION ALL
    SELECT s.person_id, w.name, r.number, s.share_fen
    FROM refunds f
    JOIN refund_shares s ON s.refund_id = f.id
    JOIN receipts r ON r.id = f.receipt_id
    JOIN charge_workers w ON w.request_id = r.request_id AND w.person_id = s.person_id
    WHERE f.site_id = :site_id AND f.month = :month
"""
"""SQL: what each job of a site's month earned each person, and what each refund took back (negative) [D16].

A settlement and its payout are sums and lists of these.
"""

_PAYOUT_LINES = text(f"""
    WITH jobs AS (
        SELECT person_id, jsonb_agg(
            jsonb_build_object('receipt_number', receipt_number, 'share_fen', share_fen) ORDER BY receipt_number
        ) AS jobs
        FROM ({JOB_SHARES}) shares GROUP BY person_id
    )
    SELECT l.person_id, l.name, share_fen, reward_fen, fine_fen, from_bonus_fen, from_wage_fen, carried_fen, guard,
           net_fen, case_numbers, coalesce(jobs.jobs, '[]') AS jobs
    FROM settlement_lines l LEFT JOIN jobs USING (person_id)
    WHERE l.settlement_id = :settlement_id ORDER BY l.person_id
""")  # noqa: S608  # our own SQL


def payout_lines(session: Session, settlement: Settlement) -> list[PayoutLine]:
    """A settlement's lines as computed, each with the jobs it sums up [R92]."""
    keys = {"settlement_id": settlement.id, "site_id": settlement.site_id, "month": settlement.month}
    return [PayoutLine.model_validate(dict(line)) for line in session.execute(_PAYOUT_LINES, keys).mappings()]


def payout(session: Session, actor: Actor, *, site_id: UUID, month: str) -> list[PayoutLine]:
    """What HR is or will be sent for a site's month [R92]. Raises NotFound at a site of others."""
    return payout_lines(session, settlement_of(session, actor, site_id, month))


LINES = selectinload(Settlement.lines).selectinload(SettlementLine.failures)


def settlement_of(session: Session, actor: Actor, site_id: UUID, month: str) -> Settlement:
    """A site's month with its lines. Raises NotFound when it is none of the person's sites."""
    settlement = session.scalars(
        select(Settlement)
        .where(Settlement.site_id == site_id, Settlement.month == month, at_sites_of(actor, Settlement.site_id))
        .options(LINES)
    ).one_or_none()
    if settlement is None:
        raise NotFound("settlement", month)
    return settlement


def settlements(session: Session, actor: Actor, *, month: str) -> list[SettlementView]:
    """A month's settlement at each of the person's sites, by code."""
    query = (
        select(Settlement)
        .join(Site, Site.id == Settlement.site_id)
        .where(Settlement.month == month, at_sites_of(actor, Settlement.site_id))
        .order_by(Site.code)
        .options(LINES)
    )
    return [settlement_view(settlement) for settlement in session.scalars(query)]


def settlement_as_left(session: Session, settlement: Settlement) -> SettlementView:
    """A settlement as the action under way leaves it."""
    session.flush()
    return settlement_view(
        session.scalars(
            select(Settlement).where(Settlement.id == settlement.id).options(LINES).execution_options(**FRESH)
        ).one()
    )


def settlement_view(settlement: Settlement) -> SettlementView:
    """One settlement as shown; its lines and their failures are loaded."""
    return SettlementView(
        id=settlement.id,
        site_id=settlement.site_id,
        month=settlement.month,
        state=settlement.state,
        closes_at=settlement.closes_at,
        statistics_agreed_at=settlement.statistics_agreed_at,
        desk_agreed_by=settlement.desk_agreed_by,
        finance_agreed_by=settlement.finance_agreed_by,
        drafted_by=settlement.drafted_by,
        approved_by=settlement.approved_by,
        approved_at=settlement.approved_at,
        hr_received_at=settlement.hr_received_at,
        received_fen=settlement.received_fen,
        company_fen=settlement.company_fen,
        workers_fen=settlement.workers_fen,
        reserve_fen=settlement.reserve_fen,
        rewards_fen=settlement.rewards_fen,
        fines_from_bonus_fen=settlement.fines_from_bonus_fen,
        from_wage_fen=settlement.from_wage_fen,
        carried_fen=settlement.carried_fen,
        brought_fen=settlement.brought_fen,
        share_carried_fen=settlement.share_carried_fen,
        net_fen=settlement.net_fen,
        lines=[_line_view(line) for line in settlement.lines],
    )


def balances(session: Session, actor: Actor) -> list[BalanceView]:
    """Every account's balance at the person's sites; all of them together are zero."""
    query = (
        select(JournalLine.account, JournalLine.site_id, JournalLine.person_id, func.sum(JournalLine.amount_fen))
        .where(at_sites_of(actor, JournalLine.site_id))
        .group_by(JournalLine.account, JournalLine.site_id, JournalLine.person_id)
        .order_by(JournalLine.site_id, JournalLine.account, JournalLine.person_id)
    )
    return [
        BalanceView(account, site_id, person_id, int(amount_fen))
        for account, site_id, person_id, amount_fen in session.execute(query)
    ]


def _journal_view(journal: Journal) -> JournalView:
    return JournalView(
        id=journal.id,
        site_id=journal.site_id,
        kind=journal.kind,
        at=journal.at,
        reference=journal.reference,
        lines=[
            JournalLineView(line.line, line.account, line.site_id, line.person_id, line.amount_fen)
            for line in journal.lines
        ],
    )


def journals(session: Session, actor: Actor, *, after: UUID | None, limit: int) -> Page[JournalView]:
    """The ledger, in the order it was written."""
    query = select(Journal).where(at_sites_of(actor, Journal.site_id)).options(selectinload(Journal.lines))
    return page_of(session, query, Journal.id, _journal_view, after=after, limit=limit)


def _fine_view(fine: Fine) -> FineView:
    return FineView(
        case_id=fine.case_id,
        case_number=fine.case_number,
        site_id=fine.site_id,
        person_id=fine.person_id,
        person_name=fine.person_name,
        offence=fine.offence,
        month=fine.month,
        amount_fen=fine.amount_fen,
        confirmed_at=fine.confirmed_at,
        settlement_id=fine.settlement_id,
        settled_at=fine.settled_at,
    )


def fines(session: Session, actor: Actor, *, after: UUID | None, limit: int) -> Page[FineView]:
    """Fines to be deducted or deducted already [R93]."""
    query = select(Fine).where(at_sites_of(actor, Fine.site_id))
    return page_of(session, query, Fine.case_id, _fine_view, after=after, limit=limit)


def till_fen(session: Session, site_id: UUID) -> int:
    """The cash of a site in finance's till, from the ledger."""
    debit = select(func.coalesce(func.sum(JournalLine.amount_fen), 0)).where(
        JournalLine.account == Account.CASH_AT_FINANCE, JournalLine.site_id == site_id
    )
    return int(session.scalars(debit).one())


def _book_view(book: ReceiptBook, counts: Counter[str]) -> ReceiptBookView:
    return ReceiptBookView(
        id=book.id,
        site_id=book.site_id,
        first=book.first,
        last=book.last,
        issued_by=book.issued_by,
        issued_at=book.issued_at,
        returned_by=book.returned_by,
        returned_at=book.returned_at,
        **{state.value: counts[state] for state in ReceiptState},
    )


def _with_counts(session: Session, books: list[ReceiptBook]) -> list[ReceiptBookView]:
    counts: dict[UUID | None, Counter[str]] = {book.id: Counter() for book in books}
    by_state = (
        select(Receipt.book_id, Receipt.state, func.count())
        .where(Receipt.book_id.in_(counts))
        .group_by(Receipt.book_id, Receipt.state)
    )
    for book_id, state, howmany in session.execute(by_state):
        counts[book_id][state] = howmany
    return [_book_view(book, counts[book.id]) for book in books]


def receipt_books(session: Session, actor: Actor, *, after: UUID | None, limit: int) -> Page[ReceiptBookView]:
    """Books of receipts in order of issue [R34, R35]."""
    query = select(ReceiptBook).where(at_sites_of(actor, ReceiptBook.site_id))
    page: Page[ReceiptBook] = page_of(session, query, ReceiptBook.id, lambda book: book, after=after, limit=limit)
    return Page(_with_counts(session, page.items), page.next)


def receipt_book_as_left(session: Session, book: ReceiptBook) -> ReceiptBookView:
    """A book as the action under way leaves it."""
    session.flush()
    return _with_counts(session, [book])[0]


def cash_difference_view(difference: CashDifference) -> CashDifferenceView:
    """One difference as shown."""
    return CashDifferenceView(
        id=difference.id,
        hand_over_id=difference.hand_over_id,
        site_id=difference.site_id,
        giver_id=difference.giver_id,
        receiver_id=difference.receiver_id,
        amount_fen=difference.amount_fen,
        reason=difference.reason,
        recorded_at=difference.recorded_at,
        made_good_by=difference.made_good_by,
        made_good_at=difference.made_good_at,
    )


def cash_differences(session: Session, actor: Actor, *, after: UUID | None, limit: int) -> Page[CashDifferenceView]:
    """Differences found when cash was counted, in the order they were confirmed [R86]."""
    query = select(CashDifference).where(at_sites_of(actor, CashDifference.site_id))
    return page_of(session, query, CashDifference.id, cash_difference_view, after=after, limit=limit)


REFUND = (selectinload(Refund.shares), joinedload(Refund.receipt))


def _refund_view(refund: Refund) -> RefundView:
    return RefundView(
        id=refund.id,
        receipt_id=refund.receipt_id,
        receipt_number=refund.receipt.number,
        request_id=refund.request_id,
        site_id=refund.site_id,
        department=refund.department,
        amount_fen=refund.amount_fen,
        reason=refund.reason,
        method=refund.method,
        state=refund.state,
        proposed_by=refund.proposed_by,
        decided_by=refund.decided_by,
        decided_at=refund.decided_at,
        decision=refund.decision,
        month=refund.month,
        company_fen=refund.company_fen,
        workers_fen=refund.workers_fen,
        reserve_fen=refund.reserve_fen,
        shares=[RefundShareView(share.person_id, share.share_fen) for share in refund.shares],
    )


def refunds(session: Session, actor: Actor, *, month: str | None, after: UUID | None, limit: int) -> Page[RefundView]:
    """Refunds in the order they were proposed, of one month or all [D13, D16]."""
    query = select(Refund).where(at_sites_of(actor, Refund.site_id)).options(*REFUND)
    if month is not None:
        query = query.where(Refund.month == month)
    return page_of(session, query, Refund.id, _refund_view, after=after, limit=limit)


def refund_as_left(session: Session, refund: Refund) -> RefundView:
    """A refund as the action under way leaves it."""
    session.flush()
    query = select(Refund).where(Refund.id == refund.id).options(*REFUND).execution_options(**FRESH)
    return _refund_view(session.scalars(query).one())


def _damage_view(damage: Damage) -> DamageView:
    return DamageView(
        damage_id=damage.damage_id,
        request_id=damage.request_id,
        round=damage.round,
        site_id=damage.site_id,
        department=damage.department,
        description=damage.description,
        estimate_fen=damage.estimate_fen,
        reported_by=damage.reported_by,
        reported_at=damage.reported_at,
    )


def damages(session: Session, actor: Actor, *, after: UUID | None, limit: int) -> Page[DamageView]:
    """Damage reported on visits [R63, R74]."""
    query = select(Damage).where(at_sites_of(actor, Damage.site_id))
    return page_of(session, query, Damage.damage_id, _damage_view, after=after, limit=limit)


_MISSING = text("""
    SELECT CAST(s.state = 'open' AS int) AS month_is_over,
           (SELECT count(*) FROM site_days d
            WHERE d.site_id = s.site_id AND d.day BETWEEN :first AND :last AND d.closed_at IS NULL) AS cash_checked,
           (SELECT count(*) FROM carried_findings f
            WHERE f.site_id = s.site_id AND f.day BETWEEN :first AND :last AND f.settled_at IS NULL)
               AS receipts_explained,
           CAST(s.statistics_agreed_at IS NULL AS int) AS statistics_agreed,
           CAST(s.desk_agreed_at IS NULL AS int) AS accounts_agreed_by_desk,
           CAST(s.finance_agreed_at IS NULL AS int) AS accounts_agreed_by_finance,
           CASE WHEN s.approved_at IS NULL THEN
               (SELECT count(*) FROM fines f
                WHERE f.site_id = s.site_id AND f.month <= s.month AND f.settlement_id IS NULL)
           ELSE 0 END AS fines_taken_in,
           CAST(s.drafted_at IS NULL AS int) AS computed,
           CAST(s.approved_at IS NULL AS int) AS approved,
           CAST(s.hr_received_at IS NULL AS int) AS received_by_hr,
           CASE WHEN s.approved_at IS NULL THEN 1 ELSE
               (SELECT count(*) FROM settlement_lines l
                WHERE l.settlement_id = s.id AND l.net_fen > 0 AND l.paid_at IS NULL)
           END AS all_paid
    FROM settlements s WHERE s.id = :settlement_id
""")


def checklist(session: Session, actor: Actor, *, site_id: UUID, month: str) -> list[Checked]:
    """What is still to be done before a site's month is done, in order [R89-R92, D18]."""
    settlement = settlement_of(session, actor, site_id, month)
    keys = {"settlement_id": settlement.id, "first": first_day(month), "last": last_day(month)}
    return check(dict(session.execute(_MISSING, keys).mappings().one()))


@dataclass(frozen=True)
class ReopeningView:
    """A proposal to reopen a month, and the decision [D18]."""

    id: UUID
    settlement_id: UUID
    state: str
    reason: str
    proposed_by: UUID
    proposed_at: datetime
    decided_by: UUID | None
    decided_at: datetime | None
    decision: str | None


def reopening_view(reopening: Reopening) -> ReopeningView:
    """One proposal to reopen as shown."""
    return ReopeningView(
        id=reopening.id,
        settlement_id=reopening.settlement_id,
        state=reopening.state,
        reason=reopening.reason,
        proposed_by=reopening.proposed_by,
        proposed_at=reopening.proposed_at,
        decided_by=reopening.decided_by,
        decided_at=reopening.decided_at,
        decision=reopening.decision,
    )


def reopenings(session: Session, actor: Actor, *, site_id: UUID, month: str) -> list[ReopeningView]:
    """Every proposal to reopen a site's month, in order [D18]."""
    settlement = settlement_of(session, actor, site_id, month)
    query = select(Reopening).where(Reopening.settlement_id == settlement.id).order_by(Reopening.id)
    return [reopening_view(reopening) for reopening in session.scalars(query)]


def _approved_on(session: Session, on: date, *, besides: UUID | None = None) -> PriceVersion | None:
    query = (
        select(PriceVersion)
        .where(PriceVersion.state == PriceState.APPROVED, PriceVersion.effective_from <= on)
        .order_by(PriceVersion.effective_from.desc(), PriceVersion.number.desc())
        .limit(1)
        .options(selectinload(PriceVersion.items))
    )
    return session.scalars(query if besides is None else query.where(PriceVersion.id != besides)).one_or_none()


def price_version_in_force(session: Session, *, on: date) -> PriceVersionView:
    """The version fees are agreed from on a day: the approved one that began last [R55, R57, D10]. Raises NotFound."""
    version = _approved_on(session, on)
    if version is None:
        raise NotFound("price version in force on", on)
    return price_version_view(version)


@dataclass(frozen=True)
class PriceDifferenceView:
    """What a version changes against the one it follows; `against` is that one's number, none for the first."""

    version: int
    against: int | None
    added: list[PriceItemView]
    removed: list[PriceItemView]
    changed: list[ChangedItem]


def price_difference(session: Session, version_id: UUID) -> PriceDifferenceView:
    """What the leader is asked to approve, against what would hold without it on its first day [R56]."""
    version = session.get(PriceVersion, version_id, options=[selectinload(PriceVersion.items)])
    if version is None:
        raise NotFound("price version", version_id)
    before = _approved_on(session, version.effective_from, besides=version.id)
    found = difference(_price_items(before) if before else [], _price_items(version))
    return PriceDifferenceView(
        version.number, before.number if before else None, found.added, found.removed, found.changed
    )


BUSINESS_DAY = "CAST(j.at AT TIME ZONE sites.zone + (interval '24 hours' - CAST(sites.closing AS interval)) AS date)"
"""SQL: the day a journal counts in; from closing time on it is the next one, as in `shared.calendar`."""


@dataclass(frozen=True)
class ReserveMovementView:
    """What came into the fund (+) or left it (-) on a day; a use has its proposal, shares of fees are added up."""

    day: date
    kind: str
    amount_fen: int
    proposal_id: UUID | None
    reason: str | None


@dataclass(frozen=True)
class ReserveStatementView:
    """A month of a site's reserve fund, from the ledger [R72-R77]."""

    site_id: UUID
    month: str
    opening_fen: int
    movements: list[ReserveMovementView]
    closing_fen: int


_MOVED = f"""
    SELECT j.kind, p.id AS proposal_id, p.reason, {BUSINESS_DAY} AS day, -l.amount_fen AS fen
    FROM journal_lines l
    JOIN journals j ON j.id = l.journal_id
    JOIN sites ON sites.id = l.site_id
    LEFT JOIN proposals p ON CAST(p.id AS text) = j.reference AND p.use = j.kind AND p.site_id = l.site_id
    WHERE l.account = 'reserve_fund' AND l.site_id = :site_id
"""  # noqa: S608  # our own SQL

_OPENING = text(f"SELECT coalesce(sum(fen), 0) FROM ({_MOVED}) moved WHERE day < :first")  # noqa: S608  # our own SQL

_MOVEMENTS = text(f"""
    SELECT day, kind, sum(fen) AS fen, proposal_id, reason FROM ({_MOVED}) moved
    WHERE day BETWEEN :first AND :last
    GROUP BY day, kind, proposal_id, reason ORDER BY day, kind, proposal_id
""")  # noqa: S608  # our own SQL


def reserve_statement(session: Session, actor: Actor, *, site_id: UUID, month: str) -> ReserveStatementView:
    """Opening balance, every movement, closing balance [R72-R77]. Raises NotFound at a site of others."""
    site_for(session, actor, site_id)
    keys = {"site_id": site_id, "first": first_day(month), "last": last_day(month)}
    opening = int(session.execute(_OPENING, keys).scalar_one())
    movements = [
        ReserveMovementView(row.day, row.kind, int(row.fen), row.proposal_id, row.reason)
        for row in session.execute(_MOVEMENTS, keys)
    ]
    return ReserveStatementView(
        site_id, month, opening, movements, opening + sum(movement.amount_fen for movement in movements)
    )


@dataclass(frozen=True)
class AccountView:
    """An account of the chart; it grows on its normal side, and balances are shown debit +, credit -."""

    code: str
    english: str
    chinese: str
    kind: str
    normal_side: str
    by_person: bool


def accounts() -> list[AccountView]:
    """The chart of accounts."""
    return [
        AccountView(code, entry.english, entry.chinese, entry.kind, entry.normal_side, entry.by_person)
        for code, entry in CHART.items()
    ]


# every line of the person's sites with its day; a month has what came before it as its opening balances
_POSTED = f"""
    SELECT l.journal_id, l.line, l.account, l.person_id, l.amount_fen, j.kind, j.reference, sites.code AS site_code,
           {BUSINESS_DAY} AS day
    FROM journal_lines l
    JOIN journals j ON j.id = l.journal_id
    JOIN sites ON sites.id = l.site_id
    WHERE (CAST(:sites AS uuid[]) IS NULL OR l.site_id = ANY(:sites))
"""  # noqa: S608  # our own SQL

_ACCOUNTS = text(f"""
    SELECT account, site_code, person_id, people.name, greatest(min(day), :first) AS since,
           coalesce(sum(amount_fen) FILTER (WHERE day < :first), 0) AS opening_fen
    FROM ({_POSTED}) posted LEFT JOIN people ON people.id = person_id
    WHERE day <= :last
    GROUP BY account, site_code, person_id, people.name ORDER BY site_code, account, person_id
""")  # noqa: S608  # our own SQL

_TRANSACTIONS = text(f"""
    SELECT journal_id, day, kind, reference, account, site_code, person_id, amount_fen FROM ({_POSTED}) posted
    WHERE day BETWEEN :first AND :last ORDER BY journal_id, line
""")  # noqa: S608  # our own SQL

_MONTH_ENDS = text(f"""
    WITH moved AS (
        SELECT account, site_code, person_id,
               greatest(CAST(date_trunc('month', CAST(day AS timestamp)) AS date), :first) AS month,
               sum(amount_fen) AS fen
        FROM ({_POSTED}) posted WHERE day <= :last GROUP BY 1, 2, 3, 4
    )
    SELECT CAST(m.month + interval '1 month' AS date) AS next_day,
           account, site_code, person_id, sum(fen) AS fen
    FROM (SELECT DISTINCT month FROM moved) m JOIN moved ON moved.month <= m.month
    GROUP BY m.month, account, site_code, person_id ORDER BY m.month, site_code, account, person_id
""")  # noqa: S608  # our own SQL

_STREAMED = {"yield_per": 1000}


def beancount_of(session: Session, actor: Actor, *, month: str | None) -> Iterator[str]:
    """The ledger of the person's sites for beancount, whole or one month of it, piece by piece.

    Accounts, one transaction for each journal, and what every account holds at the end of each month. The session's
    transaction must see one moment of the books.
    """
    keys = {
        "sites": None if actor.site_ids is None else list(actor.site_ids),
        "first": first_day(month) if month else date.min,
        "last": last_day(month) if month else date.max,
    }
    yield beancount.HEAD
    found = session.execute(_ACCOUNTS, keys).all()
    for row in found:
        title = CHART[Account(row.account)].chinese + (f" {row.name}" if row.name else "")
        yield beancount.opened(row.since, _account_name(row), title)
    opening = [(_account_name(row), int(row.opening_fen)) for row in found if row.opening_fen]
    if opening:
        yield beancount.transaction(first_day(str(month)), "opening", f"balances before {month}", opening)
    for _, lines in groupby(session.execute(_TRANSACTIONS, keys, execution_options=_STREAMED), _journal_id):
        journal = list(lines)
        yield beancount.transaction(
            journal[0].day,
            journal[0].kind,
            journal[0].reference,
            [(_account_name(line), line.amount_fen) for line in journal],
        )
    for row in session.execute(_MONTH_ENDS, keys, execution_options=_STREAMED):
        yield beancount.balance(row.next_day, _account_name(row), int(row.fen))


def _journal_id(line: Row[Any]) -> UUID:
    journal_id: UUID = line.journal_id
    return journal_id


def _account_name(row: Row[Any]) -> str:
    return beancount.account_name(Account(row.account), row.site_code, row.person_id)
