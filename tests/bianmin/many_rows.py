"""Many rows of a year's work, made by SQL: how long the verifier takes for a million journal lines.

    python -m tests.bianmin.many_rows 250000 postgresql://…      # an empty, migrated database

Each job is one receipt in cash, handed over in tens to finance: two journals, and one message in each direction.
"""

import sys
from time import monotonic

import psycopg

from bianmin.verify.run import connected, run

SITES, PEOPLE, HANDED_OVER = 5, 200, 10


FILL = """
CREATE TEMP TABLE job AS
SELECT i, md5('request ' || i)::uuid AS request_id, md5('receipt ' || i)::uuid AS receipt_id,
       md5('site ' || i / {batch} % {sites})::uuid AS site_id, i / {batch} % {sites} AS site,
       md5('person ' || i % {people})::uuid AS worker_id, md5('clerk ' || i / {batch})::uuid AS clerk_id,
       md5('hand over ' || i / {batch})::uuid AS hand_over_id, 3000 + i * 7919 % 20000 AS fee_fen,
       '2026-04-01 09:00+08'::timestamptz AS at
FROM generate_series(0, {jobs} - 1) AS i;
ALTER TABLE job ADD parts bigint[];
UPDATE job SET parts = finance.largest_remainder(fee_fen, '{{35,15,50}}');
ALTER TABLE job ADD place bigint;
UPDATE job SET place = p.place FROM (SELECT i, row_number() OVER (PARTITION BY site ORDER BY i) AS place FROM job) p
WHERE p.i = job.i;
ANALYZE job;

INSERT INTO hr.sites (id, version, code, name, zone, closing)
SELECT md5('site ' || s)::uuid, 1, 'S' || s, 'S' || s, 'Asia/Shanghai', '18:00' FROM generate_series(0, {sites} - 1) s;
INSERT INTO intake.sites (id, version, code, name, zone, closing)
SELECT id, version, code, name, zone, closing FROM hr.sites WHERE id IN (SELECT site_id FROM job);
INSERT INTO dispatch.sites SELECT * FROM intake.sites WHERE id IN (SELECT site_id FROM job);
INSERT INTO finance.sites SELECT * FROM intake.sites WHERE id IN (SELECT site_id FROM job);

INSERT INTO dispatch.work_orders (id, request_id, round, notice_number, site_id, department, trade, owner_name, address,
    description, visit_from, visit_to, fee_fen, price_version, state, received_at, acknowledge_due_at,
    acknowledged_at, arrive_due_at, arrived_at, accepted_at, accepted_month)
SELECT request_id, request_id, 0, 'TZ-' || i, site_id, 'engineering', 'water', '', '', '', at, at, fee_fen, 1,
       'accepted', at, at, at, at, at, at, '2026-04' FROM job;
INSERT INTO dispatch.assignments (work_order_id, person_id, position, name, weight)
SELECT request_id, worker_id, 0, '', 1 FROM job;

INSERT INTO finance.charges (request_id, notice_number, site_id, department, state, fee_fen, price_version, issued_at,
    accepted_at)
SELECT request_id, 'TZ-' || i, site_id, 'engineering', 'collected', fee_fen, 1, at, at FROM job;
INSERT INTO finance.charge_workers (request_id, person_id, name, weight) SELECT request_id, worker_id, '', 1 FROM job;
INSERT INTO finance.receipt_books (id, site_id, first, last, issued_by, issued_at)
SELECT md5('book ' || site)::uuid, site_id, 1, count(*), clerk_id, at FROM (
    SELECT site, site_id, md5('cashier')::uuid AS clerk_id, at FROM job) j GROUP BY site, site_id, clerk_id, at;
INSERT INTO finance.receipts (id, number, book_id, request_id, site_id, department, state, amount_fen, issued_by,
    issued_at, method, collected_by, collected_at, day, month, received_at, workers_fen, reserve_fen, company_fen,
    split_weights)
SELECT receipt_id, 'SJ-S' || site || '-' || lpad(place::text, 9, '0'), md5('book ' || site)::uuid, request_id, site_id,
       'engineering', 'used', fee_fen, clerk_id, at, 'cash', clerk_id, at, '2026-04-01', '2026-04', at,
       parts[1], parts[2], parts[3], '{{35,15,50}}' FROM job;
INSERT INTO finance.receipt_shares (receipt_id, person_id, share_fen) SELECT receipt_id, worker_id, parts[1] FROM job;
INSERT INTO finance.hand_overs (id, site_id, from_id, to_id, state, amount_fen, offered_at, counted_fen, counted_at)
SELECT hand_over_id, site_id, clerk_id, md5('cashier')::uuid, 'counted', sum(fee_fen), at, sum(fee_fen), at
FROM job GROUP BY hand_over_id, site_id, clerk_id, at;
INSERT INTO finance.hand_over_receipts (hand_over_id, receipt_id, open) SELECT hand_over_id, receipt_id, false FROM job;

INSERT INTO finance.journals (id, site_id, kind, at, day, reference)
SELECT receipt_id, site_id, 'receipt', at, '2026-04-01'::date,
       'SJ-S' || site || '-' || lpad(place::text, 9, '0') FROM job
UNION ALL
SELECT id, site_id, 'hand_over', counted_at, '2026-04-01'::date, id::text FROM finance.hand_overs
WHERE id IN (SELECT hand_over_id FROM job);
INSERT INTO finance.journal_lines (journal_id, line, account, site_id, person_id, amount_fen)
SELECT receipt_id, 1, 'cash_in_hand', site_id, clerk_id, fee_fen FROM job
UNION ALL SELECT receipt_id, 2, 'company_share', site_id, NULL, -parts[3] FROM job
UNION ALL SELECT receipt_id, 3, 'workers_share', site_id, worker_id, -parts[1] FROM job
UNION ALL SELECT receipt_id, 4, 'reserve_fund', site_id, NULL, -parts[2] FROM job
UNION ALL SELECT id, 1, 'cash_at_finance', site_id, NULL, counted_fen FROM finance.hand_overs
WHERE id IN (SELECT hand_over_id FROM job)
UNION ALL SELECT id, 2, 'cash_in_hand', site_id, from_id, -counted_fen FROM finance.hand_overs
WHERE id IN (SELECT hand_over_id FROM job);

INSERT INTO finance.outbox (message_id, receiver, type, body, traceparent, sends, acknowledged_at)
SELECT receipt_id, 'intake', 'FeeCollected', '{{}}', '', 1, clock_timestamp() FROM job;
INSERT INTO intake.inbox (message_id, sender, type, state, traceparent, handled_at, ack_due)
SELECT receipt_id, 'finance', 'FeeCollected', 'handled', '', clock_timestamp(), false FROM job;
INSERT INTO dispatch.outbox (message_id, receiver, type, body, traceparent, sends, acknowledged_at)
SELECT request_id, 'finance', 'WorkAccepted', '{{}}', '', 1, clock_timestamp() FROM job;
INSERT INTO finance.inbox (message_id, sender, type, state, traceparent, handled_at, ack_due)
SELECT request_id, 'dispatch', 'WorkAccepted', 'handled', '', clock_timestamp(), false FROM job;
"""

CHAIN = """
INSERT INTO finance.balances (account, site_id, holder_id, balance_fen)
SELECT account, site_id, holder_id, sum(moved_fen) FROM finance.holdings WHERE site_id IN (SELECT site_id FROM job)
GROUP BY 1, 2, 3;
DO $$
DECLARE
    journal record;
    head record;
BEGIN
    SELECT coalesce(max(seq), 0) AS seq, coalesce(max(hash) FILTER (WHERE last), '') AS hash INTO head
    FROM (SELECT seq, hash, seq = max(seq) OVER () AS last FROM finance.ledger_chain) chain;
    FOR journal IN SELECT id FROM finance.journals WHERE site_id IN (SELECT site_id FROM job) ORDER BY id LOOP
        head.seq := head.seq + 1;
        head.hash := finance.chain_hash(head.seq, head.hash, finance.journal_text(journal.id));
        INSERT INTO finance.ledger_chain (seq, journal_id, hash) VALUES (head.seq, journal.id, head.hash);
    END LOOP;
END
$$;
"""


def fill(owner: psycopg.Connection, jobs: int) -> None:
    """Make so many jobs at sites of their own, below every trigger, in the superuser's transaction."""
    owner.execute("SET LOCAL session_replication_role = replica")
    for statement in FILL.format(jobs=jobs, sites=SITES, people=PEOPLE, batch=HANDED_OVER).split(";\n"):
        owner.execute(statement)
    owner.execute(CHAIN)
    owner.execute("SET LOCAL session_replication_role = origin")


def main(jobs: int, database_url: str) -> str:
    """Fill the database, verify it, and say how long that took."""
    with psycopg.connect(database_url.replace("+psycopg", "")) as owner:
        fill(owner, jobs)
    with psycopg.connect(database_url.replace("+psycopg", ""), autocommit=True) as owner:
        owner.execute("ANALYZE")
        (lines,) = owner.execute("SELECT count(*) FROM finance.journal_lines").fetchone() or (0,)
    began = monotonic()
    with connected(database_url) as verifier:
        report = run(verifier)
    told = [f"{found.invariant.name}: {found.count}, {found.shown[0]}" for found in report.violated]
    return "\n".join([f"{lines} journal lines: {monotonic() - began:.1f} s", *told, ""])


if __name__ == "__main__":
    sys.stdout.write(main(int(sys.argv[1]), sys.argv[2]))
