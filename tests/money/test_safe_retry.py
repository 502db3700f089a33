"""Whoever sends an act again, however often and however late, has done it once."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import httpx
import pytest
import uvicorn
from sqlalchemy import text

from bianmin.children import wait_until
from shared.bus.purge import purge
from shared.db import WORKER, database
from shared.ids import new_id
from tests.services.finance.test_api import House

TIMES = 50


@pytest.fixture
def server(house: House) -> Iterator[str]:
    """The address of finance's web application, served over real HTTP."""
    from services.finance.main import web  # noqa: PLC0415  # needs the settings of the installation

    server = uvicorn.Server(uvicorn.Config(web, port=0, log_config=None, lifespan="off", ws="none"))
    thread = threading.Thread(target=server.run)
    thread.start()
    wait_until("finance to answer", lambda: server.started, seconds=30)
    yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}/api"
    server.should_exit = True
    thread.join()


@dataclass(frozen=True)
class Act:
    """Something that creates or moves money: who sends what where, and how often it took effect."""

    role: str
    path: str
    body: dict
    effects: str
    """SQL that counts its rows: what it wrote, posted and told."""


def collect(house: House) -> Act:
    path = f"/charges/{house.accepted()}/collect"
    told = "(SELECT count(*) FROM outbox WHERE type = 'FeeCollected' AND receiver = 'intake')"
    counted = f"(SELECT count(*) FROM receipts WHERE state = 'used'), (SELECT count(*) FROM journals), {told}"
    return Act("clerk", path, {"method": "cash", "amount_fen": 10000}, counted)


def offer(house: House) -> Act:
    house.paid()
    body = {"site_id": str(house.site_id), "to_person_id": str(house.people["cashier"]), "receipt_ids": None}
    return Act("clerk", "/hand-overs", body, "(SELECT count(*) FROM hand_overs)")


def count(house: House) -> Act:
    offered = house.post("clerk", "/hand-overs", offer(house).body).json()
    counted = "(SELECT count(*) FROM journals WHERE kind = 'hand_over'), (SELECT count(*) FROM hand_overs)"
    return Act("cashier", f"/hand-overs/{offered['id']}/count", {"counted_fen": 10000}, counted)


def propose_refund(house: House) -> Act:
    paid = house.paid()
    house.handed_over()
    body = {"receipt_id": paid["id"], "amount_fen": 100, "reason": "不满意", "method": "cash"}
    return Act("cashier", "/refunds", body, "(SELECT count(*) FROM refunds)")


def approve_refund(house: House) -> Act:
    proposal = propose_refund(house)
    refund = house.post("cashier", proposal.path, proposal.body).json()
    told = "(SELECT count(*) FROM outbox WHERE type = 'FeeRefunded' AND receiver = 'intake')"
    counted = f"(SELECT count(*) FROM journals WHERE kind = 'refund'), {told}"
    return Act("leader", f"/refunds/{refund['id']}/decide", {"approve": True, "reason": "同意"}, counted)


ACTS = [collect, offer, count, propose_refund, approve_refund]


def effects(act: Act) -> set[int]:
    with database("finance", WORKER).session() as session:
        return set(session.execute(text(f"SELECT {act.effects}")).one())


def aged(days: int) -> int:
    """Every key becomes so many days old, and what is too old is purged; how many keys are left."""
    with database("finance", WORKER).session() as session:
        session.execute(
            text("UPDATE idempotency_keys SET created_at = clock_timestamp() - make_interval(days => :days)"),
            {"days": days},
        )
    purge(database("finance", WORKER))
    with database("finance", WORKER).session() as session:
        return int(session.execute(text("SELECT count(*) FROM idempotency_keys")).scalar_one())


@pytest.mark.parametrize("prepared", ACTS, ids=lambda prepared: prepared.__name__)
def test_an_act_sent_fifty_times_at_once_and_again_a_year_later_takes_effect_once(
    house: House, server: str, prepared: Callable[[House], Act]
) -> None:
    act, key, together = prepared(house), str(new_id()), threading.Barrier(TIMES)
    headers = {"Authorization": f"Bearer {act.role}", "Idempotency-Key": key}

    def send(_: int) -> httpx.Response:
        with httpx.Client(timeout=60) as client:
            together.wait()
            return client.post(server + act.path, json=act.body, headers=headers)

    with ThreadPoolExecutor(TIMES) as pool:
        answers = list(pool.map(send, range(TIMES)))
    assert {answer.status_code // 100 for answer in answers} == {2}, {answer.text for answer in answers}
    assert all(answer.json() == answers[0].json() for answer in answers)
    assert sum("Idempotency-Replayed" in answer.headers for answer in answers) == TIMES - 1
    assert effects(act) == {1}
    other = httpx.post(server + act.path, json=act.body | {"reason": "x"} | {"amount_fen": 1}, headers=headers)
    assert other.status_code == 422
    assert aged(399) > 0
    later = httpx.post(server + act.path, json=act.body, headers=headers)
    assert (later.status_code, later.json()) == (answers[0].status_code, answers[0].json())
    assert later.headers["Idempotency-Replayed"] == "true"
    assert effects(act) == {1}
    assert aged(401) == 0
