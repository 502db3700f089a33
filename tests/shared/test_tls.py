"""Database and broker are spoken to by TLS alone, and only where they prove who they are (ASVS 12.1.1, 12.3.1-12.3.4).

The certificates, the options and the rules of who may connect are those of the containers.
"""

import os
import shutil
import socket
import ssl
import struct
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from secrets import token_hex
from typing import Any
from urllib.parse import quote

import psycopg
import pytest
import redis
import trustme
import yaml
from kombu import Connection
from limits import parse
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from bianmin.backup.programs import Programs, libpq, own
from bianmin.broker_accounts import ACCOUNTS, OPERATOR, acl
from bianmin.children import Child, wait_until
from bianmin.engines import Engines
from bianmin.verify.run import connected
from shared import startup
from shared.broker import broker_client, queue_lengths
from shared.bus import transport
from shared.db import SERVICES, WORKER, Database, role_of
from shared.limits import counter
from shared.safety import readable_broker, readable_database
from shared.settings import Settings
from shared.startup import REFUSED
from tests.conftest import START
from tests.debian import needs
from tests.recovery.cluster import Cluster
from tests.recovery.test_containers import free_port
from tests.workers import publish_people, workers

ROOT = Path(__file__).parents[2]
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))


@dataclass
class Servers:
    """PostgreSQL and Redis as the containers run them, and how each account reaches them."""

    secrets: Path
    cluster: Cluster
    database_port: int
    broker_port: int

    def secret(self, name: str) -> str:
        return (self.secrets / name).read_text().strip()

    def database_url(self, login: str = "", *, ca: Path | None = None, sslmode: str = "verify-full") -> str:
        """By default without a user: as whom, the process's password says."""
        user = f"{login}:{self.secret('owner-database-password')}@" if login else ""
        where = f"{user}localhost:{self.database_port}/bianmin"
        return f"postgresql+psycopg://{where}?sslmode={sslmode}&sslrootcert={ca or self.secrets / 'ca.pem'}"

    def broker_url(self, account: str, *, ca: Path | None = None, host: str = "localhost") -> str:
        """The address deploy/secrets.sh made, but for where it is here."""
        made = self.secret(f"{account}-broker-url")
        assert "@redis:6379/" in made
        there = made.replace("@redis:6379/", f"@{host}:{self.broker_port}/")
        return there.replace("/run/secrets/ca.pem", quote(str(ca or self.secrets / "ca.pem")))

    def passwords(self) -> dict[str, str]:
        return {
            f"BIANMIN_{login.upper()}_DATABASE_PASSWORD": self.secret(f"{login}-database-password")
            for login in (*SERVICES, "verifier")
        }


@pytest.fixture(scope="module")
def secrets(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("secrets")
    folder.chmod(0o755)
    make_secrets(folder)
    return folder


def make_secrets(folder: Path) -> None:
    """What is there already is kept."""
    subprocess.run(["sh", str(ROOT / "deploy/secrets.sh"), str(folder)], check=True, capture_output=True)


@pytest.fixture(scope="module")
def servers(engines: Engines, secrets: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Servers]:
    """Debian's PostgreSQL and Redis, which know TLS; the embedded ones were built without it."""
    needs("pg_ctlcluster", "postgresql")
    place = tmp_path_factory.mktemp("t")
    for folder in (place, *place.parents[:2]):
        folder.chmod(0o755)
    cluster = postgres(place, secrets)
    broker, broker_port = redis_server(place, secrets)
    try:
        cluster.start()
        with cluster.engine("postgres").connect() as connection:
            connection.execute(text("CREATE DATABASE bianmin"))
        password = (secrets / "owner-database-password").read_text().strip()
        cluster.do(f"ALTER ROLE bianmin PASSWORD '{password}'")
        broker.start()
        found = Servers(secrets, cluster, int(cluster.options["port"]), broker_port)
        wait_until("Redis to answer", lambda: queue_lengths(found.broker_url(OPERATOR), ["hr"]) is not None, seconds=20)
        prepare(found)
        yield found
    finally:
        broker.stop()
        cluster.stop()


def postgres(place: Path, secrets: Path) -> Cluster:
    """With the options of its container."""
    options = dict(part.removeprefix("-c").split("=", 1) for part in COMPOSE["services"]["postgres"]["command"][1:])
    files = {"ssl_cert_file": "postgres.pem", "ssl_key_file": "postgres.key"}
    for option, name in files.items():
        assert options[option] == f"/run/secrets/{name}"
        options[option] = str(place / name)
        shutil.copy(secrets / name, place / name)
        (place / name).chmod(0o600)
        own(place / name)
    options["hba_file"] = str(place / "pg_hba.conf")
    shutil.copy(ROOT / "deploy/backup/pg_hba.conf", place)
    options |= {"listen_addresses": "127.0.0.1", "port": str(free_port()), "fsync": "off"}
    programs = Programs(max(Path("/usr/lib/postgresql").glob("*/bin")))
    cluster = Cluster(place / "pg", programs, options)
    cluster.create("--encoding=UTF8", "--locale=C.UTF-8")
    return cluster


def redis_server(place: Path, secrets: Path) -> tuple[Child, int]:
    """With the options of its container. Debian's program is Redis when it is called so; it lacks CLIENT SETINFO."""
    program = place / "redis-server"
    program.symlink_to(needs("redis-check-rdb", "redis-tools"))
    passwords = {account: (secrets / f"{account}-broker-password").read_text().strip() for account in ACCOUNTS}
    (place / "users.acl").write_text(acl(passwords).replace(" +client|setinfo", ""))
    port = free_port()
    command = COMPOSE["services"]["redis"]["command"]
    assert command[:2] == ["sh", "/accounts/start.sh"]
    options = [part.replace("/run/secrets", str(secrets)).replace("/data", str(place)) for part in command[2:]]
    options[options.index("--tls-port") + 1] = str(port)
    argv = [
        str(program),
        "--aclfile",
        str(place / "users.acl"),
        "--bind",
        "127.0.0.1",
        "127.0.0.2",
        *options,
    ]
    return Child("redis", argv, log=place / "redis.log"), port


def prepare(servers: Servers) -> None:
    """`bianmin prepare`, over TLS."""
    urls = {
        "BIANMIN_DATABASE_URL": servers.database_url("bianmin"),
        "BIANMIN_BROKER_URL": servers.broker_url("web"),
    }
    done = bianmin("prepare", "--simulate", START.isoformat(), **urls, **servers.passwords())
    assert done.returncode == 0, done.stderr


def bianmin(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return run([sys.executable, "-m", "bianmin", *arguments], environment)


def run(argv: list[str], environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """A command that ends by itself."""
    return subprocess.run(
        argv, capture_output=True, text=True, env={**os.environ, **environment}, timeout=600, check=False
    )


@pytest.fixture
def other_ca(tmp_path: Path) -> Path:
    """An authority that vouched for nobody here."""
    trustme.CA().cert_pem.write_to_path(tmp_path / "other.pem")
    return tmp_path / "other.pem"


# --- it works ---------------------------------------------------------------------------------------------------


def test_a_message_goes_from_worker_to_worker_and_is_acknowledged_over_tls(servers: Servers, tmp_path: Path) -> None:
    passwords = servers.passwords()
    hr = Database(
        "hr",
        servers.database_url(),
        pool_size=2,
        limits=WORKER,
        password=servers.secret("hr-database-password"),
    )
    with workers(tmp_path) as running:
        for service in ("hr", "finance"):
            running.start(
                service, database_url=servers.database_url(), broker_url=servers.broker_url(service), **passwords
            )
        publish_people(hr, 10)

        def acknowledged() -> bool:
            query = "SELECT count(*) FROM outbox WHERE receiver = 'finance' AND acknowledged_at IS NOT NULL"
            with hr.session() as session:
                return bool(session.execute(text(query)).scalar_one() == 10)

        running.until("finance to have acknowledged", acknowledged, seconds=90)
        query = """
            SELECT DISTINCT usename, ssl, version FROM pg_stat_ssl JOIN pg_stat_activity USING (pid)
            WHERE client_port > 0
        """
        with servers.cluster.engine().connect() as owner:
            seen = {tuple(row) for row in owner.execute(text(query))}
        assert seen == {(role_of(service), True, "TLSv1.3") for service in ("hr", "finance")}
        assert [child.restarts for child in running.supervisor.children] == [0, 0]
    hr.engine.dispose()


def test_the_verifier_the_programs_of_a_backup_and_the_counters_of_requests_go_by_tls(
    servers: Servers, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BIANMIN_VERIFIER_DATABASE_PASSWORD", servers.secret("verifier-database-password"))
    with connected(servers.database_url(sslmode="prefer")) as connection:  # it insists on more by itself
        row = connection.execute("SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()").fetchone()
        assert row == (True,)
    where, password = libpq(servers.database_url("bianmin"))  # as a backup tells PostgreSQL's programs
    question = "SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()"
    assert servers.cluster.programs.run("psql", where, "-Atc", question, env=password).strip() == "t"
    counted = counter(servers.broker_url("web"))
    assert [counted.hit(parse("2/minute"), "somebody") for _ in range(3)] == [True, True, False]
    assert counted._away_until is None  # it was Redis that counted


# --- and nothing else does ----------------------------------------------------------------------------------------


def test_postgres_refuses_plain_text(servers: Servers) -> None:
    for login in ("bianmin", "bianmin_hr"):
        with pytest.raises(psycopg.OperationalError, match=r"pg_hba\.conf rejects connection .* no encryption"):
            dial(servers.database_url(login, sslmode="disable"))


def dial(url: str, **changes: str) -> None:
    psycopg.connect(url.replace("postgresql+psycopg", "postgresql"), **changes).close()


def test_redis_refuses_plain_text(servers: Servers) -> None:
    plain = servers.broker_url("hr").replace("rediss://", "redis://").split("?")[0]
    with broker_client(plain) as client, pytest.raises(redis.exceptions.ConnectionError):
        client.ping()


def test_the_database_is_believed_only_with_a_certificate_of_our_authority_and_its_name(
    servers: Servers, other_ca: Path
) -> None:
    dial(servers.database_url("bianmin"))
    with pytest.raises(psycopg.OperationalError, match="certificate verify failed"):
        dial(servers.database_url("bianmin", ca=other_ca))
    with pytest.raises(psycopg.OperationalError, match="does not match host name"):
        dial(servers.database_url("bianmin"), host="database.example", hostaddr="127.0.0.1")


def by_redis(url: str) -> None:
    with broker_client(url) as client:
        client.ping()


def by_kombu(url: str) -> None:
    """As a worker connects."""
    transport.install()
    with Connection(url, transport_options=transport.own_keys("hr")) as connection:
        connection.ensure_connection(max_retries=1, timeout=5)
        connection.default_channel.client.ping()


@pytest.mark.parametrize("connect", [by_redis, by_kombu])
def test_the_broker_is_believed_only_with_a_certificate_of_our_authority_and_its_name(
    servers: Servers, other_ca: Path, connect: Callable[[str], None]
) -> None:
    connect(servers.broker_url("hr"))
    with pytest.raises(Exception, match="certificate verify failed"):
        connect(servers.broker_url("hr", ca=other_ca))
    with pytest.raises(Exception, match=r"(?i)not valid for '127\.0\.0\.2'"):
        connect(servers.broker_url("hr", host="127.0.0.2"))


@pytest.mark.filterwarnings("ignore:.*TLSv1_1 is deprecated")
@pytest.mark.parametrize("server", ["postgres", "redis"])
def test_tls_1_1_is_refused_by_the_server_and_1_2_is_not(servers: Servers, server: str) -> None:
    assert shake_hands(servers, server, ssl.TLSVersion.TLSv1_2) == "TLSv1.2"
    with pytest.raises(ssl.SSLError, match=r"(?i)protocol.version"):
        shake_hands(servers, server, ssl.TLSVersion.TLSv1_1)


def shake_hands(servers: Servers, server: str, version: ssl.TLSVersion) -> str | None:
    """What was agreed on with a server by a client that knows one version alone, and any cipher."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(servers.secrets / "ca.pem")
    context.set_ciphers("ALL:@SECLEVEL=0")
    context.minimum_version = context.maximum_version = version
    port = servers.database_port if server == "postgres" else servers.broker_port
    with wrapped(port, context, postgres=server == "postgres") as line:
        return line.version()


@contextmanager
def wrapped(port: int, context: ssl.SSLContext, *, postgres: bool) -> Iterator[ssl.SSLSocket]:
    """A line to a server on which TLS is spoken."""
    with socket.create_connection(("127.0.0.1", port), timeout=10) as plain:
        if postgres:
            plain.sendall(struct.pack("!ii", 8, 80877103))  # PostgreSQL's SSLRequest
            assert plain.recv(1) == b"S"
        with context.wrap_socket(plain, server_hostname="localhost") as line:
            yield line


def test_every_secret_of_the_containers_is_a_file_the_script_makes_and_none_is_in_an_environment(secrets: Path) -> None:
    files = {name: said["file"] for name, said in COMPOSE["secrets"].items() if name != "data-keys"}
    assert files == {name: f"./secrets/{name}" for name in files}
    assert [name for name in files if not (secrets / name).stat().st_size] == ["metrics-token"]  # issued when founded
    for name, service in COMPOSE["services"].items():
        environment = service.get("environment", {})
        assert [key for key in environment if "PASSWORD" in key and not key.endswith("_FILE")] == [], name
        assert not any("${" in str(value) for value in environment.values()), name
        given = [one if isinstance(one, str) else one["source"] for one in service.get("secrets", [])]
        assert "ca.key" not in given


def test_what_the_script_made_is_kept_when_it_runs_again_and_nobody_else_reads_it(secrets: Path) -> None:
    before = {path.name: path.read_bytes() for path in secrets.iterdir()}
    subprocess.run(["sh", str(ROOT / "deploy/secrets.sh"), str(secrets)], check=True, capture_output=True)
    assert {path.name: path.read_bytes() for path in secrets.iterdir()} == before
    assert [path.name for path in secrets.iterdir() if path.stat().st_mode & 0o007] == []


# --- what a process refuses to be started with -----------------------------------------------------------------------

SOCKET = "postgresql+psycopg://bianmin@/bianmin?host=/run/postgresql"
AWAY = "postgresql+psycopg://bianmin:x@db.example/bianmin"
BROKER_SOCKET = "redis+socket://hr:x@/run/broker.sock"
BROKER_AWAY = "rediss://hr:x@broker.example:6379/0"


@pytest.mark.parametrize(
    "url",
    [
        SOCKET,
        "postgresql+psycopg://bianmin:x@localhost/bianmin",
        "postgresql+psycopg://bianmin:x@127.0.0.7/bianmin",
        "postgresql+psycopg://bianmin:x@[::1]:5432/bianmin",
        f"{AWAY}?sslmode=verify-full&sslrootcert=/ca.pem",
        f"{AWAY}?sslmode=verify-full&sslrootcert=system",
    ],
)
def test_a_database_here_or_one_that_proves_itself_is_safe(url: str) -> None:
    assert readable_database(url) is None


@pytest.mark.parametrize(
    "url",
    [
        AWAY,
        f"{AWAY}?sslmode=disable",
        f"{AWAY}?sslmode=prefer",
        f"{AWAY}?sslmode=require",
        f"{AWAY}?sslmode=verify-ca&sslrootcert=/ca.pem",
        "postgresql+psycopg://bianmin:x@10.0.0.7/bianmin",
        "postgresql+psycopg://bianmin:x@localhost.example/bianmin",
        "postgresql+psycopg:///bianmin?host=localhost&host=db.example",
        "postgresql+psycopg:///bianmin?host=/run/postgresql,db.example",
        "postgresql+psycopg://localhost/bianmin?hostaddr=10.0.0.7",
    ],
)
def test_a_database_elsewhere_in_plain_text_or_unproved_is_refused(url: str) -> None:
    assert "add sslmode=verify-full&sslrootcert=FILE to its URL" in (readable_database(url) or "")


def test_libpqs_own_variables_count_where_the_url_says_nothing() -> None:
    nowhere = "postgresql+psycopg://bianmin:x@/bianmin"
    assert readable_database(nowhere) is None
    assert readable_database(nowhere, {"PGHOST": "db.example"}) is not None
    assert readable_database(nowhere, {"PGHOSTADDR": "10.0.0.7"}) is not None
    assert readable_database(SOCKET, {"PGHOST": "db.example"}) is None


@pytest.mark.parametrize(
    "url",
    [
        BROKER_SOCKET,
        "redis://hr:x@localhost:6379/0",
        "redis://hr:x@[::1]:6379/0",
        f"{BROKER_AWAY}?ssl_cert_reqs=required&ssl_ca_certs=/ca.pem",
    ],
)
def test_a_broker_here_or_one_that_proves_itself_is_safe(url: str) -> None:
    assert readable_broker(url) is None


@pytest.mark.parametrize(
    "url",
    [
        "redis://hr:x@broker.example:6379/0",
        "redis://hr:x@broker.example:6379/0?ssl_cert_reqs=required",
        BROKER_AWAY,  # of which Celery would believe any certificate
        f"{BROKER_AWAY}?ssl_ca_certs=/ca.pem",
        f"{BROKER_AWAY}?ssl_cert_reqs=none",
        f"{BROKER_AWAY}?ssl_cert_reqs=optional&ssl_ca_certs=/ca.pem",
        f"{BROKER_AWAY}?ssl_cert_reqs=required&ssl_check_hostname=false",
        f"{BROKER_AWAY}?ssl_cert_reqs=required&ssl_cert_reqs=none",
    ],
)
def test_a_broker_elsewhere_in_plain_text_or_unproved_is_refused(url: str) -> None:
    assert "rediss://…?ssl_cert_reqs=required&ssl_ca_certs=FILE" in (readable_broker(url) or "")


UNSAFE = {"BIANMIN_DATABASE_URL": AWAY, "BIANMIN_BROKER_URL": BROKER_SOCKET}
SENTENCE = "the database at db.example would be spoken to in plain text"


@pytest.mark.parametrize(
    "argv",
    [
        ["-m", "bianmin", "prepare"],
        ["-m", "bianmin", "up", "--port", "0"],
        ["-m", "bianmin", "data-key", "reseal"],
        ["-m", "bianmin", "backup", "run", "--to", "nowhere"],
        ["-m", "bianmin.worker", "finance"],
        ["-m", "uvicorn", "services.finance.main:web", "--port", "0"],
    ],
    ids=lambda argv: argv[2] if argv[1] == "bianmin" else argv[1],
)
def test_every_process_refuses_an_unsafe_database_with_one_sentence(argv: list[str], tmp_path: Path) -> None:
    done = run([sys.executable, *argv], UNSAFE | {"BIANMIN_DATA": str(tmp_path)})
    assert done.returncode == REFUSED, done.stderr
    said = done.stdout + done.stderr  # what a worker says comes by its supervisor's output
    assert SENTENCE in " ".join(said.split())
    assert "Traceback" not in said
    assert "bianmin:x@" not in said


def test_a_worker_refuses_an_unsafe_broker_before_it_says_its_password() -> None:
    urls = {"BIANMIN_DATABASE_URL": SOCKET, "BIANMIN_BROKER_URL": BROKER_AWAY}
    done = run([sys.executable, "-m", "bianmin.worker", "finance"], urls)
    assert (done.returncode, "the broker at broker.example would be spoken to" in done.stdout) == (REFUSED, True)


def test_who_knows_his_network_to_be_safe_may_say_so(monkeypatch: pytest.MonkeyPatch) -> None:
    strong, other = token_hex(32), token_hex(32)
    for allowed in (False, True):
        database, broker = AWAY.replace(":x@", f":{strong}@"), BROKER_AWAY.replace(":x@", f":{other}@")
        said = Settings(database_url=database, broker_url=broker, allow_plaintext=allowed)
        monkeypatch.setattr(startup, "settings", lambda said=said: said)
        assert (startup.unsafe() is None) == allowed


# --- and each is exchanged under way ------------------------------------------------------------------------------


def certificate_of(servers: Servers) -> bytes | None:
    context = ssl.create_default_context(cafile=servers.secrets / "ca.pem")
    with wrapped(servers.database_port, context, postgres=True) as line:
        return line.getpeercert(binary_form=True)


def test_a_services_password_and_the_databases_certificate_are_exchanged_while_its_work_goes_on(
    servers: Servers,
) -> None:
    def as_hr(password: str) -> Database:
        return Database("hr", servers.database_url(), pool_size=2, limits=WORKER, password=password)

    first, seen = servers.secret("hr-database-password"), certificate_of(servers)
    before = as_hr(first)
    with before.session() as under_way:
        under_way.execute(text("SELECT count(*) FROM people"))
        for name in ("hr-database-password", "postgres.pem", "postgres.key"):
            (servers.secrets / name).unlink()
        make_secrets(servers.secrets)
        for name in ("postgres.pem", "postgres.key"):
            there = Path(servers.cluster.options["hba_file"]).with_name(name)
            there.write_bytes((servers.secrets / name).read_bytes())  # its owner and mode stay
        servers.cluster.do("SELECT pg_reload_conf()")
        wait_until("the new certificate", lambda: certificate_of(servers) != seen, seconds=20)
        prepare(servers)
        under_way.execute(text("SELECT count(*) FROM people"))  # whoever is connected goes on
        with pytest.raises(DBAPIError, match="password authentication failed"):
            before.engine.connect()
    assert servers.secret("hr-database-password") != first
    after = as_hr(servers.secret("hr-database-password"))
    with after.session() as session:
        session.execute(text("SELECT count(*) FROM people"))
    for database in (before, after):
        database.engine.dispose()
