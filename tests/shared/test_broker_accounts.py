"""A stolen account of the broker opens nothing of another service's (promise 18), and the bus works within them."""

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
import redis
from limits import RateLimitItem, parse
from redis.exceptions import AuthenticationError, NoPermissionError, ResponseError
from sqlalchemy import text

from bianmin.broker_accounts import ACCOUNTS, ADMIN, OPERATOR, SCALER, WEB, acl
from bianmin.children import Child, wait_until
from bianmin.engines import Engines, _broker_program, broker_passwords
from services.hr.api import throttle
from shared.broker import broker_client, broker_fault, queue_lengths
from shared.bus.transport import held_keys
from shared.db import SERVICES, WORKER, Database, database
from shared.limits import Counter
from tests.workers import publish_people, workers

ROOT = Path(__file__).parents[2]


def of_others(service: str) -> list[tuple[str, ...]]:
    """What a service must not do to the queue of each other service and to what its workers hold."""
    forbidden: list[tuple[str, ...]] = []
    for other in SERVICES:
        if other == service:
            continue
        held, since = held_keys(other)
        forbidden += [
            ("LRANGE", other, "0", "-1"),
            ("LINDEX", other, "0"),
            ("RPOP", other),
            ("LPOP", other),
            ("BRPOP", other, "1"),
            ("LSET", other, "0", "x"),
            ("LTRIM", other, "1", "0"),
            ("LREM", other, "0", "x"),
            ("RPUSH", other, "x"),
            ("DEL", other),
            ("RENAME", other, service),
            ("EXPIRE", other, "1"),
            ("LMOVE", other, service, "LEFT", "LEFT"),
            ("TYPE", other),
            ("HGETALL", held),
            ("HGET", held, "x"),
            ("HSET", held, "x", "y"),
            ("HDEL", held, "x"),
            ("ZADD", since, "1", "x"),
            ("ZRANGE", since, "0", "-1"),
            ("LPUSH", held, "x"),
        ]
    return forbidden


OF_THE_SERVER: list[tuple[str, ...]] = [
    ("FLUSHALL",),
    ("FLUSHDB",),
    ("CONFIG", "GET", "*"),
    ("CONFIG", "SET", "maxmemory-policy", "allkeys-lru"),
    ("ACL", "LIST"),
    ("ACL", "SETUSER", "intake", "+@all"),
    ("ACL", "WHOAMI"),
    ("KEYS", "*"),
    ("SCAN", "0"),
    ("SAVE",),
    ("SHUTDOWN",),
    ("FUNCTION", "LIST"),
    ("MONITOR",),
    ("CLIENT", "LIST"),
    ("CLIENT", "KILL", "TYPE", "normal"),
    ("EVAL", "return 1", "0"),
    ("SCRIPT", "FLUSH"),
    ("REPLICAOF", "NO", "ONE"),
    ("MODULE", "LIST"),
    ("PUBLISH", "channel", "x"),
    ("SWAPDB", "0", "1"),
    ("SET", "another key", "x"),
    ("GET", "rate:x"),
]


@pytest.fixture
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("b")


@pytest.fixture
def clients(engines: Engines) -> Iterator[dict[str, "redis.Redis"]]:
    with ExitStack() as stack:
        opened = {a: stack.enter_context(broker_client(engines.broker_url_of(a))) for a in ACCOUNTS}
        opened[ADMIN].flushdb()
        yield opened
        opened[ADMIN].flushdb()


def refuses(client: "redis.Redis", command: tuple[str, ...]) -> bool:
    try:
        client.execute_command(*command)
    except NoPermissionError:
        return True
    except ResponseError:  # there is nothing there to be renamed or set
        return False
    return False


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_is_refused_whatever_is_not_its_own(clients: dict[str, "redis.Redis"], service: str) -> None:
    for other in SERVICES:
        clients[ADMIN].lpush(other, f"for {other}")
    before = {other: clients[ADMIN].lrange(other, 0, -1) for other in SERVICES}
    forbidden = of_others(service) + OF_THE_SERVER
    assert len(forbidden) >= 12
    assert [command for command in forbidden if not refuses(clients[service], command)] == []
    assert {other: clients[ADMIN].lrange(other, 0, -1) for other in SERVICES} == before


@pytest.mark.parametrize("service", SERVICES)
def test_what_is_refused_would_be_done_for_the_administrator(clients: dict[str, "redis.Redis"], service: str) -> None:
    """So it is the account that is refused, and not the command that is wrong."""
    harmless = [
        c for c in OF_THE_SERVER if c[0] in {"FLUSHDB", "KEYS", "SCAN", "EVAL", "PUBLISH", "SET", "GET", "MODULE"}
    ]
    assert [c for c in [*of_others(service), *harmless] if refuses(clients[ADMIN], c)] == []


@pytest.mark.parametrize("rate", [parse("10/minute"), throttle.OF_AN_ACCOUNT], ids=["requests", "logins"])
def test_the_web_counts_requests_and_logins_with_its_own_account(
    clients: dict[str, "redis.Redis"],
    engines: Engines,
    rate: RateLimitItem,
    logged: Callable[[], list[tuple[str, str]]],
) -> None:
    one, two = Counter(engines.broker_url_of(WEB)), Counter(engines.broker_url_of(WEB))
    assert [counted.hit(rate, "somebody") for counted in (one, two) * 6] == [True] * 10 + [False] * 2
    assert logged() == []


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_adds_to_the_queues_of_others_and_sees_how_long_they_are(
    clients: dict[str, "redis.Redis"], service: str
) -> None:
    for other in SERVICES:
        assert clients[service].lpush(other, "x") == 1
        assert clients[service].llen(other) == 1
    assert broker_fault_of(clients[service]) is None


def broker_fault_of(client: "redis.Redis") -> str | None:
    kwargs = client.connection_pool.connection_kwargs
    return broker_fault(f"redis+socket://{kwargs['username']}:{kwargs['password']}@{kwargs['path']}")


@pytest.mark.parametrize("account", [WEB, OPERATOR, SCALER])
def test_who_only_watches_or_counts_changes_and_reads_no_queue(clients: dict[str, "redis.Redis"], account: str) -> None:
    for service in SERVICES:
        clients[ADMIN].lpush(service, "x")
        held, _ = held_keys(service)
        for command in (
            ("LPUSH", service, "x"),
            ("LRANGE", service, "0", "-1"),
            ("RPOP", service),
            ("DEL", service),
            ("HGETALL", held),
            ("HDEL", held, "x"),
        ):
            assert refuses(clients[account], command), command
    for command in OF_THE_SERVER[:-1]:
        if (account, command[0]) != (SCALER, "EVAL"):  # which asks by a script
            assert refuses(clients[account], command), command
    assert [clients[OPERATOR].llen(service) for service in SERVICES] == [1] * len(SERVICES)
    assert refuses(clients[WEB], ("LLEN", "hr"))


def test_a_script_of_the_scaler_may_ask_how_long_a_queue_is_and_no_more(clients: dict[str, "redis.Redis"]) -> None:
    clients[ADMIN].lpush("hr", "x")
    length = "if redis.call('type', KEYS[1]).ok == 'list' then return redis.call('llen', KEYS[1]) end"
    assert clients[SCALER].eval(length, 1, "hr") == 1
    for script, key in (
        ("return redis.call('lpop', KEYS[1])", "hr"),
        ("return redis.call('lrange', KEYS[1], 0, -1)", "hr"),
        ("return redis.call('llen', KEYS[1])", "held-since-hr"),
        ("return redis.call('flushall')", "hr"),
    ):
        with pytest.raises(ResponseError, match=r"(?i)permission|can't"):
            clients[SCALER].eval(script, 1, key)
    assert clients[ADMIN].llen("hr") == 1


def test_nobody_enters_without_an_account_or_with_anothers_password(engines: Engines) -> None:
    with redis.Redis(unix_socket_path=str(engines.data_socket)) as nobody, pytest.raises(AuthenticationError):
        nobody.ping()
    passwords = broker_passwords(engines.data)
    assert len(set(passwords.values())) == len(ACCOUNTS)
    wrong = redis.Redis(
        unix_socket_path=str(engines.data_socket), username="hr", password=passwords["intake"], protocol=2
    )
    with wrong, pytest.raises(AuthenticationError):
        wrong.ping()


def test_the_passwords_are_for_the_owner_of_the_data_folder_alone(engines: Engines) -> None:
    for path in (engines.data / "broker-passwords.json", engines.data / "broker" / "users.acl"):
        assert path.stat().st_mode & 0o777 == 0o600


def test_the_containers_have_the_same_accounts() -> None:
    shown = {account: f"${{{account.upper()}_BROKER_PASSWORD}}" for account in ACCOUNTS}
    assert (ROOT / "deploy/redis/users.acl").read_text(encoding="utf-8") == acl(shown)


def test_the_containers_start_a_broker_that_knows_their_passwords(folder: Path) -> None:
    """The script of the container, with the image's entry point played by one line."""
    entry = folder / "docker-entrypoint.sh"
    entry.write_text(f'#!/bin/sh\nshift\nexec {_broker_program()} "$@"\n')
    entry.chmod(0o755)
    passwords = {account: f"{account}'s$(\"`\\" for account in ACCOUNTS}
    for account, password in passwords.items():
        (folder / f"{account}-broker-password").write_text(f"{password}\n")
    child = Child(
        "broker",
        ["sh", "-c", f"cd {folder} && exec sh {ROOT}/deploy/redis/start.sh --port 0 --unixsocket {folder}/b.sock"],
        log=folder / "broker.log",
        env={"PATH": f"{folder}:{os.environ['PATH']}", "SECRETS": str(folder)},
    )
    child.start()
    try:
        wait_until("the broker's socket", (folder / "b.sock").exists, seconds=20)
        assert (folder / "users.acl").stat().st_mode & 0o777 == 0o600
        for account, password in passwords.items():
            socket = str(folder / "b.sock")
            with redis.Redis(unix_socket_path=socket, username=account, password=password) as client:
                assert client.ping() is True
                assert refuses(client, ("CONFIG", "GET", "*")) == (account != ADMIN)
        with redis.Redis(unix_socket_path=socket) as nobody, pytest.raises(AuthenticationError):
            nobody.ping()
    finally:
        child.stop()


def test_the_operator_sees_how_long_the_queues_are_and_that_the_broker_is_away(
    engines: Engines, clients: dict[str, "redis.Redis"], folder: Path
) -> None:
    clients[ADMIN].lpush("hr", "x", "y")
    waiting = dict.fromkeys(SERVICES, 0) | {"hr": 2}
    assert queue_lengths(engines.broker_url_of(OPERATOR), SERVICES) == waiting
    assert queue_lengths(f"redis+socket://{folder}/nobody.sock", SERVICES) is None


def test_people_reach_every_receiver_and_are_acknowledged_with_each_worker_under_its_own_account(
    installation: str, engines: Engines, clients: dict[str, "redis.Redis"], tmp_path: Path
) -> None:
    hr: Database = database("hr", WORKER)
    with workers(tmp_path) as running:
        for service in SERVICES:
            running.start(service, database_url=installation, broker_url=engines.broker_url_of(service))
        publish_people(hr, 30)

        def acknowledged() -> list[tuple[str, int]]:
            query = "SELECT receiver, count(*) FROM outbox WHERE acknowledged_at IS NOT NULL GROUP BY 1 ORDER BY 1"
            with hr.session() as session:
                return [(row[0], int(row[1])) for row in session.execute(text(query))]

        everybody = [(service, 30) for service in ("dispatch", "finance", "intake")]
        running.until("everybody to be acknowledged", lambda: acknowledged() == everybody, seconds=90)
        running.until("nothing to be held", lambda: not _held(clients[ADMIN]), seconds=30)
        passwords = broker_passwords(engines.data)
        for child in running.supervisor.children:
            assert child.restarts == 0
            assert child.log is not None
            words = child.log.read_text()
            assert not any(password in words for password in passwords.values())
            assert "NOPERM" not in words
            assert "No permissions" not in words
    assert clients[ADMIN].keys() == []


def _held(admin: "redis.Redis") -> int:
    return sum(int(admin.hlen(held_keys(service)[0])) for service in SERVICES)  # type: ignore[arg-type]  # not awaited
