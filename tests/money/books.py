"""Books to be checked: two months in which everything happens that moves money, or as many entries as one likes."""

from uuid import UUID

from sqlalchemy import Connection, text

from services.finance.rules.receipt import Method
from services.finance.rules.refund import RefundMethod
from services.finance.rules.reserve import Use
from tests.services.finance.office import CLOSING, MAY_FIRST, MONTH_END, Office
from tests.services.finance.test_deposit import put
from tests.services.finance.test_guard import end_may
from tests.services.finance.test_payment import paid
from tests.services.finance.test_reserve import decide, propose
from tests.services.finance.test_settlement import approve, compute, fined


def live(office: Office) -> None:
    """April is settled and paid, May closed; every kind of journal is posted at least once."""
    first = office.paid(10000, workers={office.worker.person_id: 2, office.mate.person_id: 1})
    office.paid(99, now=CLOSING)
    office.collect(office.accepted(fee_fen=333), amount_fen=333, method=Method.WECHAT, reference="4200001")
    office.make_good(office.short(office.clerk, office.cashier, 150))
    put(office, 4000)
    office.refunded(first, 3333, method=RefundMethod.CASH)
    office.refunded(first, 1000)
    decide(office, propose(office, Use.REWARD, 300))
    decide(office, propose(office, Use.LOSS, 100))
    decide(office, propose(office, Use.REWORK, 50))
    fined(office, office.worker, 5000)
    office.paid(5000, now=MONTH_END)
    office.end_month()
    compute(office)
    settled = approve(office)
    mate = next(line for line in settled.lines if line.person_id == office.mate.person_id)
    paid(office, settled.id, person_id=mate.person_id, net_fen=mate.net_fen)
    office.paid(700, now=MAY_FIRST)
    end_may(office)
    office.session.flush()


_JOURNALS = text("""
    INSERT INTO finance.journals (id, site_id, kind, at, day, reference)
    SELECT uuidv7(), :site_id,
           CASE WHEN n % 10 = 9 THEN 'hand_over' WHEN n % 100 = 98 THEN 'refund' ELSE 'receipt' END,
           clock_timestamp(), date '2026-04-01' + CAST(n % 730 AS int), 'N' || n
    FROM generate_series(1, :entries) AS n
""")

# what it was is seen in the reference's number; a fee has company, two workers and the fund, as the split gives them
_LINES = text("""
    WITH numbered AS (
        SELECT id, kind, CAST(substr(reference, 2) AS bigint) AS n FROM finance.journals WHERE site_id = :site_id
    ), sized AS (
        SELECT id, kind, CASE WHEN kind = 'refund' THEN -1 ELSE 1 END * (1000 + n * 7919 % 90001) AS fen FROM numbered
    ), shared AS (
        SELECT id, kind, fen, fen * 50 / 100 AS company, fen * 20 / 100 AS one, fen * 15 / 100 AS other FROM sized
    )
    INSERT INTO finance.journal_lines (journal_id, line, account, site_id, person_id, amount_fen)
    SELECT id, line, account, :site_id, person_id, amount_fen
    FROM shared CROSS JOIN LATERAL (
        SELECT * FROM (VALUES
            (1, 'cash_in_hand', CAST(:clerk AS uuid), fen),
            (2, 'company_share', NULL, -company),
            (3, 'workers_share', CAST(:worker AS uuid), -one),
            (4, 'workers_share', CAST(:mate AS uuid), -other),
            (5, 'reserve_fund', NULL, -(fen - company - one - other))
        ) AS fee (line, account, person_id, amount_fen) WHERE kind <> 'hand_over'
        UNION ALL
        SELECT * FROM (VALUES (1, 'cash_at_finance', NULL, fen), (2, 'cash_in_hand', CAST(:clerk AS uuid), -fen)
        ) AS cash (line, account, person_id, amount_fen) WHERE kind = 'hand_over'
    ) AS lines
""")


def write(owner: Connection, entries: int, *, site_id: UUID, clerk: UUID, worker: UUID, mate: UUID) -> None:
    """Write journals of fees, refunds and hand-overs over two years, which the database must accept as balanced."""
    owner.execute(text("SET LOCAL search_path = finance, installation"))  # where the triggers look
    owner.execute(_JOURNALS, {"site_id": site_id, "entries": entries})
    owner.execute(_LINES, {"site_id": site_id, "clerk": clerk, "worker": worker, "mate": mate})
