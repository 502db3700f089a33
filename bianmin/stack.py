"""The whole installation on one machine: engines, migrations, four web applications behind one port, four workers."""

import contextlib
import fcntl
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from types import FrameType

import httpx
from sqlalchemy import URL, NullPool, create_engine, make_url, text

from bianmin.address import Address
from bianmin.broker_accounts import ACCOUNTS, OPERATOR, WEB
from bianmin.children import Child, Supervisor, wait_until
from bianmin.engines import CannotStart, Engines
from bianmin.signing_in import KEYS
from bianmin.told import refuse
from bianmin.worker import worker
from shared.broker import AWAY, broker_fault
from shared.safety import broker_password, database_password, readable_broker, weak_secret
from shared.sealing import make_data_keys
from shared.session_keys import make_session_keys
from shared.settings import settings
from shared.startup import LOGINS, unsafe

SERVICES = ("intake", "dispatch", "finance", "hr")
VERIFY_SECONDS = 300.0
"""How often a child looks whether the nightly verification is due; the first time so long after the start."""
FIRST_PORT = 8000
PORTS_TRIED = 50


class Stack:
    """One installation in one data folder, run by this process."""

    def __init__(self, data: Path, *, simulated_at: str | None = None, port: int | None = None) -> None:
        self.data = data.resolve()
        self.simulated_at = simulated_at
        self.port = port
        self.engines: Engines | None = None
        self.supervisor = Supervisor([])
        self.verifier: Child | None = None
        self.verify_at = time.monotonic() + VERIFY_SECONDS
        self.engine_supervisor = Supervisor([])
        self.stopping = False
        self._lock: int | None = None
        self._listening: socket.socket | None = None

    @contextlib.contextmanager
    def running(self) -> Iterator[Address]:
        """Start everything; stop everything when the block ends, however it ends."""
        self._take_folder()
        signal.signal(signal.SIGTERM, self._on_signal)
        signal.signal(signal.SIGINT, self._on_signal)
        try:
            yield self._start()
        finally:
            self._stop()

    def _on_signal(self, _signum: int, _frame: FrameType | None) -> None:
        self.stopping = True
        raise KeyboardInterrupt

    def _take_folder(self) -> None:
        """One installation a folder: a second one is refused, a killed one's lock is free."""
        self.data.mkdir(parents=True, exist_ok=True)
        self._lock = os.open(self.data / "lock", os.O_CREAT | os.O_RDWR, 0o600)
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise CannotStart(f"an installation runs in {self.data} already; stop it, or use another --data") from None
        (self.data / "address.json").unlink(missing_ok=True)

    def _start(self) -> Address:
        database_url, broker_url = os.environ.get("BIANMIN_DATABASE_URL"), os.environ.get("BIANMIN_BROKER_URL")
        if bool(database_url) != bool(broker_url):
            raise CannotStart("set both BIANMIN_DATABASE_URL and BIANMIN_BROKER_URL, or neither")
        if not database_url or not broker_url:
            self.engines = Engines(self.data)
            self.engines.start()
            self.engine_supervisor = Supervisor(self.engines.children)
            database_url, broker_url = self.engines.database_url, self.engines.broker_url_of(OPERATOR)
        else:
            self._check_urls(database_url, broker_url)
        listening = _listen(self.port)
        address = Address(
            base_url=f"http://127.0.0.1:{listening.getsockname()[1]}",
            database_url=database_url,
            broker_url=self._broker_url(OPERATOR, broker_url),
            founder_secret=self._founder_secret(),
            pid=os.getpid(),
        )
        environment = {
            "BIANMIN_DATABASE_URL": anybody(database_url),
            "BIANMIN_BROKER_URL": self._broker_url(WEB, broker_url),
            **{_broker_url_name(account): "" for account in ACCOUNTS},  # each process is told its own alone
            "BIANMIN_FOUNDER_SECRET": address.founder_secret,
            "BIANMIN_DATA_KEYS": os.environ.get("BIANMIN_DATA_KEYS") or str(self._data_keys(database_url)),
            "MALLOC_ARENA_MAX": "2",  # glibc's arenas for each thread would cost a worker tens of MiB
        }
        session_keys = self.data / KEYS
        make_session_keys(session_keys)
        keys = {"BIANMIN_KEYS": os.environ.get("BIANMIN_KEYS") or str(self.data / "keys")}  # workers alone sign
        web = self._web(listening, environment | _metrics_port(0) | {"BIANMIN_SESSION_KEYS": str(session_keys)})
        workers = self._workers(environment | keys, broker_url)
        self.supervisor = Supervisor([web, *workers])
        self.verifier = self.make_verifier(environment)
        self.supervisor.start(web)  # it needs the database only to answer, so it loads while that is prepared
        self._listening = listening  # kept: a web process that ended is started again on the same socket
        self._prepare(environment | keys | {"BIANMIN_DATABASE_URL": database_url})
        self._await_web(web, address)
        self._check_broker(address.broker_url)
        self.supervisor.start(*workers)
        address.write(self.data)
        return address

    def _check_urls(self, database_url: str, broker_url: str) -> None:
        """Say at once what every process would say by itself."""
        refuse(unsafe())
        brokers = {account: self._broker_url(account, broker_url) for account in (*SERVICES, WEB, OPERATOR)}
        if not settings().allow_plaintext:
            for url in brokers.values():
                refuse(readable_broker(url))
        if not settings().allow_weak_secrets:
            told = {_broker_url_name(account): url for account, url in brokers.items() if url != broker_url}
            passwords = {f"the password in {name}": broker_password(url) for name, url in told.items()}
            passwords |= {
                password_of(login): settings().database_password(login)
                for login in LOGINS
                if database_password(make_url(database_url)) is not None
            }
            refuse(weak_secret({name: secret for name, secret in passwords.items() if secret is not None}))
        elif self.simulated_at is None:
            raise CannotStart("BIANMIN_ALLOW_WEAK_SECRETS is for simulations alone: unset it, or add --simulate")

    def _founder_secret(self) -> str:
        """Known to whoever can read the data folder: he may found the company, once."""
        path = self.data / "founder-secret"
        if not path.exists():
            with os.fdopen(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "w") as file:
                file.write(secrets.token_urlsafe(32))
        return path.read_text()

    def _data_keys(self, database_url: str) -> Path:
        """What seals personal data; made once, and never in the database nor in its backups.

        A company that is there already sealed with others: new ones beside them would be of the same names.
        """
        path = self.data / "data-keys"
        if not path.exists():
            if _is_founded(database_url):
                raise CannotStart(
                    f"the company's personal data is sealed by keys that are not at {path}: copy them there from where "
                    f"they are kept apart. If they are lost, `bianmin data-key new {path}` makes new ones, and what "
                    "the old ones sealed stays closed. A new company begins in another --data"
                )
            make_data_keys(path)
        return path

    def _prepare(self, environment: dict[str, str]) -> None:
        """Roles, schemas, clock and migrations, in a process of its own, whose memory is given back."""
        simulate = ["--simulate", self.simulated_at] if self.simulated_at else []
        done = subprocess.run(
            [sys.executable, "-m", "bianmin", "prepare", *simulate],
            env={**os.environ, **environment},
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise CannotStart(f"the database was not prepared:\n{done.stderr.strip()}")

    def _web(self, listening: socket.socket, environment: dict[str, str]) -> Child:
        fd = listening.fileno()
        return Child(
            "web",
            [
                *(sys.executable, "-m", "uvicorn", "--factory", "bianmin.gateway:make_app", "--fd", str(fd)),
                *("--no-access-log", "--log-level", "warning", "--timeout-graceful-shutdown", "3"),
                *("--no-proxy-headers", "--no-server-header"),  # whose word is taken: shared/limits.py
            ],
            log=self.data / "logs" / "web.log",
            env=environment,
            pass_fds=(fd,),
        )

    def _broker_url(self, account: str, shared: str) -> str:
        """How an account reaches the broker: as the embedded one knows it, as it is told, or else as all do."""
        if self.engines:
            return self.engines.broker_url_of(account)
        return os.environ.get(_broker_url_name(account)) or shared

    def _workers(self, environment: dict[str, str], broker_url: str) -> list[Child]:
        return [
            worker(
                service,
                place=self.data.name,
                progress=self.data / "progress" / f"worker-{service}",
                log=self.data / "logs" / f"worker-{service}.log",
                env=environment
                | {"BIANMIN_BROKER_URL": self._broker_url(service, broker_url)}
                | {password_of(other): "" for other in SERVICES if other != service}
                | _metrics_port(place),
            )
            for place, service in enumerate(SERVICES, start=1)
        ]

    def make_verifier(self, environment: dict[str, str]) -> Child:
        """A child that verifies the invariants when that is due, logs what it finds, and ends."""
        argv = [sys.executable, "-m", "bianmin.verify", "--if-due"]
        return Child("verify", argv, log=self.data / "logs" / "verify.log", env=environment)

    def _await_web(self, web: Child, address: Address) -> None:
        answers: list[httpx.Response] = []

        def answered_or_dead() -> bool:
            if not web.alive:
                return True
            try:
                answers.append(httpx.get(f"{address.base_url}/intake/ready", timeout=5))
            except httpx.TransportError:
                return False
            return True

        wait_until("the web applications to answer", answered_or_dead, seconds=60)
        if not web.alive:
            raise CannotStart(f"the web applications ended while starting:\n{web.tail()}")
        if not answers[-1].is_success:  # the database is prepared by now, so what it says holds
            raise CannotStart(answers[-1].json()["detail"])

    def _check_broker(self, broker_url: str) -> None:
        """Say at once what the workers would say in their logs."""
        try:
            fault = broker_fault(broker_url)
        except AWAY as error:
            raise CannotStart(f"the broker does not answer: {error}") from None
        if fault is not None:
            raise CannotStart(fault)

    def watch(self) -> None:
        """Start again what has ended, the engines too; to be called again and again."""
        self.engine_supervisor.watch()
        self.supervisor.watch()
        self._verify()

    def _verify(self) -> None:
        """Every few minutes a child looks; what it finds stops nothing."""
        if self.verifier and time.monotonic() >= self.verify_at and not self.verifier.alive:
            self.verify_at = time.monotonic() + VERIFY_SECONDS
            self.verifier.start()

    def _stop(self) -> None:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        (self.data / "address.json").unlink(missing_ok=True)
        if self.verifier:
            self.verifier.stop()
        self.supervisor.stop()
        if self._listening:
            self._listening.close()
        if self.engines:
            self.engines.stop()
        if self._lock is not None:
            os.close(self._lock)


def _broker_url_name(account: str) -> str:
    """The variable by which `bianmin up` is told how an account reaches a broker that is not embedded."""
    return f"BIANMIN_{account.upper()}_BROKER_URL"


def _metrics_port(place: int) -> dict[str, str]:
    """Where a process tells its figures: the web at the port of the settings, the four workers at those after it."""
    port = os.environ.get("BIANMIN_METRICS_PORT")
    return {"BIANMIN_METRICS_PORT": str(int(port) + place)} if port else {}


def anybody(url: str) -> str:
    """The URL without its user: each process logs in as itself, and the owner's password is none of its business."""
    owner = make_url(url)
    nobody = URL.create(owner.drivername, None, None, owner.host, owner.port, owner.database, owner.query)
    return nobody.render_as_string(hide_password=False)


def _is_founded(url: str) -> bool:
    """Whether a company is there; before, nothing is sealed."""
    with create_engine(url, poolclass=NullPool).connect() as owner:
        prepared = owner.scalar(text("SELECT to_regclass('hr.company') IS NOT NULL"))
        return bool(prepared and owner.scalar(text("SELECT EXISTS (SELECT FROM hr.company)")))


def password_of(service: str) -> str:
    """The variable with a service's password in the database, which is none of another service's business."""
    return f"BIANMIN_{service.upper()}_DATABASE_PASSWORD"


def _listen(port: int | None) -> socket.socket:
    """A listening socket on loopback: the port asked for, else the first free one from 8000 on."""
    for candidate in [port] if port is not None else range(FIRST_PORT, FIRST_PORT + PORTS_TRIED):
        sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        # inherited by every connection: uvicorn does not know an inherited socket is TCP, and an answer in two
        # packets would wait 40 ms for the reader's delayed acknowledgement
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            sock.bind(("127.0.0.1", candidate))
            sock.listen(128)
        except OSError:
            sock.close()
            continue
        return sock
    raise CannotStart(f"port {port} is taken" if port is not None else "no free port from 8000 to 8049")
