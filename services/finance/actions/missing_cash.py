"""Cash that is still out the next morning, and cash that comes back after all [R86, R88, D6, D7]."""

from collections.abc import Sequence
from datetime import date, datetime
from itertools import groupby
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from services.finance.actions.daily_check import claim, columns
from services.finance.models import CASH_CHASE, MissingCash, MissingCashReceipt, SiteDay
from shared.bus.outbox import publish
from shared.ids import new_id
from shared.messages import CashNotHandedOver, CashReturned

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
    chased = claim(session, CASH_CHASE, SiteDay.chased_at, now=now)
    if not chased:
        return 0
    _name_held(session, chased, now=now)
    for row in session.execute(_STILL_SHORT, columns(chased)):
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
    still_out = session.execute(_STILL_OUT, columns(chased)).all()
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


_LOCK_NAMED = text("""
    SELECT id FROM missing_cash
    WHERE id IN (SELECT missing_id FROM missing_cash_receipts WHERE receipt_id = ANY(:receipt_ids)
                 UNION ALL SELECT id FROM missing_cash WHERE difference_id = :difference_id)
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
