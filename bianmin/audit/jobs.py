"""Jobs: what was promised, agreed, signed for and written on paper."""

from collections import Counter, defaultdict
from datetime import datetime, timedelta
from typing import Any

from bianmin.audit.figures import Check, first_orders, noticed_until_then, same, used_receipts
from bianmin.exports import Exports


def every_receipt_is_the_fee_that_was_agreed_and_signed(exports: Exports) -> Check:
    """R33, R57: intake's agreed fee, dispatch's signed fee and finance's receipt are one amount, taken once."""
    requests = {request["id"]: request for request in exports.requests}
    orders = first_orders(exports)
    taken = Counter(receipt["request_id"] for receipt in used_receipts(exports))
    for receipt in used_receipts(exports):
        request, order = requests[receipt["request_id"]], orders[receipt["request_id"]]
        number = receipt["number"]
        yield same(f"{number}: collected and agreed", receipt["amount_fen"], request["fee_fen"])
        yield same(f"{number}: collected and signed", receipt["amount_fen"], order["fee_fen"])
        yield same(f"{number}: known at the desk", number, request["receipt_number"])
        yield same(f"{number}: times the fee was taken", taken[receipt["request_id"]], 1)
        yield None if order["accepted_at"] else f"{number}: money was taken for work nobody accepted"


def every_settlement_list_adds_up_and_is_the_same_everywhere(exports: Exports) -> Check:
    """R57, D10, D23: quantity by unit price is the amount, amounts are the fee; desk, department and finance agree."""
    orders = first_orders(exports)
    charges = {charge["request_id"]: charge for charge in exports.charges}
    for request in exports.requests:
        if request["notice"] is None or request["state"] == "cancelled":
            continue
        number, items = request["notice"]["number"], request["items"]
        for item in items:
            yield same(f"{number} {item['code']}", item["amount_fen"], item["quantity"] * item["unit_fen"])
        yield same(f"{number}: fee", request["fee_fen"], sum(item["amount_fen"] for item in items))
        for whose, known in (("department", orders), ("finance", charges)):
            yield same(f"{number}: list of the {whose}", known[request["id"]]["items"], items)
            yield same(f"{number}: revision of the {whose}", known[request["id"]]["revision"], _revision(request))


def _revision(request: Any) -> int:
    return int(request["notice"]["revision"])


def every_copy_of_a_notice_was_received_and_the_departments_came_back(exports: Exports) -> Check:
    """R24-R28, D27: three copies, each received by name; after the job the department's is back at the desk."""
    for request in exports.requests:
        if request["notice"] is None or request["state"] == "cancelled":
            continue
        if not noticed_until_then(exports, request["notice"]["number"]):
            continue
        for holder, copy in request["notice"]["copies"].items():
            what = f"{request['notice']['number']}: the copy of {holder}"
            yield None if copy["received_at"] and copy["received_by"] else f"{what} was not received"
        back = request["notice"]["copies"]["department"]["returned_at"]
        yield None if back else f"{request['notice']['number']}: the department's copy did not come back"


def every_accepted_job_is_paid_and_no_other(exports: Exports) -> Check:
    """R31-R33, D24, D25: accepted jobs are charged, terminated, cancelled and rework are not."""
    paid = {receipt["request_id"] for receipt in used_receipts(exports)}
    for order in exports.work_orders:
        if order["round"] == 0:
            if not noticed_until_then(exports, order["notice_number"]):
                continue
            accepted = order["accepted_at"] is not None
            yield same(f"{order['notice_number']}: accepted and paid", accepted, order["request_id"] in paid)
        else:
            yield same(f"{order['notice_number']}: fee of rework", order["fee_fen"], 0)


def callbacks_are_counted_as_they_were(exports: Exports) -> Check:
    """R48, D3: ten minutes from the record, walk-ins without a clock, missed unless reached in time."""
    for request in exports.requests:
        number = request["number"]
        if request["channel"] == "walk_in" or request["state"] == "refused":
            yield same(f"{number}: clock", request["callback_due_at"], None)
            continue
        due = datetime.fromisoformat(request["recorded_at"]) + timedelta(minutes=10)
        yield same(f"{number}: due", datetime.fromisoformat(request["callback_due_at"]), due)
        if request["reached_at"] is not None:
            reached_late = datetime.fromisoformat(request["reached_at"]) > due
            yield same(f"{number}: missed", request["callback_missed"], reached_late)


def every_number_of_every_receipt_book_is_accounted_for(exports: Exports) -> Check:
    """R34, R35: each number issued to a desk is a receipt, on hand, carried, used, void or returned."""
    counts = Counter((receipt["book_id"], receipt["state"]) for receipt in exports.receipts)
    for book in exports.receipt_books:
        what = f"{exports.sites[book['site_id']]} book from {book['first']}"
        for state in ("on_hand", "carried", "used", "voided", "returned"):
            yield same(f"{what}: {state}", counts[book["id"], state], book[state])
        numbers = sum(counts[book["id"], state] for state in {state for _, state in counts})
        yield same(f"{what}: numbers", numbers, book["last"] - book["first"] + 1)


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
        yield same(f"{prefix}", sorted(counts), list(range(1, len(counts) + 1)))


def closed_requests_ended_with_a_satisfied_owner(exports: Exports) -> Check:
    """R37-R39, D25: the last revisit of a closed request was good, and every earlier one was reworked."""
    for request in exports.requests:
        if request["state"] == "closed":
            answers = [revisit["satisfied"] for revisit in request["revisits"]]
            yield same(f"{request['number']}: revisits", answers, [False] * (len(answers) - 1) + [True])
            rounds = [visit["round"] for visit in request["visits"]]
            yield same(f"{request['number']}: visits", rounds, list(range(len(answers))))
