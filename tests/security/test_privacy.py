"""What is personal or secret is in plain in no dump, queue, log, metric or error answer [D26, promise 25]."""

import base64
import json
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import time, timedelta
from importlib import import_module
from typing import Any

import pytest
import redis
from fastapi.testclient import TestClient
from sqlalchemy import text

from bianmin.backup.programs import Programs, libpq
from bianmin.engines import Engines
from services.hr.actions import webhook
from services.hr.models import WebhookEndpoint
from services.intake.actions import price
from shared.broker import broker_at
from shared.bus.pump import Pump
from shared.bus.ticker import Ticker
from shared.db import WORKER, database
from shared.messages import SiteChanged
from shared.resealing import reseal
from shared.sealing import rotate_keys
from shared.settings import settings
from tests.bad_input.house import House, web_of
from tests.conftest import START
from tests.people import ZONE, employ
from tests.services.intake.desk import price_book
from tests.signed import receive, signatures

PHONE, CORRECTED, MISTYPED = "13912345670", "13912345671", "139-canary-5672"
SIGNATURE = "<svg><!-- canary of a signature --></svg>"
NAME, ADDRESS, TROUBLE = "金丝雀女士", "99-9-9901", "金丝雀说水管爆裂"
HIDDEN = (PHONE, CORRECTED, MISTYPED, "canary of a signature")
PERSONAL = (*HIDDEN, NAME, ADDRESS, TROUBLE)
WINDOW = {"visit_from": START.isoformat(), "visit_to": (START + timedelta(hours=1)).isoformat()}
ITEMS = [{"price_code": "tap", "quantity": 1, "unit_fen": 5000}]


def found(words: tuple[str, ...], where: str) -> list[str]:
    return [word for word in words if word in where]


def dump(url: str) -> str:
    """Everything the database holds, as a backup would take it away."""
    address, password = libpq(url)
    return Programs().run("pg_dump", "--data-only", "--inserts", address, env=password)


def queued(engines: Engines) -> list[dict[str, Any]]:
    """The tasks that lie on the broker for dispatch, as anybody who reads it sees them, the oldest first."""
    broker = redis.from_url(engines.broker_url.replace("redis+socket", "unix"))
    return [json.loads(task) for task in reversed(broker.lrange("dispatch", 0, -1))]


def carried(tasks: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The envelopes in them."""
    bodies = (json.loads(base64.b64decode(task["body"])) for task in tasks)
    return [envelope for _, kwargs, _ in bodies for envelope in kwargs.get("envelopes", [])]


@pytest.fixture
def houses(installation: str, engines: Engines) -> Iterator[dict[str, House]]:
    """The desk and the departments over HTTP, and nothing on the broker."""
    redis.from_url(engines.broker_url.replace("redis+socket", "unix")).flushall()
    with ExitStack() as stack:
        yield {
            service: House(service, stack.enter_context(TestClient(web_of(service))))
            for service in ("intake", "dispatch")
        }


def at_the_desk(desk: House) -> list[str]:
    """A request from the call to the revised notice; every answer on the way."""
    with desk.session() as session:
        price.published(session, price_book(effective_from=START))
    form = {"channel": "phone", "owner_name": NAME, "address": ADDRESS, "description": TROUBLE, "trade": "water"}
    form |= {"site_id": str(desk.site_id)}
    wrong = desk.post("clerk", "/requests", form | {"phone": MISTYPED})
    made = desk.post("clerk", "/requests", form | {"phone": PHONE})
    path = f"/requests/{made.json()['id']}"
    answers = [
        wrong,
        made,
        desk.post("clerk", f"{path}/agree", WINDOW | {"items": ITEMS}),
        desk.post("clerk", f"{path}/notice"),
        desk.post("clerk", f"{path}/revise", {"phone": CORRECTED, "reason": "记错了"}),
        desk.post("clerk", "/homes/find", {"phone": CORRECTED}),
        desk.get("clerk", path),
        desk.get("desk_head", "/requests"),
        desk.get("auditor", "/privacy/acts"),
        desk.client.get("/ops/metrics", headers={"Authorization": "Bearer operator"}),
    ]
    assert [answer.status_code for answer in answers] == [422, 201, 200, 201, *[200] * 6], [a.text for a in answers]
    shown = desk.did("clerk", f"{path}/phone/reveal", {"reason": "回电"})
    assert shown == {"phone": CORRECTED}
    return [answer.text for answer in answers]


def sent(engines: Engines) -> list[dict[str, Any]]:
    """What the desk's pump puts on the broker."""
    at, celery = database("intake", WORKER), import_module("services.intake.worker").celery
    with celery.connection_for_write() as connection:
        pump = Pump(celery, at, Ticker(at, []), signatures("intake"), broker_at(engines.broker_url))
        pump._send(celery.amqp.Producer(connection))
    return carried(queued(engines))


def in_the_department(crew: House, desk: House, envelopes: list[dict[str, Any]]) -> list[str]:
    """The order from its notice to the signature; every answer on the way."""
    with crew.session() as session:
        handlers = import_module("services.dispatch.tasks").tasks.handlers
        site = {"site_id": desk.site_id, "version": 1, "code": "CN", "name": "CN", "zone": ZONE, "closing": time(18)}
        handlers["SiteChanged"](session, SiteChanged.model_validate(site), now=START)
        employ(session, "head", "engineering", desk.site_id, token="canary-head")
        worker = employ(session, "worker", "engineering", desk.site_id, token="canary-worker")
    for envelope in envelopes:
        assert receive(database("dispatch", WORKER), handlers, envelope | {"sends": 2}) == "handled"
    path = f"/work-orders/{crew.get('canary-head', '/work-orders').json()['items'][0]['id']}"
    crew.did("canary-head", f"{path}/acknowledge")
    crew.did("canary-head", f"{path}/assign", {"workers": [{"person_id": str(worker.person_id), "weight": 1}]})
    crew.did("canary-worker", f"{path}/arrive")
    crew.did("canary-worker", f"{path}/check-materials", {"complete": True})
    assert crew.did("canary-worker", f"{path}/phone/reveal", {"reason": "到门口无人"}) == {"phone": CORRECTED}
    crew.did("canary-worker", f"{path}/finish")
    shown = crew.get("canary-worker", f"{path}/settlement-list").json()
    signed = {"signer_name": NAME, "relation": "owner", "signature": SIGNATURE, "shown_hash": shown["hash"]}
    wrong = crew.post("canary-worker", f"{path}/accept", signed | {"shown_hash": "0" * 64})
    answers = [
        wrong,
        crew.post("canary-worker", f"{path}/accept", signed),
        crew.get("canary-head", "/work-orders"),
        crew.client.get("/ops/metrics", headers={"Authorization": "Bearer operator"}),
    ]
    assert [answer.status_code for answer in answers] == [409, 200, 200, 200], [a.text for a in answers]
    return [answer.text for answer in answers]


def test_a_marked_owner_is_found_in_plain_in_no_dump_queue_log_metric_or_answer(
    houses: dict[str, House], installation: str, engines: Engines, caplog: pytest.LogCaptureFixture
) -> None:
    answers = at_the_desk(houses["intake"])
    envelopes = sent(engines)
    assert sorted(envelope["type"] for envelope in envelopes) == ["NoticeIssued", "NoticeRevised", "OwnerLinkGiven"]
    assert found(PERSONAL, json.dumps(envelopes, ensure_ascii=False)) == []
    handlers = import_module("services.dispatch.tasks").tasks.handlers
    for envelope in envelopes:  # the department does not know the site yet: both are kept in its inbox
        assert receive(database("dispatch", WORKER), handlers, envelope) == "waiting"
    waiting = dump(installation)
    answers += in_the_department(houses["dispatch"], houses["intake"], envelopes)
    with database("dispatch", WORKER).session() as session:
        assert session.execute(text("SELECT count(*) FROM signatures")).scalar_one() == 1
    done = dump(installation)
    for dumped in (waiting, done):
        assert found(HIDDEN, dumped) == []
        assert NAME in dumped  # in the desk's own table, so the dump is whole
        kept = [line for line in dumped.splitlines() if ".outbox VALUES" in line or ".inbox VALUES" in line]
        assert kept
        assert found(PERSONAL, "\n".join(kept)) == []
    assert found(HIDDEN, "\n".join(answers)) == []
    assert "http_request" in caplog.text
    assert found(PERSONAL, caplog.text) == []


def test_after_a_rotation_everything_stored_is_sealed_anew_and_opens_without_the_old_key(
    houses: dict[str, House], installation: str, tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = houses["intake"]
    at_the_desk(desk)
    with database("hr", WORKER).session() as session:
        boss = employ(session, "administrator", "management", token="boss")
        made = webhook.add(session, url="https://1.1.1.1/hook", site_id=None, actor=boss, now=START)
        endpoint, secret = made.id, made.secret
    assert secret not in dump(installation)
    keys = tmp_path / "data-keys"
    keys.write_text(settings().data_keys.read_text())  # type: ignore[union-attr]  # the tests' own
    keys.chmod(0o600)
    monkeypatch.setenv("BIANMIN_DATA_KEYS", str(keys))
    settings.cache_clear()
    assert rotate_keys(keys) == "2"
    assert desk.did("clerk", "/homes/find", {"phone": CORRECTED})  # found by what the old key hashed
    anew = reseal(installation)
    hashed = "intake.requests.phone_hash"
    assert (anew["intake.requests.phone_sealed"], anew["hr.webhook_endpoints.secret_sealed"], anew[hashed]) == (1, 1, 1)
    assert set(reseal(installation).values()) == {0}
    only_new = [line for line in keys.read_text().splitlines() if " 1 " not in line]
    keys.write_text("\n".join(only_new) + "\n")
    with database("hr", WORKER).session() as session:
        assert session.get_one(WebhookEndpoint, endpoint).secret == secret
    (home,) = desk.did("clerk", "/homes/find", {"phone": CORRECTED})
    (found_again,) = desk.did("administrator", "/owners/find", {"phone": CORRECTED})
    request = home["requests"][0]["id"]
    assert found_again["request_id"] == request
    assert desk.did("clerk", f"/requests/{request}/phone/reveal", {"reason": "回电"}) == {"phone": CORRECTED}
