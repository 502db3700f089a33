"""Payouts: what finance approved is what hr holds, delivers and pays, and finance knows of each payment."""

from bianmin.verify.invariant import Invariant
from bianmin.verify.months import APPROVED

_LINE = (
    *("share_fen", "reward_fen", "fine_fen", "from_bonus_fen", "from_wage_fen", "carried_fen", "net_fen", "guard"),
    "case_numbers::text[]",
)


def _line_of(table: str) -> str:
    """The figures of a line in one table; the services keep the case numbers in two kinds of text."""
    return ", ".join(f"{table}.{column}" for column in _LINE)


INVARIANTS = [
    Invariant(
        50,
        "payouts_are_what_was_approved",
        "each payout hr holds is an approved settlement of the same site, month and sums; one received is held [R92]",
        f"""
            SELECT format('settlement %s: %s of %s with %s fen at finance, %s with %s fen at hr', id, s.state, s.month,
                          s.net_fen, p.month, p.net_fen)
            FROM finance.settlements s FULL JOIN (SELECT settlement_id AS id, * FROM hr.payouts) p USING (id)
            WHERE p.settlement_id IS NOT NULL AND (s.site_id, s.month, s.net_fen, s.from_wage_fen, s.approved_by)
                  IS DISTINCT FROM (p.site_id, p.month, p.net_fen, p.from_wage_fen, p.approved_by)
               OR p.settlement_id IS NOT NULL AND s.state NOT IN {APPROVED}
               OR p.settlement_id IS NULL AND s.state = 'received'
        """,  # noqa: S608  # our own SQL
    ),
    Invariant(
        51,
        "payout_lines_are_what_was_approved",
        "the lines of a payout are those of its settlement, and each is the sum of the jobs it lists [R92]",
        f"""
            SELECT format('settlement %s, person %s: %s fen at finance, %s at hr', settlement_id, person_id, l.net_fen,
                          p.net_fen)
            FROM (
                SELECT * FROM finance.settlement_lines WHERE settlement_id IN (SELECT settlement_id FROM hr.payouts)
            ) l
            FULL JOIN hr.payout_lines p USING (settlement_id, person_id)
            WHERE ({_line_of("l")}) IS DISTINCT FROM ({_line_of("p")})
               OR (SELECT coalesce(sum(CAST(job ->> 'share_fen' AS bigint)), 0) FROM jsonb_array_elements(p.jobs) job)
                  <> l.share_fen + l.brought_fen - l.share_carried_fen
            UNION ALL
            SELECT format('payout %s: %s fen, and its lines are %s', p.settlement_id, p.net_fen, sum(l.net_fen))
            FROM hr.payouts p LEFT JOIN hr.payout_lines l ON l.settlement_id = p.settlement_id
            GROUP BY p.settlement_id
            HAVING p.net_fen <> coalesce(sum(l.net_fen), 0) OR p.from_wage_fen <> coalesce(sum(l.from_wage_fen), 0)
        """,  # noqa: S608  # our own SQL
    ),
    Invariant(
        52,
        "payouts_are_delivered_once",
        "each payout is one delivery to the HR system, with its sums, numbered without gaps [R92]",
        """
            SELECT format('payout %s: %s fen, delivery %s with %s fen', coalesce(p.settlement_id, d.id), p.net_fen,
                          d.sequence, d.net_fen)
            FROM hr.payouts p FULL JOIN hr.deliveries d ON d.id = p.settlement_id
            LEFT JOIN (SELECT settlement_id, count(*) AS lines FROM hr.payout_lines GROUP BY 1) l
                   ON l.settlement_id = p.settlement_id
            WHERE (p.site_id, p.month, p.net_fen, p.from_wage_fen, coalesce(l.lines, 0))
                  IS DISTINCT FROM (d.site_id, d.month, d.net_fen, d.from_wage_fen, d.line_count)
            UNION ALL
            SELECT format('deliveries are numbered %s to %s, and there are %s', min(sequence), max(sequence), count(*))
            FROM hr.deliveries HAVING count(*) > 0 AND (min(sequence) <> 1 OR max(sequence) <> count(*))
        """,
    ),
    Invariant(
        53,
        "payments_are_what_is_due",
        "each line of a payout has one payment; what finance knows as paid hr paid, under the same reference [R92]",
        """
            SELECT format('settlement %s, person %s: payment is %s (%s), finance knows %s', settlement_id, person_id,
                          p.state, p.reference, f.payment_reference)
            FROM hr.payout_lines l
            FULL JOIN hr.payments p USING (settlement_id, person_id)
            FULL JOIN (
                SELECT * FROM finance.settlement_lines WHERE paid_at IS NOT NULL
            ) f USING (settlement_id, person_id)
            WHERE l.net_fen IS NULL OR p.state IS NULL OR (p.state = 'nothing_to_pay') <> (l.net_fen = 0)
               OR f.paid_at IS NOT NULL AND (f.net_fen, f.payment_reference, f.paid_at)
                  IS DISTINCT FROM (l.net_fen, p.reference, p.paid_at)
        """,
    ),
    Invariant(
        54,
        "payouts_are_received",
        "each approved settlement was received by hr, and finance knows it [R92]",
        """
            SELECT format('settlement %s of %s is %s; hr received it at %s', s.id, s.month, s.state, p.received_at)
            FROM finance.settlements s LEFT JOIN hr.payouts p ON p.settlement_id = s.id
            WHERE s.state = 'approved' OR s.state = 'received' AND s.hr_received_at IS DISTINCT FROM p.received_at
        """,
        settled=True,
    ),
    Invariant(
        55,
        "payments_are_known",
        "finance knows every payment hr made, and every one that failed [R92]",
        """
            SELECT format('settlement %s, person %s: paid under %s, unknown to finance', p.settlement_id, p.person_id,
                          p.reference)
            FROM hr.payments p LEFT JOIN finance.settlement_lines l USING (settlement_id, person_id)
            WHERE p.state = 'paid' AND l.payment_reference IS DISTINCT FROM p.reference
            UNION ALL
            SELECT format('settlement %s, person %s: attempt %s failed, unknown to one', settlement_id, person_id,
                          attempt)
            FROM hr.payment_failures h FULL JOIN finance.payout_failures f USING (settlement_id, person_id, attempt)
            WHERE h.cause IS DISTINCT FROM f.cause
        """,
        settled=True,
    ),
]
