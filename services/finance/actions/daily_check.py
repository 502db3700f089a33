"""The daily cash check, the chase of the next morning, and cash that comes back after all [R36, R85, R86, D6, D7].

Cash in hand is what receipts say, less what an earlier holder owes of it.
"""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from itertools import chain, groupby
from typing import Any
from uuid import UUID, uuid5

from sqlalchemy import Row, select, text, tuple_, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import InstrumentedAttribute, Session

from services.finance.models import (
    CASH_CHASE,
    DAILY_CHECK,
    CarriedFinding,
    MissingCash,
    MissingCashReceipt,
    Site,
    SiteDay,
)
from services.finance.rules.daily_check import CashPolicy, check_times
from shared.alerts import Alert, raise_alerts
from shared.bus.outbox import publish
from shared.calendar import business_day
from shared.ids import new_id
from shared.messages import CashNotHandedOver, CashReturned, Role
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
    checked = _claim(session, DAILY_CHECK, SiteDay.checked_at, now=now)
    if checked:
        _tell_of_cash(session, session.execute(_LIST, _columns(checked)).all(), now=now)
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
    out = [{"id": new_id(), **row} for row in session.execute(_OUT, _columns(checked)).mappings()]
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
    session.execute(_LOCK_DAYS, _columns(days))
    session.execute(_CLOSE, {**_columns(days), "now": now})


# locked before they are named, so that cash counted at this very moment is either not named or found returned
_STILL_OUT = text("""
    WITH chased AS (
        SELECT * FROM unnest(CAST(:site_ids AS uuid[]), CAST(:days AS date[])) AS c (site_id, day)
    )
    SELECT r.id, r.number, r.amount_fen - r.short_fen AS amount_fen, r.site_id, r.holder_id,
           (SELECT name FROM people WHERE id = r.holder_id) AS holder_name,
           (SELECT min(c.day) FROM chased c WHERE c.site_id = r.site_id AND c.day >= r.day) AS chased_day
    FROM receipts r
    WHERE r.holder_id IS NOT NULL
      AND EXISTS (SELECT FROM chased c WHERE c.site_id = r.site_id AND c.day >= r.day)
      AND NOT EXISTS (SELECT FROM missing_cash_receipts m WHERE m.receipt_id = r.id)
    ORDER BY r.id FOR UPDATE OF r
""")


# a shortage of cash that was named already, and is not returned, is part of what was named
_STILL_SHORT = text("""
    WITH chased AS (
        SELECT * FROM unnest(CAST(:site_ids AS uuid[]), CAST(:days AS date[])) AS c (site_id, day)
    )
    SELECT d.id, d.site_id, d.amount_fen, d.giver_id,
           (SELECT name FROM people WHERE id = d.giver_id) AS giver_name,
           (SELECT min(c.day) FROM chased c WHERE c.site_id = d.site_id AND c.day >= d.day) AS chased_day,
           (SELECT array_agg(r.number ORDER BY r.id) FROM hand_over_receipts h JOIN receipts r ON r.id = h.receipt_id
            WHERE h.hand_over_id = d.hand_over_id) AS numbers
    FROM cash_differences d
    WHERE d.made_good_at IS NULL AND d.amount_fen > 0
      AND EXISTS (SELECT FROM chased c WHERE c.site_id = d.site_id AND c.day >= d.day)
      AND NOT EXISTS (SELECT FROM missing_cash m WHERE m.difference_id = d.id)
      AND NOT EXISTS (SELECT FROM hand_over_receipts h
                      JOIN missing_cash_receipts n ON n.receipt_id = h.receipt_id
                      JOIN missing_cash m ON m.id = n.missing_id
                      WHERE h.hand_over_id = d.hand_over_id AND m.holder_id = d.giver_id AND m.returned_at IS NULL)
    ORDER BY d.id FOR UPDATE OF d
""")


def chase_due(session: Session, *, now: datetime) -> int:
    """The next morning: who still holds or owes cash of that day is named to hr and to the desk, with the receipts.

    [R86, R88, D6]
    """
    chased = _claim(session, CASH_CHASE, SiteDay.chased_at, now=now)
    if not chased:
        return 0
    _name_held(session, chased, now=now)
    for row in session.execute(_STILL_SHORT, _columns(chased)):
        _name(
            session,
            MissingCash(
                id=new_id(),
                site_id=row.site_id,
                day=row.chased_day,
                holder_id=row.giver_id,
                holder_name=row.giver_name,
                difference_id=row.id,
                amount_fen=row.amount_fen,
                receipt_numbers=row.numbers,
                found_at=now,
            ),
        )
    return len(chased)


def _name_held(session: Session, chased: Sequence[tuple[UUID, date]], *, now: datetime) -> None:
    still_out = session.execute(_STILL_OUT, _columns(chased)).all()
    by_holder = sorted(still_out, key=lambda row: (row.site_id, row.chased_day, row.holder_id, row.id))
    for (site_id, day, holder_id), group in groupby(
        by_holder, lambda row: (row.site_id, row.chased_day, row.holder_id)
    ):
        receipts = list(group)
        amount_fen = sum(receipt.amount_fen for receipt in receipts)
        if amount_fen > 0:
            _name(
                session,
                MissingCash(
                    id=new_id(),
                    site_id=site_id,
                    day=day,
                    holder_id=holder_id,
                    holder_name=receipts[0].holder_name,
                    amount_fen=amount_fen,
                    receipt_numbers=[receipt.number for receipt in receipts],
                    found_at=now,
                    receipts=[MissingCashReceipt(receipt_id=receipt.id) for receipt in receipts],
                ),
            )


def _name(session: Session, missing: MissingCash) -> None:
    """Cash is missing: hr opens a case, the desk knows."""
    session.add(missing)
    publish(
        session,
        CashNotHandedOver(
            missing_id=missing.id,
            site_id=missing.site_id,
            day=missing.day,
            holder_id=missing.holder_id,
            holder_name=missing.holder_name,
            amount_fen=missing.amount_fen,
            receipt_numbers=missing.receipt_numbers,
            found_at=missing.found_at,
        ),
    )


def _columns(days: Sequence[tuple[UUID, date]]) -> dict[str, list[UUID] | list[date]]:
    return {"site_ids": [site_id for site_id, _ in days], "days": [day for _, day in days]}


_LOCK_NAMED = text("""
    SELECT id FROM missing_cash
    WHERE id IN (SELECT missing_id FROM missing_cash_receipts WHERE receipt_id = ANY(:receipt_ids))
       OR difference_id = :difference_id
    ORDER BY id FOR UPDATE
""")

_RETURN = text("""
    UPDATE missing_cash m SET returned_at = :now
    WHERE m.id = ANY(:ids) AND m.returned_at IS NULL
      AND NOT EXISTS (SELECT FROM missing_cash_receipts n JOIN receipts r ON r.id = n.receipt_id
                      WHERE n.missing_id = m.id AND r.received_at IS NULL)
      AND NOT EXISTS (SELECT FROM cash_differences d
                      LEFT JOIN hand_over_receipts h ON h.hand_over_id = d.hand_over_id
                      LEFT JOIN missing_cash_receipts n ON n.receipt_id = h.receipt_id
                      WHERE d.made_good_at IS NULL AND d.amount_fen > 0
                        AND (d.id = m.difference_id OR n.missing_id = m.id AND d.giver_id = m.holder_id))
    RETURNING m.id, m.site_id, m.holder_id, m.amount_fen
""")


def received_by_finance(
    session: Session, receipt_ids: Sequence[UUID], *, difference_id: UUID | None = None, now: datetime
) -> None:
    """Finance has the cash of these receipts, or what was short of it: what is all there now is told as returned [D7].

    Cash somebody was named for is not all there while he owes a difference of it.
    """
    session.flush()
    # two cashiers who each count a part wait for each other here, and the later one sees both parts
    keys = {"receipt_ids": list(receipt_ids), "difference_id": difference_id}
    named = session.scalars(_LOCK_NAMED, keys).all()
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
