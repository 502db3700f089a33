"""What is still to be done at a month's end [R89-R92, D18]."""

from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from services.finance.queries.settlements import settlement_of
from services.finance.rules.checklist import Checked, check
from shared.calendar import first_day, last_day
from shared.people import Actor

_MISSING = """
    SELECT s.site_id, CAST(s.state = 'open' AS int) AS month_is_over,
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
    FROM settlements s
"""

_OF_ONE = text(f"{_MISSING} WHERE s.id = :settlement_id")  # our own SQL
_OF_MONTH = text(f"{_MISSING} WHERE s.month = :month AND (CAST(:all AS boolean) OR s.site_id = ANY(:site_ids))")


def checklist(session: Session, actor: Actor, *, site_id: UUID, month: str) -> list[Checked]:
    """What is still to be done before a site's month is done, in order [R89-R92, D18]."""
    settlement = settlement_of(session, actor, site_id, month)
    keys = {"settlement_id": settlement.id, "first": first_day(month), "last": last_day(month)}
    return check(dict(session.execute(_OF_ONE, keys).mappings().one()))


def checklists(session: Session, actor: Actor, *, month: str) -> dict[UUID, list[Checked]]:
    """What is still to be done for a month at each of the person's sites [R89-R92, D18]."""
    asked = {"month": month, "first": first_day(month), "last": last_day(month)}
    sites = {"all": actor.site_ids is None, "site_ids": list(actor.site_ids or ())}
    return {row["site_id"]: check(dict(row)) for row in session.execute(_OF_MONTH, asked | sites).mappings()}
