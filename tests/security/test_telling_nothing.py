"""What is told to those who watch holds nothing personal, whatever was sent by whom: logs, metrics, headers of tasks.

Every action of every service is sent marked names, addresses, words and numbers, well formed and not (promise 25).
"""

import json
import logging
import re
from collections.abc import Callable
from importlib import import_module
from typing import Any

import pytest
import redis
import structlog
from sqlalchemy import text
from sqlalchemy.exc import DatabaseError, SQLAlchemyError

from bianmin.engines import Engines
from shared.broker import broker_at
from shared.bus.pump import Pump
from shared.bus.ticker import Ticker
from shared.db import SERVICES, WORKER, database
from shared.errors import Problem
from tests.bad_input.acts import with_each
from tests.bad_input.house import House
from tests.bad_input.test_acts import ACTS
from tests.security.test_hostile import logged, with_all
from tests.signed import signatures

WORDS, PHONE = "金丝雀女士住九栋", "13912345670"
MARKS = (WORDS, PHONE, "金丝雀")
PHONES = re.compile(r"(^|_)phone$")


def marked(body: Any) -> Any:
    """The body with every free text and number in it marked."""
    body = with_all(body, WORDS)
    for _, changed in with_each(body, lambda name: bool(PHONES.search(name)), PHONE):
        body = changed
    return body


def act_everywhere(house: House) -> int:
    """Send every action of the service what is marked: as it is right, and each a second time as it is wrong."""
    taken = 0
    for act in ACTS:
        if act.service != house.service:
            continue
        try:
            call = act.prepare(house)
        except (AssertionError, Problem, SQLAlchemyError):  # it may not stand beside one prepared before it
            continue
        if not isinstance(call.body, dict):
            continue
        house.post(act.who, call.path, {WORDS: PHONE} | call.body)
        house.post(act.who, f"{call.path}?q={WORDS}", dict.fromkeys(call.body, WORDS))
        house.post(act.who, call.path, [WORDS, PHONE])
        taken += house.post(act.who, call.path, marked(call.body)).is_success
    return taken


@pytest.mark.parametrize("service", SERVICES)
def test_no_log_metric_or_header_of_a_task_holds_what_somebody_sent(
    service: str, open_house: Callable[[str], House], engines: Engines, caplog: pytest.LogCaptureFixture
) -> None:
    broker = redis.from_url(engines.broker_url.replace("redis+socket", "unix"))
    broker.flushall()
    house = open_house(service)
    with logged() as written:
        assert act_everywhere(house) > 5
        metrics = house.client.get("/ops/metrics", headers={"Authorization": "Bearer operator"})
        celery = import_module(f"services.{service}.worker").celery
        with celery.connection_for_write() as connection:
            at = database(service, WORKER)
            pump = Pump(celery, at, Ticker(at, []), signatures(service), broker_at(engines.broker_url))
            pump._send(celery.amqp.Producer(connection))
        lines = written.getvalue()
    assert metrics.status_code == 200
    tasks = [json.loads(task) for name in SERVICES for task in broker.lrange(name, 0, -1)]
    assert tasks
    heads = json.dumps([{"headers": t["headers"], "properties": t["properties"]} for t in tasks], ensure_ascii=False)
    assert {(t["headers"]["argsrepr"], t["headers"]["kwargsrepr"]) for t in tasks} == {("-", "-")}
    for line in lines.splitlines():
        assert isinstance(json.loads(line)["event"], str)  # one JSON object each
    assert '"http_request"' in lines
    for where in (lines, caplog.text, metrics.text, heads):
        assert [mark for mark in MARKS if mark in where] == []


def test_of_an_error_the_log_holds_its_type_and_place_and_none_of_its_words(open_house: Callable[[str], House]) -> None:
    """PostgreSQL quotes the row it refuses, Python the value it cannot read."""
    house = open_house("intake")
    with logged() as written:
        log = structlog.get_logger()
        try:
            int(WORDS)
        except ValueError:
            log.exception("tried")
            logging.getLogger("uvicorn.error").exception("tried too")
        named = text("INSERT INTO people (id, name) VALUES (gen_random_uuid(), :name)")
        with pytest.raises(DatabaseError, match=WORDS) as refused, house.session() as session:
            session.execute(named, {"name": WORDS})
        log.error("refused", exc_info=refused.value)
    first, second, third = (json.loads(line) for line in written.getvalue().splitlines())
    assert first["event"] == "tried"
    for line in (first, second):
        assert "int(WORDS)" in line["exception"]
        assert line["exception"].endswith("ValueError\n")
    assert "NotNullViolation 23502" in third["exception"]
    assert WORDS not in written.getvalue()
