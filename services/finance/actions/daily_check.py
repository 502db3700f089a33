"""The daily cash check, the chase of the next morning, and cash that comes back after all [R36, R85, R86, D6, D7]."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from itertools import groupby
from uuid import UUID

from sqlalchemy import select, text, tuple_, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import InstrumentedAttribute, Session

from services.finance.models import CASH_CHASE, DAILY_CHECK, MissingCash, MissingCashReceipt, Site, SiteDay
from services.finance.rules.daily_check import CashPolicy, check_times
from shared.bus.outbox import publish
from shared.calendar import business_day
from shared.ids import new_id
from shared.messages import CashNotHandedOver, CashReturned
from shared.people import known_site
from shared.policy_rows import in_force_at
from shared.tasks import Deadline


def open_days(session: Session, days: Sequence[tuple[UUID, date]], *, now: datetime) -> None:
    """Begin business days (site, day), each with the moments of its check and chase."""
    sites = {site.id: site for site in session.scalars(select(Site).where(Site.id.in_([id_ for id_, _ in days])))}
    policies = in_force_at(session, CashPolicy, site_ids=list(sites), at=now)
    rows = []
    for site_id, day in days:
        times = check_times(day, zone=sites[site_id].zone, closing=sites[site_id].closing, policy=policies[site_id])
        rows.append({"site_id": site_id, "day": day, "closes_at": times.closes_at, "chase_at": times.chase_at})
    session.execute(insert(SiteDay).on_conflict_do_nothing(), rows)


def site_opened(session: Session, site_id: UUID, *, now: datetime) -> None:
    """A site's first business day is the one in which hr told us of it."""
    site = known_site(session, site_id)
    open_days(session, [(site_id, business_day(now, zone=site.zone, closing=site.closing))], now=now)


def _claim(
    session: Session, deadline: Deadline, done: InstrumentedAttribute[datetime | None], *, now: datetime
) -> list[tuple[UUID, date]]:
    """The days whose deadline has passed, marked as done; the longest overdue first."""
    due = deadline.claim(SiteDay.site_id, SiteDay.day, now=now)
    claimed = session.execute(
        update(SiteDay)
        .where(tuple_(SiteDay.site_id, SiteDay.day).in_(due))
        .values({done: now})
        .returning(SiteDay.site_id, SiteDay.day)
    )
    return [(row.site_id, row.day) for row in claimed]


_LIST = text("""
    WITH checked AS (
        SELECT * FROM unnest(CAST(:site_ids AS uuid[]), CAST(:days AS date[])) AS c (site_id, day)
    ), found AS (
        INSERT INTO cash_findings (site_id, day, holder_id, amount_fen, receipts)
        SELECT c.site_id, c.day, r.holder_id, sum(r.amount_fen), count(*)
        FROM checked c JOIN receipts r ON r.site_id = c.site_id AND r.day <= c.day AND r.holder_id IS NOT NULL
        WHERE NOT EXISTS (SELECT FROM missing_cash_receipts m WHERE m.receipt_id = r.id)
        GROUP BY c.site_id, c.day, r.holder_id
        RETURNING site_id, day, amount_fen
    )
    UPDATE site_days d SET held_fen = held.fen
    FROM (SELECT site_id, day, sum(amount_fen) AS fen FROM found GROUP BY site_id, day) held
    WHERE d.site_id = held.site_id AND d.day = held.day
""")


def check_due(session: Session, *, now: datetime) -> int:
    """Closing time: list by holder what finance has not got, of this day or earlier, and begin the next day [D6]."""
    checked = _claim(session, DAILY_CHECK, SiteDay.checked_at, now=now)
    if checked:
        session.execute(_LIST, _columns(checked))
        open_days(session, [(site_id, day + timedelta(days=1)) for site_id, day in checked], now=now)
    return len(checked)


# locked before they are named, so that cash counted at this very moment is either not named or found returned
_STILL_OUT = text("""
    WITH chased AS (
        SELECT * FROM unnest(CAST(:site_ids AS uuid[]), CAST(:days AS date[])) AS c (site_id, day)
    )
    SELECT r.id, r.number, r.amount_fen, r.site_id, r.holder_id,
           (SELECT name FROM people WHERE id = r.holder_id) AS holder_name,
           (SELECT min(c.day) FROM chased c WHERE c.site_id = r.site_id AND c.day >= r.day) AS chased_day
    FROM receipts r
    WHERE r.holder_id IS NOT NULL
      AND EXISTS (SELECT FROM chased c WHERE c.site_id = r.site_id AND c.day >= r.day)
      AND NOT EXISTS (SELECT FROM missing_cash_receipts m WHERE m.receipt_id = r.id)
    ORDER BY r.id FOR UPDATE OF r
""")


def chase_due(session: Session, *, now: datetime) -> int:
    """The next morning: who still holds cash of that day is named to hr and to the desk, with the receipts [R86]."""
    chased = _claim(session, CASH_CHASE, SiteDay.chased_at, now=now)
    if not chased:
        return 0
    still_out = session.execute(_STILL_OUT, _columns(chased)).all()
    by_holder = sorted(still_out, key=lambda row: (row.site_id, row.chased_day, row.holder_id, row.id))
    for (site_id, day, holder_id), group in groupby(
        by_holder, lambda row: (row.site_id, row.chased_day, row.holder_id)
    ):
        receipts = list(group)
        missing = MissingCash(
            id=new_id(),
            site_id=site_id,
            day=day,
            holder_id=holder_id,
            holder_name=receipts[0].holder_name,
            amount_fen=sum(receipt.amount_fen for receipt in receipts),
            found_at=now,
            receipts=[MissingCashReceipt(receipt_id=receipt.id) for receipt in receipts],
        )
        session.add(missing)
        publish(
            session,
            CashNotHandedOver(
                missing_id=missing.id,
                site_id=site_id,
                day=day,
                holder_id=holder_id,
                holder_name=missing.holder_name,
                amount_fen=missing.amount_fen,
                receipt_numbers=[receipt.number for receipt in receipts],
                found_at=now,
            ),
        )
    return len(chased)


def _columns(days: Sequence[tuple[UUID, date]]) -> dict[str, list[UUID] | list[date]]:
    return {"site_ids": [site_id for site_id, _ in days], "days": [day for _, day in days]}


_LOCK_NAMED = text("""
    SELECT id FROM missing_cash
    WHERE id IN (SELECT missing_id FROM missing_cash_receipts WHERE receipt_id = ANY(:receipt_ids))
    ORDER BY id FOR UPDATE
""")

_RETURN = text("""
    UPDATE missing_cash m SET returned_at = :now
    WHERE m.id = ANY(:ids) AND m.returned_at IS NULL
      AND NOT EXISTS (SELECT FROM missing_cash_receipts n JOIN receipts r ON r.id = n.receipt_id
                      WHERE n.missing_id = m.id AND r.received_at IS NULL)
    RETURNING m.id, m.site_id, m.holder_id, m.amount_fen
""")


def received_by_finance(session: Session, receipt_ids: Sequence[UUID], *, now: datetime) -> None:
    """Finance has the cash of these receipts: what was missing and is all there now is told as returned [D7]."""
    session.flush()
    # two cashiers who each count a part wait for each other here, and the later one sees both parts
    named = session.scalars(_LOCK_NAMED, {"receipt_ids": list(receipt_ids)}).all()
    returned = session.execute(_RETURN, {"ids": list(named), "now": now}).all()
    publish(
        session,
        *(
            CashReturned(
                missing_id=row.id,
                site_id=row.site_id,
                holder_id=row.holder_id,
                amount_fen=row.amount_fen,
                returned_at=now,
            )
            for row in returned
        ),
    )
