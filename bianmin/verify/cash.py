"""Cash and the accounts that hold money: what the ledger says is what the documents say."""

from bianmin.verify.books import AT_FINANCE
from bianmin.verify.invariant import Invariant


def account(code: int, name: str, account_: str, must: str, documents: str) -> Invariant:
    """An account of the ledger, by site and person, is what its documents say; `documents` has site, person and fen."""
    return Invariant(
        code,
        name,
        must,
        f"""
            SELECT format('{account_} of %s at site %s: %s fen by the ledger, %s by the documents',
                          CASE WHEN owner = site_id THEN 'the site' ELSE CAST(owner AS text) END, site_id,
                          coalesce(ledger.fen, 0), coalesce(said.fen, 0))
            FROM (
                SELECT site_id, coalesce(person_id, site_id) AS owner, sum(amount_fen) AS fen
                FROM finance.journal_lines WHERE account = '{account_}' GROUP BY 1, 2
            ) ledger
            FULL JOIN (
                SELECT site_id, coalesce(person_id, site_id) AS owner, sum(fen) AS fen
                FROM ({documents}) document (site_id, person_id, fen) GROUP BY 1, 2
            ) said USING (site_id, owner)
            WHERE coalesce(ledger.fen, 0) <> coalesce(said.fen, 0)
        """,  # noqa: S608  # our own SQL
    )


INVARIANTS = [
    Invariant(
        30,
        "hand_overs_add_up",
        "of every hand-over, what was expected, less what was counted, is the difference both signed [R85-R88]",
        """
            SELECT format('hand-over %s: %s fen expected, %s counted, %s recorded as missing', h.id, h.amount_fen,
                          h.counted_fen, d.amount_fen)
            FROM finance.hand_overs h FULL JOIN finance.cash_differences d ON d.hand_over_id = h.id
            WHERE h.id IS NULL
               OR h.state = 'counted' AND h.amount_fen - h.counted_fen - coalesce(d.amount_fen, 0) <> 0
               OR d.id IS NOT NULL AND (h.state <> 'counted' OR d.giver_id <> h.from_id OR d.receiver_id <> h.to_id)
        """,
    ),
    account(
        31,
        "cash_in_hand_is_held",
        "cash_in_hand",
        "what the ledger says a person has in hand is the cash of the receipts he holds, less what is short [R86]",
        """
            SELECT site_id, holder_id, amount_fen - short_fen FROM finance.receipts
            WHERE state = 'used' AND holder_id IS NOT NULL
        """,
    ),
    account(
        32,
        "shortages_are_owed",
        "cash_differences",
        "what the ledger says a person owes of shortages is what he was counted short and has not made good [D7]",
        "SELECT site_id, giver_id, amount_fen FROM finance.cash_differences WHERE made_good_at IS NULL",
    ),
    Invariant(
        33,
        "shortages_stand_on_receipts",
        "what is short of a site's receipts is what was counted short there [R86]",
        """
            SELECT format('site %s: %s fen are short of receipts, %s were counted short', site_id,
                          coalesce(noted.fen, 0), coalesce(counted.fen, 0))
            FROM (SELECT site_id, sum(short_fen) AS fen FROM finance.receipts GROUP BY 1) noted
            FULL JOIN (SELECT site_id, sum(amount_fen) AS fen FROM finance.cash_differences GROUP BY 1) counted
            USING (site_id)
            WHERE coalesce(noted.fen, 0) <> coalesce(counted.fen, 0)
        """,
    ),
    account(
        34,
        "the_reserve_fund_is_what_came_in",
        "reserve_fund",
        "a site's reserve fund is its part of the fees, less its part of refunds, less what was approved [R72-R77]",
        """
            SELECT site_id, CAST(NULL AS uuid), -reserve_fen FROM finance.receipts WHERE state = 'used'
            UNION ALL SELECT site_id, NULL, reserve_fen FROM finance.refunds WHERE state = 'approved'
            UNION ALL SELECT site_id, NULL, amount_fen FROM finance.proposals WHERE state = 'approved'
        """,
    ),
    Invariant(
        35,
        "nothing_is_overdrawn",
        "no reserve fund, no till and no cash in hand is below nothing, and nobody was paid more than his due",
        """
            SELECT format('%s of %s at site %s: %s fen', account, coalesce(CAST(person_id AS text), 'the site'),
                          site_id, sum(amount_fen))
            FROM finance.journal_lines
            WHERE account IN ('reserve_fund', 'cash_at_finance', 'cash_in_hand', 'payroll')
            GROUP BY account, site_id, person_id
            HAVING sum(CASE WHEN account IN ('reserve_fund', 'payroll') THEN -amount_fen ELSE amount_fen END) < 0
        """,
    ),
    account(
        36,
        "the_till_is_what_was_counted_into_it",
        "cash_at_finance",
        "a site's till is the cash finance counted and was brought of shortages, less cash refunds and deposits [R87]",
        f"""
            SELECT h.site_id, CAST(NULL AS uuid), h.counted_fen
            FROM finance.hand_overs h JOIN ({AT_FINANCE}) f ON f.id = h.id
            UNION ALL
            SELECT site_id, NULL, amount_fen FROM finance.cash_differences WHERE made_good_at IS NOT NULL
            UNION ALL
            SELECT site_id, NULL, -amount_fen FROM finance.refunds WHERE state = 'approved' AND method = 'cash'
            UNION ALL SELECT site_id, NULL, -amount_fen FROM finance.deposits
        """,  # noqa: S608  # our own SQL
    ),
    account(
        37,
        "the_bank_is_what_went_through_it",
        "bank",
        "a site's money at the bank is cashless fees and deposits, less refunds by bank and what people were paid",
        """
            SELECT site_id, CAST(NULL AS uuid), amount_fen FROM finance.receipts
            WHERE state = 'used' AND method <> 'cash'
            UNION ALL SELECT site_id, NULL, amount_fen FROM finance.deposits
            UNION ALL
            SELECT site_id, NULL, -amount_fen FROM finance.refunds WHERE state = 'approved' AND method = 'bank'
            UNION ALL
            SELECT s.site_id, NULL, -l.net_fen
            FROM finance.settlement_lines l JOIN finance.settlements s ON s.id = l.settlement_id
            WHERE l.paid_at IS NOT NULL
        """,
    ),
    account(
        38,
        "payroll_is_what_is_unpaid",
        "payroll",
        "what the ledger says a person is still to be paid is the net of his approved months not paid yet [R92]",
        """
            SELECT s.site_id, l.person_id, -l.net_fen
            FROM finance.settlement_lines l JOIN finance.settlements s ON s.id = l.settlement_id
            WHERE s.state IN ('approved', 'received') AND l.paid_at IS NULL
        """,
    ),
    Invariant(
        39,
        "cash_is_held_by_the_last_of_its_chain",
        "a receipt's cash is with who took it, or who counted it last; at finance only if it was counted there [R86]",
        f"""
            SELECT format('receipt %s: held by %s, received %s', r.number, r.holder_id, r.received_at)
            FROM finance.receipts r
            WHERE r.state = 'used' AND r.method = 'cash' AND CASE WHEN r.holder_id IS NULL THEN NOT EXISTS (
                SELECT FROM finance.hand_over_receipts x JOIN ({AT_FINANCE}) f ON f.id = x.hand_over_id
                WHERE x.receipt_id = r.id
            ) ELSE r.holder_id <> r.collected_by AND NOT EXISTS (
                SELECT FROM finance.hand_over_receipts x JOIN finance.hand_overs h ON h.id = x.hand_over_id
                WHERE x.receipt_id = r.id AND h.state = 'counted' AND h.to_id = r.holder_id
            ) END
        """,  # noqa: S608  # our own SQL
    ),
]
