"""Payouts: what each person gets, that he got it, and what the month is reported to have been."""

from collections import Counter, defaultdict
from typing import Any

from bianmin.audit.figures import Check, first_orders, paid_refunds, same, used_receipts
from bianmin.exports import Exports


def payouts_are_shares_plus_rewards_less_what_the_bonus_bears(exports: Exports) -> Check:
    """R92-R94, D21: recomputed for each site and person from receipts, refunds, proposals and cases."""
    shares: dict[tuple[str, str], int] = defaultdict(int)
    for line in (*used_receipts(exports), *paid_refunds(exports)):
        if line["month"] == exports.month:
            for share in line["shares"]:
                shares[line["site_id"], share["person_id"]] += share["share_fen"]
    rewards: dict[tuple[str, str], int] = defaultdict(int)
    for proposal in exports.proposals:
        if proposal["use"] == "reward" and proposal["state"] == "approved" and proposal["month"] == exports.month:
            rewards[proposal["site_id"], proposal["person_id"]] += proposal["amount_fen"]
    fines: dict[tuple[str, str], int] = defaultdict(int)
    for case in exports.cases:
        if case["state"] == "final" and case["month"] == exports.month and case["fine_fen"]:
            fines[case["site_id"], case["person_id"]] += case["fine_fen"]
    lines = {
        (settlement["site_id"], line["person_id"]): line
        for settlement in exports.settlements
        for line in settlement["lines"]
    }
    for key in sorted({*shares, *rewards, *fines, *lines}):
        line = lines.get(key)
        who = f"{exports.sites[key[0]]} {exports.people.get(key[1], key[1])}"
        if line is None:
            yield f"{who}: has shares, rewards or fines and no line in the settlement"
            continue
        bonus = shares[key] + rewards[key]
        borne = bonus if fines[key] > bonus else fines[key]
        for part, figure in (
            ("share_fen", shares[key]),
            ("reward_fen", rewards[key]),
            ("fine_fen", fines[key]),
            ("from_bonus_fen", borne),
            ("from_wage_fen", fines[key] - borne - line["carried_fen"]),
            ("net_fen", bonus - borne),
        ):
            yield same(f"{who}: {part}", line[part], figure)
        stopped = line["guard"] in {"capped", "wage_unknown"}
        yield f"{who}: carried without a word of the guard" if line["carried_fen"] and not stopped else None


def hr_holds_exactly_what_finance_approved(exports: Exports) -> Check:
    """R92: line by line."""
    approved = {s["id"]: s for s in exports.settlements if s["state"] in {"approved", "received"}}
    held = {payout["settlement_id"]: payout for payout in exports.payouts if payout["month"] == exports.month}
    yield same("settlements approved and payouts held", set(held), set(approved))
    for settlement_id in set(held) & set(approved):
        theirs, ours = held[settlement_id], approved[settlement_id]
        site = exports.sites[ours["site_id"]]
        yield same(f"{site}: lines", _by_person(theirs["lines"]), _by_person(ours["lines"]))
        yield same(f"{site}: net", theirs["net_fen"], sum(line["net_fen"] for line in ours["lines"]))
        yield same(f"{site}: state", ours["state"], "received")


def _by_person(lines: list[Any]) -> dict[str, tuple[Any, ...]]:
    fines = ("fine_fen", "from_bonus_fen", "from_wage_fen", "carried_fen", "guard")
    parts = ("share_fen", "reward_fen", *fines, "net_fen")
    return {line["person_id"]: tuple(line[part] for part in parts) for line in lines}


def what_a_person_is_paid_is_the_sum_of_his_jobs(exports: Exports) -> Check:
    """R92: a statement explains itself, and everybody was paid, as finance knows."""
    paid = {
        (settlement["id"], line["person_id"]): line["payment_reference"]
        for settlement in exports.settlements
        for line in settlement["lines"]
    }
    for payout in exports.payouts:
        if payout["month"] != exports.month:
            continue
        for line in payout["lines"]:
            who = f"{exports.sites[payout['site_id']]} {line['name']}"
            yield same(f"{who}: jobs", sum(job["share_fen"] for job in line["jobs"]), line["share_fen"])
            yield same(f"{who}: state", line["state"], "paid" if line["net_fen"] else "nothing_to_pay")
            known = paid.get((payout["settlement_id"], line["person_id"]))
            yield same(f"{who}: payment known to finance", known, line["reference"])
    for balance in exports.balances:
        if balance["account"] == "payroll":
            yield same(f"payroll of {balance['person_id']}", balance["amount_fen"], 0)


def the_hr_system_was_delivered_every_payout_once(exports: Exports) -> Check:
    """R92: numbered without gaps, each acknowledged, in totals what hr holds."""
    numbers = sorted(delivery["sequence"] for delivery in exports.deliveries)
    yield same("deliveries are numbered", numbers, list(range(1, len(numbers) + 1)))
    delivered = {delivery["id"]: delivery for delivery in exports.deliveries}
    yield same("payouts delivered", set(delivered), {payout["settlement_id"] for payout in exports.payouts})
    for payout in exports.payouts:
        delivery = delivered.get(payout["settlement_id"])
        if delivery is None:
            continue
        totals, lines = delivery["payload"]["totals"], delivery["payload"]["lines"]
        what = f"delivery {delivery['sequence']}"
        yield same(f"{what}: net", totals["net_fen"], payout["net_fen"])
        yield same(f"{what}: lines", sum(line["net_fen"] for line in lines), payout["net_fen"])
        yield None if delivery["acknowledged_at"] else f"{what}: not acknowledged"


def the_month_reported_is_the_month_that_was(exports: Exports) -> Check:
    """R40-R43: the report of each site, recomputed from requests, work orders, receipts and refunds."""
    for report in exports.reports:
        if report["month"] != exports.month:
            continue
        site_id, site = report["site_id"], exports.sites[report["site_id"]]
        requests = [
            request
            for request in exports.requests
            if (request["site_id"], request["month"]) == (site_id, exports.month)
        ]
        first = [order for order in first_orders(exports).values() if order["site_id"] == site_id]
        used = [r for r in used_receipts(exports) if (r["site_id"], r["month"]) == (site_id, exports.month)]
        back = [r for r in paid_refunds(exports) if (r["site_id"], r["month"]) == (site_id, exports.month)]
        income = sum(line["amount_fen"] for line in used) - sum(line["amount_fen"] for line in back)
        for item, figure in (
            ("requests", len(requests)),
            ("refused", sum(request["state"] == "refused" for request in requests)),
            ("accepted", sum(order["accepted_month"] == exports.month for order in first)),
            ("terminated", sum(order["terminated_at"] is not None for order in first)),
            ("receipts", len(used)),
            ("received_fen", income),
            ("callbacks_missed", sum(request["callback_missed"] for request in requests)),
        ):
            yield same(f"{site}: {item} reported", report["report"].get(item), figure)
        jobs = Counter(
            worker["person_id"]
            for order in first
            if order["accepted_month"] == exports.month
            for worker in order["workers"]
        )
        told = {
            line["person_id"]: line["value"]
            for line in report["lines"]
            if line["person_id"] is not None and line["item"] == "accepted" and line["value"]
        }
        yield same(f"{site}: jobs of each worker reported", told, dict(jobs))
