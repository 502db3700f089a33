"""A whole month on real engines and real requests, through the HTTP APIs, with every worker killed once."""

import csv
import json
from collections import Counter
from dataclasses import replace
from typing import Any

import pytest

from bianmin.audit import audit
from bianmin.exports import SERVICES, Exports
from tests.journeys.conftest import LivedMonth

pytestmark = pytest.mark.journey


def test_the_month_ends_well_although_each_worker_was_killed_once(lived_month: LivedMonth) -> None:
    assert lived_month.exit_code == 0, lived_month.output
    assert set(lived_month.killed) == set(SERVICES)
    for service, pid in lived_month.killed.items():
        assert lived_month.stack.worker(service).pid != pid


def test_the_auditor_agrees_with_every_figure(lived_month: LivedMonth) -> None:
    done = audit(lived_month.exports)
    assert done.findings == []
    assert all(count > 0 for count in done.checked.values()), done.checked


def test_the_verifier_finds_every_invariant_to_hold_and_nothing_under_way(lived_month: LivedMonth) -> None:
    done = lived_month.stack.bianmin("verify", "--settled")
    assert done.returncode == 0, done.stdout + done.stderr


def test_everything_the_month_is_about_happened(lived_month: LivedMonth) -> None:
    exports = lived_month.exports
    outcomes = Counter(request["state"] for request in exports.requests)
    assert sum(outcomes.values()) == 494
    assert set(outcomes) == {"refused", "closed", "terminated", "cancelled"}
    assert len(exports.sites) == 5
    assert any(request["callback_missed"] for request in exports.requests)
    assert any(request["failed_attempts"] and not request["callback_missed"] for request in exports.requests)
    rounds = Counter(order["round"] for order in exports.work_orders)
    assert rounds[1] > 1, "problems at the revisit"
    assert rounds[2] == 1, "a problem after the first rework"
    assert any(order["overrides"] for order in exports.work_orders), "a worker without finished duties"
    assert {order["cause"] for order in exports.work_orders} >= {"safety", "unable"}
    offences = Counter((case["offence"], case["state"]) for case in exports.cases)
    assert offences["private_job", "final"] == 2
    assert offences["neglect", "final"] >= 1
    assert offences["withheld_cash", "dismissed"] == 2, "cash brought a day late, and one yuan counted short"
    assert offences["withheld_cash", "final"] == 1, "withheld, then returned"
    assert offences["withheld_cash", "open"] == 1, "withheld still"
    assert any(case["appealed_at"] for case in exports.cases), "an appeal"
    lines = [line for settlement in exports.settlements for line in settlement["lines"]]
    assert any(line["fine_fen"] > line["share_fen"] + line["reward_fen"] > 0 for line in lines), "more fine than bonus"
    assert any(line["reward_fen"] for line in lines), "a reward from the reserve fund"
    assert {receipt["method"] for receipt in exports.receipts} >= {"cash", "wechat"}
    assert any(receipt["carried_by"] for receipt in exports.receipts), "a receipt carried by a worker"
    assert any(line["guard"] for line in lines), "the guard on deductions had a word to say"
    assert any(line["failure"] or line["paid_at"] for line in lines), "people were paid"
    assert [refund["state"] for refund in exports.refunds] == ["approved"]
    assert [difference["amount_fen"] for difference in exports.cash_differences] == [100]
    revised = [request for request in exports.requests if request["notice"] and request["notice"]["revision"]]
    assert any(request["items"] != request["notice"]["revisions"][0]["items"] for request in revised), "another fee"
    assert any(len(request["items"]) > 1 for request in exports.requests), "a fee of two items"
    assert any(request["damages"] for request in exports.requests), "something was broken"
    told = Counter(alert["kind"] for alerts in exports.alerts.values() for alert in alerts)
    assert told.keys() >= {
        *("request_recorded", "callback_warning", "callback_missed", "notice_declined", "stopped_for_safety"),
        *("acknowledgement_missed", "arrival_late", "damage_reported", "cash_held", "receipt_out"),
        *("difference_stated", "case_opened", "case_decided", "case_appealed", "appeal_decided", "payout_failed"),
    }
    assert any(alert["seen_at"] for alerts in exports.alerts.values() for alert in alerts)


def test_the_result_is_kept_as_json_and_csv(lived_month: LivedMonth) -> None:
    result = json.loads((lived_month.results / "result.json").read_text(encoding="utf-8"))
    assert (result["rows"], result["malformed"], result["month"]) == (500, 6, "2026-04")
    with (lived_month.results / "payouts.csv").open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    assert sum(int(row["net_fen"]) for row in rows) == sum(site["net_fen"] for site in result["split_by_site"])
    held = {
        (payout["site_id"], line["person_id"]) for payout in lived_month.exports.payouts for line in payout["lines"]
    }
    assert len(rows) == len(held)


def changed(rows: list[Any], change: dict[str, Any], when: dict[str, Any] | None = None) -> list[Any]:
    """The rows with the first that fits `when` changed: numbers by adding, other values by replacing."""
    rows = json.loads(json.dumps(rows))
    row = next(row for row in rows if all(row[key] == value for key, value in (when or {}).items()))
    for key, value in change.items():
        row[key] = row[key] + value if type(value) is int and type(row[key]) is int else value
    return rows


def one_fen(name: str, part: str, when: dict[str, Any] | None = None) -> Any:
    return pytest.param(lambda e: replace(e, **{name: changed(getattr(e, name), {part: 1}, when)}), id=f"{name}.{part}")


def inside(name: str, inner: str, change: dict[str, Any]) -> Any:
    def mutate(exports: Exports) -> Exports:
        rows = json.loads(json.dumps(getattr(exports, name)))
        row = next(row for row in rows if row[inner])
        row[inner] = changed(row[inner], change)
        return replace(exports, **{name: rows})

    return pytest.param(mutate, id=f"{name}.{inner}.{next(iter(change))}")


def message_lost(exports: Exports) -> Exports:
    return replace(exports, received={**exports.received, "hr": exports.received["hr"][1:]})


def message_doubled(exports: Exports) -> Exports:
    return replace(exports, received={**exports.received, "hr": exports.received["hr"] + exports.received["hr"][:1]})


def deadline_forgotten(exports: Exports) -> Exports:
    return replace(exports, deadlines={**exports.deadlines, "hr": changed(exports.deadlines["hr"], {"overdue": 1})})


def paid_one_fen_more(exports: Exports) -> list[Any]:
    payouts = json.loads(json.dumps(exports.payouts))
    line = next(line for payout in payouts for line in payout["lines"] if line["jobs"])
    line["jobs"][0]["share_fen"] += 1
    return payouts


def reported(exports: Exports) -> list[Any]:
    reports = json.loads(json.dumps(exports.reports))
    reports[0]["report"]["received_fen"] += 1
    return reports


def not_returned(exports: Exports) -> list[Any]:
    requests = json.loads(json.dumps(exports.requests))
    closed = next(request for request in requests if request["state"] == "closed")
    closed["notice"]["copies"]["department"]["returned_at"] = None
    return requests


USED = {"state": "used"}
MUTATIONS = [
    *(one_fen("receipts", part, USED) for part in ("amount_fen", "company_fen", "workers_fen", "reserve_fen")),
    inside("receipts", "shares", {"share_fen": 1}),
    *(one_fen("settlements", part) for part in ("received_fen", "company_fen", "workers_fen", "reserve_fen")),
    *(
        inside("settlements", "lines", {part: 1})
        for part in ("share_fen", "reward_fen", "fine_fen", "from_bonus_fen", "from_wage_fen", "net_fen")
    ),
    *(inside("payouts", "lines", {part: 1}) for part in ("share_fen", "from_wage_fen", "net_fen")),
    one_fen("payouts", "net_fen"),
    *(one_fen("refunds", part) for part in ("amount_fen", "company_fen", "workers_fen", "reserve_fen")),
    inside("refunds", "shares", {"share_fen": 1}),
    inside("requests", "items", {"unit_fen": 1}),
    inside("work_orders", "items", {"amount_fen": 1}),
    inside("charges", "items", {"quantity": 1}),
    pytest.param(
        lambda e: replace(e, cash_differences=changed(e.cash_differences, {"made_good_at": None})),
        id="cash_differences.made_good_at",
    ),
    one_fen("receipts", "short_fen", {"state": "used"}),
    pytest.param(lambda e: replace(e, payouts=paid_one_fen_more(e)), id="payouts.lines.jobs"),
    pytest.param(lambda e: replace(e, reports=reported(e)), id="reports.received_fen"),
    pytest.param(lambda e: replace(e, deliveries=e.deliveries[1:]), id="deliveries.removed"),
    pytest.param(
        lambda e: replace(e, deliveries=changed(e.deliveries, {"acknowledged_at": None})),
        id="deliveries.acknowledged_at",
    ),
    pytest.param(lambda e: replace(e, requests=not_returned(e)), id="requests.notice.copies"),
    one_fen("missing_cash", "amount_fen", {"returned_at": None}),
    one_fen("cash", "amount_fen"),
    one_fen("cases", "amount_fen", {"offence": "withheld_cash", "state": "open"}),
    one_fen("cases", "fine_fen", {"offence": "private_job"}),
    one_fen("proposals", "amount_fen"),
    one_fen("reserve", "balance_fen"),
    one_fen("balances", "amount_fen", {"account": "reserve_fund"}),
    inside("journals", "lines", {"amount_fen": 1}),
    one_fen("work_orders", "fee_fen", {"state": "accepted", "round": 0}),
    one_fen("work_orders", "fee_fen", {"round": 1}),
    one_fen("requests", "fee_fen", {"state": "closed"}),
    pytest.param(
        lambda e: replace(e, requests=changed(e.requests, {"callback_missed": True}, {"state": "closed"})),
        id="requests.callback_missed",
    ),
    pytest.param(lambda e: replace(e, receipts=e.receipts[:-1]), id="receipts.removed"),
    pytest.param(message_lost, id="message.lost"),
    pytest.param(message_doubled, id="message.doubled"),
    pytest.param(deadline_forgotten, id="deadline.forgotten"),
]


@pytest.mark.parametrize("mutate", MUTATIONS)
def test_the_auditor_finds_one_fen_of_difference(lived_month: LivedMonth, mutate: Any) -> None:
    assert not audit(mutate(lived_month.exports)).clean
