"""`receipt`: a fee collected over HTTP, beside what a bare web application needs to insert one row."""

import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import time
from hashlib import sha256
from statistics import median
from urllib.request import urlopen
from uuid import UUID, uuid4

from sqlalchemy import NullPool, create_engine, text

from bianmin.children import Child, wait_until
from bianmin.engines import Engines
from services.finance.actions import receipt_book
from services.finance.rules.receipt import LONGEST_BOOK
from services.finance.tasks import tasks
from shared import clock
from shared.db import WORKER, Database
from shared.ids import new_id
from shared.installation import prepare
from shared.messages import Message, PersonChanged, SiteChanged
from shared.people import Actor
from tests.bench.figure import Figure
from tests.bench.load import Load, Measured, post, run
from tests.folders import reachable_folder

CLIENTS = 8
ROUNDS = 5
RECEIPTS = 500
"""Receipts in a round."""
WARM_UP = 100
SITES = 20
FEE_FEN = 8000
THROUGHPUT_RATIO = 0.5
P50_RATIO = 2.2

# accepted jobs of two workers each, the sites in turn
_CHARGES = text("""
    WITH made AS (
        INSERT INTO finance.charges (
            request_id, notice_number, site_id, department, state, fee_fen, price_version, issued_at, accepted_at)
        SELECT gen_random_uuid(), 'N' || cardinality(CAST(:sites AS uuid[])) || '-' || n,
            (CAST(:sites AS uuid[]))[1 + n % cardinality(CAST(:sites AS uuid[]))],
            'engineering', 'accepted', :fee, 1, clock_timestamp(), clock_timestamp()
        FROM generate_series(1, :howmany) AS n
        RETURNING request_id, site_id
    ), workers AS (
        INSERT INTO finance.charge_workers (request_id, person_id, name, weight)
        SELECT request_id, person_id, '师傅', 1 FROM made, unnest(CAST(:workers AS uuid[])) AS person_id
    )
    SELECT request_id, site_id FROM made
""")

_COLLECTED = text("""
    SELECT (SELECT count(*) FROM finance.receipts WHERE state = 'used') AS receipts,
           (SELECT count(*) FROM finance.journals WHERE kind = 'receipt') AS journals,
           (SELECT count(*) FROM finance.outbox WHERE type = 'FeeCollected') AS messages,
           (SELECT sum(amount_fen) FROM finance.journal_lines WHERE amount_fen > 0) AS debit_fen,
           (SELECT -sum(amount_fen) FROM finance.journal_lines WHERE amount_fen < 0) AS credit_fen
""")


def measure(receipts: int = RECEIPTS, rounds: int = ROUNDS) -> list[Figure]:
    """Fees collected a second by eight clients, against rows inserted a second by a bare application.

    The clients are clerks of twenty sites, the sites in turn, as in a company of many sites: that is the figure. How it
    goes when all of them are at one site is told beside it.

    A collected fee is all of it: the clerk's token and role, the Idempotency-Key and its stored answer, the charge and
    the next number of the book locked, policies and business day looked up, the split, the workers' shares, a journal
    of five lines that balances, the messages in the outbox. Both applications run on one PostgreSQL that syncs each
    commit, each in one uvicorn process; each round one after the other, medians of five rounds after a warm-up. No
    worker runs, so that a receipt is measured and not what its messages cost elsewhere (`backlog`, `order`).
    """
    ours, one_site, bare = [], [], []
    with _engines() as engines:
        url = engines.database_url
        company = _found(url, numbers_each=2 * rounds * receipts + WARM_UP + 100)
        requests = _prepare(url, company, company.sites, WARM_UP + rounds * receipts)
        of_one_site = _prepare(url, company, company.sites[:1], WARM_UP + rounds * receipts)
        with (
            _web("finance", "services.finance.main:web", engines) as port,
            _web("bare", "tests.bench.bare_web:web", engines) as bare_port,
        ):
            for count in (WARM_UP, *rounds * [receipts]):
                ours.append(run(Load(port, CLIENTS, [requests.pop() for _ in range(count)])))
                one_site.append(run(Load(port, CLIENTS, [of_one_site.pop() for _ in range(count)])))
                insert = post("/rows", {"method": "cash", "amount_fen": FEE_FEN})
                bare.append(run(Load(bare_port, CLIENTS, 2 * count * [insert])))
        _check(url, 2 * (WARM_UP + rounds * receipts))
    return _figures(ours[1:], one_site[1:], bare[1:])


def _figures(ours: list[Measured], one_site: list[Measured], bare: list[Measured]) -> list[Figure]:
    throughput = median(one.per_second for one in ours), median(one.per_second for one in bare)
    p50 = median(one.p50_ms for one in ours), median(one.p50_ms for one in bare)
    p99 = median(one.p99_ms for one in ours), median(one.p99_ms for one in bare)
    return [
        Figure("receipt: collected", throughput[0], "/s"),
        Figure("receipt: bare inserts", throughput[1], "/s"),
        Figure("receipt: collected to bare inserts", throughput[0] / throughput[1], "", at_least=THROUGHPUT_RATIO),
        Figure("receipt: of one site, to bare inserts", median(one.per_second for one in one_site) / throughput[1], ""),
        Figure("receipt: p50", p50[0], "ms"),
        Figure("receipt: p50 of bare inserts", p50[1], "ms"),
        Figure("receipt: p50 to p50", p50[0] / p50[1], "", P50_RATIO),
        Figure("receipt: p99 to p99", p99[0] / p99[1], ""),
        Figure("receipt: errors", sum(one.errors for one in ours + one_site + bare), "", 0),
        Figure("receipt: busiest load generator", 100 * max(one.busy for one in ours + one_site + bare), "% of a core"),
    ]


@contextmanager
def _engines() -> Iterator[Engines]:
    """An installation's engines, its database migrated and empty."""
    with reachable_folder() as folder:
        engines = Engines(folder / "data")
        engines.start()
        try:
            prepare(engines.database_url)
            yield engines
        finally:
            engines.stop()


@dataclass(frozen=True)
class _Company:
    """Who and where; the token of each site's clerk."""

    sites: list[UUID]
    tokens: dict[UUID, str]
    workers: list[UUID]


def _prepare(url: str, company: _Company, sites: list[UUID], howmany: int) -> list[str]:
    """As many accepted jobs of these sites, and the requests with which each site's clerk collects their fees."""
    owner = create_engine(url, poolclass=NullPool)
    with owner.begin() as connection:
        facts = {"sites": sites, "workers": company.workers, "fee": FEE_FEN, "howmany": howmany}
        charges = connection.execute(_CHARGES, facts).all()
    with owner.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("VACUUM ANALYZE"))  # as autovacuum leaves tables that grew by and by
    body = {"method": "cash", "amount_fen": FEE_FEN}
    return [
        post(
            f"/api/charges/{charge.request_id}/collect",
            body,
            Authorization=f"Bearer {company.tokens[charge.site_id]}",
            Idempotency_Key=str(uuid4()),
        )
        for charge in charges
    ]


def _found(url: str, *, numbers_each: int) -> _Company:
    """Sites, a clerk and a book of receipts for each, and workers, as finance knows them from the messages it hears."""
    tokens = [str(uuid4()) for _ in range(SITES)]
    clerks = [_person("clerk", sha256(token.encode()).hexdigest()) for token in tokens]
    workers = [_person("worker", uuid4().hex) for _ in range(2)]
    actor = Actor(clerks[0].person_id, clerks[0].name, "cashier", "finance", None)
    finance = Database("finance", url, pool_size=1, limits=WORKER)
    sites = []
    with finance.session() as session:
        now = clock.now(session)

        def hear(message: Message) -> None:
            tasks.handlers[type(message).__name__](session, message, now=now)

        for person in (*clerks, *workers):
            hear(person)
        for number in range(SITES):
            site = SiteChanged(
                site_id=new_id(),
                version=1,
                code=f"S{number}",
                name=f"{number} 小区",
                zone="Asia/Shanghai",
                closing=time(18),
                holidays=[],
            )
            hear(site)
            # the first site's numbers are for all its own fees besides
            last = numbers_each if number == 0 else numbers_each // SITES + 100
            for first in range(1, last, LONGEST_BOOK):
                end = first + LONGEST_BOOK - 1
                receipt_book.issue(session, site_id=site.site_id, first=first, last=end, actor=actor, now=now)
            sites.append(site.site_id)
    finance.engine.dispose()
    return _Company(sites, dict(zip(sites, tokens, strict=True)), [worker.person_id for worker in workers])


def _person(role: str, token_hash: str) -> PersonChanged:
    return PersonChanged.model_validate(
        {
            "person_id": new_id(),
            "version": 1,
            "name": "王芳",
            "role": role,
            "department": "front_desk" if role == "clerk" else "engineering",
            "site_ids": [],
            "all_sites": True,
            "active": True,
            "token_hash": token_hash,
            "shift_start": None,
            "shift_end": None,
        }
    )


@contextmanager
def _web(name: str, application: str, engines: Engines) -> Iterator[int]:
    """A web application in one uvicorn process; its port."""
    listening = socket.create_server(("127.0.0.1", 0))
    listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # as `bianmin up` sets it
    port: int = listening.getsockname()[1]
    url = engines.database_url
    child = Child(
        name,
        [
            *(sys.executable, "-m", "uvicorn", application, "--fd", str(listening.fileno())),
            *("--no-access-log", "--log-level", "warning"),
        ],
        log=engines.data / "logs" / f"{name}.log",
        env={"BIANMIN_DATABASE_URL": url, "BIANMIN_BROKER_URL": engines.broker_url, "BARE_DATABASE_URL": url},
        pass_fds=(listening.fileno(),),
    )
    child.start()
    listening.close()
    try:
        wait_until(f"{name} to answer", lambda: _answers(port) or not child.alive, seconds=60)
        if not child.alive:
            raise RuntimeError(f"{name} ended while starting:\n{child.tail()}")
        yield port
    finally:
        child.stop()


def _answers(port: int) -> bool:
    try:
        with urlopen(f"http://127.0.0.1:{port}/openapi.json", timeout=5) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


def _check(url: str, howmany: int) -> None:
    """Every fee was collected, booked and told once. Raises RuntimeError."""
    with create_engine(url, poolclass=NullPool).connect() as connection:
        found = connection.execute(_COLLECTED).one()
    if tuple(found) != (howmany, howmany, howmany, howmany * FEE_FEN, howmany * FEE_FEN):
        raise RuntimeError(f"{howmany} fees were to be collected: {found}")
