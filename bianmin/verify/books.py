"""The books: every journal balances, and every document that moves money is posted once, as it says."""

from bianmin.verify.invariant import Invariant

AT_FINANCE = """
    SELECT DISTINCT h.id
    FROM finance.hand_overs h
    JOIN finance.hand_over_receipts x ON x.hand_over_id = h.id
    JOIN finance.receipts r ON r.id = x.receipt_id AND r.received_at IS NOT NULL
    WHERE h.state = 'counted' AND NOT EXISTS (
        SELECT FROM finance.hand_over_receipts y JOIN finance.hand_overs later ON later.id = y.hand_over_id
        WHERE y.receipt_id = x.receipt_id AND later.state = 'counted' AND later.from_id = h.to_id)
"""
"""SQL: the hand-overs with which cash reached finance: its receipts were received, and nobody gave them further."""

RECEIPT_LINES = """
    SELECT number AS reference, site_id, CASE method WHEN 'cash' THEN 'cash_in_hand' ELSE 'bank' END AS account,
           CASE method WHEN 'cash' THEN collected_by END AS person_id, amount_fen
    FROM finance.receipts WHERE state = 'used'
    UNION ALL SELECT number, site_id, 'company_share', NULL, -company_fen FROM finance.receipts WHERE state = 'used'
    UNION ALL SELECT number, site_id, 'reserve_fund', NULL, -reserve_fen FROM finance.receipts WHERE state = 'used'
    UNION ALL SELECT r.number, r.site_id, 'workers_share', s.person_id, -s.share_fen
    FROM finance.receipt_shares s JOIN finance.receipts r ON r.id = s.receipt_id
"""
REFUND_LINES = """
    SELECT CAST(id AS text) AS reference, site_id,
           CASE method WHEN 'cash' THEN 'cash_at_finance' ELSE 'bank' END AS account,
           CAST(NULL AS uuid) AS person_id, -amount_fen AS amount_fen
    FROM finance.refunds WHERE state = 'approved'
    UNION ALL
    SELECT CAST(id AS text), site_id, 'company_share', NULL, company_fen FROM finance.refunds WHERE state = 'approved'
    UNION ALL
    SELECT CAST(id AS text), site_id, 'reserve_fund', NULL, reserve_fen FROM finance.refunds WHERE state = 'approved'
    UNION ALL
    SELECT CAST(f.id AS text), f.site_id, 'workers_share', s.person_id, -s.share_fen
    FROM finance.refund_shares s JOIN finance.refunds f ON f.id = s.refund_id
"""
HAND_OVER_LINES = f"""
    SELECT CAST(h.id AS text) AS reference, h.site_id,
           CASE WHEN f.id IS NULL THEN 'cash_in_hand' ELSE 'cash_at_finance' END AS account,
           CASE WHEN f.id IS NULL THEN h.to_id END AS person_id, h.counted_fen AS amount_fen
    FROM finance.hand_overs h LEFT JOIN ({AT_FINANCE}) f ON f.id = h.id WHERE h.state = 'counted'
    UNION ALL
    SELECT CAST(id AS text), site_id, 'cash_in_hand', from_id, -amount_fen
    FROM finance.hand_overs WHERE state = 'counted'
    UNION ALL
    SELECT CAST(hand_over_id AS text), site_id, 'cash_differences', giver_id, amount_fen FROM finance.cash_differences
"""  # noqa: S608  # our own SQL
MADE_GOOD_LINES = """
    SELECT CAST(id AS text) AS reference, site_id, 'cash_at_finance' AS account, CAST(NULL AS uuid) AS person_id,
           amount_fen
    FROM finance.cash_differences WHERE made_good_at IS NOT NULL
    UNION ALL
    SELECT CAST(id AS text), site_id, 'cash_differences', giver_id, -amount_fen
    FROM finance.cash_differences WHERE made_good_at IS NOT NULL
"""
RESERVE_LINES = """
    SELECT CAST(id AS text) AS reference, site_id, 'reserve_fund' AS account, CAST(NULL AS uuid) AS person_id,
           amount_fen
    FROM finance.proposals WHERE state = 'approved'
    UNION ALL
    SELECT CAST(id AS text), site_id, CASE use WHEN 'reward' THEN 'rewards_due' ELSE 'company_share' END,
           person_id, -amount_fen
    FROM finance.proposals WHERE state = 'approved'
"""
SETTLEMENT_LINES = """
    SELECT CAST(s.id AS text) AS reference, s.site_id, part.account, part.person_id, part.amount_fen
    FROM finance.settlements s
    JOIN finance.settlement_lines l ON l.settlement_id = s.id
    CROSS JOIN LATERAL (VALUES ('workers_share', l.person_id, l.share_fen), ('rewards_due', l.person_id, l.reward_fen),
                               ('payroll', l.person_id, -l.net_fen), ('wage_deductions', l.person_id, l.from_wage_fen),
                               ('fines', NULL, -l.from_bonus_fen - l.from_wage_fen)
    ) AS part (account, person_id, amount_fen)
    WHERE s.state IN ('approved', 'received')
"""
PAYMENT_LINES = """
    SELECT l.settlement_id || '/' || l.person_id AS reference, s.site_id, part.account, part.person_id,
           part.amount_fen
    FROM finance.settlement_lines l
    JOIN finance.settlements s ON s.id = l.settlement_id
    CROSS JOIN LATERAL (VALUES ('payroll', l.person_id, l.net_fen), ('bank', NULL, -l.net_fen)
    ) AS part (account, person_id, amount_fen)
    WHERE l.paid_at IS NOT NULL
"""
DEPOSIT_LINES = """
    SELECT CAST(id AS text) AS reference, site_id, 'bank' AS account, CAST(NULL AS uuid) AS person_id, amount_fen
    FROM finance.deposits
    UNION ALL
    SELECT CAST(id AS text), site_id, 'cash_at_finance', NULL, -amount_fen FROM finance.deposits
"""


def posted(code: int, kind: str, what: str, lines: str, *kinds: str) -> Invariant:
    """Documents and journals are each other's: one journal for each document, whose lines are what it says."""
    of_kinds = ", ".join(f"'{name}'" for name in kinds or (kind,))
    return Invariant(
        code,
        f"{kind}s_are_posted",
        f"every {what} has exactly one journal, which says exactly what it says, and no journal lacks its {what}",
        f"""
            SELECT format('{what} %s: %s of %s is %s fen by the document, %s by the ledger', reference, account,
                          CASE WHEN owner = site_id THEN 'the site' ELSE CAST(owner AS text) END,
                          coalesce(said.fen, 0), coalesce(did.fen, 0))
            FROM (
                SELECT reference, site_id, account, coalesce(person_id, site_id) AS owner, sum(amount_fen) AS fen
                FROM ({lines}) document GROUP BY 1, 2, 3, 4 HAVING sum(amount_fen) <> 0
            ) said
            FULL JOIN (
                SELECT j.reference, j.site_id, l.account, coalesce(l.person_id, j.site_id) AS owner,
                       sum(l.amount_fen) AS fen
                FROM finance.journals j JOIN finance.journal_lines l ON l.journal_id = j.id
                WHERE j.kind IN ({of_kinds}) GROUP BY 1, 2, 3, 4
            ) did USING (reference, site_id, account, owner)
            WHERE said.fen IS DISTINCT FROM did.fen
        """,  # noqa: S608  # our own SQL
    )


INVARIANTS = [
    Invariant(
        10,
        "journals_balance",
        "every journal has two lines or more, at its own site, which sum to zero",
        """
            SELECT format('journal %s of %s %s: %s lines, summing to %s fen', j.id, j.kind, j.reference, l.lines,
                          coalesce(l.fen, 0))
            FROM finance.journals j
            LEFT JOIN (
                SELECT journal_id, count(*) AS lines, sum(amount_fen) AS fen, min(CAST(site_id AS text)) AS site_from,
                       max(CAST(site_id AS text)) AS site_to
                FROM finance.journal_lines GROUP BY 1
            ) l ON l.journal_id = j.id
            WHERE l.lines IS NULL OR l.lines < 2 OR l.fen <> 0
               OR l.site_from <> CAST(j.site_id AS text) OR l.site_to <> CAST(j.site_id AS text)
        """,
    ),
    Invariant(
        11,
        "lines_have_a_journal",
        "no line stands outside a journal, and all lines together sum to zero",
        """
            SELECT format('line %s of journal %s, which is not there: %s fen', l.line, l.journal_id, l.amount_fen)
            FROM finance.journal_lines l LEFT JOIN finance.journals j ON j.id = l.journal_id WHERE j.id IS NULL
            UNION ALL
            SELECT format('all lines of site %s sum to %s fen', site_id, sum(amount_fen))
            FROM finance.journal_lines GROUP BY site_id HAVING sum(amount_fen) <> 0
        """,
    ),
    posted(12, "receipt", "receipt used", RECEIPT_LINES),
    posted(13, "refund", "refund approved", REFUND_LINES),
    posted(14, "hand_over", "hand-over counted", HAND_OVER_LINES),
    posted(15, "made_good", "shortage made good", MADE_GOOD_LINES),
    posted(16, "reserve_use", "use of the reserve fund", RESERVE_LINES, "reward", "loss", "rework"),
    posted(17, "settlement", "settlement approved", SETTLEMENT_LINES),
    posted(18, "payment", "payment", PAYMENT_LINES),
    posted(19, "deposit", "deposit", DEPOSIT_LINES),
]
