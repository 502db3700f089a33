"""The same house with RabbitMQ as its broker, by one setting, over TLS; killed, nothing is lost or doubled.

For the full run alone (`make rabbitmq`, `make faults`): an Erlang node takes long to start.
"""

import ssl
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from random import Random
from secrets import token_hex

import amqp
import pytest
import trustme
from amqp.exceptions import AccessRefused, AMQPError
from celery import Celery

from bianmin.broker_accounts import ACCOUNTS, ADMIN, OPERATOR, SERVICES, WEB, definitions
from bianmin.engines import Engines
from shared.broker import AWAY, broker_at, broker_fault, queue_lengths
from shared.bus.rabbitmq import address, celery_settings
from tests.faults.house import House, open_house
from tests.folders import reachable_folder
from tests.rabbitmq import RabbitServer, rabbitmq

pytestmark = pytest.mark.fault(full=True)

PASSWORDS = {account: token_hex(32) for account in ACCOUNTS}


@pytest.fixture(scope="module")
def server() -> Iterator[RabbitServer]:
    with (
        reachable_folder() as folder,
        rabbitmq(folder, definitions(PASSWORDS)) as server,
    ):
        server.await_up(url(server, OPERATOR))
        yield server


def url(server: RabbitServer, account: str) -> str:
    return server.url(account, PASSWORDS[account])


@pytest.fixture(scope="module")
def house(server: RabbitServer) -> Iterator[House]:
    """Embedded PostgreSQL, and no Redis anywhere."""
    with ExitStack() as stack:
        folder = stack.enter_context(reachable_folder())
        engines = Engines(folder / "engines")
        engines.start()
        stack.callback(engines.stop)
        engines.children[1].stop()
        urls = {f"BIANMIN_{account.upper()}_BROKER_URL": url(server, account) for account in PASSWORDS}
        urls |= {"BIANMIN_BROKER_URL": url(server, WEB), "BIANMIN_DATABASE_URL": engines.database_url}
        yield stack.enter_context(open_house(folder, urls, engines.database_url))


def test_a_rabbitmq_that_is_killed_and_comes_back_costs_nothing(
    house: House, server: RabbitServer, seed: int, orders: int
) -> None:
    chance = Random(f"rabbitmq {seed}")
    workers = {service: house.worker(service).pid for service in SERVICES}

    def kill_it() -> None:
        for _ in range(2):
            time.sleep(chance.uniform(1, 3))
            server.kill()
            time.sleep(chance.uniform(0.5, 3))
            server.start()
            server.await_up(url(server, OPERATOR))

    house.endure("RabbitMQ killed", seed, kill_it, bound=60, orders=orders)
    assert {service: house.worker(service).pid for service in SERVICES} == workers, "a worker needed to be replaced"
    lengths = queue_lengths(url(server, OPERATOR), SERVICES)
    assert lengths == dict.fromkeys(SERVICES, 0)


def test_what_lies_in_a_queue_of_rabbitmq_and_is_no_message_stops_nothing(house: House, server: RabbitServer) -> None:
    before = _unreadable(house)
    worker = house.worker("hr").pid
    with _channel(server, "finance") as channel:
        for message in POISON:
            channel.basic_publish_confirm(message, "", "hr")
    missed = house.miss_callbacks(1)[0]
    house.await_heard_by_hr(missed, 30)
    assert (house.worker("hr").pid, _unreadable(house) - before) == (worker, len(POISON))


GOOD = {"content_type": "application/json", "content_encoding": "utf-8"}
TASK = {"task": "hr.PersonChanged", "id": "1", "lang": "py"}
POISON = (
    amqp.Message(""),
    amqp.Message(b"\xff\xfe not json"),
    amqp.Message("{", **GOOD),
    amqp.Message("{}", **GOOD, correlation_id=b"\xff\xfe"),
    amqp.Message("{}", **GOOD),
    amqp.Message("[]", **GOOD, application_headers=TASK),
    amqp.Message("null", **GOOD, application_headers=TASK),
    amqp.Message('{"a": 1}', **GOOD, application_headers=TASK),
    amqp.Message('[[], {"envelopes": 7}, {}]', **GOOD, application_headers=TASK),
    amqp.Message("[[1], {}, {}]", **GOOD, application_headers=TASK),
    amqp.Message("[[], {}, {}]", **GOOD, application_headers=TASK | {"task": 7}),
    amqp.Message("[[], {}, {}]", **GOOD, application_headers=TASK | {"task": "hr.Unknown"}),
    amqp.Message("[[], {}, {}]", **GOOD, application_headers=TASK | {"eta": "2099-01-01T00:00:00"}),
    amqp.Message(b"\x80\x04N.", content_type="application/x-python-serialize", content_encoding="binary"),
    amqp.Message(b"[[], {}, {}]", content_type="application/json", content_encoding="none", application_headers=TASK),
)
"""No message of ours, each in a way of its own."""


def _unreadable(house: House) -> int:
    with house.engine.connect() as connection:
        return int(connection.exec_driver_sql("SELECT coalesce(sum(times), 0) FROM hr.unreadable").scalar_one())


@contextmanager
def _channel(server: RabbitServer, account: str) -> Iterator[amqp.Channel]:
    connection = amqp.Connection(
        f"127.0.0.1:{server.port}", account, PASSWORDS[account], virtual_host="bianmin", read_timeout=10
    )
    connection.connect()
    try:
        yield connection.channel()
    finally:
        connection.collect()


FORBIDDEN = {
    "take from another's queue": lambda channel: channel.basic_get("hr"),
    "listen to another's queue": lambda channel: channel.basic_consume("hr"),
    "empty another's queue": lambda channel: channel.queue_purge("hr"),
    "delete another's queue": lambda channel: channel.queue_delete("hr"),
    "make a queue of another's name": lambda channel: channel.queue_declare("hr", durable=True, auto_delete=False),
    "make a queue of any name": lambda channel: channel.queue_declare("elsewhere", durable=True),
    "make an exchange": lambda channel: channel.exchange_declare("elsewhere", "topic"),
    "have another's messages copied": lambda channel: channel.queue_bind("hr", "amq.topic", "#"),
    "say it by another exchange": lambda channel: channel.basic_publish_confirm(amqp.Message("x"), "amq.fanout", "hr"),
}


@pytest.mark.parametrize("what", FORBIDDEN)
def test_a_service_cannot(house: House, server: RabbitServer, what: str) -> None:  # the house has made the queues
    with _channel(server, "finance") as channel, pytest.raises(AccessRefused):
        FORBIDDEN[what](channel)


def test_the_operator_sees_how_long_a_queue_is_and_says_nothing(house: House, server: RabbitServer) -> None:
    with closing(broker_at(url(server, OPERATOR))) as broker:
        assert (broker.length("hr"), broker.length("none")) == (0, 0)
    assert broker_fault(url(server, OPERATOR)) is None
    with _channel(server, OPERATOR) as channel, pytest.raises(AccessRefused):
        channel.basic_publish_confirm(amqp.Message("x"), "", "hr")


def test_nobody_comes_in_without_an_account(server: RabbitServer) -> None:
    for account, password in (("guest", "guest"), (WEB, PASSWORDS[WEB]), (OPERATOR, PASSWORDS[ADMIN])):
        with pytest.raises(AMQPError), closing(broker_at(server.url(account, password))) as broker:
            broker.length("hr")
    assert AMQPError in AWAY


def test_it_is_believed_only_with_a_certificate_of_its_authority_and_its_name(
    server: RabbitServer, tmp_path: Path
) -> None:
    password = PASSWORDS[OPERATOR]
    trustme.CA().cert_pem.write_to_path(tmp_path / "other.pem")
    ours = closing(broker_at(server.url(OPERATOR, password)))
    other_authority = closing(broker_at(server.url(OPERATOR, password, ca=tmp_path / "other.pem")))
    other_name = closing(broker_at(server.url(OPERATOR, password, host="127.0.0.1")))
    with ours as broker:
        broker.length("hr")
    for doubtful in (other_authority, other_name):
        with doubtful as broker, pytest.raises(ssl.SSLCertVerificationError):
            broker.length("hr")
    app = Celery(broker=address(server.url("hr", PASSWORDS["hr"], ca=tmp_path / "other.pem")))
    app.conf.update(celery_settings(server.url("hr", PASSWORDS["hr"], ca=tmp_path / "other.pem"), "hr"))
    with app.connection_for_write() as connection, pytest.raises(ssl.SSLCertVerificationError):
        connection.connect()
