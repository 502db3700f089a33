"""The daily check at closing time: cash not handed over, receipts still out [R35, R36, R85, D6].

Cash in hand is what receipts say, less what an earlier holder owes of it.
"""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from itertools import chain
from typing import Any
from uuid import UUID, uuid5

from sqlalchemy import Row, select, text, tuple_, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import InstrumentedAttribute, Session

from services.finance.actions.settlement import days_begun
from services.finance.models import DAILY_CHECK, CarriedFinding, Site, SiteDay
from services.finance.rules.daily_check import CashPolicy, check_times
from shared.alerts import Alert, raise_alerts
from shared.calendar import business_day
from shared.ids import new_id
from shared.messages import Role
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
    days_begun(session, days, now=now)


def site_opened(session: Session, site_id: UUID, *, now: datetime) -> None:
    """A site's first business day is the one in which hr told us of it."""
    site = known_site(session, site_id)
    open_days(session, [(site_id, business_day(now, zone=site.zone, closing=site.closing))], now=now)


def claim(
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
        SELECT c.site_id, c.day, r.holder_id, sum(r.amount_fen - r.short_fen), count(*)
        FROM checked c JOIN receipts r ON r.site_id = c.site_id AND r.day <= c.day AND r.holder_id IS NOT NULL
        WHERE NOT EXISTS (SELECT FROM missing_cash_receipts m WHERE m.receipt_id = r.id)
        GROUP BY c.site_id, c.day, r.holder_id HAVING sum(r.amount_fen - r.short_fen) > 0
        RETURNING *
    ), held AS (
        UPDATE site_days d SET held_fen = held.fen
        FROM (SELECT site_id, day, sum(amount_fen) AS fen FROM found GROUP BY site_id, day) held
        WHERE d.site_id = held.site_id AND d.day = held.day
    )
    SELECT found.*, people.name AS holder_name FROM found JOIN people ON people.id = found.holder_id
""")


# locked before they are listed, so that one accounted for at this very moment is either not listed or settled then
_OUT = text("""
    SELECT r.id AS receipt_id, r.number, r.carried_by, d.site_id, d.day
    FROM site_days d JOIN receipts r ON r.site_id = d.site_id AND r.state = 'carried' AND r.issued_at < d.closes_at
    WHERE (d.site_id, d.day) IN (SELECT * FROM unnest(CAST(:site_ids AS uuid[]), CAST(:days AS date[])))
    ORDER BY r.id, d.day FOR UPDATE OF r
""")


_CLOSE = text("""
    UPDATE site_days d SET closed_at = :now
    WHERE (d.site_id, d.day) IN (SELECT * FROM unnest(CAST(:site_ids AS uuid[]), CAST(:days AS date[])))
      AND d.checked_at IS NOT NULL AND d.closed_at IS NULL
      AND NOT EXISTS (SELECT FROM carried_findings f
                      WHERE f.site_id = d.site_id AND f.day = d.day AND f.settled_at IS NULL)
""")


_LOCK_DAYS = text("""
    SELECT FROM site_days
    WHERE (site_id, day) IN (SELECT * FROM unnest(CAST(:site_ids AS uuid[]), CAST(:days AS date[])))
    ORDER BY site_id, day FOR UPDATE
""")


def check_due(session: Session, *, now: datetime) -> int:
    """Closing time: list by holder what finance has not got, of this day or earlier, and begin the next day [D6].

    Receipts that are still out are listed too; a day closes when there are none, or the last is accounted for [R35].
    """
    checked = claim(session, DAILY_CHECK, SiteDay.checked_at, now=now)
    if checked:
        _tell_of_cash(session, session.execute(_LIST, columns(checked)).all(), now=now)
        _list_receipts_out(session, checked, now=now)
        close_days(session, checked, now=now)
        open_days(session, [(site_id, day + timedelta(days=1)) for site_id, day in checked], now=now)
    return len(checked)


def _alerts(
    kind: str, site_id: UUID, subject_id: UUID, *, person_id: UUID, roles: Sequence[Role], facts: dict[str, str | int]
) -> list[Alert]:
    """The same told to one person and to these roles of the site."""
    return [
        Alert(kind, site_id, subject_id, person_id=person_id, facts=facts),
        *(Alert(kind, site_id, subject_id, role=role, facts=facts) for role in roles),
    ]


def _tell_of_cash(session: Session, found: Sequence[Row[Any]], *, now: datetime) -> None:
    """The holder, the desk head and finance learn of cash that was not handed over at closing time [D6]."""
    alerts = [
        _alerts(
            "cash_held",
            row.site_id,
            uuid5(row.holder_id, f"{row.site_id} {row.day}"),
            person_id=row.holder_id,
            roles=("desk_head", "cashier", "finance_lead"),
            facts={
                "day": str(row.day),
                "holder_name": row.holder_name,
                "amount_fen": int(row.amount_fen),
                "receipts": row.receipts,
            },
        )
        for row in found
    ]
    raise_alerts(session, list(chain(*alerts)), now=now)


def _list_receipts_out(session: Session, checked: Sequence[tuple[UUID, date]], *, now: datetime) -> None:
    """Receipts that workers carry at closing time: the day stays open until each is accounted for [R35]."""
    out = [{"id": new_id(), **row} for row in session.execute(_OUT, columns(checked)).mappings()]
    if not out:
        return
    session.execute(insert(CarriedFinding), out)
    alerts = [
        _alerts(
            "receipt_out",
            row["site_id"],
            row["id"],
            person_id=row["carried_by"],
            roles=("desk_head",),
            facts={"day": str(row["day"]), "number": row["number"]},
        )
        for row in out
    ]
    raise_alerts(session, list(chain(*alerts)), now=now)


def close_days(session: Session, days: Sequence[tuple[UUID, date]], *, now: datetime) -> None:
    """Close those of the days, checked already, of which no receipt is unaccounted for [R35]."""
    # two who account for the last two receipts of a day wait for each other here, and the later one closes it
    session.execute(_LOCK_DAYS, columns(days))
    session.execute(_CLOSE, {**columns(days), "now": now})


def columns(days: Sequence[tuple[UUID, date]]) -> dict[str, list[UUID] | list[date]]:
    """Days as two arrays, to be unnested in SQL."""
    return {"site_ids": [site_id for site_id, _ in days], "days": [day for _, day in days]}
