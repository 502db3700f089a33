"""The auditor: recomputes a month from what the four APIs export, with arithmetic of its own.

Nothing here is shared with the services' rules; where the same rule is needed it is written a second time, in
another way, so that one mistake cannot hide in both.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from fractions import Fraction
from typing import Any

from bianmin.exports import Exports


@dataclass(frozen=True)
class Finding:
    """Something that does not agree."""

    check: str
    detail: str


@dataclass(frozen=True)
class Audit:
    """What was checked (and how many things of each kind), and what does not agree."""

    checked: dict[str, int]
    findings: list[Finding]

    @property
    def clean(self) -> bool:
        """Whether everything agrees."""
        return not self.findings


def audit(exports: Exports) -> Audit:
    """Run every check."""
    checked: Counter[str] = Counter()
    findings: list[Finding] = []
    for check in CHECKS:
        name = check.__name__.replace("_", " ").strip()
        checked[name] = 0
        for detail in check(exports):
            checked[name] += 1
            if detail is not None:
                findings.append(Finding(name, detail))
    return Audit(dict(checked), findings)


def _same(what: str, left: object, right: object) -> str | None:
    """None when both are the same, else the sentence that says how they differ."""
    return None if left == right else f"{what}: {left} is not {right}"


def _shared_out(total: int, weights: list[int]) -> list[int]:
    """Parts of `total` nearest to the exact shares: one fen at a time to whoever lacks most of his exact share."""
    exact = [Fraction(total * weight, sum(weights)) for weight in weights]
    parts = [int(share) for share in exact]
    while sum(parts) < total:
        lacking = max(range(len(parts)), key=lambda i: (exact[i] - parts[i], -i))
        parts[lacking] += 1
    return parts


def _used(exports: Exports) -> list[Any]:
    return [receipt for receipt in exports.receipts if receipt["state"] == "used"]


def _refunds(exports: Exports) -> list[Any]:
    return [refund for refund in exports.refunds if refund["state"] == "approved"]


def _first_orders(exports: Exports) -> dict[str, Any]:
    return {order["request_id"]: order for order in exports.work_orders if order["round"] == 0}


# Each check yields, for every thing it looks at, None or the sentence that says what is wrong with it.
Check = Iterator[str | None]


def every_receipt_is_the_fee_that_was_agreed_and_signed(exports: Exports) -> Check:
    """R33, R57: intake's agreed fee, dispatch's signed fee and finance's receipt are one amount, taken once."""
    requests = {request["id"]: request for request in exports.requests}
    orders = _first_orders(exports)
    taken = Counter(receipt["request_id"] for receipt in _used(exports))
    for receipt in _used(exports):
        request, order = requests[receipt["request_id"]], orders[receipt["request_id"]]
        number = receipt["number"]
        yield _same(f"{number}: collected and agreed", receipt["amount_fen"], request["fee_fen"])
        yield _same(f"{number}: collected and signed", receipt["amount_fen"], order["fee_fen"])
        yield _same(f"{number}: known at the desk", number, request["receipt_number"])
        yield _same(f"{number}: times the fee was taken", taken[receipt["request_id"]], 1)
        yield None if order["accepted_at"] else f"{number}: money was taken for work nobody accepted"


def every_settlement_list_adds_up_and_is_the_same_everywhere(exports: Exports) -> Check:
    """R57, D10, D23: quantity by unit price is the amount, amounts are the fee; desk, department and finance agree."""
    orders = _first_orders(exports)
    charges = {charge["request_id"]: charge for charge in exports.charges}
    for request in exports.requests:
        if request["notice"] is None or request["state"] == "cancelled":
            continue
        number, items = request["notice"]["number"], request["items"]
        for item in items:
            yield _same(f"{number} {item['code']}", item["amount_fen"], item["quantity"] * item["unit_fen"])
        yield _same(f"{number}: fee", request["fee_fen"], sum(item["amount_fen"] for item in items))
        for whose, known in (("department", orders), ("finance", charges)):
            yield _same(f"{number}: list of the {whose}", known[request["id"]]["items"], items)
            yield _same(f"{number}: revision of the {whose}", known[request["id"]]["revision"], _revision(request))


def _revision(request: Any) -> int:
    return int(request["notice"]["revision"])


def every_copy_of_a_notice_was_received_and_the_departments_came_back(exports: Exports) -> Check:
    """R24-R28, D27: three copies, each received by name; after the job the department's is back at the desk."""
    for request in exports.requests:
        if request["notice"] is None or request["state"] == "cancelled":
            continue
        for holder, copy in request["notice"]["copies"].items():
            what = f"{request['notice']['number']}: the copy of {holder}"
            yield None if copy["received_at"] and copy["received_by"] else f"{what} was not received"
        back = request["notice"]["copies"]["department"]["returned_at"]
        yield None if back else f"{request['notice']['number']}: the department's copy did not come back"


def every_accepted_job_is_paid_and_no_other(exports: Exports) -> Check:
    """R31-R33, D24, D25: accepted jobs are charged, terminated, cancelled and rework are not."""
    paid = {receipt["request_id"] for receipt in _used(exports)}
    for order in exports.work_orders:
        if order["round"] == 0:
            accepted = order["accepted_at"] is not None
            yield _same(f"{order['notice_number']}: accepted and paid", accepted, order["request_id"] in paid)
        else:
            yield _same(f"{order['notice_number']}: fee of rework", order["fee_fen"], 0)


def every_split_is_50_35_15(exports: Exports) -> Check:
    """R70-R72, D14, D15: each job's money, to the fen."""
    orders = _first_orders(exports)
    for receipt in _used(exports):
        workers, reserve, company = _shared_out(receipt["amount_fen"], [35, 15, 50])
        number = receipt["number"]
        yield _same(f"{number}: company", receipt["company_fen"], company)
        yield _same(f"{number}: workers", receipt["workers_fen"], workers)
        yield _same(f"{number}: reserve", receipt["reserve_fen"], reserve)
        team = orders[receipt["request_id"]]["workers"]
        parts = _shared_out(workers, [worker["weight"] for worker in team])
        expected = {worker["person_id"]: part for worker, part in zip(team, parts, strict=True)}
        actual = {share["person_id"]: share["share_fen"] for share in receipt["shares"]}
        yield _same(f"{number}: shares of the workers", actual, expected)


def every_refund_takes_back_what_was_shared_out(exports: Exports) -> Check:
    """D16: the refunds of a receipt come out of its three shares and its workers, in proportion, to the fen."""
    receipts = {receipt["id"]: receipt for receipt in _used(exports)}
    by_receipt: dict[str, list[Any]] = defaultdict(list)
    for refund in _refunds(exports):
        by_receipt[refund["receipt_id"]].append(refund)
    for id_, refunds in by_receipt.items():
        receipt, number = receipts[id_], receipts[id_]["number"]
        back = sum(refund["amount_fen"] for refund in refunds)
        parts = ("workers_fen", "reserve_fen", "company_fen")
        expected = _shared_out(back, [receipt[part] for part in parts])
        for part, fen in zip(parts, expected, strict=True):
            yield _same(f"{number}: {part} given back", sum(refund[part] for refund in refunds), fen)
        people = sorted(receipt["shares"], key=lambda share: share["person_id"])
        theirs = _shared_out(expected[0], [share["share_fen"] for share in people])
        for share, fen in zip(people, theirs, strict=True):
            given = sum(
                line["share_fen"]
                for refund in refunds
                for line in refund["shares"]
                if line["person_id"] == share["person_id"]
            )
            yield _same(f"{number}: given back by {share['person_id']}", given, -fen)
        yield _same(f"{number}: refunded", receipt["refunded_fen"], back)


def money_received_is_company_plus_workers_plus_reserve(exports: Exports) -> Check:
    """R70-R72, D13: per site, the settlement's totals are the sums of the month's receipts, less its refunds."""
    for settlement in exports.settlements:
        of_site = [
            receipt
            for receipt in _used(exports)
            if receipt["site_id"] == settlement["site_id"] and receipt["month"] == exports.month
        ]
        back = [
            refund
            for refund in _refunds(exports)
            if refund["site_id"] == settlement["site_id"] and refund["month"] == exports.month
        ]
        site = exports.sites[settlement["site_id"]]
        received = sum(line["amount_fen"] for line in of_site) - sum(line["amount_fen"] for line in back)
        parts = [settlement[part] for part in ("company_fen", "workers_fen", "reserve_fen")]
        yield _same(f"{site}: received", settlement["received_fen"], received)
        yield _same(f"{site}: company + workers + reserve", sum(parts), received)
        for part, figure in zip(("company_fen", "workers_fen", "reserve_fen"), parts, strict=True):
            shared = sum(line[part] for line in of_site) - sum(line[part] for line in back)
            yield _same(f"{site}: {part}", figure, shared)


def payouts_are_shares_plus_rewards_less_what_the_bonus_bears(exports: Exports) -> Check:
    """R92-R94, D21: recomputed for each site and person from receipts, refunds, proposals and cases."""
    shares: dict[tuple[str, str], int] = defaultdict(int)
    for line in (*_used(exports), *_refunds(exports)):
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
            yield _same(f"{who}: {part}", line[part], figure)


def hr_holds_exactly_what_finance_approved(exports: Exports) -> Check:
    """R92: line by line."""
    approved = {s["id"]: s for s in exports.settlements if s["state"] in {"approved", "received"}}
    held = {payout["settlement_id"]: payout for payout in exports.payouts if payout["month"] == exports.month}
    yield _same("settlements approved and payouts held", set(held), set(approved))
    for settlement_id in set(held) & set(approved):
        theirs, ours = held[settlement_id], approved[settlement_id]
        site = exports.sites[ours["site_id"]]
        yield _same(f"{site}: lines", _by_person(theirs["lines"]), _by_person(ours["lines"]))
        yield _same(f"{site}: net", theirs["net_fen"], sum(line["net_fen"] for line in ours["lines"]))
        yield _same(f"{site}: state", ours["state"], "received")


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
            yield _same(f"{who}: jobs", sum(job["share_fen"] for job in line["jobs"]), line["share_fen"])
            yield _same(f"{who}: state", line["state"], "paid" if line["net_fen"] else "nothing_to_pay")
            known = paid.get((payout["settlement_id"], line["person_id"]))
            yield _same(f"{who}: payment known to finance", known, line["reference"])
    for balance in exports.balances:
        if balance["account"] == "payroll":
            yield _same(f"payroll of {balance['person_id']}", balance["amount_fen"], 0)


def the_hr_system_was_delivered_every_payout_once(exports: Exports) -> Check:
    """R92: numbered without gaps, each acknowledged, in totals what hr holds."""
    numbers = sorted(delivery["sequence"] for delivery in exports.deliveries)
    yield _same("deliveries are numbered", numbers, list(range(1, len(numbers) + 1)))
    delivered = {delivery["id"]: delivery for delivery in exports.deliveries}
    yield _same("payouts delivered", set(delivered), {payout["settlement_id"] for payout in exports.payouts})
    for payout in exports.payouts:
        delivery = delivered.get(payout["settlement_id"])
        if delivery is None:
            continue
        totals, lines = delivery["payload"]["totals"], delivery["payload"]["lines"]
        what = f"delivery {delivery['sequence']}"
        yield _same(f"{what}: net", totals["net_fen"], payout["net_fen"])
        yield _same(f"{what}: lines", sum(line["net_fen"] for line in lines), payout["net_fen"])
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
        first = [order for order in _first_orders(exports).values() if order["site_id"] == site_id]
        used = [r for r in _used(exports) if (r["site_id"], r["month"]) == (site_id, exports.month)]
        back = [r for r in _refunds(exports) if (r["site_id"], r["month"]) == (site_id, exports.month)]
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
            yield _same(f"{site}: {item} reported", report["report"].get(item), figure)
        jobs = Counter(
            worker["person_id"]
            for order in first
            if order["accepted_month"] == exports.month
            for worker in order["workers"]
        )
        told = {
            line["person_id"]: line["value"]
            for line in report["lines"]
            if line["person_id"] is not None and line["item"] == "accepted"
        }
        yield _same(f"{site}: jobs of each worker reported", told, dict(jobs))


def _by_person(lines: list[Any]) -> dict[str, tuple[int, ...]]:
    parts = ("share_fen", "reward_fen", "fine_fen", "from_bonus_fen", "from_wage_fen", "net_fen")
    return {line["person_id"]: tuple(line[part] for part in parts) for line in lines}


def cash_in_hands_is_exactly_what_open_cases_name(exports: Exports) -> Check:
    """R84-R88, D6, D7: by holder, receipts = ledger, and with what was counted short and not made good, = findings
    of finance = cases of hr with cash still out.
    """
    held: dict[str, int] = defaultdict(int)
    for receipt in _used(exports):
        if receipt["holder_id"]:
            held[receipt["holder_id"]] += receipt["amount_fen"] - receipt["short_fen"]
    short: dict[str, int] = defaultdict(int)
    for difference in exports.cash_differences:
        if difference["made_good_at"] is None and difference["amount_fen"]:
            short[difference["giver_id"]] += difference["amount_fen"]
    owed = {person: held.get(person, 0) + short.get(person, 0) for person in {*held, *short}}
    named: dict[str, int] = defaultdict(int)
    for missing in exports.missing_cash:
        if missing["returned_at"] is None:
            named[missing["holder_id"]] += missing["amount_fen"]
    cases: dict[str, int] = defaultdict(int)
    for case in exports.cases:
        if case["offence"] == "withheld_cash" and case["source_id"] and case["cash_returned_at"] is None:
            cases[case["person_id"]] += case["amount_fen"]
    ledger: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for balance in exports.balances:
        if balance["amount_fen"]:
            ledger[balance["account"]][balance["person_id"]] += balance["amount_fen"]
    yield _same("held and named by finance", owed, dict(named))
    yield _same("held and named by cases", owed, dict(cases))
    yield _same("held and in the ledger", dict(held), dict(ledger["cash_in_hand"]))
    yield _same("counted short and in the ledger", dict(short), dict(ledger["cash_differences"]))
    spread = sum(receipt["short_fen"] for receipt in _used(exports))
    recorded = sum(difference["amount_fen"] for difference in exports.cash_differences)
    yield _same("counted short and noted on receipts", spread, recorded)
    listed = {line["holder_id"]: line["amount_fen"] for line in exports.cash}
    yield _same("held and listed", dict(held), listed)


def the_ledger_balances(exports: Exports) -> Check:
    """House rule 11: every journal sums to zero, and the balances are the sums of the lines."""
    sums: dict[tuple[Any, ...], int] = defaultdict(int)
    for journal in exports.journals:
        yield _same(f"journal {journal['id']}", sum(line["amount_fen"] for line in journal["lines"]), 0)
        for line in journal["lines"]:
            sums[line["account"], line["site_id"], line["person_id"]] += line["amount_fen"]
    shown = {(b["account"], b["site_id"], b["person_id"]): b["amount_fen"] for b in exports.balances}
    yield _same("balances", _without_zero(shown), _without_zero(sums))


def _without_zero(sums: dict[tuple[Any, ...], int]) -> dict[tuple[Any, ...], int]:
    return {key: figure for key, figure in sums.items() if figure}


def the_reserve_fund_is_what_came_in_less_what_was_approved(exports: Exports) -> Check:
    """R72-R77, D17: per site, and never below zero."""
    fund: dict[str, int] = defaultdict(int)
    for receipt in _used(exports):
        fund[receipt["site_id"]] += receipt["reserve_fen"]
    for refund in _refunds(exports):
        fund[refund["site_id"]] -= refund["reserve_fen"]
    for proposal in exports.proposals:
        if proposal["state"] == "approved":
            fund[proposal["site_id"]] -= proposal["amount_fen"]
    shown = {line["site_id"]: line["balance_fen"] for line in exports.reserve}
    for site_id, code in exports.sites.items():
        yield _same(f"{code}: reserve fund", shown.get(site_id, 0), fund[site_id])
        yield f"{code}: the fund is overdrawn" if fund[site_id] < 0 else None


def every_message_was_handled_exactly_once(exports: Exports) -> Check:
    """What each service says it sent against what each says it handled."""
    sent = Counter(
        (message["id"], message["type"], message["sender"], message["receiver"])
        for messages in exports.sent.values()
        for message in messages
    )
    handled = Counter(
        (message["id"], message["type"], message["sender"], message["receiver"])
        for messages in exports.received.values()
        for message in messages
        if message["state"] == "handled"
    )
    for key in sent | handled:
        yield _same(f"{key[1]} {key[0]} from {key[2]} to {key[3]}: sent and handled", sent[key], handled[key])
    for messages in exports.sent.values():
        for message in messages:
            yield _same(f"{message['type']} {message['id']}", message["state"], "acknowledged")


def every_deadline_that_started_has_ended(exports: Exports) -> Check:
    """None has passed without being acted on."""
    for service, deadlines in exports.deadlines.items():
        for line in deadlines:
            yield _same(f"{service} {line['kind']}: overdue", line["overdue"], 0)


def callbacks_are_counted_as_they_were(exports: Exports) -> Check:
    """R48, D3: ten minutes from the record, walk-ins without a clock, missed unless reached in time."""
    for request in exports.requests:
        number = request["number"]
        if request["channel"] == "walk_in" or request["state"] == "refused":
            yield _same(f"{number}: clock", request["callback_due_at"], None)
            continue
        due = datetime.fromisoformat(request["recorded_at"]) + timedelta(minutes=10)
        yield _same(f"{number}: due", datetime.fromisoformat(request["callback_due_at"]), due)
        if request["reached_at"] is not None:
            reached_late = datetime.fromisoformat(request["reached_at"]) > due
            yield _same(f"{number}: missed", request["callback_missed"], reached_late)


def every_number_of_every_receipt_book_is_accounted_for(exports: Exports) -> Check:
    """R34, R35: each number issued to a desk is a receipt, on hand, carried, used, void or returned."""
    counts = Counter((receipt["book_id"], receipt["state"]) for receipt in exports.receipts)
    for book in exports.receipt_books:
        what = f"{exports.sites[book['site_id']]} book from {book['first']}"
        for state in ("on_hand", "carried", "used", "voided", "returned"):
            yield _same(f"{what}: {state}", counts[book["id"], state], book[state])
        numbers = sum(counts[book["id"], state] for state in {state for _, state in counts})
        yield _same(f"{what}: numbers", numbers, book["last"] - book["first"] + 1)


def papers_are_numbered_without_gaps(exports: Exports) -> Check:
    """R24, R34: registration forms, notices and receipts, per site and day."""
    numbers = [request["number"] for request in exports.requests]
    numbers += [request["notice"]["number"] for request in exports.requests if request["notice"]]
    numbers += [receipt["number"] for receipt in exports.receipts]
    series: dict[str, list[int]] = defaultdict(list)
    for number in numbers:
        prefix, _, count = number.rpartition("-")
        series[prefix].append(int(count))
    for prefix, counts in series.items():
        yield _same(f"{prefix}", sorted(counts), list(range(1, len(counts) + 1)))


def closed_requests_ended_with_a_satisfied_owner(exports: Exports) -> Check:
    """R37-R39, D25: the last revisit of a closed request was good, and every earlier one was reworked."""
    for request in exports.requests:
        if request["state"] == "closed":
            answers = [revisit["satisfied"] for revisit in request["revisits"]]
            yield _same(f"{request['number']}: revisits", answers, [False] * (len(answers) - 1) + [True])
            rounds = [visit["round"] for visit in request["visits"]]
            yield _same(f"{request['number']}: visits", rounds, list(range(len(answers))))


CHECKS = (
    every_receipt_is_the_fee_that_was_agreed_and_signed,
    every_settlement_list_adds_up_and_is_the_same_everywhere,
    every_copy_of_a_notice_was_received_and_the_departments_came_back,
    every_accepted_job_is_paid_and_no_other,
    every_split_is_50_35_15,
    every_refund_takes_back_what_was_shared_out,
    money_received_is_company_plus_workers_plus_reserve,
    payouts_are_shares_plus_rewards_less_what_the_bonus_bears,
    hr_holds_exactly_what_finance_approved,
    what_a_person_is_paid_is_the_sum_of_his_jobs,
    the_hr_system_was_delivered_every_payout_once,
    the_month_reported_is_the_month_that_was,
    cash_in_hands_is_exactly_what_open_cases_name,
    the_ledger_balances,
    the_reserve_fund_is_what_came_in_less_what_was_approved,
    every_message_was_handled_exactly_once,
    every_deadline_that_started_has_ended,
    callbacks_are_counted_as_they_were,
    every_number_of_every_receipt_book_is_accounted_for,
    papers_are_numbered_without_gaps,
    closed_requests_ended_with_a_satisfied_owner,
)
