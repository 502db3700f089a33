"""Pushing as it runs: HTTP in front, committed transactions, and the worker's threads that send."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest
import standardwebhooks
from fastapi.testclient import TestClient
from sqlalchemy import text

from bianmin.children import wait_until
from services.hr.tasks import tasks
from shared.bus.runners import Runners
from shared.db import WORKER, database
from shared.settings import settings
from tests.bad_input.house import House
from tests.bad_input.of_hr_delivery import delivered
from tests.conftest import START
from tests.receiver import Receiver, Says, receiving
from tests.services.hr.test_webhook import set_clock

(ERRAND,) = tasks.errands


@pytest.fixture
def house(installation: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[House]:
    from services.hr.main import web  # noqa: PLC0415  # wiring reads the settings the fixture made

    monkeypatch.setenv("BIANMIN_WEBHOOK_ALLOW_PRIVATE", "true")
    settings.cache_clear()
    set_clock(monkeypatch, START)
    with TestClient(web) as client:
        yield House("hr", client)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as receiver:
        yield receiver


def add(house: House, receiver: Receiver) -> dict[str, Any]:
    made: dict[str, Any] = house.did("administrator", "/webhooks", {"url": receiver.url, "site_id": str(house.site_id)})
    return made


def test_the_secret_is_shown_when_the_webhook_is_added_and_never_again(house: House, receiver: Receiver) -> None:
    made = add(house, receiver)
    assert made["secret"].startswith("whsec_")
    path = f"/webhooks/{made['webhook']['id']}"
    house.did("administrator", f"{path}/disable", {"reason": "x"})
    house.did("administrator", f"{path}/enable")
    listed = house.get("administrator", "/webhooks")
    assert [one["id"] for one in listed.json()["items"]] == [made["webhook"]["id"]]
    kept = ""
    with house.session() as session:
        kept = str(session.execute(text("SELECT answer FROM idempotency_keys")).all())
    for shown in (listed.text, house.get("administrator", f"{path}/attempts").text, kept):
        assert "secret" not in shown.replace("old_secret_until", "")


def test_a_payout_reaches_the_hr_system_which_verifies_pulls_and_acknowledges_it(
    house: House, receiver: Receiver
) -> None:
    made = add(house, receiver)
    delivery_id = delivered(house)
    runners = Runners(database("hr", WORKER), tasks.errands)
    runners.start()
    try:
        wait_until("the delivery to be received", lambda: bool(receiver.got), seconds=60)
    finally:
        runners.stop()
    (got,) = receiver.got
    payload = standardwebhooks.Webhook(made["secret"]).verify(got.body, got.headers)
    (pulled,) = house.get("hr", "/deliveries").json()["items"]
    assert (pulled["id"], pulled["payload"]) == (str(delivery_id), payload)
    taken = house.did("hr", f"/deliveries/{got.id}/acknowledge", {"reference": "HR-1"})
    assert taken["reference"] == "HR-1"
    day = house.get("hr", "/deliveries/reconciliation?day=2026-04-01").json()
    assert (
        day["received"]
        == day["acknowledged"]
        == {
            "deliveries": 1,
            "lines": 1,
            "net_fen": 10000,
            "from_wage_fen": 0,
        }
    )
    assert day["unacknowledged"]["deliveries"] == 0


def test_a_process_that_dies_before_it_recorded_holds_no_lock_and_what_it_sent_is_sent_again(
    house: House, receiver: Receiver
) -> None:
    add(house, receiver)
    delivered(house)

    def die(*_: object) -> None:
        with house.session() as session:  # nothing is locked while the request is under way
            session.execute(text("SELECT 1 FROM webhook_endpoints, webhook_deliveries FOR UPDATE NOWAIT"))
        raise SystemExit

    def send_and_die(sending: Any) -> None:
        ERRAND.go(sending)
        die()

    with pytest.raises(SystemExit):
        replace(ERRAND, go=send_and_die).run(database("hr", WORKER))
    assert ERRAND.run(database("hr", WORKER)) is False
    with house.session() as session:
        session.execute(text("UPDATE webhook_endpoints SET leased_until = clock_timestamp() - interval '1 s'"))
    assert ERRAND.run(database("hr", WORKER)) is True
    first, second = receiver.got
    assert (first.id, first.body) == (second.id, second.body)
    assert ERRAND.run(database("hr", WORKER)) is False


def test_what_is_due_and_not_pushed_is_seen_by_operators(house: House, receiver: Receiver) -> None:
    add(house, receiver)
    receiver.says = [Says(500)]
    delivered(house)
    ERRAND.run(database("hr", WORKER))
    answer = house.client.get("/ops/bus", headers={"Authorization": "Bearer operator"}).json()
    assert [(one["kind"], one["open"]) for one in answer["deadlines"] if one["open"]] == [("webhook_delivery", 1)]


def test_files_carry_their_totals_and_are_shown_to_the_site_only(house: House) -> None:
    id_: UUID = delivered(house)
    for ending, kind in (("csv", "text/csv"), ("xlsx", "application/vnd.openxmlformats")):
        answer = house.get("hr", f"/payouts/{id_}.{ending}")
        assert answer.headers["content-type"].startswith(kind)
        assert answer.headers["content-disposition"] == f'attachment; filename="payout-BK-2026-03.{ending}"'
        assert [answer.headers[f"x-total-{name}"] for name in ("lines", "net-fen", "from-wage-fen")] == [
            "1",
            "10000",
            "0",
        ]
        assert house.get("hr@other", f"/payouts/{id_}.{ending}").status_code == 404
        assert house.get("clerk", f"/payouts/{id_}.{ending}").status_code == 403
        assert house.get("hr", f"/payouts/nonsense.{ending}").status_code == 422
    totals = house.get("hr", f"/payouts/{id_}/totals").json()
    assert (totals["settlement_id"], totals["lines"], totals["net_fen"]) == (str(id_), 1, 10000)
    assert house.get("hr@other", f"/payouts/{id_}/totals").status_code == 404
