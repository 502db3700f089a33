"""The division of each fee, and of what is given back of it, by arithmetic of its own."""

from bianmin.verify.invariant import Invariant


def shared_out(key: str, weighed: str) -> str:
    """SQL: `total` divided by `weight` in whole fen: one of the fen left over each to who lacks most of his share.

    `weighed` has the columns of `key`, and `part`, `rank` (between equals the lower), `weight` and `total`.
    """
    return f"""
        SELECT {key}, part, weight, total,
               sign(total) * (whole + CASE WHEN row_number() OVER (
                   PARTITION BY {key} ORDER BY lacking DESC, rank
               ) <= abs(total) - sum(whole) OVER (PARTITION BY {key}) THEN 1 ELSE 0 END) AS fen
        FROM (
            SELECT {key}, part, rank, weight, total, div(abs(total) * weight, sum(weight) OVER same) AS whole,
                   abs(total) * weight % sum(weight) OVER same AS lacking
            FROM ({weighed}) weighed WINDOW same AS (PARTITION BY {key})
        ) exact
    """  # noqa: S608  # our own SQL


_SPLIT_POLICY = """
    SELECT p.settings FROM finance.policies p
    WHERE p.name = 'SplitPolicy' AND p.effective_from <= r.collected_at
      AND (p.site_id = r.site_id OR p.site_id IS NULL)
    ORDER BY p.site_id NULLS LAST, p.effective_from DESC LIMIT 1
"""
"""SQL: the split in force when a receipt was used, its site's own before the company's [D14]."""

_RECEIPT_PARTS = f"""
    SELECT r.id, part.part, part.rank, CAST(part.weight AS numeric) AS weight, CAST(r.amount_fen AS numeric) AS total
    FROM finance.receipts r
    LEFT JOIN LATERAL ({_SPLIT_POLICY}) policy ON true
    CROSS JOIN LATERAL (VALUES
        ('workers', 1, coalesce(CAST(policy.settings ->> 'workers' AS int), 35)),
        ('reserve', 2, coalesce(CAST(policy.settings ->> 'reserve' AS int), 15)),
        ('company', 3, coalesce(CAST(policy.settings ->> 'company' AS int), 50))
    ) AS part (part, rank, weight)
    WHERE r.state = 'used'
"""  # noqa: S608  # our own SQL

_WORKER_PARTS = """
    SELECT r.id, w.person_id AS part, w.person_id AS rank, CAST(w.weight AS numeric) AS weight,
           CAST(r.workers_fen AS numeric) AS total
    FROM finance.receipts r JOIN finance.charge_workers w ON w.request_id = r.request_id WHERE r.state = 'used'
"""

_REFUNDED = """
    SELECT receipt_id, sum(amount_fen) AS amount_fen, sum(workers_fen) AS workers_fen, sum(reserve_fen) AS reserve_fen,
           sum(company_fen) AS company_fen
    FROM finance.refunds WHERE state = 'approved' GROUP BY receipt_id
"""

_REFUND_PARTS = f"""
    SELECT r.id, part.part, part.rank, CAST(part.weight AS numeric) AS weight, f.amount_fen AS total
    FROM finance.receipts r
    JOIN ({_REFUNDED}) f ON f.receipt_id = r.id
    CROSS JOIN LATERAL (VALUES
        ('workers', 1, r.workers_fen), ('reserve', 2, r.reserve_fen),
        ('company', 3, r.company_fen)
    ) AS part (part, rank, weight)
"""  # noqa: S608  # our own SQL

_WORKER_REFUND_PARTS = f"""
    SELECT r.id, s.person_id AS part, s.person_id AS rank, CAST(s.share_fen AS numeric) AS weight,
           f.workers_fen AS total
    FROM finance.receipts r
    JOIN ({_REFUNDED}) f ON f.receipt_id = r.id
    JOIN finance.receipt_shares s ON s.receipt_id = r.id
    WHERE r.workers_fen > 0
"""  # noqa: S608  # our own SQL

INVARIANTS = [
    Invariant(
        20,
        "fees_are_split",
        "each fee is divided by the split in force, to the fen, by largest remainder [R70-R72, D14]",
        f"""
            SELECT format('receipt %s: %s is %s of %s fen, and should be %s', r.number, due.part, did.fen,
                          r.amount_fen, due.fen)
            FROM ({shared_out("id", _RECEIPT_PARTS)}) due
            JOIN finance.receipts r ON r.id = due.id
            CROSS JOIN LATERAL (SELECT CASE due.part WHEN 'workers' THEN r.workers_fen WHEN 'reserve' THEN r.reserve_fen
                                       ELSE r.company_fen END AS fen) did
            WHERE did.fen IS DISTINCT FROM due.fen
        """,  # noqa: S608  # our own SQL
    ),
    Invariant(
        21,
        "workers_get_their_shares",
        "the workers' part of each fee is divided by the weights of those who did the job [R71, D15]",
        f"""
            SELECT format('receipt %s: worker %s has %s fen, and should have %s', r.number, coalesce(s.person_id, due.part),
                          s.share_fen, due.fen)
            FROM ({shared_out("id", _WORKER_PARTS)}) due
            FULL JOIN finance.receipt_shares s ON s.receipt_id = due.id AND s.person_id = due.part
            LEFT JOIN finance.receipts r ON r.id = coalesce(due.id, s.receipt_id)
            WHERE s.share_fen IS DISTINCT FROM due.fen
        """,  # noqa: S608, E501  # our own SQL
    ),
    Invariant(
        22,
        "refunds_take_back_what_was_given",
        "all refunds of a receipt come out of its three parts in proportion, and the receipt counts them [D16]",
        f"""
            SELECT format('receipt %s: %s gave back %s fen, and should %s', r.number, due.part, did.fen, due.fen)
            FROM ({shared_out("id", _REFUND_PARTS)}) due
            JOIN finance.receipts r ON r.id = due.id
            JOIN ({_REFUNDED}) f ON f.receipt_id = r.id
            CROSS JOIN LATERAL (SELECT CASE due.part WHEN 'workers' THEN f.workers_fen WHEN 'reserve' THEN f.reserve_fen
                                       ELSE f.company_fen END AS fen) did
            WHERE did.fen IS DISTINCT FROM due.fen
            UNION ALL
            SELECT format('receipt %s: %s fen are refunded by the receipt, %s by its refunds', r.number, r.refunded_fen,
                          coalesce(f.amount_fen, 0))
            FROM finance.receipts r LEFT JOIN ({_REFUNDED}) f ON f.receipt_id = r.id
            WHERE r.refunded_fen <> coalesce(f.amount_fen, 0)
        """,  # noqa: S608  # our own SQL
    ),
    Invariant(
        23,
        "workers_give_back_their_part",
        "what refunds take of the workers' part comes out of each worker's share in proportion [D15, D16]",
        f"""
            SELECT format('receipt %s: worker %s gave back %s fen, and should %s', r.number,
                          coalesce(did.person_id, due.part), did.fen, due.fen)
            FROM ({shared_out("id", _WORKER_REFUND_PARTS)}) due
            FULL JOIN (
                SELECT f.receipt_id, s.person_id, -sum(s.share_fen) AS fen
                FROM finance.refund_shares s JOIN finance.refunds f ON f.id = s.refund_id GROUP BY 1, 2
            ) did ON did.receipt_id = due.id AND did.person_id = due.part
            LEFT JOIN finance.receipts r ON r.id = coalesce(due.id, did.receipt_id)
            WHERE did.fen IS DISTINCT FROM due.fen
        """,  # noqa: S608  # our own SQL
    ),
    Invariant(
        24,
        "splits_are_a_whole",
        "company, workers and reserve of every split policy are a hundred together [R70-R72]",
        """
            SELECT format('policy %s: %s', id, settings) FROM finance.policies
            WHERE name = 'SplitPolicy' AND CAST(settings ->> 'company' AS int) + CAST(settings ->> 'workers' AS int)
                  + CAST(settings ->> 'reserve' AS int) IS DISTINCT FROM 100
        """,
    ),
]
