"""What finance's database tells Prometheus: cash where it should not be, books that do not balance [R36, R85-R88]."""

from collections.abc import Iterable

from prometheus_client.metrics_core import Metric
from sqlalchemy import text
from sqlalchemy.orm import Session

from shared.metrics import gauge

# of each site: a figure that is missing says that nobody looks
_CASH = text("""
    SELECT s.code, coalesce(sum(r.amount_fen - r.short_fen), 0) AS fen, count(DISTINCT r.holder_id) AS holders
    FROM sites s LEFT JOIN (
        receipts r JOIN site_days d ON d.site_id = r.site_id AND d.day = r.day AND d.closes_at <= clock_now()
    ) ON r.site_id = s.id AND r.holder_id IS NOT NULL
    GROUP BY s.code
""")
_DIFFERENCES = text("""
    SELECT s.code, coalesce(sum(d.amount_fen), 0) AS fen
    FROM sites s LEFT JOIN cash_differences d ON d.site_id = s.id AND d.made_good_at IS NULL AND d.amount_fen > 0
    GROUP BY s.code
""")
# the newest alone, so that it costs the same in ten years; all of them are added up each night
_UNBALANCED = text("""
    WITH newest AS (
        (SELECT journal_id FROM ledger_chain ORDER BY seq DESC LIMIT 1000)
        UNION SELECT journal_id FROM unsealed_journals WHERE due_at IS NOT NULL
    )
    SELECT count(*) FROM newest n
    WHERE (SELECT sum(amount_fen) FROM journal_lines l WHERE l.journal_id = n.journal_id) IS DISTINCT FROM 0
""")


def measures(session: Session) -> Iterable[Metric]:
    """Cash that is not with finance after its day closed, shortages not made good, journals that are not zero (fen)."""
    cash = session.execute(_CASH).all()
    yield gauge("cash_after_closing_fen", "Cash of days that are over which finance has not got", ("site",))(
        {(row.code,): float(row.fen) for row in cash}
    )
    yield gauge("hand_overs_missing", "People who still hold cash of days that are over", ("site",))(
        {(row.code,): row.holders for row in cash}
    )
    yield gauge("cash_differences_open_fen", "What was short when cash was counted and is not made good", ("site",))(
        {(row.code,): float(row.fen) for row in session.execute(_DIFFERENCES)}
    )
    yield gauge("unbalanced_journals", "Of the thousand newest journals those whose lines do not sum to zero", ())(
        {(): session.execute(_UNBALANCED).scalar_one()}
    )
