"""Whatever lies on a worker's queue, the worker counts it and handles the next message."""

import base64
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bianmin.engines import Engines
from shared.db import WORKER, Database
from tests.workers import Inbox, Queue, delivery, envelope, pid, queue_of, task, workers

NOTHING = {"callbacks": None, "errbacks": None, "chain": None, "chord": None}
PERSON = "finance.PersonChanged"


def packed(text: str | bytes) -> str:
    return base64.b64encode(text if isinstance(text, bytes) else text.encode()).decode()


def without(*names: str) -> dict[str, Any]:
    return {key: value for key, value in delivery(envelope()).items() if key not in names}


def headed(**headers: Any) -> dict[str, Any]:
    good = delivery(envelope())
    return good | {"headers": good["headers"] | headers}


def described(**properties: Any) -> dict[str, Any]:
    good = delivery(envelope())
    return good | {"properties": good["properties"] | properties}


def with_a_nul_in_its_body() -> dict[str, Any]:
    spoilt = envelope()
    spoilt.body["name"] = "\x00"
    spoilt.body["role"] = "no role"
    return delivery(spoilt)


def forms() -> dict[str, Any]:
    """What may lie on the queue, by what is wrong with it."""
    return {
        "a body that is an object": task(PERSON, {"a": 1}),
        "a body that is a number": task(PERSON, 5),
        "a body that is not base64": without() | {"body": "%%%"},
        "a body that is not JSON": without() | {"body": packed("{")},
        "a body that is not UTF-8": without() | {"body": packed(b"\xff\xfe")},
        "bytes that are not JSON": b"\x00\xff\xfenot json",
        "nothing": b"",
        "a list": [],
        "null": b"null",
        "a number": b"5",
        "a text": b'"finance"',
        "an object of another kind": {"a": 1},
        "an object that cannot be built": {"__type__": "uuid", "__value__": 5},
        "lists in lists without end": b"[" * 100_000,
        "a pickle": without() | {"content-type": "application/x-python-serialize", "body": packed(b"\x80\x04N.")},
        "an unknown content type": without() | {"content-type": "application/x-nothing"},
        "an unknown encoding": described(body_encoding="klingon"),
        "an unknown compression": headed(compression="application/x-nothing"),
        "no headers": without("headers"),
        "headers that are a list": without() | {"headers": [1]},
        "headers that are null": without() | {"headers": None},
        "no properties": without("properties"),
        "no delivery tag": without() | {"properties": {"body_encoding": "base64", "delivery_info": {}}},
        "a delivery tag that is an object": described(delivery_tag={"a": 1}),
        "no delivery information": described(delivery_info=None),
        "an unknown task": headed(task="finance.Nothing"),
        "a task of another service": headed(task="hr.PersonChanged"),
        "a task of Celery's own": headed(task="celery.map"),
        "a task whose name is a list": headed(task=["finance"]),
        "no task id": without() | {"headers": {"task": PERSON}},
        "a task for later": headed(eta="2099-01-01T00:00:00+00:00"),
        "a task that expired": headed(expires="2000-01-01T00:00:00+00:00"),
        "time limits that are none": headed(timelimit="soon"),
        "positional arguments": task(PERSON, [[1], {}, NOTHING]),
        "arguments that are a number": task(PERSON, [5, {}, NOTHING]),
        "named arguments that are a list": task(PERSON, [[], [1], NOTHING]),
        "a chain to follow": task(PERSON, [[], {"envelopes": []}, NOTHING | {"chain": [{"task": PERSON}]}]),
        "other names of arguments": task(PERSON, [[], {"letters": []}, NOTHING]),
        "envelopes that are no list": task(PERSON, [[], {"envelopes": "all"}, NOTHING]),
        "envelopes that are no envelopes": task(PERSON, [[], {"envelopes": [[[[None]]]]}, NOTHING]),
        "an envelope whose id is none": task(
            PERSON,
            [[], {"envelopes": [{"id": "1", "type": "", "sender": "", "receiver": "", "traceparent": ""}]}, NOTHING],
        ),
        "an envelope no database can hold": with_a_nul_in_its_body(),
        "an envelope of 20 MB": task(PERSON, [[], {"envelopes": ["x" * 20_000_000]}, NOTHING]),
        "an acknowledgement of nothing": task("finance.acknowledged", [[], {}, NOTHING]),
        "an acknowledgement of what is no id": task(
            "finance.acknowledged", [[], {"receiver": "hr", "ids": [5]}, NOTHING]
        ),
    }


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("poison")


@pytest.fixture
def queue(engines: Engines) -> Iterator[Queue]:
    with queue_of(engines.broker_url) as queue:
        yield queue


def test_no_form_of_poison_stops_a_worker_and_each_is_counted(
    installation: str, engines: Engines, queue: Queue, folder: Path
) -> None:
    finance = Database("finance", installation, pool_size=2, limits=WORKER)
    inbox = Inbox(finance)
    with workers(folder) as running:
        child = running.start("finance", database_url=installation, broker_url=engines.broker_url)
        first = pid(child)
        poisons = forms()
        for number, (form, poison) in enumerate(poisons.items()):
            raw = poison if isinstance(poison, bytes) else json.dumps(poison).encode()
            good = envelope()
            queue.put(*[raw] * 3, delivery(good))
            running.until(
                f"the message after {form} to be handled and the {number + 1} forms to be counted",
                lambda good=good, number=number: inbox.handled(good.id) == 1 and inbox.unreadable() >= 3 * (number + 1),
                seconds=60,
            )
            assert inbox.unreadable() == 3 * (number + 1), form
            assert pid(child) == first, form
            assert child.restarts == 0, form
        assert inbox.people() == len(poisons)
        assert len(queue) == 0
    finance.engine.dispose()
