"""A whole installation in which things break: its processes, its people, its traffic, and what is checked after."""

import contextlib
import os
import signal
import subprocess
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import psutil
import redis
from sqlalchemy import Engine, NullPool, create_engine, text
from sqlalchemy.exc import OperationalError

from bianmin.address import Address
from bianmin.children import NeverCame, wait_until
from bianmin.month.cast import Cast, found_company
from bianmin.month.quiet import World
from bianmin.stack import SERVICES
from bianmin.verify.run import connected, run
from shared.broker import broker_client
from tests.faults.books import Findings, compare
from tests.faults.results import record
from tests.faults.traffic import Caller, Clock, Intent, Ledger, Traffic
from tests.stack import RunningStack, running

NINE = datetime(2026, 4, 1, 1, tzinfo=UTC)
"""Nine in the morning of a working day in Shanghai: the workers' shifts have begun."""

RECEIPTS, BOOK = 2000, 500

INSIDE = Path(__file__).parent / "inside"

_WITNESS = """
    CREATE SCHEMA faults;
    CREATE TABLE faults.effects (receiver text NOT NULL, message_id uuid NOT NULL);
    GRANT USAGE ON SCHEMA faults TO {roles};
    GRANT INSERT ON faults.effects TO {roles};
"""

_OPEN = " UNION ALL ".join(
    f"SELECT '{service} ' || receiver || ' ' || type FROM {service}.outbox"
    " WHERE acknowledged_at IS NULL AND published_at <= :moment"
    f" UNION ALL SELECT '{service} waiting ' || type FROM {service}.inbox"
    " WHERE state = 'waiting' AND received_at <= :moment"
    for service in SERVICES
)

_LISTENING = """
    SELECT count(*) FROM pg_stat_activity
    WHERE application_name LIKE :name AND query LIKE 'LISTEN %' AND backend_start > :moment
"""

_AT_HR = """
    SELECT i.state FROM hr.inbox i JOIN intake.outbox o ON (o.message_id, o.receiver) = (i.message_id, 'hr')
    WHERE o.type = 'CallbackMissed' AND o.body ->> 'request_id' = :id
"""


def bring_witness(engine: Engine) -> None:
    """The table into which every effect of a message puts a row where the code of `inside/` is brought in."""
    with engine.begin() as connection:
        roles = ", ".join(f"bianmin_{service}" for service in SERVICES)
        connection.execute(text(_WITNESS.format(roles=roles)))


class House:
    """See the module. `folder` is how the test speaks to the code in `inside/sitecustomize.py`."""

    def __init__(self, stack: RunningStack, folder: Path, owner_url: str | None = None) -> None:
        self.stack = stack
        self.folder = folder
        self.address: Address = stack.await_up()
        self.owner_url = owner_url or self.address.database_url
        """The database past all proxies: the checks see what is there, not what a broken line lets through."""
        self.engine: Engine = create_engine(self.owner_url, poolclass=NullPool)
        self.ledger = Ledger()
        (folder / "armed").mkdir(parents=True, exist_ok=True)
        bring_witness(self.engine)
        with stack.client() as client:
            world = World(client, self.owner_url)
            self.cast: Cast = found_company(world, self.address.founder_secret, ["A", "B"], today=date(2026, 4, 1))
            self._prepare_work(world)
        self.bring_receipts(1, RECEIPTS)
        self.clock = Clock(self._read_clock, self._leap)

    def _prepare_work(self, world: World) -> None:
        """The regular work of the day is done: the workers may take paid work."""
        for team in self.cast.teams:
            for workers in team.workers.values():
                for worker in workers:
                    prescribed = world.client.get(worker, "/dispatch/api/duties/mine")["duties"]
                    for duty in prescribed:
                        world.client.post(worker, f"/dispatch/api/duties/{duty['duty_id']}/tick")
                    if not prescribed:
                        world.client.post(worker, "/dispatch/api/duties/done")
        world.settle()

    def bring_receipts(self, first: int, last: int) -> None:
        """The desk of each site has receipts of these numbers."""
        with self.stack.client() as client:
            for team in self.cast.teams:
                for begin in range(first, last, BOOK):
                    book = {"site_id": team.site_id, "first": begin, "last": begin + BOOK - 1}
                    client.post(team.cashier, "/finance/api/receipt-books", **book)

    # --- a fault case ---------------------------------------------------------------------------------------------

    def endure(
        self, fault: str, seed: int, injure: Callable[[], None], *, bound: float, orders: int, parked: int = 0
    ) -> Findings:
        """Traffic runs while `injure` breaks things; when it returns all is healed, and then it must all come right.

        Everything said before the healing is acknowledged within `bound` seconds, and in the end nothing is lost,
        doubled or parked but what is expected, by the traffic's own ledger. The figures are recorded.
        """
        traffic = self.traffic(fault, seed)
        acts, messages, drained = self.ledger.acts, self.messages(), [0.0]
        self.ledger.answers.clear()

        def injure_and_await_draining() -> None:
            injure()
            drained[0] = self.await_drained(bound)

        traffic.run(orders, injure_and_await_draining)
        return self.judge(fault, seed, bound=bound, drained=drained[0], acts=acts, messages=messages, parked=parked)

    def traffic(self, name: str, seed: int, *, leaping: bool = True, pace: float = 0) -> Traffic:
        """Orders of the people of this house."""
        url, cast = self.address.base_url, self.cast
        return Traffic(url, cast, self.ledger, self.clock, name=name, seed=seed, leaping=leaping, pace=pace)

    def judge(
        self, fault: str, seed: int, *, bound: float, drained: float, acts: int, messages: int, parked: int = 0
    ) -> Findings:
        """All is quiet soon, and the books are as the ledger of intents says; recorded."""
        self.await_drained(max(bound, 60))
        self.await_no_overdue()
        findings = compare(self.engine, self.ledger)
        record(
            fault=fault,
            seed=seed,
            acts=self.ledger.acts - acts,
            messages=self.messages() - messages,
            lost=len(findings.lost),
            doubled=len(findings.doubled),
            drain_seconds=round(drained, 1),
            bound_seconds=bound,
            repeated_calls=dict(self.ledger.answers),
        )
        assert not findings.lost, findings.lost[:5]
        assert not findings.doubled, findings.doubled[:5]
        assert not findings.wrong, findings.wrong[:5]
        assert len(findings.parked) == parked, findings.parked[:5]
        self.verified()
        return findings

    def verified(self) -> None:
        """What `bianmin verify` looks at is all held and nothing is under way; it shares no code with us."""
        with connected(self.owner_url) as connection:
            violated = run(connection, settled=True).violated
        assert not violated, {found.invariant.name: found.shown for found in violated}

    def await_drained(self, bound: float) -> float:
        """Wait until what was said by now is acknowledged and nothing of it waits; returns the seconds it took."""
        began = time.monotonic()
        moment: list[datetime] = []
        still: list[str] = []

        def drained() -> bool:
            try:
                with self.engine.connect() as connection:
                    if not moment:
                        moment.append(connection.execute(text("SELECT clock_timestamp()")).scalar_one())
                    still[:] = connection.execute(text(_OPEN), {"moment": moment[0]}).scalars()
            except OperationalError:  # the database is on its way up
                return False
            return bool(moment) and not still

        try:
            wait_until("everything said to be acknowledged", drained, seconds=bound, every=0.1)
        except NeverCame as never:
            raise NeverCame(f"{never}; {len(still)} still open: {still[:10]}; alive: {self._processes()}") from None
        return time.monotonic() - began

    def await_no_overdue(self) -> None:
        """Wait until no deadline has passed without being acted on."""

        def kept() -> bool:
            states = [client.get(self.cast.auditor, f"/{service}/ops/bus") for service in SERVICES]
            return not any(line["overdue"] for state in states for line in state["deadlines"])

        with self.stack.client() as client:
            wait_until("every deadline that passed to be acted on", kept, seconds=15, every=0.1)

    def messages(self) -> int:
        """How many messages were ever said."""
        with self.engine.connect() as connection:
            query = " + ".join(f"(SELECT count(*) FROM {service}.outbox)" for service in SERVICES)
            return int(connection.execute(text(f"SELECT {query}")).scalar_one())

    # --- points of the code ---------------------------------------------------------------------------------------

    def arm(self, point: str) -> None:
        """The next process that passes the point kills itself there."""
        (self.folder / "armed" / point).touch()

    def hits(self) -> Counter[str]:
        """How often each point has killed a process."""
        path = self.folder / "hits"
        lines = path.read_text().splitlines() if path.exists() else []
        return Counter(line.partition("\t")[0] for line in lines)

    def executions(self) -> int:
        """How often the deadly message was begun."""
        path = self.folder / "executions"
        return len(path.read_text().splitlines()) if path.exists() else 0

    @contextlib.contextmanager
    def deadly_callback(self) -> Iterator[Intent]:
        """A missed callback whose message, as long as the block runs, kills every process that handles it."""
        (intent,) = self.ask(1)
        deadly = self.folder / "deadly"
        deadly.write_text(intent.request_id)
        self.clock.pass_minutes(11)
        try:
            yield intent
        finally:
            deadly.unlink()

    # --- callbacks ------------------------------------------------------------------------------------------------

    def ask(self, count: int) -> list[Intent]:
        """So many owners ask, and nobody calls back."""
        first = len(self.ledger.unanswered)
        intents = [Intent.nothing(f"nobody calls back {first + n}", self.cast.teams[0]) for n in range(count)]
        self.ledger.unanswered += intents
        with Caller(self.address.base_url, self.ledger) as caller:
            for intent in intents:
                intent.register(caller)
        return intents

    def miss_callbacks(self, count: int) -> list[Intent]:
        """So many owners ask, nobody calls back, and the deadline passes: each is a message to hr."""
        intents = self.ask(count)
        self.clock.pass_minutes(11)
        return intents

    def is_missed(self, intent: Intent) -> bool:
        """Whether intake holds that the callback was missed."""
        query = "SELECT callback_missed FROM intake.requests WHERE id = :id"
        with self.engine.connect() as connection:
            return bool(connection.execute(text(query), {"id": intent.request_id}).scalar_one())

    def await_heard_by_hr(self, intent: Intent, bound: float) -> float:
        """Wait until hr knows of the missed callback; returns the seconds it took."""
        began = time.monotonic()

        def heard() -> bool:
            query = "SELECT count(*) FROM hr.missed_callbacks WHERE request_id = :id"
            with self.engine.connect() as connection:
                return bool(connection.execute(text(query), {"id": intent.request_id}).scalar_one())

        wait_until("hr to hear of a missed callback", heard, seconds=bound, every=0.05)
        return time.monotonic() - began

    def state_at_hr(self, intent: Intent) -> str | None:
        """What became of the message of the missed callback."""
        with self.engine.connect() as connection:
            return connection.execute(text(_AT_HR), {"id": intent.request_id}).scalar_one_or_none()

    def retry_at_hr(self, intent: Intent) -> None:
        """An operator has the parked message tried once more."""
        with self.engine.connect() as connection:
            query = text(_AT_HR.replace("SELECT i.state", "SELECT i.message_id"))
            id_ = connection.execute(query, {"id": intent.request_id}).scalar_one()
        with self.stack.client() as client:
            client.post(self.cast.operator, f"/hr/ops/parked/{id_}/retry")

    # --- processes ------------------------------------------------------------------------------------------------

    def worker(self, service: str) -> psutil.Process:
        """The worker of a service, once it runs."""
        return self.stack.worker(service)

    def web(self) -> psutil.Process:
        """The process of the four web applications, once it runs."""
        return self._child("uvicorn")

    def postgres(self) -> psutil.Process:
        """The postmaster, once it runs."""
        return self._child("postgres")

    def broker(self) -> psutil.Process:
        """The broker's process, once it runs."""
        return self._child("valkey-server", "redis-server")

    def _child(self, *words: str) -> psutil.Process:
        found: list[psutil.Process] = []

        def runs() -> bool:
            found[:] = [
                process
                for process in psutil.Process(self.stack.process.pid).children()
                if any(word in " ".join(_command(process)[:3]) for word in words)
            ]
            return len(found) == 1

        wait_until(f"{words[0]} to run", runs, seconds=60)
        return found[0]

    def _processes(self) -> list[str]:
        return [" ".join(_command(process)[:6])[-60:] for process in psutil.Process(self.stack.process.pid).children()]

    def kill(self, process: psutil.Process, signal_: int = signal.SIGKILL) -> None:
        """Send a signal that ends it, and wait for its end."""
        with contextlib.suppress(psutil.NoSuchProcess):
            process.send_signal(signal_)
        wait_until("a killed process to end", lambda: not _lives(process), seconds=30)

    def lose_broker(self) -> None:
        """The broker is killed, and started again by the supervisor."""
        self.kill(self.broker())
        self.broker()

    def lose_database(self) -> None:
        """PostgreSQL stops at once, is started again by the supervisor, and answers."""
        self.kill(self.postgres(), signal.SIGQUIT)  # what `pg_ctl -m immediate` sends
        self.postgres()
        self.await_database()

    @contextlib.contextmanager
    def stopped(self, process: psutil.Process) -> Iterator[None]:
        """It stands still (SIGSTOP) inside the block, and goes on after it."""
        process.send_signal(signal.SIGSTOP)
        try:
            yield
        finally:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.send_signal(signal.SIGCONT)

    def become(self, name: str, environment: Mapping[str, str] | None) -> None:
        """A service's worker, or `web`, starts anew with this environment (CWD is its tree), or as it was."""
        path = self.folder / f"env-{name}"
        if environment is None:
            path.unlink(missing_ok=True)
        else:
            path.write_text("\n".join(f"{key}={value}" for key, value in environment.items()))
        if name == "web":
            self.kill(self.web())
            self.await_web()
        else:
            moment = self._patiently("SELECT clock_timestamp()", {})
            self.kill(self.worker(name))
            self.worker(name)
            self._await_pump(name, moment)

    def _await_pump(self, service: str, moment: datetime) -> None:
        """Wait until a worker that began after `moment` listens: it is past all its checks, and works."""

        def listens() -> bool:
            values = {"name": f"bianmin-{service}%", "moment": moment}
            with self.engine.connect() as connection:
                return bool(connection.execute(text(_LISTENING), values).scalar_one())

        wait_until(f"the new worker of {service} to work", listens, seconds=90, every=0.1)

    @contextlib.contextmanager
    def more_workers(self, tree: Path) -> Iterator[None]:
        """Beside each worker another one, from another tree, as long as the block runs."""
        more = []
        for service in SERVICES:
            old = self.worker(service)
            argv = [part.replace(f"{service}@", f"{service}@new-") for part in old.cmdline()]
            with (self.folder / f"worker-{service}-new.log").open("wb") as log:
                more.append(subprocess.Popen(argv, cwd=tree, env=old.environ(), stdout=log, stderr=log))
        try:
            yield
            assert [process.poll() for process in more] == [None] * len(more)
        finally:
            for process in more:
                process.terminate()
            for process in more:
                process.wait(30)

    def said_with(self, field: str) -> int:
        """How many messages were said whose body has the field."""
        query = " + ".join(f"(SELECT count(*) FROM {s}.outbox WHERE body -> :field IS NOT NULL)" for s in SERVICES)
        with self.engine.connect() as connection:
            return int(connection.execute(text(f"SELECT {query}"), {"field": field}).scalar_one())

    def await_database(self) -> None:
        """Wait until the database answers."""
        self._patiently("SELECT clock_timestamp()", {})

    def await_web(self) -> None:
        """Wait until the web applications answer."""
        with Caller(self.address.base_url, self.ledger) as caller:
            caller.get(self.cast.auditor, "/intake/ready")

    def broker_client(self) -> redis.Redis:
        """A connection to the broker, as its administrator."""
        return broker_client(self.stack.broker_url)

    # --- the clock ------------------------------------------------------------------------------------------------

    @contextlib.contextmanager
    def running_clock(self) -> Iterator[None]:
        """Inside the block the clock runs by itself."""
        self._patiently("SELECT installation.clock_set(installation.clock_now(), true)", {})
        yield
        self._patiently("SELECT installation.clock_set(installation.clock_now() + interval '1 s', false)", {})

    def _read_clock(self) -> datetime:
        return self._patiently("SELECT installation.clock_now()", {})

    def _leap(self, by: timedelta) -> None:
        """Move the clock; a leap whose answer was lost is not made again."""
        target = self._read_clock() + by
        self._patiently(
            "SELECT installation.clock_set(:to, false) FROM installation.clock WHERE installation.clock_now() < :to",
            {"to": target},
        )

    def _patiently(self, statement: str, values: dict[str, object]) -> datetime:
        answer: list[datetime] = []

        def answered() -> bool:
            try:
                with self.engine.begin() as connection:
                    answer[:] = [connection.execute(text(statement), values).scalar()]
            except OperationalError:
                return False
            return True

        wait_until("the database to answer", answered, seconds=120, every=0.2)
        return answer[0]


def _command(process: psutil.Process) -> list[str]:
    try:
        return process.cmdline()
    except psutil.NoSuchProcess:
        return []


def _lives(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


@contextlib.contextmanager
def open_house(
    folder: Path, environment: Mapping[str, str] | None = None, owner_url: str | None = None
) -> Iterator[House]:
    """A simulation that is up, its company founded, ready for faults."""
    speaking = folder / "faults"
    (speaking / "armed").mkdir(parents=True)
    inside = {
        "FAULTS_FOLDER": str(speaking),
        "PYTHONPATH": os.pathsep.join([str(INSIDE), os.environ.get("PYTHONPATH", "")]),
    }
    with running(
        folder / "data", "--simulate", NINE.isoformat(), environment=inside | dict(environment or {})
    ) as stack:
        yield House(stack, speaking, owner_url)
