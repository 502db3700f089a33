"""The ledger's chain of hashes, its anchors in hr, and the running balances: what tampering below the database breaks.

Hash and canonical text are computed here a second time, so that changed functions of the database deceive nobody.
"""

from bianmin.verify.invariant import Invariant

_TEXTS = """
    SELECT j.id, CAST(jsonb_build_array(j.id, j.site_id, j.kind, j.at AT TIME ZONE 'UTC', j.day, j.reference, l.lines)
                      AS text) AS canonical
    FROM finance.journals j
    LEFT JOIN (
        SELECT journal_id, jsonb_agg(jsonb_build_array(line, account, site_id, person_id, amount_fen) ORDER BY line)
               AS lines
        FROM finance.journal_lines GROUP BY journal_id
    ) l ON l.journal_id = j.id
"""
"""SQL: every journal in its canonical text."""

INVARIANTS = [
    Invariant(
        95,
        "journals_are_chained",
        "every journal has one place in the chain or waits for it, and the places are 1, 2, … without a gap",
        """
            SELECT format('journal %s: place %s, and the journal is %s', coalesce(c.journal_id, j.id), c.seq,
                          coalesce(j.kind || ' ' || j.reference, 'not there'))
            FROM finance.ledger_chain c
            FULL JOIN finance.journals j ON j.id = c.journal_id
            LEFT JOIN finance.unsealed_journals u ON u.journal_id = coalesce(j.id, c.journal_id)
            WHERE j.id IS NULL OR (c.seq IS NULL) = (u.journal_id IS NULL)
            UNION ALL
            SELECT format('places go from %s to %s, and there are %s', min(seq), max(seq), count(*))
            FROM finance.ledger_chain HAVING count(*) > 0 AND (min(seq) <> 1 OR max(seq) <> count(*))
        """,
    ),
    Invariant(
        96,
        "the_chain_is_whole",
        "each link of the chain is the hash of its place, the link before and its journal as it stands",
        f"""
            SELECT format('place %s: journal %s is not what was hashed, or the link before', c.seq, c.journal_id)
            FROM (
                SELECT seq, journal_id, hash, lag(hash, 1, '') OVER (ORDER BY seq) AS previous FROM finance.ledger_chain
            ) c
            JOIN ({_TEXTS}) t ON t.id = c.journal_id
            WHERE c.hash <> encode(sha256(convert_to(
                CAST(c.seq AS text) || ':' || c.previous || ':' || t.canonical, 'UTF8')), 'hex')
        """,  # noqa: S608  # our own SQL
    ),
    Invariant(
        97,
        "the_chain_reaches_its_anchors",
        "the chain has, at the place of every anchor hr keeps, the hash hr was told: nothing was rewritten or cut off",
        """
            SELECT format('place %s, anchored at %s: the chain %s', a.seq, a.anchored_at,
                          CASE WHEN c.seq IS NULL THEN 'does not reach it' ELSE 'was rewritten before it' END)
            FROM hr.ledger_anchors a LEFT JOIN finance.ledger_chain c ON c.seq = a.seq
            WHERE c.hash IS DISTINCT FROM a.hash
        """,
    ),
    Invariant(
        98,
        "balances_are_the_sums_of_lines",
        "every running balance is the sum of its lines, recomputed, but for journals that are not sealed yet",
        """
            SELECT format('%s of %s at site %s: %s fen as running balance, %s recomputed', account, holder_id, site_id,
                          b.balance_fen, l.fen)
            FROM finance.balances b
            FULL JOIN (
                SELECT account, site_id, coalesce(person_id, site_id) AS holder_id,
                       sum(CASE WHEN account IN ('reserve_fund', 'payroll') THEN -amount_fen ELSE amount_fen END) AS fen
                FROM finance.journal_lines
                WHERE account IN ('cash_in_hand', 'cash_at_finance', 'reserve_fund', 'payroll')
                  AND journal_id NOT IN (SELECT journal_id FROM finance.unsealed_journals)
                GROUP BY 1, 2, 3
            ) l USING (account, site_id, holder_id)
            WHERE b.balance_fen IS DISTINCT FROM l.fen
        """,
    ),
    Invariant(
        99,
        "journals_are_sealed_at_once",
        "no journal waits for its place in the chain while finance works on for a minute and more",
        """
            SELECT format('journal %s, closed at %s, is not sealed', u.journal_id, u.closed_at)
            FROM finance.unsealed_journals u
            WHERE u.closed_at < (SELECT max(greatest(published_at, acknowledged_at)) FROM finance.outbox)
                                - interval '1 minute'
        """,
    ),
]
