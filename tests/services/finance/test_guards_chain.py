"""Every journal has its place in a chain of hashes whose head hr is told: what is changed below the rules is seen."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.orm import Session

from services.finance.actions.ledger import post
from services.finance.rules.ledger import JournalKind, cash_counted
from services.finance.tasks import anchor_ledger, seal_ledger
from services.hr.tasks import hear_ledger_anchored
from shared import clock
from shared.bus.ticker import sweep
from shared.db import WORKER, Database, database
from shared.errors import RuleBroken
from shared.messages import LedgerAnchored
from tests.conftest import START
from tests.people import published
from tests.services.finance.office import MORNING, Office
from tests.tampering import WAYS

BROKEN = text("""
    SELECT seq FROM (
        SELECT seq, hash, journal_id, lag(seq, 1, CAST(0 AS bigint)) OVER chain AS before,
               lag(hash, 1, '') OVER chain AS previous
        FROM finance.ledger_chain WINDOW chain AS (ORDER BY seq)
    ) link
    WHERE seq <> before + 1
       OR hash IS DISTINCT FROM finance.chain_hash(seq, previous, finance.journal_text(journal_id))
    ORDER BY seq
""")
UNCHAINED = text("""
    SELECT count(*) FROM finance.journals j
    WHERE NOT EXISTS (SELECT FROM finance.ledger_chain c WHERE c.journal_id = j.id)
      AND NOT EXISTS (SELECT FROM finance.unsealed_journals u WHERE u.journal_id = j.id)
""")
PLACED = text("SELECT count(*), max(seq) FROM finance.ledger_chain")
WAITING = text("SELECT count(*) FROM finance.unsealed_journals")
CONTRADICTED = text("""
    SELECT a.seq FROM hr.ledger_anchors a LEFT JOIN finance.ledger_chain c ON c.seq = a.seq
    WHERE c.hash IS DISTINCT FROM a.hash ORDER BY a.seq
""")
JOURNALS = 6


def seen(owner: Engine) -> tuple[list[int], int, list[int]]:
    """Places where the chain is broken, journals outside it, and places of which hr was told another hash."""
    with owner.connect() as connection:
        return (
            list(connection.execute(BROKEN).scalars()),
            connection.execute(UNCHAINED).scalar_one(),
            list(connection.execute(CONTRADICTED).scalars()),
        )


def live(journals: int = JOURNALS) -> None:
    """Fees are taken, each in a transaction of its own."""
    with database("finance", WORKER).session() as session:
        office = Office(session)
        office.begin()
        jobs = [office.accepted() for _ in range(journals)]
    for job in jobs:
        with database("finance", WORKER).session() as session:
            office.session = session
            office.collect(job)


def told() -> list[LedgerAnchored]:
    with database("finance", WORKER).session() as session:
        bodies = session.execute(text("SELECT body FROM outbox WHERE type = 'LedgerAnchored' ORDER BY sequence"))
        return [LedgerAnchored.model_validate(body) for body in bodies.scalars()]


def pass_time(committing: Engine, to: timedelta) -> None:
    """The clock stands so long after the start of the test, and what is due is done: sealed first, then told."""
    from services.finance.tasks import tasks  # noqa: PLC0415  # beside its use

    with Session(committing) as session, session.begin():
        session.execute(text("SET LOCAL search_path = installation"))
        clock.move(session, START + to)
    for _ in range(2):
        sweep(database("finance", WORKER), tasks.ticks)


def seal() -> None:
    """Whatever waits to be sealed is sealed."""
    with database("finance", WORKER).session() as session:
        while seal_ledger(session, now=clock.now(session)):
            pass


@pytest.fixture
def told_to_hr(installation: str, committing: Engine) -> Engine:
    """A ledger of some journals whose head hr knows."""
    live()
    pass_time(committing, timedelta())
    pass_time(committing, timedelta(minutes=61))
    (anchor,) = told()
    with database("hr", WORKER).session() as session:
        hear_ledger_anchored(session, anchor, now=MORNING)
    assert seen(committing) == ([], 0, [])
    return committing


@pytest.mark.parametrize(
    ("way", "expected"),
    [
        ("edit", ([3], 0, [])),
        ("delete", ([4], 0, [])),
        ("edit and rehash", ([], 0, [JOURNALS])),
        ("cut the tail", ([], 0, [JOURNALS])),
        ("insert", ([], 1, [])),
    ],
)
def test_whatever_is_done_to_the_ledger_below_the_rules_is_seen(
    told_to_hr: Engine, way: str, expected: tuple[list[int], int, list[int]]
) -> None:
    WAYS[way](told_to_hr, 3)
    assert seen(told_to_hr) == expected


def test_a_ledger_cut_short_that_grows_again_contradicts_what_hr_was_told(told_to_hr: Engine) -> None:
    WAYS["cut the tail"](told_to_hr, 3)
    with database("finance", WORKER).session() as session:
        office = Office(session, code="LH")
        office.begin()
        for _ in range(JOURNALS):
            office.paid(4200)
    seal()
    assert seen(told_to_hr) == ([], 0, [JOURNALS])


def test_the_text_of_a_journal_is_the_same_whatever_the_session_is_set_to(told_to_hr: Engine) -> None:
    texts = set()
    for zone, style in (("UTC", "ISO, MDY"), ("Asia/Shanghai", "German"), ("America/New_York", "SQL, DMY")):
        with told_to_hr.connect() as connection:
            connection.execute(text(f"SET TimeZone = '{zone}'; SET DateStyle = '{style}'; SET extra_float_digits = 0"))
            texts.add(
                tuple(connection.execute(text("SELECT finance.journal_text(id) FROM finance.journals")).scalars())
            )
    (one,) = texts
    assert len(set(one)) == JOURNALS


def test_the_head_is_told_within_an_hour_of_the_first_journal_and_only_when_there_is_a_new_one(
    installation: str, committing: Engine
) -> None:
    live(2)
    pass_time(committing, timedelta(minutes=60))
    assert told() == []
    pass_time(committing, timedelta(minutes=61))
    assert [(anchor.seq, anchor.anchored_at) for anchor in told()] == [(2, START + timedelta(minutes=61))]
    pass_time(committing, timedelta(hours=8))
    assert len(told()) == 1
    with database("finance", WORKER).session() as session:
        office = Office(session, code="LH")
        office.begin()
        office.paid()
    seal()
    pass_time(committing, timedelta(hours=9, minutes=1))
    assert [anchor.seq for anchor in told()] == [2, 3]
    with database("finance", WORKER).session() as session:
        assert published(session).count(("LedgerAnchored", "hr")) == 2


def test_of_many_who_sweep_at_once_one_tells_the_head(installation: str, committing: Engine) -> None:
    live(1)
    seal()
    with Session(committing) as session, session.begin():
        session.execute(text("UPDATE finance.ledger_anchors SET due_at = due_at - interval '2 hours'"))
    busy = Database("finance", installation, pool_size=8, limits=WORKER)

    def anchor(_: int) -> int:
        with busy.session() as session:
            return anchor_ledger(session, now=START)

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(anchor, range(8))) == 1
    busy.engine.dispose()
    assert len(told()) == 1


def test_hr_keeps_each_head_once_and_refuses_another_past(session_of: Callable[[str], Session]) -> None:
    session = session_of("hr")
    first = LedgerAnchored(seq=7, hash="a" * 64, anchored_at=MORNING)
    for _ in range(2):
        hear_ledger_anchored(session, first, now=MORNING)
    hear_ledger_anchored(session, first.model_copy(update={"seq": 3}), now=MORNING)
    with pytest.raises(RuleBroken) as refused:
        hear_ledger_anchored(session, first.model_copy(update={"hash": "b" * 64}), now=MORNING)
    assert refused.value.code == "ledger_rewritten"
    assert session.execute(text("SELECT seq, left(hash, 1) FROM ledger_anchors ORDER BY seq")).all() == [
        (3, "a"),
        (7, "a"),
    ]


def collect_at_once(database_: Database, journals: int) -> None:
    """So many fees are taken by eight at a time, each in a transaction of its own."""
    with database("finance", WORKER).session() as session:
        office = Office(session)
        office.begin()
        office.book(61, 60 + journals)
        jobs = [office.accepted() for _ in range(journals)]

    def take(job: object) -> None:
        with database_.session() as session:
            own = Office.__new__(Office)
            own.__dict__.update(office.__dict__, session=session)
            own.collect(job)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(take, jobs))


@pytest.fixture
def busy(installation: str) -> Iterator[Database]:
    """Finance with eight connections."""
    busy = Database("finance", installation, pool_size=8, limits=WORKER)
    yield busy
    busy.engine.dispose()


def test_a_hundred_journals_of_many_threads_sealed_by_many_make_one_chain_without_a_gap(
    busy: Database, committing: Engine
) -> None:
    collect_at_once(busy, 100)
    with committing.connect() as owner:
        assert (owner.execute(PLACED).one(), owner.execute(WAITING).scalar_one()) == ((0, None), 100)

    def seal_one_batch(_: int) -> int:
        with busy.session() as session:
            return seal_ledger(session, now=clock.now(session))

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(seal_one_batch, range(8))) == 100
    assert seen(committing) == ([], 0, [])
    with committing.connect() as owner:
        assert (owner.execute(PLACED).one(), owner.execute(WAITING).scalar_one()) == ((100, 100), 0)


def test_a_journal_waits_for_no_other_that_is_not_committed_yet(busy: Database, committing: Engine) -> None:
    with database("finance", WORKER).session() as session:
        office = Office(session)
        office.begin()
        one, other = office.accepted(), office.accepted()
    with busy.session() as session:
        office.session = session
        office.collect(one)
        session.execute(text("SET CONSTRAINTS ALL IMMEDIATE"))  # closed, by the same clerk, of the same site
        with busy.session() as beside:
            office.session = beside
            beside.execute(text("SET LOCAL lock_timeout = '1ms'"))
            office.collect(other)
    with committing.connect() as owner:
        assert owner.execute(WAITING).scalar_one() == 2


def test_what_is_taken_from_an_account_is_counted_with_everything_that_waits(
    busy: Database, committing: Engine
) -> None:
    live(2)
    with committing.connect() as owner:
        assert owner.execute(WAITING).scalar_one() == 2
    with busy.session() as session:
        (held,) = session.execute(
            text("SELECT DISTINCT site_id, person_id FROM journal_lines WHERE account = 'cash_in_hand'")
        )
        post(
            session,
            site_id=held.site_id,
            kind=JournalKind.HAND_OVER,
            reference="both",
            lines=cash_counted(100, 100, from_id=held.person_id, holder_id=None),
            now=MORNING,
        )
    with committing.connect() as owner:
        assert (owner.execute(PLACED).one(), owner.execute(WAITING).scalar_one()) == ((3, 3), 0)
    assert seen(committing) == ([], 0, [])
