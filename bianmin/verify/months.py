"""The month's settlement: what was earned is paid, deducted or carried, and the accounts between are cleared."""

from bianmin.verify.cash import account
from bianmin.verify.invariant import Invariant

APPROVED = "('approved', 'received')"

_SHARES = """
    SELECT r.site_id, r.month, s.person_id, s.share_fen
    FROM finance.receipts r JOIN finance.receipt_shares s ON s.receipt_id = r.id WHERE r.state = 'used'
    UNION ALL
    SELECT f.site_id, f.month, s.person_id, s.share_fen
    FROM finance.refunds f JOIN finance.refund_shares s ON s.refund_id = f.id WHERE f.state = 'approved'
"""
"""SQL: what each job earned each person, and what each refund took back, by site and month."""

_INCOME = """
    SELECT site_id, month, sum(amount_fen) AS received_fen, sum(company_fen) AS company_fen,
           sum(workers_fen) AS workers_fen, sum(reserve_fen) AS reserve_fen
    FROM (
        SELECT site_id, month, amount_fen, company_fen, workers_fen, reserve_fen
        FROM finance.receipts WHERE state = 'used'
        UNION ALL
        SELECT site_id, month, -amount_fen, -company_fen, -workers_fen, -reserve_fen
        FROM finance.refunds WHERE state = 'approved'
    ) income GROUP BY 1, 2
"""
"""SQL: the income of each site and month, and its three parts."""

_DUE = f"""
    SELECT settlement_id, person_id, sum(share_fen) AS share_fen, sum(brought_fen) AS brought_fen,
           sum(reward_fen) AS reward_fen, sum(fine_fen) AS fine_fen
    FROM (
        SELECT s.id AS settlement_id, e.person_id, e.share_fen, 0 AS brought_fen, 0 AS reward_fen, 0 AS fine_fen
        FROM finance.settlements s JOIN ({_SHARES}) e ON e.site_id = s.site_id AND e.month = s.month
        UNION ALL
        SELECT settlement_id, person_id, 0, amount_fen, 0, 0 FROM finance.carryovers WHERE kind = 'share'
        UNION ALL
        SELECT settlement_id, person_id, 0, 0, amount_fen, 0 FROM finance.proposals
        WHERE use = 'reward' AND state = 'approved'
        UNION ALL
        SELECT settlement_id, person_id, 0, 0, 0, amount_fen FROM finance.fines
        UNION ALL
        SELECT settlement_id, person_id, 0, 0, 0, amount_fen FROM finance.carryovers WHERE kind = 'fine'
    ) parts
    WHERE settlement_id IS NOT NULL GROUP BY 1, 2
"""  # noqa: S608  # our own SQL
"""SQL: what each settlement has to settle with each person, from the jobs, rewards, fines and what was carried."""

INVARIANTS = [
    Invariant(
        40,
        "months_add_up",
        "an approved month's totals are the sums of its receipts less its refunds, and its parts its income [R70-R72]",
        f"""
            SELECT format('settlement %s of %s: %s fen (%s, %s, %s), and the documents say %s (%s, %s, %s)', s.id, s.month,
                          s.received_fen, s.company_fen, s.workers_fen, s.reserve_fen, coalesce(i.received_fen, 0),
                          coalesce(i.company_fen, 0), coalesce(i.workers_fen, 0), coalesce(i.reserve_fen, 0))
            FROM finance.settlements s LEFT JOIN ({_INCOME}) i ON i.site_id = s.site_id AND i.month = s.month
            WHERE s.state IN {APPROVED}
              AND ((s.received_fen, s.company_fen, s.workers_fen, s.reserve_fen)
                   IS DISTINCT FROM (coalesce(i.received_fen, 0), coalesce(i.company_fen, 0),
                                     coalesce(i.workers_fen, 0), coalesce(i.reserve_fen, 0))
                   OR s.received_fen <> s.company_fen + s.workers_fen + s.reserve_fen)
        """,  # noqa: S608, E501  # our own SQL
    ),
    Invariant(
        41,
        "settlements_are_the_sum_of_their_lines",
        "a settlement's totals are the sums of its lines",
        """
            SELECT format('settlement %s of %s: its totals are not the sums of its lines', s.id, s.month)
            FROM finance.settlements s
            LEFT JOIN (
                SELECT settlement_id, sum(reward_fen) AS rewards, sum(from_bonus_fen) AS from_bonus,
                       sum(from_wage_fen) AS from_wage, sum(carried_fen) AS carried, sum(brought_fen) AS brought,
                       sum(share_carried_fen) AS share_carried, sum(net_fen) AS net
                FROM finance.settlement_lines GROUP BY 1
            ) l ON l.settlement_id = s.id
            WHERE (s.rewards_fen, s.fines_from_bonus_fen, s.from_wage_fen, s.carried_fen, s.brought_fen,
                   s.share_carried_fen, s.net_fen)
                  IS DISTINCT FROM (coalesce(l.rewards, 0), coalesce(l.from_bonus, 0), coalesce(l.from_wage, 0),
                                    coalesce(l.carried, 0), coalesce(l.brought, 0), coalesce(l.share_carried, 0),
                                    coalesce(l.net, 0))
        """,
    ),
    Invariant(
        42,
        "lines_are_what_each_person_earned",
        "each line of an approved month is his jobs, rewards and fines; a fine takes the bonus first [R93, D21]",
        f"""
            SELECT format('settlement %s, person %s: share %s, brought %s, reward %s, fine %s are due; the line has share %s,'
                          ' reward %s, fine %s, of it from bonus %s, from wage %s, carried %s; net %s',
                          s.id, person_id, due.share_fen, due.brought_fen, due.reward_fen, due.fine_fen,
                          l.share_fen, l.reward_fen, l.fine_fen, l.from_bonus_fen, l.from_wage_fen, l.carried_fen, l.net_fen)
            FROM ({_DUE}) due
            FULL JOIN finance.settlement_lines l USING (settlement_id, person_id)
            JOIN finance.settlements s ON s.id = settlement_id AND s.state IN {APPROVED}
            WHERE (l.share_fen - l.share_carried_fen, l.brought_fen, l.reward_fen, l.fine_fen) IS DISTINCT FROM
                  (coalesce(due.share_fen, 0) - coalesce(due.brought_fen, 0), coalesce(due.brought_fen, 0),
                   coalesce(due.reward_fen, 0), coalesce(due.fine_fen, 0))
               OR l.share_carried_fen <> greatest(0, due.brought_fen - due.share_fen - due.reward_fen)
               OR l.from_bonus_fen <> least(l.fine_fen, l.share_fen + l.reward_fen)
               OR l.from_wage_fen + l.carried_fen <> l.fine_fen - l.from_bonus_fen
               OR l.net_fen <> l.share_fen + l.reward_fen - l.from_bonus_fen
               OR least(l.net_fen, l.from_wage_fen, l.carried_fen, l.share_carried_fen) < 0
        """,  # noqa: S608, E501  # our own SQL
    ),
    Invariant(
        43,
        "months_pay_out_what_was_earned",
        "payouts and what is carried are the workers' share and the rewards less the fines, of every approved month",
        f"""
            SELECT format('settlement %s of %s: %s fen paid out, and %s is what was earned, less fines and what is carried',
                          s.id, s.month, paid.net_fen,
                          earned.fen + carried.share_fen - (fined.fen - paid.from_wage_fen - carried.fine_fen))
            FROM finance.settlements s
            CROSS JOIN LATERAL (
                SELECT coalesce(sum(net_fen), 0) AS net_fen, coalesce(sum(from_wage_fen), 0) AS from_wage_fen
                FROM finance.settlement_lines WHERE settlement_id = s.id
            ) paid
            CROSS JOIN LATERAL (
                SELECT coalesce(sum(share_fen - brought_fen + reward_fen), 0) AS fen, coalesce(sum(fine_fen), 0) AS fines
                FROM ({_DUE}) due WHERE due.settlement_id = s.id
            ) earned
            CROSS JOIN LATERAL (SELECT earned.fines AS fen) fined
            CROSS JOIN LATERAL (
                SELECT coalesce(sum(amount_fen) FILTER (WHERE kind = 'share'), 0) AS share_fen,
                       coalesce(sum(amount_fen) FILTER (WHERE kind = 'fine'), 0) AS fine_fen
                FROM finance.carryovers WHERE from_settlement_id = s.id
            ) carried
            WHERE s.state IN {APPROVED} AND paid.net_fen
                  <> earned.fen + carried.share_fen - (fined.fen - paid.from_wage_fen - carried.fine_fen)
        """,  # noqa: S608, E501  # our own SQL
    ),
    Invariant(
        44,
        "what_is_carried_is_kept",
        "what an approved month's lines leave for the next one is a carryover, and there is no other [D16, D22]",
        f"""
            SELECT format('settlement %s, person %s: %s fen of %s are left by the line, %s carried', settlement_id,
                          person_id, coalesce(l.fen, 0), kind, coalesce(c.amount_fen, 0))
            FROM (
                SELECT l.settlement_id, l.person_id, part.kind, part.fen
                FROM finance.settlement_lines l JOIN finance.settlements s ON s.id = l.settlement_id
                CROSS JOIN LATERAL (VALUES ('fine', l.carried_fen), ('share', l.share_carried_fen)) AS part (kind, fen)
                WHERE s.state IN {APPROVED} AND part.fen <> 0
            ) l
            FULL JOIN (
                SELECT from_settlement_id AS settlement_id, person_id, kind, amount_fen FROM finance.carryovers
            ) c USING (settlement_id, person_id, kind)
            WHERE l.fen IS DISTINCT FROM c.amount_fen
        """,  # noqa: S608  # our own SQL
    ),
    account(
        45,
        "the_workers_share_is_cleared",
        "workers_share",
        "of an approved month nothing stays in the workers' share beyond what it carries: only open months' jobs do",
        f"""
            SELECT e.site_id, e.person_id, -e.share_fen
            FROM ({_SHARES}) e
            LEFT JOIN finance.settlements s ON s.site_id = e.site_id AND s.month = e.month AND s.state IN {APPROVED}
            WHERE s.id IS NULL
            UNION ALL
            SELECT c.site_id, c.person_id, c.amount_fen
            FROM finance.carryovers c
            LEFT JOIN finance.settlements s ON s.id = c.settlement_id AND s.state IN {APPROVED}
            WHERE c.kind = 'share' AND s.id IS NULL
        """,  # noqa: S608  # our own SQL
    ),
    account(
        46,
        "rewards_due_are_cleared",
        "rewards_due",
        "the rewards still due are those approved that no approved month has settled [R73, R91]",
        f"""
            SELECT p.site_id, p.person_id, -p.amount_fen
            FROM finance.proposals p
            LEFT JOIN finance.settlements s ON s.id = p.settlement_id AND s.state IN {APPROVED}
            WHERE p.use = 'reward' AND p.state = 'approved' AND s.id IS NULL
        """,  # noqa: S608  # our own SQL
    ),
    Invariant(
        47,
        "fines_and_rewards_are_settled_once",
        "a fine or reward is marked as settled exactly when the month that computed it is approved, its own or a later",
        f"""
            SELECT format('%s %s of %s: settled %s by settlement %s of %s, which is %s', what, o.id, o.month,
                          o.settled_at, s.id, s.month, s.state)
            FROM (
                SELECT 'fine' AS what, case_id AS id, site_id, month, settlement_id, settled_at FROM finance.fines
                UNION ALL
                SELECT 'reward', id, site_id, month, settlement_id, settled_at FROM finance.proposals
                WHERE use = 'reward' AND state = 'approved'
            ) o
            LEFT JOIN finance.settlements s ON s.id = o.settlement_id
            WHERE (o.settled_at IS NOT NULL) <> coalesce(s.state IN {APPROVED}, false)
               OR s.id IS NOT NULL AND (s.site_id <> o.site_id OR s.month < o.month)
        """,  # noqa: S608  # our own SQL
    ),
]
