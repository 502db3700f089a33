"""The scheme of an address says which broker it is of, and what is asked of it; RabbitMQ itself: tests/faults."""

import ssl
import struct
from secrets import token_hex

import pytest
from amqp import Message
from limits import parse

from bianmin.broker_accounts import ACCOUNTS, ADMIN, SERVICES, WEB, definitions
from shared.broker import broker_at, is_rabbitmq, queue_lengths
from shared.broker.rabbitmq import RabbitMQ, certificates
from shared.broker.redis import Redis
from shared.bus.rabbitmq import address, celery_settings
from shared.limits import Counter
from shared.safety import broker_password, readable_broker
from tests.recovery.test_containers import free_port

PROVEN = "amqps://hr:p%40ss@mq.example/bianmin?ssl_cert_reqs=required&ssl_ca_certs=/ca.pem"


@pytest.mark.parametrize(
    ("url", "rabbitmq"),
    [
        ("amqp://localhost/bianmin", True),
        (PROVEN, True),
        ("redis://localhost/0", False),
        ("rediss://localhost/0", False),
        ("redis+socket:///b.sock", False),
    ],
)
def test_the_scheme_chooses(url: str, rabbitmq: bool) -> None:
    assert is_rabbitmq(url) == rabbitmq
    assert isinstance(broker_at(url), RabbitMQ if rabbitmq else Redis)


def test_to_a_rabbitmq_elsewhere_nothing_is_said_in_plain_text_or_without_proof() -> None:
    assert readable_broker(PROVEN) is None
    assert readable_broker("amqp://hr:x@127.0.0.1/bianmin") is None
    for doubtful in (
        "amqp://mq.example/bianmin",
        "amqps://mq.example/bianmin",
        "amqps://mq.example/bianmin?ssl_cert_reqs=none",
        f"{PROVEN}&ssl_check_hostname=false",
    ):
        assert "must be amqps://…?ssl_cert_reqs=required" in (readable_broker(doubtful) or ""), doubtful
    assert broker_password(PROVEN) == "p@ss"


def test_who_speaks_amqps_checks_the_certificate_and_its_name() -> None:
    proof = {"cert_reqs": ssl.CERT_REQUIRED, "ca_certs": "/ca.pem", "server_hostname": "mq.example"}
    assert certificates(PROVEN) == proof
    assert certificates("amqp://localhost/bianmin") == {}
    for less in ("ssl_cert_reqs=none", "ssl_cert_reqs=optional", "ssl_check_hostname=false"):
        with pytest.raises(ValueError, match="has to prove who it is"):
            certificates(f"amqps://mq.example/bianmin?{less}")
    told = celery_settings(PROVEN, "hr")
    assert (told["broker_url"], told["broker_use_ssl"]) == (address(PROVEN), proof)
    assert "ssl" not in told["broker_url"]


def test_a_worker_declares_the_queue_of_its_service_alone_and_as_one_that_survives() -> None:
    queues = {queue.name: queue for queue in celery_settings("amqp://localhost/bianmin", "hr")["task_queues"]}
    assert set(queues) == set(SERVICES)
    assert [name for name, queue in queues.items() if not queue.no_declare] == ["hr"]
    assert {queue.queue_arguments["x-queue-type"] for queue in queues.values()} == {"quorum"}


def test_a_message_whose_properties_cannot_be_read_has_none() -> None:
    celery_settings("amqp://localhost/bianmin", "hr")
    written = struct.pack(">HxxQ", 60, 4) + Message("null", correlation_id=b"\xff\xfe")._serialize_properties()
    message = Message()
    message.inbound_header(written)
    message.inbound_body(b"null")
    assert (message.ready, message.properties, message.body) == (True, {}, b"null")
    good = Message("x", correlation_id="7", content_type="application/json")
    again = Message()
    again.inbound_header(struct.pack(">HxxQ", 60, 1) + good._serialize_properties())
    assert again.properties == {"correlation_id": "7", "content_type": "application/json"}


def test_a_rabbitmq_that_does_not_answer_is_away() -> None:
    assert queue_lengths(f"amqp://hr:x@127.0.0.1:{free_port()}/bianmin", SERVICES) is None


def test_where_rabbitmq_is_the_broker_each_process_counts_requests_alone() -> None:
    one, two = Counter("amqp://127.0.0.1:1/bianmin"), Counter("amqp://127.0.0.1:1/bianmin")
    rate = parse("2/hour")
    assert [counter.hit(rate, "person:a") for counter in (one, one, one, two)] == [True, True, False, True]


def test_rabbitmqs_accounts_read_and_declare_their_own_queue_alone() -> None:
    made = definitions({account: token_hex(32) for account in ACCOUNTS})
    rights = {right["user"]: right for right in made["permissions"]}  # type: ignore[attr-defined]
    for service in SERVICES:
        own = f"^{service}$"
        assert {rights[service]["configure"], rights[service]["read"]} == {own}
        assert rights[service]["write"] == r"^amq\.default$"
    assert WEB not in rights
    assert [user["name"] for user in made["users"] if user["tags"]] == [ADMIN]  # type: ignore[attr-defined]
