"""The catalogue of messages: one sender, one handler for each receiver, a queue with a worker, readable bodies."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from celery import Celery
from pydantic import create_model
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from bianmin.stack import SERVICES as STARTED
from shared.bus.pump import ACKNOWLEDGED
from shared.db import SERVICES
from shared.errors import NotYet, Problem
from shared.messages import CATALOGUE, Message
from shared.tasks import Tasks

SAMPLES = Path(__file__).parent / "samples"
NOW = datetime(2026, 4, 10, 2, 0, tzinfo=UTC)


def tasks_of(service: str) -> Tasks:
    tasks: Tasks = import_module(f"services.{service}.tasks").tasks
    return tasks


@pytest.fixture(scope="module")
def apps(template: str) -> dict[str, Celery]:
    return {service: import_module(f"services.{service}.worker").celery for service in SERVICES}


def test_every_message_has_exactly_one_handler_in_each_receiver_and_none_elsewhere() -> None:
    heard = {service: set(tasks_of(service).handlers) for service in SERVICES}
    meant = {
        service: {name for name, message in CATALOGUE.items() if service in message.receivers} for service in SERVICES
    }
    assert heard == meant


@pytest.mark.parametrize("message", CATALOGUE.values(), ids=CATALOGUE)
def test_every_message_is_said_by_one_service_to_others(message: type[Message]) -> None:
    assert message.sender in SERVICES
    assert message.receivers
    assert set(message.receivers) <= set(SERVICES) - {message.sender}
    assert len(set(message.receivers)) == len(message.receivers)


def test_a_message_is_handled_once_only_because_a_second_handler_is_refused() -> None:
    with pytest.raises(ValueError, match="has a handler already"):
        tasks_of("finance").hears(CATALOGUE["NoticeIssued"])(lambda session, message, *, now: None)
    with pytest.raises(ValueError, match="is not for finance"):
        Tasks("finance").hears(CATALOGUE["MonthReported"])(lambda session, message, *, now: None)


def test_every_queue_has_a_worker_and_every_worker_has_a_task_for_each_message_it_hears(
    apps: dict[str, Celery],
) -> None:
    assert set(STARTED) == set(SERVICES)
    for service, app in apps.items():
        ours = {name for name in app.tasks if not name.startswith("celery.")}
        assert ours == {f"{service}.{name}" for name in (*tasks_of(service).handlers, ACKNOWLEDGED)}
        assert app.conf.task_default_queue == service
        assert {queue.name for queue in app.conf.task_queues} == set(SERVICES)


def test_messages_are_routed_by_queue_name_alone_and_never_by_an_exchange(apps: dict[str, Celery]) -> None:
    for app in apps.values():
        assert {queue.exchange.name for queue in app.conf.task_queues} == {""}
        assert app.conf.task_create_missing_queues is False


@pytest.mark.parametrize("path", sorted(SAMPLES.glob("*.json")), ids=lambda path: path.stem)
def test_a_body_once_sent_can_still_be_read(path: Path) -> None:
    """`NoticeIssued.json` and, after a change, `NoticeIssued.2.json`: no sample is ever changed or removed."""
    body = json.loads(path.read_text(encoding="utf-8"))
    message = CATALOGUE[path.stem.split(".")[0]].model_validate(body)
    assert within(message.model_dump(mode="json"), body) == body


def within(kept: Any, sent: Any) -> Any:
    """What is kept of what was sent, without fields that have been added since."""
    if isinstance(sent, dict):
        return {key: within(kept[key], part) for key, part in sent.items()}
    if isinstance(sent, list):
        return [within(*parts) for parts in zip(kept, sent, strict=True)]
    return kept


def test_every_message_has_a_sample_body() -> None:
    assert {path.stem.split(".")[0] for path in SAMPLES.glob("*.json")} == set(CATALOGUE)


HEARD = [
    pytest.param(path, receiver, id=f"{path.stem} at {receiver}")
    for path in sorted(SAMPLES.glob("*.json"))
    for receiver in CATALOGUE[path.stem.split(".")[0]].receivers
]


@pytest.mark.parametrize(("path", "receiver"), HEARD)
def test_a_message_that_says_more_is_handled_like_one_that_does_not(
    session_of: Callable[[str], Session], path: Path, receiver: str
) -> None:
    """A new version's catalogue before its migration: what a table has no column for is not an error."""
    kind = CATALOGUE[path.stem.split(".")[0]]
    newer = create_model(f"{kind.__name__}Newer", __base__=kind, said_since=(str, ...))
    body = json.loads(path.read_text(encoding="utf-8"))
    session, handlers = session_of(receiver), tasks_of(receiver).handlers
    if "site_id" in body and "SiteChanged" in handlers:
        site = CATALOGUE["SiteChanged"].model_validate_json((SAMPLES / "SiteChanged.json").read_text(encoding="utf-8"))
        handlers["SiteChanged"](session, site.model_copy(update={"site_id": UUID(body["site_id"])}), now=NOW)
    handler = handlers[kind.__name__]
    said, said_more = kind.model_validate(body), newer.model_validate(body | {"said_since": "more"})
    assert outcome(session, handler, said_more) == outcome(session, handler, said)


def outcome(session: Session, handler: Callable[..., None], message: Message) -> str:
    """What came of it, undone afterwards; the order or the person of a sample may be unknown here."""
    undone = session.begin_nested()
    try:
        handler(session, message, now=NOW)
        session.flush()
    except (NotYet, Problem, IntegrityError) as refused:
        return type(refused).__name__
    finally:
        undone.rollback()
    return "handled"
