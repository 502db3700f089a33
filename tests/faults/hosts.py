"""Three machines on one: network namespaces on a bridge. One holds the data, two the applications; lines can be cut.

Each has its own addresses and its own loopback, so nothing reaches another but by the bridge. The data host runs
PostgreSQL and Redis behind passwords; an application host runs a web process group of all four services and a worker of
each; a balancer outside spreads requests over both. What a machine that loses its power leaves behind is left behind
here too: first its line goes, then its processes, so that nobody is told.
"""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from secrets import token_hex
from types import SimpleNamespace

import httpx
import pytest

from bianmin.address import Address
from bianmin.backup.programs import own
from bianmin.broker_accounts import ACCOUNTS, ADMIN, OPERATOR, WEB, acl
from bianmin.children import Child, wait_until
from bianmin.client import Client
from bianmin.engines import _broker_program, server_user
from bianmin.keys import make_missing
from bianmin.stack import SERVICES, password_of
from shared.broker import queue_lengths
from shared.sealing import make_data_keys
from shared.session_keys import make_session_keys
from tests.debian import needs
from tests.faults.house import INSIDE
from tests.recovery.cluster import Cluster
from tests.recovery.test_containers import free_port

WEBS = 2
"""Web processes of a host, behind its one port."""


def ip(*words: str) -> str:
    """One command of iproute2; raises when it fails."""
    return subprocess.run(["ip", *words], capture_output=True, text=True, check=True).stdout


@dataclass
class Host:
    """A namespace with a line to the bridge."""

    name: str
    line: str
    address: str
    children: list[Child] = field(default_factory=list)

    def child(self, name: str, argv: list[str], *, log: Path, env: Mapping[str, str]) -> Child:
        """A program of this host, not started yet."""
        child = Child(name, ["ip", "netns", "exec", self.name, *argv], log=log, env=env)
        self.children.append(child)
        return child

    def cut(self) -> None:
        """Nothing comes or goes any more, and nobody is told."""
        ip("link", "set", self.line, "down")

    def heal(self) -> None:
        """The line is back."""
        ip("link", "set", self.line, "up")

    def lose_power(self) -> None:
        """The line and every process at once."""
        self.cut()
        for pid in ip("netns", "pids", self.name).split():
            os.kill(int(pid), signal.SIGKILL)
        for child in self.children:
            if child.process is not None:
                child.process.wait()

    def boot(self) -> None:
        """The line is back, and every program starts."""
        self.heal()
        for child in self.children:
            child.start()

    def stop(self) -> None:
        for child in self.children:
            if child.alive and child.process is not None:
                child.process.send_signal(child.stop_signal)
        for child in reversed(self.children):
            child.stop()
        for pid in ip("netns", "pids", self.name).split():
            os.kill(int(pid), signal.SIGKILL)


@contextmanager
def network() -> Iterator[tuple[str, list[Host]]]:
    """The bridge's address and three hosts; skips where namespaces may not be made."""
    needs("ip", "iproute2")
    if os.geteuid() != 0:
        pytest.skip("needs root: network namespaces")
    mark = f"{os.getpid() % 100_000:05}"
    bridge, net = f"bm{mark}", f"10.77.{os.getpid() % 250}"
    with ExitStack() as stack:
        try:
            ip("link", "add", bridge, "type", "bridge")
        except subprocess.CalledProcessError as error:
            pytest.skip(f"needs network namespaces: {error.stderr}")
        stack.callback(ip, "link", "del", bridge)
        ip("addr", "add", f"{net}.254/24", "dev", bridge)
        ip("link", "set", bridge, "up")
        hosts = []
        for number, name in ((10, "data"), (11, "one"), (12, "two")):
            host = Host(f"bm{mark}-{name}", f"bm{mark}{number}", f"{net}.{number}")
            ip("netns", "add", host.name)
            stack.callback(ip, "netns", "del", host.name)
            ip("link", "add", host.line, "type", "veth", "peer", "name", "eth0", "netns", host.name)
            ip("link", "set", host.line, "master", bridge)
            ip("link", "set", host.line, "up")
            for words in (("link", "set", "lo", "up"), ("addr", "add", f"{host.address}/24", "dev", "eth0")):
                ip("-n", host.name, *words)
            ip("-n", host.name, "link", "set", "eth0", "up")
            hosts.append(host)
        yield f"{net}.254", hosts


class Hosts:
    """The installation on these hosts; to a House it is what `bianmin up` is elsewhere."""

    process = SimpleNamespace(pid=os.getpid())

    def __init__(self, folder: Path, outside: str, hosts: list[Host], *, begins: str) -> None:
        """`begins`: the moment at which its simulated clock stands at first (RFC 3339)."""
        self.folder = folder
        self._begins = begins
        self.data, *self.applications = hosts
        self._outside = outside
        self._passwords = {name: token_hex(32) for name in ("bianmin", *SERVICES, "verifier")}
        self._broker_passwords = {account: token_hex(32) for account in ACCOUNTS}
        self._cluster = Cluster(
            folder / "pg",
            options={
                "listen_addresses": self.data.address,
                "hba_file": str(folder / "pg_hba.conf"),
                "max_connections": "300",  # docs/scaling.md says how many these processes may have at most
            },
        )
        port = free_port()
        self._address = Address(
            base_url=f"http://127.0.0.1:{port}",
            database_url=self._cluster.url,
            broker_url=self.broker_url_of(ADMIN),
            founder_secret=token_hex(32),
            pid=os.getpid(),
        )
        self.balancer = Child("nginx", self._nginx(port), log=folder / "nginx.log")

    # --- what a House asks ------------------------------------------------------------------------------------------

    def await_up(self) -> Address:
        return self._address

    @contextmanager
    def client(self) -> Iterator[Client]:
        with Client(self._address.base_url) as client:
            yield client

    @property
    def broker_url(self) -> str:
        return self._address.broker_url

    # --- the data host ----------------------------------------------------------------------------------------------

    def broker_url_of(self, account: str) -> str:
        return f"redis://{account}:{self._broker_passwords[account]}@{self.data.address}:6379/0"

    def start(self) -> None:
        """Everything, until it answers."""
        self._start_postgres()
        self._start_redis()
        self._keys()
        self._prepare()
        for host in self.applications:
            self._equip(host)
            host.boot()
        self.balancer.start()
        for host in self.applications:
            self.await_web(host)

    def _start_postgres(self) -> None:
        (self.folder / "pg_hba.conf").write_text("local all all trust\nhost all all 10.77.0.0/16 scram-sha-256\n")
        own(self.folder / "pg_hba.conf")
        self._cluster.create()
        server, user = self._cluster.server, server_user()
        server.argv = [
            *("ip", "netns", "exec", self.data.name, "setpriv", f"--reuid={user}", f"--regid={user}"),
            *("--clear-groups", "--pdeathsig", "INT", *server.argv),
        ]
        server.user = None
        self._cluster.start()
        with self._cluster.engine("postgres").connect() as connection:
            connection.exec_driver_sql("CREATE DATABASE bianmin")
        self._cluster.do(f"ALTER ROLE bianmin PASSWORD '{self._passwords['bianmin']}'")

    def _start_redis(self) -> None:
        accounts = self.folder / "users.acl"
        accounts.write_text(acl(self._broker_passwords))
        argv = [
            *(_broker_program(), "--bind", self.data.address, "--port", "6379", "--aclfile", str(accounts)),
            *("--save", "", "--appendonly", "no", "--maxmemory-policy", "noeviction", "--dir", str(self.folder)),
        ]
        self.data.child("redis", argv, log=self.folder / "redis.log", env={}).start()
        answers = self.broker_url_of(OPERATOR)
        wait_until("Redis to answer", lambda: queue_lengths(answers, ["hr"]) is not None, seconds=20)

    def _keys(self) -> None:
        make_data_keys(self.folder / "data-keys")
        make_missing(self.folder / "keys")
        make_session_keys(self.folder / "session-keys")

    def _prepare(self) -> None:
        owner = f"postgresql+psycopg://bianmin:{self._passwords['bianmin']}@{self.data.address}/bianmin"
        every = {password_of(login): self._passwords[login] for login in (*SERVICES, "verifier")}
        done = subprocess.run(
            [sys.executable, "-m", "bianmin", "prepare", "--simulate", self._begins],
            env=self._environment(WEB) | every | {"BIANMIN_DATABASE_URL": owner},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr

    def bianmin(self, *arguments: str, address: Address, data: Path) -> subprocess.Popen[str]:
        """A command on the installation, found at this address by a data folder."""
        address.write(data)
        return subprocess.Popen(
            [sys.executable, "-m", "bianmin", *arguments, "--data", str(data)],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env={name: value for name, value in os.environ.items() if not name.startswith("BIANMIN_")},
        )

    def _environment(self, account: str, *services: str) -> dict[str, str]:
        """What a process is told: its account of the broker, and the passwords of its services in the database."""
        (self.folder / "faults" / "armed").mkdir(parents=True, exist_ok=True)
        clean = {name: value for name, value in os.environ.items() if not name.startswith("BIANMIN_")}
        return clean | {
            "BIANMIN_DATABASE_URL": f"postgresql+psycopg://{self.data.address}/bianmin",
            "BIANMIN_BROKER_URL": self.broker_url_of(account),
            "BIANMIN_ALLOW_PLAINTEXT": "true",  # the wire between the hosts is this machine's memory
            "BIANMIN_DATA_KEYS": str(self.folder / "data-keys"),
            "BIANMIN_KEYS": str(self.folder / "keys"),
            "BIANMIN_SESSION_KEYS": str(self.folder / "session-keys"),
            "BIANMIN_FOUNDER_SECRET": self._address.founder_secret,
            "BIANMIN_TRUSTED_PROXIES": self._outside,
            "MALLOC_ARENA_MAX": "2",
            "FAULTS_FOLDER": str(self.folder / "faults"),
            "PYTHONPATH": str(INSIDE),
            **{password_of(service): self._passwords[service] for service in services},
        }

    # --- an application host ----------------------------------------------------------------------------------------

    def _equip(self, host: Host) -> None:
        def log(name: str) -> Path:
            return self.folder / "logs" / f"{host.name}-{name}.log"

        web = [
            *(sys.executable, "-m", "uvicorn", "--factory", "bianmin.gateway:make_app", "--host", host.address),
            *("--port", "8000", "--workers", str(WEBS), "--no-access-log", "--log-level", "warning"),
            *("--no-proxy-headers", "--no-server-header", "--timeout-graceful-shutdown", "3"),
        ]
        host.child("web", web, log=log("web"), env=self._environment(WEB, *SERVICES))
        for service in SERVICES:
            argv = [sys.executable, "-m", "bianmin.worker", service]
            host.child(f"worker-{service}", argv, log=log(service), env=self._environment(service, service))

    def web_of(self, host: Host) -> str:
        """The web of one host, past the balancer."""
        return f"http://{host.address}:8000"

    def await_web(self, host: Host) -> None:
        """Wait until the web of a host is ready."""

        def ready() -> bool:
            try:
                return httpx.get(f"{self.web_of(host)}/intake/ready", timeout=5).is_success
            except httpx.TransportError:
                return False

        wait_until(f"the web of {host.name} to be ready", ready, seconds=300, every=0.2)

    def await_workers(self, host: Host) -> None:
        """Wait until each service has a worker of this host at work: its pump listens."""
        query = """
            SELECT count(DISTINCT application_name) FROM pg_stat_activity
            WHERE query LIKE 'LISTEN %%' AND usename LIKE 'bianmin_%%' AND client_addr = %s
        """

        def all_listen() -> bool:
            with self._cluster.engine().connect() as connection:
                return connection.exec_driver_sql(query, (host.address,)).scalar_one() == len(SERVICES)

        wait_until(f"the workers of {host.name} to work", all_listen, seconds=300, every=0.2)

    def sessions_of(self, host: Host) -> int:
        """How many connections the database believes it has with a host."""
        query = "SELECT count(*) FROM pg_stat_activity WHERE client_addr = %s"
        with self._cluster.engine().connect() as connection:
            return int(connection.exec_driver_sql(query, (host.address,)).scalar_one())

    def _nginx(self, port: int) -> list[str]:
        servers = " ".join(f"server {host.address}:8000 max_fails=1 fail_timeout=3s;" for host in self.applications)
        paths = " ".join(
            f"{kind}_temp_path {self.folder}/nginx-{kind};"
            for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
        )
        (self.folder / "nginx.conf").write_text(
            f"""
            daemon off; pid {self.folder}/nginx.pid; error_log {self.folder}/nginx.log; worker_processes 1; user root;
            events {{}}
            http {{
                access_log off; {paths}
                upstream webs {{ {servers} }}
                server {{
                    listen 127.0.0.1:{port};
                    location / {{
                        proxy_pass http://webs; proxy_http_version 1.1; proxy_set_header Connection "";
                        proxy_set_header Host $http_host; proxy_set_header X-Forwarded-For $remote_addr;
                        proxy_buffering off; proxy_connect_timeout 2s; proxy_read_timeout 15s;
                    }}
                }}
            }}
            """
        )
        return [
            needs("nginx", "nginx-light"),
            "-e",
            str(self.folder / "nginx.log"),
            "-c",
            str(self.folder / "nginx.conf"),
        ]

    def stop(self) -> None:
        self.balancer.stop()
        for host in self.applications:
            host.stop()
        self.data.stop()
        self._cluster.stop()
