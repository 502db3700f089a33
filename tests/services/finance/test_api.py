"""Finance through HTTP, where everything really commits."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import pytest
from fastapi.testclient import TestClient
from httpx2 import Response
from sqlalchemy import create_engine
from sqlalchemy.orm import Session

from shared import clock
from shared.bus.ticker import sweep
from shared.db import WORKER, database
from shared.ids import new_id
from shared.messages import PayoutReceived
from tests.people import published
from tests.services.finance.office import CLOSING, MAY_FIRST, MORNING, NEXT_MORNING, Office, day

ITEM = {"code": "tap", "trade": "water", "name": "换水龙头", "unit": "个", "min_fen": 3000, "max_fen": 8000}
ROLES = {
    "clerk": "front_desk",
    "desk_head": "front_desk",
    "worker": "engineering",
    "cashier": "finance",
    "finance_lead": "finance",
    "leader": "management",
    "auditor": "management",
}


@dataclass
class House:
    """A running finance with one site, its people by role (the token is the role), and the way in."""

    url: str
    site_id: UUID
    people: dict[str, UUID]

    def client(self) -> TestClient:
        from services.finance.main import web  # noqa: PLC0415  # needs the settings of the installation

        return TestClient(web)

    def get(self, role: str, path: str) -> Response:
        return self.client().get(f"/api{path}", headers={"Authorization": f"Bearer {role}"})

    def post(self, role: str, path: str, body: dict | None = None, *, key: str | None = "") -> Response:
        headers = {"Authorization": f"Bearer {role}"}
        if key is not None:
            headers["Idempotency-Key"] = key or str(new_id())
        return self.client().post(f"/api{path}", json=body, headers=headers)

    @contextmanager
    def office(self) -> Iterator[Office]:
        """The office of the site, in a transaction that commits."""
        with database("finance", WORKER).session() as session:
            office = Office.__new__(Office)
            office.session, office.code, office.site_id, office.jobs = session, "BK", self.site_id, int(new_id()) % 9999
            yield office

    def accepted(self, fee_fen: int = 10000) -> UUID:
        with self.office() as office:
            return office.accepted(fee_fen=fee_fen, workers={self.people["worker"]: 1})

    def at(self, moment: datetime) -> None:
        """Move the clock and act on the deadlines that passed."""
        from services.finance.tasks import tasks  # noqa: PLC0415  # beside its use

        owner = create_engine(self.url)
        with Session(owner) as session, session.begin():
            clock.move(session, moment)
        owner.dispose()
        for _ in range(2):
            sweep(database("finance", WORKER), tasks.ticks)

    def paid(self, fee_fen: int = 10000) -> dict:
        body = {"method": "cash", "amount_fen": fee_fen}
        return self.post("clerk", f"/charges/{self.accepted(fee_fen)}/collect", body).json()

    def handed_over(self) -> None:
        """All the clerk holds goes to the cashier."""
        offer = {"site_id": str(self.site_id), "to_person_id": str(self.people["cashier"]), "receipt_ids": None}
        offered = self.post("clerk", "/hand-overs", offer).json()
        counted = self.post("cashier", f"/hand-overs/{offered['id']}/count", {"counted_fen": offered["amount_fen"]})
        assert counted.json()["state"] == "counted"


@pytest.fixture
def house(installation: str) -> House:
    with database("finance", WORKER).session() as session:
        office = Office(session)
        office.begin()
        people = {role: office.employ(role, department, token=role).person_id for role, department in ROLES.items()}
        elsewhere = Office(session, code="LH")
        elsewhere.employ("clerk", "front_desk", token="clerk-elsewhere")
    house = House(installation, office.site_id, people)
    house.at(MORNING)
    return house


def problem(answer: Response) -> tuple[int, str]:
    assert answer.headers["content-type"] == "application/problem+json"
    return answer.status_code, answer.json()["type"].removeprefix("urn:bianmin:problem:")


def test_the_price_book_is_drafted_by_finance_and_approved_by_the_leader(house: House) -> None:
    drafted = house.post("finance_lead", "/price-versions", {"effective_from": "2026-04-01", "items": [ITEM]})
    assert drafted.status_code == 201
    version = drafted.json()
    assert (version["number"], version["state"], version["items"]) == (1, "draft", [ITEM])
    path = f"/price-versions/{version['id']}/approve"
    assert problem(house.post("finance_lead", path)) == (403, "role_not_allowed")
    assert house.post("leader", path).json()["state"] == "approved"
    assert problem(house.post("leader", path)) == (409, "step_not_allowed")
    assert problem(house.post("leader", f"/price-versions/{new_id()}/approve")) == (404, "not_found")
    assert [v["state"] for v in house.get("clerk", "/price-versions").json()["items"]] == ["approved"]


@pytest.mark.parametrize(
    "items", [[], [ITEM, ITEM], [ITEM | {"min_fen": 9000}], [ITEM | {"min_fen": 0}], [ITEM | {"max_fen": "8000"}]]
)
def test_a_price_book_that_cannot_be_meant_so_is_refused(house: House, items: list[dict]) -> None:
    body = {"effective_from": "2026-04-01", "items": items}
    assert house.post("finance_lead", "/price-versions", body).status_code == 422


def test_a_fee_is_collected_once_however_often_it_is_sent(house: House) -> None:
    request_id = house.accepted()
    body = {"method": "cash", "amount_fen": 10000, "reference": None, "receipt_id": None}
    first = house.post("clerk", f"/charges/{request_id}/collect", body, key="k1")
    again = house.post("clerk", f"/charges/{request_id}/collect", body, key="k1")
    assert (first.status_code, again.headers["Idempotency-Replayed"]) == (201, "true")
    assert first.json() == again.json()
    receipt = first.json()
    assert receipt["number"] == "SJ-BK-000001"
    assert (receipt["company_fen"], receipt["workers_fen"], receipt["reserve_fen"]) == (5000, 3500, 1500)
    assert receipt["shares"] == [{"person_id": str(house.people["worker"]), "share_fen": 3500}]
    assert receipt["holder_id"] == str(house.people["clerk"])
    assert len(house.get("cashier", "/receipts?state=used").json()["items"]) == 1
    charge = house.get("clerk", f"/charges/{request_id}").json()
    assert (charge["state"], charge["receipt_id"]) == ("collected", receipt["id"])
    with database("finance", WORKER).session() as session:
        assert published(session).count(("FeeCollected", "intake")) == 1


def test_one_of_many_who_collect_the_same_fee_at_once_succeeds(house: House) -> None:
    request_id = house.accepted()
    body = {"method": "cash", "amount_fen": 10000}
    with ThreadPoolExecutor(6) as pool:
        answers = list(
            pool.map(lambda _: house.post("clerk", f"/charges/{request_id}/collect", body).status_code, range(6))
        )
    assert sorted(answers) == [201, 409, 409, 409, 409, 409]
    assert house.get("finance_lead", "/ledger/balances").json()[0]["amount_fen"] == 10000


def test_what_may_not_be_collected_is_refused_with_its_reason(house: House) -> None:
    path = f"/charges/{house.accepted()}/collect"
    cash = {"method": "cash", "amount_fen": 10000}
    assert problem(house.post("nobody", path, cash)) == (401, "no_valid_token")
    assert problem(house.post("cashier", path, cash)) == (403, "role_not_allowed")
    assert problem(house.post("clerk-elsewhere", path, cash)) == (404, "not_found")
    assert problem(house.post("clerk", path, cash | {"amount_fen": 9999})) == (409, "amount_differs")
    assert problem(house.post("worker", path, cash)) == (409, "no_receipt_carried")
    assert problem(house.post("clerk", path, cash | {"method": "wechat"})) == (422, "reference_needed")
    assert problem(house.post("clerk", path, cash, key=None)) == (422, "idempotency_key_needed")
    for malformed in (
        {"amount_fen": 0},
        {"amount_fen": -1},
        {"amount_fen": 1.5},
        {"amount_fen": "1"},
        {"method": "gold"},
    ):
        assert problem(house.post("clerk", path, cash | malformed)) == (422, "malformed")
    assert house.post("clerk", path, cash, key="used").status_code == 201
    assert problem(house.post("clerk", path, cash | {"amount_fen": 1}, key="used")) == (422, "idempotency_key_reused")
    with house.office() as office:
        noticed = office.notice()
    assert problem(house.post("clerk", f"/charges/{noticed}/collect", cash)) == (409, "step_not_allowed")
    assert problem(house.get("clerk-elsewhere", f"/charges/{noticed}")) == (404, "not_found")


def test_a_worker_carries_a_receipt_collects_and_brings_the_cash_to_the_desk(house: House) -> None:
    request_id = house.accepted()
    body = {"worker_id": str(house.people["worker"])}
    carried = house.post("clerk", f"/charges/{request_id}/carry", body, key="c")
    assert (carried.status_code, carried.json()["state"]) == (201, "carried")
    assert house.post("clerk", f"/charges/{request_id}/carry", body, key="c").json() == carried.json()
    voided = house.post("clerk", f"/receipts/{carried.json()['id']}/void", {"reason": "写错了"}).json()
    assert (voided["state"], voided["void_reason"]) == ("voided", "写错了")
    receipt_id = house.post("clerk", f"/charges/{request_id}/carry", body).json()["id"]
    collect = {"method": "cash", "amount_fen": 10000, "receipt_id": receipt_id}
    assert house.post("worker", f"/charges/{request_id}/collect", collect).json()["number"] == "SJ-BK-000002"
    assert [r["id"] for r in house.get("worker", "/receipts?state=used").json()["items"]] == [receipt_id]
    offer = {"site_id": str(house.site_id), "to_person_id": str(house.people["clerk"]), "receipt_ids": [receipt_id]}
    offered = house.post("worker", "/hand-overs", offer).json()
    assert (offered["state"], offered["amount_fen"], offered["receipt_ids"]) == ("offered", 10000, [receipt_id])
    path = f"/hand-overs/{offered['id']}"
    (blind,) = house.get("clerk", "/hand-overs").json()["items"]
    assert (blind["amount_fen"], blind["receipt_ids"]) == (None, [])
    assert problem(house.post("cashier", f"{path}/count", {"counted_fen": 10000})) == (403, "not_the_receiver")
    counted = house.post("clerk", f"{path}/count", {"counted_fen": 10000}, key="n")
    assert counted.json()["state"] == "counted"
    assert house.post("clerk", f"{path}/count", {"counted_fen": 10000}, key="n").json() == counted.json()
    assert house.get("cashier", "/cash").json() == [
        {
            "site_id": str(house.site_id),
            "holder_id": str(house.people["clerk"]),
            "holder_name": "clerk-BK",
            "amount_fen": 10000,
            "receipts": 1,
        }
    ]
    assert problem(house.post("worker", f"{path}/withdraw")) == (409, "step_not_allowed")
    assert [h["state"] for h in house.get("worker", "/hand-overs").json()["items"]] == ["counted"]


def test_missing_cash_is_listed_chased_and_returned(house: House) -> None:
    house.paid()
    house.at(CLOSING.replace(minute=1))
    checks = house.get("desk_head", "/cash-checks?month=2026-04").json()
    assert [(c["day"], c["held_fen"]) for c in checks] == [(str(day(1)), 10000), (str(day(2)), 0)]
    house.at(NEXT_MORNING.replace(minute=1))
    (missing,) = house.get("desk_head", "/missing-cash").json()["items"]
    assert (missing["amount_fen"], missing["receipt_numbers"], missing["returned_at"]) == (
        10000,
        ["SJ-BK-000001"],
        None,
    )
    house.handed_over()
    assert house.get("desk_head", "/missing-cash").json()["items"][0]["returned_at"] is not None
    with database("finance", WORKER).session() as session:
        told = [message for message in published(session) if message[0].startswith("Cash")]
    assert told == [
        ("CashNotHandedOver", "intake"),
        ("CashNotHandedOver", "hr"),
        ("CashReturned", "intake"),
        ("CashReturned", "hr"),
    ]


def test_clerks_who_collect_at_once_take_one_receipt_each_and_no_number_is_left_out(house: House) -> None:
    requests = [house.accepted() for _ in range(6)]
    body = {"method": "cash", "amount_fen": 10000}
    with ThreadPoolExecutor(6) as pool:
        numbers = list(pool.map(lambda id_: house.post("clerk", f"/charges/{id_}/collect", body).json(), requests))
    assert sorted(receipt["number"] for receipt in numbers) == [f"SJ-BK-{number:06d}" for number in range(1, 7)]
    (book,) = house.get("cashier", "/receipt-books").json()["items"]
    assert (book["on_hand"], book["used"]) == (54, 6)


def test_a_day_closes_when_the_last_two_receipts_out_are_explained_at_once(house: House) -> None:
    body = {"worker_id": str(house.people["worker"])}
    out = [house.post("clerk", f"/charges/{house.accepted()}/carry", body).json()["id"] for _ in range(2)]
    house.at(CLOSING.replace(minute=1))
    assert house.get("desk_head", "/cash-checks?month=2026-04").json()[0]["closed_at"] is None

    def explain(receipt_id: str) -> int:
        return house.post("desk_head", f"/receipts/{receipt_id}/explain", {"reason": "明早上门"}).status_code

    with ThreadPoolExecutor(2) as pool:
        assert list(pool.map(explain, out)) == [200, 200]
    assert house.get("desk_head", "/cash-checks?month=2026-04").json()[0]["closed_at"] is not None


def test_refunds_of_one_receipt_decided_at_once_leave_the_till_and_the_fee_as_they_must_be(house: House) -> None:
    paid = house.paid()
    house.handed_over()
    body = {"receipt_id": paid["id"], "amount_fen": 2500, "reason": "不满意", "method": "cash"}
    refunds = [house.post("cashier", "/refunds", body).json() for _ in range(4)]
    assert problem(house.post("cashier", "/refunds", body)) == (409, "more_than_the_fee")

    def decide(refund: dict) -> int:
        path = f"/refunds/{refund['id']}/decide"
        return house.post("leader", path, {"approve": True, "reason": "同意"}).status_code

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(decide, refunds)) == [200] * 4
    balances = house.get("finance_lead", "/ledger/balances").json()
    assert {balance["amount_fen"] for balance in balances} == {0}


def test_the_reserve_is_used_once_and_not_beyond_what_it_holds_however_many_decide_at_once(house: House) -> None:
    house.paid()
    body = {"site_id": str(house.site_id), "use": "loss", "person_id": None, "amount_fen": 1000, "reason": "损坏"}
    proposals = [house.post("clerk", "/reserve/proposals", body).json() for _ in range(4)]
    assert {p["state"] for p in proposals} == {"proposed"}
    decision = {"approve": True, "reason": "同意"}

    def decide(proposal: dict) -> int:
        return house.post("leader", f"/reserve/proposals/{proposal['id']}/decide", decision).status_code

    with ThreadPoolExecutor(4) as pool:
        assert sorted(pool.map(decide, proposals)) == [200, 409, 409, 409]
    assert house.get("leader", "/reserve").json() == [{"site_id": str(house.site_id), "balance_fen": 500}]
    reward = body | {"use": "reward"}
    assert problem(house.post("clerk", "/reserve/proposals", reward)) == (422, "person_and_use")
    assert problem(house.post("leader", "/reserve/proposals", body)) == (403, "role_not_allowed")
    assert len(house.get("clerk", "/reserve/proposals?state=approved").json()["items"]) == 1


def test_a_month_goes_from_its_first_fee_to_hrs_receipt(house: House) -> None:
    house.paid(99)
    house.handed_over()
    reward = {
        "site_id": str(house.site_id),
        "use": "reward",
        "person_id": str(house.people["cashier"]),
        "amount_fen": 10,
        "reason": "协调",
    }
    proposal = house.post("desk_head", "/reserve/proposals", reward).json()
    path = f"/reserve/proposals/{proposal['id']}/decide"
    assert house.post("leader", path, {"approve": True, "reason": "同意"}).json()["month"] == "2026-04"
    base = f"/settlements/{house.site_id}/2026-04"
    assert problem(house.post("desk_head", f"{base}/agree-accounts")) == (409, "step_not_allowed")
    house.at(MAY_FIRST)
    not_ready = house.post("desk_head", f"{base}/agree-accounts")
    assert (problem(not_ready)[1], not_ready.json()["allowed"]) == (
        "accounts_not_ready",
        ["sign the month's statistics"],
    )
    with house.office() as office:
        office.statistics_agreed()
    assert house.post("desk_head", f"{base}/agree-accounts").json()["state"] == "closed"
    assert problem(house.post("finance_lead", f"{base}/compute")) == (409, "step_not_allowed")
    assert house.post("cashier", f"{base}/agree-accounts").json()["state"] == "agreed"
    computed = house.post("finance_lead", f"{base}/compute").json()
    assert (computed["received_fen"], computed["company_fen"], computed["workers_fen"]) == (99, 49, 35)
    assert (computed["rewards_fen"], computed["net_fen"], len(computed["lines"])) == (10, 45, 2)
    assert problem(house.post("finance_lead", f"{base}/approve")) == (403, "role_not_allowed")
    approved = house.post("leader", f"{base}/approve", key="a")
    assert house.post("leader", f"{base}/approve", key="a").json() == approved.json()
    assert approved.json()["state"] == "approved"
    with house.office() as office:
        from services.finance.tasks import hear_payout_received  # noqa: PLC0415  # beside its use

        hear_payout_received(
            office.session,
            PayoutReceived(
                settlement_id=computed["id"],
                site_id=house.site_id,
                month="2026-04",
                line_count=2,
                net_fen=45,
                received_at=MAY_FIRST,
            ),
            now=MAY_FIRST,
        )
    (done,) = house.get("leader", "/settlements?month=2026-04").json()
    assert (done["state"], done["lines"]) == ("received", approved.json()["lines"])
    assert sum(b["amount_fen"] for b in house.get("finance_lead", "/ledger/balances").json()) == 0
    kinds = [j["kind"] for j in house.get("finance_lead", "/ledger/journals").json()["items"]]
    assert kinds == ["receipt", "hand_over", "reward", "settlement"]
    assert problem(house.post("finance_lead", "/settlements/not-a-site/2026-04/compute")) == (422, "malformed")
    assert problem(house.post("finance_lead", f"/settlements/{house.site_id}/2026-13/compute")) == (422, "malformed")
    assert problem(house.post("finance_lead", f"/settlements/{new_id()}/2026-04/compute")) == (404, "not_found")


@pytest.mark.parametrize(
    ("path", "role"),
    [
        ("/price-versions", "clerk"),
        ("/charges", "clerk"),
        ("/receipts", "worker"),
        ("/hand-overs", "worker"),
        ("/cash", "clerk"),
        ("/cash-checks?month=2026-04", "clerk"),
        ("/missing-cash", "clerk"),
        ("/reserve", "clerk"),
        ("/reserve/proposals", "clerk"),
        ("/settlements?month=2026-04", "desk_head"),
        ("/ledger/balances", "cashier"),
        ("/ledger/journals", "cashier"),
        ("/fines", "cashier"),
        ("/damages", "clerk"),
        ("/receipt-books", "clerk"),
        ("/cash-differences", "cashier"),
        ("/refunds", "cashier"),
    ],
)
def test_every_list_is_read_by_its_roles_and_the_auditor_and_by_nobody_else(house: House, path: str, role: str) -> None:
    assert house.get(role, path).status_code == 200
    assert house.get("auditor", path).status_code == 200
    assert house.get("", path).status_code == 401
    if path not in ("/receipts", "/hand-overs"):
        assert house.get("worker", path).status_code == 403


def test_the_months_end_is_read_tried_out_reopened_and_explained_over_http(house: House) -> None:
    house.paid(99)
    house.handed_over()
    house.at(MAY_FIRST)
    with house.office() as office:
        office.statistics_agreed()
    base = f"/settlements/{house.site_id}/2026-04"
    items = house.get("leader", f"{base}/checklist").json()
    assert items[0] == {
        "name": "month_is_over",
        "owner": "clock",
        "state": "done",
        "missing": 0,
        "waits_for": [],
    }
    assert [item["name"] for item in items if item["state"] == "open"] == [
        "accounts_agreed_by_desk",
        "accounts_agreed_by_finance",
    ]
    for who in ("desk_head", "cashier"):
        house.post(who, f"{base}/agree-accounts")
    tried = house.get("finance_lead", f"{base}/dry-run").json()
    assert (tried["state"], tried["net_fen"], tried["lines"][0]["guard"]) == ("agreed", 35, "")
    assert house.post("finance_lead", f"{base}/compute").json()["lines"] == tried["lines"]
    assert problem(house.post("leader", f"{base}/reopen", {"reason": "x"})) == (403, "role_not_allowed")
    asked = house.post("finance_lead", f"{base}/reopen", {"reason": "漏记一笔"}, key="r")
    assert (asked.status_code, asked.json()["state"]) == (201, "proposed")
    assert house.post("finance_lead", f"{base}/reopen", {"reason": "漏记一笔"}, key="r").json() == asked.json()
    decision = {"approve": False, "reason": "不必"}
    assert house.post("leader", f"{base}/reopen/decide", decision).json()["state"] == "rejected"
    assert len(house.get("auditor", f"{base}/reopenings").json()) == 1
    house.post("leader", f"{base}/approve")
    (line,) = house.get("finance_lead", f"{base}/payout").json()
    assert line["jobs"] == [{"receipt_number": "SJ-BK-000001", "share_fen": 35}]
    assert problem(house.post("finance_lead", f"{base}/reopen", {"reason": "x"})) == (409, "month_is_locked")


def test_the_price_book_is_compared_withdrawn_and_looked_up_by_day_over_http(house: House) -> None:
    first = house.post("finance_lead", "/price-versions", {"effective_from": "2026-04-01", "items": [ITEM]}).json()
    assert problem(house.get("clerk", "/price-versions/in-force?on=2026-04-01")) == (404, "not_found")
    house.post("leader", f"/price-versions/{first['id']}/approve")
    assert house.get("clerk", "/price-versions/in-force?on=2026-04-01").json()["number"] == 1
    dearer = ITEM | {"max_fen": 9000}
    second = house.post("finance_lead", "/price-versions", {"effective_from": "2026-05-01", "items": [dearer]}).json()
    assert house.get("leader", f"/price-versions/{second['id']}/difference").json() == {
        "version": 2,
        "against": 1,
        "added": [],
        "removed": [],
        "changed": [{"before": ITEM, "after": dearer}],
    }
    withdrawn = house.post("finance_lead", f"/price-versions/{second['id']}/withdraw").json()
    assert (withdrawn["state"], withdrawn["withdrawn_by"]) == ("withdrawn", str(house.people["finance_lead"]))


def test_the_books_of_a_site_are_read_by_its_own_people(house: House) -> None:
    accounts = house.get("auditor", "/ledger/accounts").json()
    assert accounts[0] == {
        "code": "cash_in_hand",
        "english": "cash in hand",
        "chinese": "在手现金",
        "kind": "asset",
        "normal_side": "debit",
        "by_person": True,
    }
    assert problem(house.get("clerk", "/ledger/accounts")) == (403, "role_not_allowed")
    statement = f"/reserve/{house.site_id}/statement?month=2026-04"
    assert problem(house.get("clerk-elsewhere", statement)) == (404, "not_found")
    assert house.get("clerk", statement).json() == {
        "site_id": str(house.site_id),
        "month": "2026-04",
        "opening_fen": 0,
        "movements": [],
        "closing_fen": 0,
    }
