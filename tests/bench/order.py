"""`order`: whole orders, beside the same written naively; and what either loses when workers are killed."""

import signal
import socket
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from random import Random
from statistics import median
from time import monotonic, sleep
from urllib.request import urlopen

import psutil
from sqlalchemy import NullPool, create_engine, text
from sqlalchemy.engine import make_url

from bianmin.address import Address
from bianmin.children import Child, Supervisor, wait_until
from bianmin.client import Person
from bianmin.month.cast import Cast, Team, found_company
from bianmin.month.quiet import World
from bianmin.stack import SERVICES
from shared.broker import broker_client
from tests.bench.driver import Board, Driver, Run
from tests.bench.figure import Figure, fresh_stack, owner_of
from tests.bench.naive.tables import Base
from tests.stack import RunningStack

ORDERS = 40
ROUNDS = 3
WARM_UP = 8
FAULT_ORDERS = 60
FAULTS = 9
FAULT_EVERY_SECONDS = 2.5
SEED = 20260401
SETTLE_SECONDS = 50.0
"""Longer than what a killed worker held takes to come back (tests/bench/naive/tasks.py), and than three resendings."""
WATCH_SECONDS = 0.2
CALLBACK_SECONDS, REVISIT_SECONDS = 4, 2
BEGINS = "2026-04-01T14:00:00+08:00"
NAIVE_BROKER = 2
"""The naive version's database in the same broker."""

# the two timers, scaled in time: whoever writes the row, its deadline is seconds away
_SCALE = (
    f"""
    CREATE FUNCTION intake.scale_callback() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        NEW.callback_due_at := NEW.recorded_at + interval '{CALLBACK_SECONDS} s';
        NEW.warned_at := NEW.recorded_at;  -- of the warning before: the naive version has none
        RETURN NEW;
    END $$;
    CREATE TRIGGER scale_callback BEFORE INSERT ON intake.requests
        FOR EACH ROW EXECUTE FUNCTION intake.scale_callback();
    """,
    f"""
    CREATE FUNCTION intake.scale_revisit() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        NEW.due_at := clock_now() + interval '{REVISIT_SECONDS} s';
        RETURN NEW;
    END $$;
    CREATE TRIGGER scale_revisit BEFORE INSERT ON intake.revisits
        FOR EACH ROW EXECUTE FUNCTION intake.scale_revisit();
    """,
)

_OUR_FACTS = """
    SELECT request_id, 'work_order', count(*), min(CAST(id AS text)) FROM dispatch.work_orders GROUP BY 1
    UNION ALL SELECT request_id, 'charge', 1, '' FROM finance.charges
    UNION ALL SELECT request_id, 'charge_accepted', 1, '' FROM finance.charges WHERE accepted_at IS NOT NULL
    UNION ALL SELECT request_id, 'receipt', count(*), '' FROM finance.receipts WHERE state = 'used' GROUP BY 1
    UNION ALL SELECT request_id, 'acknowledged', 1, '' FROM intake.visits WHERE acknowledged_at IS NOT NULL
    UNION ALL SELECT request_id, 'assigned', 1, '' FROM intake.visits WHERE assigned_at IS NOT NULL
    UNION ALL SELECT request_id, 'accepted', 1, '' FROM intake.visits WHERE accepted_at IS NOT NULL
    UNION ALL SELECT request_id, 'returned', 1, '' FROM intake.notice_copies JOIN intake.notices
        ON notices.id = notice_id WHERE copy = 'department' AND returned_at IS NOT NULL
    UNION ALL SELECT id, 'fee', 1, '' FROM intake.requests WHERE received_fen IS NOT NULL
    UNION ALL SELECT request_id, 'revisit', count(*), '' FROM intake.revisits WHERE listed_at IS NOT NULL GROUP BY 1
    UNION ALL SELECT request_id, 'missed', count(*), '' FROM hr.missed_callbacks GROUP BY 1
"""

_NAIVE_FACTS = """
    SELECT request_id, 'work_order', count(*), min(CAST(id AS text)) FROM work_orders GROUP BY 1
    UNION ALL SELECT request_id, 'charge', 1, '' FROM charges
    UNION ALL SELECT request_id, 'charge_accepted', 1, '' FROM charges WHERE state <> 'noticed'
    UNION ALL SELECT request_id, 'receipt', count(*), '' FROM receipts GROUP BY 1
    UNION ALL SELECT id, 'acknowledged', 1, '' FROM requests WHERE acknowledged_at IS NOT NULL
    UNION ALL SELECT id, 'assigned', 1, '' FROM requests WHERE assigned_at IS NOT NULL
    UNION ALL SELECT id, 'accepted', 1, '' FROM requests WHERE accepted_at IS NOT NULL
    UNION ALL SELECT id, 'returned', 1, '' FROM requests WHERE returned_at IS NOT NULL
    UNION ALL SELECT id, 'fee', 1, '' FROM requests WHERE received_fen IS NOT NULL
    UNION ALL SELECT request_id, 'revisit', count(*), '' FROM revisits GROUP BY 1
    UNION ALL SELECT request_id, 'missed', count(*), '' FROM missed_callbacks GROUP BY 1
"""


@dataclass(frozen=True)
class Side:
    """Bianmin or the naive version, as it runs."""

    driver: Driver
    worker: Callable[[str], psutil.Process]
    watch: Callable[[], None]
    """Starts again what was killed, where nobody else does."""
    processes: Callable[[], list[psutil.Process]]
    """Its own, without the engines."""


@dataclass(frozen=True)
class Cost:
    """Of a round."""

    per_second: float
    cpu_ms: float


def measure(orders: int = ORDERS, rounds: int = ROUNDS, fault_orders: int = FAULT_ORDERS) -> list[Figure]:
    """Orders a second and CPU time an order, Bianmin against the naive version (tests/bench/naive).

    An order is 13 HTTP steps, 8 messages and two timers, 9 messages where the owner was called back too late (one in
    five); 24 are under way at a time. Each side has one web process and four workers, on the same PostgreSQL and the
    same broker; rounds alternate, medians of three. CPU time is that of all its processes and of both engines.

    Then each takes 60 orders while workers are killed and the broker is emptied by the same schedule, drawn from a
    fixed seed. Lost are effects that a step taken must have and that are missing 50 seconds after the last fault, when
    no order is under way any more; doubled are those that are there more than once; stuck are orders whose next step
    waited 40 seconds for a message.
    """
    with fresh_stack("--simulate", BEGINS) as stack, _sides(stack) as (ours, naive):
        engines = _engine_processes(stack)
        ours.driver.drive(WARM_UP)
        naive.driver.drive(WARM_UP)
        costs: list[tuple[Cost, Cost]] = [
            (_cost(ours, engines, orders), _cost(naive, engines, orders)) for _ in range(rounds)
        ]
        our_faults, naive_faults = (_under_faults(side, stack.broker_url, fault_orders) for side in (ours, naive))
    per_second = [median(cost[side].per_second for cost in costs) for side in (0, 1)]
    cpu_ms = [median(cost[side].cpu_ms for cost in costs) for side in (0, 1)]
    return [
        Figure("order: orders", per_second[0], "/s"),
        Figure("order: naive orders", per_second[1], "/s"),
        Figure("order: orders to naive orders", per_second[0] / per_second[1], ""),
        Figure("order: CPU of an order", cpu_ms[0], "ms"),
        Figure("order: CPU of a naive order", cpu_ms[1], "ms"),
        Figure("order: CPU to CPU", cpu_ms[0] / cpu_ms[1], ""),
        Figure("order: effects lost under faults", our_faults.lost, "", 0),
        Figure("order: effects doubled under faults", our_faults.doubled, "", 0),
        Figure("order: orders stuck under faults", our_faults.stuck, "", 0),
        Figure("order: naive effects lost under faults", naive_faults.lost, ""),
        Figure("order: naive effects doubled under faults", naive_faults.doubled, ""),
        Figure("order: naive orders stuck under faults", naive_faults.stuck, ""),
    ]


# --- the two sides -------------------------------------------------------------------------------------------------


@contextmanager
def _sides(stack: RunningStack) -> Iterator[tuple[Side, Side]]:
    """Both, running, with the same people."""
    address = stack.await_up()
    cast = _found(stack, address)
    team = cast.teams[0]
    ours = Board(address.database_url, _OUR_FACTS)
    with _naive(stack, address, cast) as (naive_url, base_url, supervisor):
        naive = Board(naive_url, _NAIVE_FACTS)
        with ours.looking(), naive.looking():
            yield (
                Side(
                    Driver(address.base_url, ours, team),
                    stack.worker,
                    lambda: None,
                    lambda: [process for process in stack.descendants() if not _is_engine(process)],
                ),
                Side(
                    Driver(base_url, naive, team),
                    lambda role: _process_of(supervisor, role),
                    supervisor.watch,
                    lambda: [_process_of(supervisor, child.name) for child in supervisor.children],
                ),
            )


def _found(stack: RunningStack, address: Address) -> Cast:
    """A company with receipts at the desk, its workers' duties done, the clock running and the timers scaled."""
    with stack.client() as client:
        world = World(client, address.database_url)
        cast = found_company(world, address.founder_secret, ["A"], today=date(2026, 4, 1))
        team = cast.teams[0]
        client.post(team.cashier, "/finance/api/receipt-books", site_id=team.site_id, first=1, last=500)
        for worker in team.workers["engineering"]:
            client.post(worker, "/dispatch/api/duties/done")
        with owner_of(stack) as owner:
            for statement in _SCALE:
                owner.execute(text(statement))
        world.run_clock()
    return cast


@contextmanager
def _naive(stack: RunningStack, address: Address, cast: Cast) -> Iterator[tuple[str, str, Supervisor]]:
    """The naive version: its database, where its web application answers, and its processes."""
    with owner_of(stack) as owner:
        owner.execute(text("CREATE DATABASE naive"))
    url = make_url(address.database_url).set(database="naive").render_as_string(hide_password=False)
    engine = create_engine(url, poolclass=NullPool)
    Base.metadata.create_all(engine)
    with engine.begin() as connection:
        people = [{"token": p.token, "id": p.id, "role": p.role} for p in _acting(cast.teams[0])]
        connection.execute(text("INSERT INTO people (token, id, role) VALUES (:token, :id, :role)"), people)
    environment = {
        "NAIVE_DATABASE_URL": url,
        "NAIVE_BROKER_URL": f"{stack.broker_url}?virtual_host={NAIVE_BROKER}",
        "NAIVE_CALLBACK_SECONDS": str(CALLBACK_SECONDS),
        "NAIVE_REVISIT_SECONDS": str(REVISIT_SECONDS),
    }
    listening = socket.create_server(("127.0.0.1", 0))
    listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # as `bianmin up` sets it
    supervisor = Supervisor([_naive_web(stack.data, environment, listening), *_naive_workers(stack.data, environment)])
    supervisor.start(*supervisor.children)
    base_url = f"http://127.0.0.1:{listening.getsockname()[1]}"
    listening.close()
    try:
        wait_until("the naive web application to answer", lambda: _answers(f"{base_url}/openapi.json"), seconds=60)
        yield url, base_url, supervisor
    finally:
        supervisor.stop()


def _acting(team: Team) -> list[Person]:
    return [*team.clerks, team.heads["engineering"], *team.workers["engineering"]]


def _naive_web(data: Path, environment: dict[str, str], listening: socket.socket) -> Child:
    return Child(
        "web",
        [
            *(sys.executable, "-m", "uvicorn", "tests.bench.naive.web:web", "--fd", str(listening.fileno())),
            *("--no-access-log", "--log-level", "warning"),
        ],
        log=data / "logs" / "naive-web.log",
        env=environment,
        pass_fds=(listening.fileno(),),
    )


def _naive_workers(data: Path, environment: dict[str, str]) -> list[Child]:
    return [
        Child(
            role,
            [
                *(sys.executable, "-m", "celery", "-A", "tests.bench.naive.tasks:celery", "worker", "--queues", role),
                *("--hostname", f"{role}@naive", "--loglevel", "WARNING"),
                *("--without-gossip", "--without-mingle", "--without-heartbeat"),
            ],
            log=data / "logs" / f"naive-{role}.log",
            env=environment,
        )
        for role in SERVICES
    ]


def _answers(url: str) -> bool:
    try:
        with urlopen(url, timeout=5) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


def _process_of(supervisor: Supervisor, name: str) -> psutil.Process:
    """Once it runs: started again when it was killed."""
    (child,) = [child for child in supervisor.children if child.name == name]

    def runs() -> bool:
        supervisor.watch()
        return child.alive

    wait_until(f"the naive {name} to run", runs, seconds=30)
    assert child.process is not None
    return psutil.Process(child.process.pid)


# --- what an order costs -------------------------------------------------------------------------------------------


def _is_engine(process: psutil.Process) -> bool:
    return "postgres" in process.name() or "-server" in process.name()


def _engine_processes(stack: RunningStack) -> Callable[[], list[psutil.Process]]:
    return lambda: [process for process in stack.descendants() if _is_engine(process)]


def _cost(side: Side, engines: Callable[[], list[psutil.Process]], orders: int) -> Cost:
    before = _cpu_seconds([*side.processes(), *engines()])
    run = side.driver.drive(orders)
    if run.stuck:
        raise RuntimeError(f"orders got stuck without {', '.join(run.stuck)}")
    side.driver.board.wait_for_all(run.expected, SETTLE_SECONDS)
    busy = _cpu_seconds([*side.processes(), *engines()]) - before
    return Cost(orders / run.seconds, 1000 * busy / orders)


def _cpu_seconds(processes: list[psutil.Process]) -> float:
    """CPU time so far, with that of children that ended (connections of PostgreSQL)."""
    times = [process.cpu_times() for process in processes]
    return sum(time.user + time.system + time.children_user + time.children_system for time in times)


# --- what it does under faults -------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Outcome:
    """Of a run under faults: effects missing, effects there more than once, orders that could not go on."""

    lost: int
    doubled: int
    stuck: int


def _under_faults(side: Side, broker_url: str, howmany: int) -> Outcome:
    """Orders while the schedule of faults runs, as long as it or they take."""
    chance = Random(SEED)  # a schedule, not a secret
    began = monotonic()
    orders, pool = side.driver.start(howmany)
    with pool:
        for number in range(FAULTS):
            while monotonic() < began + (1 + number) * FAULT_EVERY_SECONDS:
                sleep(WATCH_SECONDS)
                side.watch()
            _strike(side, broker_url, chance)
        settled = monotonic() + SETTLE_SECONDS
        while not all(order.done() for order in orders):
            sleep(WATCH_SECONDS)
            side.watch()
    for order in orders:
        order.result()
    run = side.driver.run
    while _missing(side, run) and monotonic() < settled:
        side.watch()
        side.driver.board.wait_for_all(run.expected, 0.5)
    doubled = sum(times - 1 for times in side.driver.board.times().values() if times > 1)
    return Outcome(_missing(side, run), doubled, len(run.stuck))


def _missing(side: Side, run: Run) -> int:
    there = side.driver.board.times()
    return sum(key not in there for key in run.expected)


def _strike(side: Side, broker_url: str, chance: Random) -> None:
    """A third of the faults empties the broker, the others kill a worker."""
    if chance.random() < 1 / 3:
        with broker_client(broker_url) as broker:
            broker.flushall()
    else:
        side.worker(chance.choice(SERVICES)).send_signal(signal.SIGKILL)
