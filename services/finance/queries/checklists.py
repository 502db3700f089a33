"""What is still to be done at a month's end [R89-R92, D18]."""

from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from services.finance.queries.settlements import settlement_of
from services.finance.rules.checklist import Checked, check
from shared.calendar import first_day, last_day
from shared.people import Actor

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
