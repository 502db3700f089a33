"""Payouts, each line with its payment."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select, text
from sqlalchemy.orm import Session, selectinload

from services.hr.models import Payment, Payout, PayoutLine
from shared.access import at_sites_of
from shared.errors import NotFound
from shared.messages import JobShare
from shared.paging import Page, page_of
from shared.people import Actor


@dataclass(frozen=True)
class FailureView:
    """An attempt to pay that failed."""

    attempt: int
    cause: str
    reason: str
    told_by: UUID | None
    failed_at: datetime


@dataclass(frozen=True)
class PayoutLineView:
    """What one person is paid (fen), how it came about, and whether he was paid."""

    person_id: UUID
    name: str
    share_fen: int
    reward_fen: int
    fine_fen: int
    from_bonus_fen: int
    from_wage_fen: int
    net_fen: int
    case_numbers: list[str]
    carried_fen: int
    guard: str
    jobs: list[JobShare]
    state: str
    reference: str | None
    paid_at: datetime | None
    failures: list[FailureView]


@dataclass(frozen=True)
class PayoutView:
    """A site's payout of a month (fen)."""

    settlement_id: UUID
    site_id: UUID
    month: str
    net_fen: int
    from_wage_fen: int
    approved_by: UUID
    approved_at: datetime
    received_at: datetime
    lines: list[PayoutLineView]


WITH_PAYMENT = selectinload(PayoutLine.payment).selectinload(Payment.failures)
"""How a line is loaded to be shown."""


def payouts(session: Session, actor: Actor, *, after: UUID | None, limit: int) -> Page[PayoutView]:
    """Payouts with every line."""
    whole = selectinload(Payout.lines).options(WITH_PAYMENT)
    query = select(Payout).where(at_sites_of(actor, Payout.site_id)).options(whole)
    return page_of(session, query, Payout.settlement_id, _payout_view, after=after, limit=limit)


@dataclass(frozen=True)
class PayoutSummary:
    """A payout (fen) with how many of its lines are paid, failed, due, and leave nothing to pay."""

    settlement_id: UUID
    site_id: UUID
    month: str
    net_fen: int
    from_wage_fen: int
    received_at: datetime
    lines: int
    paid: int
    failed: int
    due: int
    unpaid_fen: int

    @property
    def state(self) -> str:
        """Where the whole stands."""
        return "failed" if self.failed else "due" if self.due else "paid"


# lines are counted for the payouts of one page alone
_SUMMARIES = text("""
    SELECT p.settlement_id, p.site_id, p.month, p.net_fen, p.from_wage_fen, p.received_at, counted.*
    FROM (SELECT * FROM payouts
          WHERE (CAST(:sites AS uuid[]) IS NULL OR site_id = ANY(:sites))
            AND (CAST(:site AS uuid) IS NULL OR site_id = :site)
            AND (CAST(:month AS text) IS NULL OR month = :month)
            AND (CAST(:after AS uuid) IS NULL OR settlement_id < :after)
          ORDER BY settlement_id DESC LIMIT :limit) p
    CROSS JOIN LATERAL (
        SELECT count(*) AS lines, count(*) FILTER (WHERE y.state = 'paid') AS paid,
               count(*) FILTER (WHERE y.state = 'failed') AS failed, count(*) FILTER (WHERE y.state = 'due') AS due,
               coalesce(sum(l.net_fen) FILTER (WHERE y.state IN ('due', 'failed')), 0)::bigint AS unpaid_fen
        FROM payout_lines l JOIN payments y USING (settlement_id, person_id) WHERE l.settlement_id = p.settlement_id
    ) counted
    ORDER BY p.settlement_id DESC
""")


def payout_summaries(
    session: Session, actor: Actor, *, site_id: UUID | None, month: str | None, after: UUID | None, limit: int
) -> Page[PayoutSummary]:
    """Payouts of the person's sites, the newest first, of a site or a month or all."""
    sites = None if actor.site_ids is None else list(actor.site_ids)
    asked = {"sites": sites, "site": site_id, "month": month, "after": after, "limit": limit + 1}
    rows = [PayoutSummary(*row) for row in session.execute(_SUMMARIES, asked)]
    return Page(rows[:limit], rows[limit - 1].settlement_id if len(rows) > limit else None)


def payout_by_id(session: Session, actor: Actor, settlement_id: UUID) -> PayoutView:
    """One payout with every line. Raises NotFound."""
    session.flush()
    whole = selectinload(Payout.lines).options(WITH_PAYMENT)
    query = select(Payout).where(at_sites_of(actor, Payout.site_id), Payout.settlement_id == settlement_id)
    found = session.scalars(query.options(whole).execution_options(populate_existing=True)).one_or_none()
    if found is None:
        raise NotFound("payout", settlement_id)
    return _payout_view(found)


def _payout_view(p: Payout) -> PayoutView:
    return PayoutView(
        settlement_id=p.settlement_id,
        site_id=p.site_id,
        month=p.month,
        net_fen=p.net_fen,
        from_wage_fen=p.from_wage_fen,
        approved_by=p.approved_by,
        approved_at=p.approved_at,
        received_at=p.received_at,
        lines=[line_view(line) for line in p.lines],
    )


def payout_line(session: Session, settlement_id: UUID, person_id: UUID) -> PayoutLineView:
    """One line with its payment, for who was let change it."""
    session.flush()
    query = (
        select(PayoutLine)
        .where(PayoutLine.settlement_id == settlement_id, PayoutLine.person_id == person_id)
        .options(WITH_PAYMENT)
        .execution_options(populate_existing=True)
    )
    return line_view(session.scalars(query).one())


def line_view(line: PayoutLine) -> PayoutLineView:
    """A line loaded with its payment, as shown."""
    payment = line.payment
    return PayoutLineView(
        person_id=line.person_id,
        name=line.name,
        share_fen=line.share_fen,
        reward_fen=line.reward_fen,
        fine_fen=line.fine_fen,
        from_bonus_fen=line.from_bonus_fen,
        from_wage_fen=line.from_wage_fen,
        net_fen=line.net_fen,
        case_numbers=line.case_numbers,
        carried_fen=line.carried_fen,
        guard=line.guard,
        jobs=[JobShare.model_validate(job) for job in line.jobs],
        state=payment.state,
        reference=payment.reference,
        paid_at=payment.paid_at,
        failures=[FailureView(f.attempt, f.cause, f.reason, f.told_by, f.failed_at) for f in payment.failures],
    )
