"""Money: how each fee is divided and given back, who holds the cash, and whether the books balance."""

from collections import defaultdict
from typing import Any

from bianmin.audit.figures import Check, first_orders, paid_refunds, same, shared_out, until_then, used_receipts
from bianmin.exports import Exports


def every_split_is_50_35_15(exports: Exports) -> Check:
    """R70-R72, D14, D15: each job's money, to the fen."""
    orders = first_orders(exports)
    for receipt in used_receipts(exports):
        workers, reserve, company = shared_out(receipt["amount_fen"], [35, 15, 50])
        number = receipt["number"]
        yield same(f"{number}: company", receipt["company_fen"], company)
        yield same(f"{number}: workers", receipt["workers_fen"], workers)
        yield same(f"{number}: reserve", receipt["reserve_fen"], reserve)
        team = orders[receipt["request_id"]]["workers"]
        parts = shared_out(workers, [worker["weight"] for worker in team])
        expected = {worker["person_id"]: part for worker, part in zip(team, parts, strict=True)}
        actual = {share["person_id"]: share["share_fen"] for share in receipt["shares"]}
        yield same(f"{number}: shares of the workers", actual, expected)


def every_refund_takes_back_what_was_shared_out(exports: Exports) -> Check:
    """D16: the refunds of a receipt come out of its three shares and its workers, in proportion, to the fen."""
    receipts = {receipt["id"]: receipt for receipt in used_receipts(exports)}
    by_receipt: dict[str, list[Any]] = defaultdict(list)
    for refund in paid_refunds(exports):
        by_receipt[refund["receipt_id"]].append(refund)
    for id_, refunds in by_receipt.items():
        receipt, number = receipts[id_], receipts[id_]["number"]
        back = sum(refund["amount_fen"] for refund in refunds)
        parts = ("workers_fen", "reserve_fen", "company_fen")
        expected = shared_out(back, [receipt[part] for part in parts])
        for part, fen in zip(parts, expected, strict=True):
            yield same(f"{number}: {part} given back", sum(refund[part] for refund in refunds), fen)
        people = sorted(receipt["shares"], key=lambda share: share["person_id"])
        theirs = shared_out(expected[0], [share["share_fen"] for share in people])
        for share, fen in zip(people, theirs, strict=True):
            given = sum(
                line["share_fen"]
                for refund in refunds
                for line in refund["shares"]
                if line["person_id"] == share["person_id"]
            )
            yield same(f"{number}: given back by {share['person_id']}", given, -fen)
        yield same(f"{number}: refunded", receipt["refunded_fen"], back)


def money_received_is_company_plus_workers_plus_reserve(exports: Exports) -> Check:
    """R70-R72, D13: per site, the settlement's totals are the sums of the month's receipts, less its refunds."""
    for settlement in exports.settlements:
        of_site = [
            receipt
            for receipt in used_receipts(exports)
            if receipt["site_id"] == settlement["site_id"] and receipt["month"] == exports.month
        ]
        back = [
            refund
            for refund in paid_refunds(exports)
            if refund["site_id"] == settlement["site_id"] and refund["month"] == exports.month
        ]
        site = exports.sites[settlement["site_id"]]
        received = sum(line["amount_fen"] for line in of_site) - sum(line["amount_fen"] for line in back)
        parts = [settlement[part] for part in ("company_fen", "workers_fen", "reserve_fen")]
        yield same(f"{site}: received", settlement["received_fen"], received)
        yield same(f"{site}: company + workers + reserve", sum(parts), received)
        for part, figure in zip(("company_fen", "workers_fen", "reserve_fen"), parts, strict=True):
            shared = sum(line[part] for line in of_site) - sum(line[part] for line in back)
            yield same(f"{site}: {part}", figure, shared)


def cash_in_hands_is_exactly_what_open_cases_name(exports: Exports) -> Check:
    """R84-R88, D6, D7: by holder, receipts = ledger, and with what was counted short and not made good, = findings
    of finance = cases of hr with cash still out, as far as it is of the month or before it.
    """
    held: dict[str, int] = defaultdict(int)
    owed: dict[str, int] = defaultdict(int)
    for receipt in used_receipts(exports):
        if receipt["holder_id"]:
            in_hand = receipt["amount_fen"] - receipt["short_fen"]
            held[receipt["holder_id"]] += in_hand
            if until_then(exports, receipt["month"]):
                owed[receipt["holder_id"]] += in_hand
    short: dict[str, int] = defaultdict(int)
    for difference in exports.cash_differences:
        if difference["made_good_at"] is None and difference["amount_fen"]:
            short[difference["giver_id"]] += difference["amount_fen"]
            if until_then(exports, difference["recorded_at"]):
                owed[difference["giver_id"]] += difference["amount_fen"]
    found = [missing for missing in exports.missing_cash if until_then(exports, missing["day"])]
    later = {missing["id"] for missing in exports.missing_cash} - {missing["id"] for missing in found}
    named: dict[str, int] = defaultdict(int)
    for missing in found:
        if missing["returned_at"] is None:
            named[missing["holder_id"]] += missing["amount_fen"]
    cases: dict[str, int] = defaultdict(int)
    for case in exports.cases:
        still_out = case["offence"] == "withheld_cash" and case["source_id"] and case["cash_returned_at"] is None
        if still_out and case["source_id"] not in later:
            cases[case["person_id"]] += case["amount_fen"]
    ledger: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for balance in exports.balances:
        if balance["amount_fen"]:
            ledger[balance["account"]][balance["person_id"]] += balance["amount_fen"]
    yield same("held and named by finance", dict(owed), dict(named))
    yield same("held and named by cases", dict(owed), dict(cases))
    yield same("held and in the ledger", dict(held), dict(ledger["cash_in_hand"]))
    yield same("counted short and in the ledger", dict(short), dict(ledger["cash_differences"]))
    spread = sum(receipt["short_fen"] for receipt in used_receipts(exports))
    recorded = sum(difference["amount_fen"] for difference in exports.cash_differences)
    yield same("counted short and noted on receipts", spread, recorded)
    listed = {line["holder_id"]: line["amount_fen"] for line in exports.cash}
    yield same("held and listed", dict(held), listed)


def the_ledger_balances(exports: Exports) -> Check:
    """House rule 11: every journal sums to zero, and the balances are the sums of the lines."""
    sums: dict[tuple[Any, ...], int] = defaultdict(int)
    for journal in exports.journals:
        yield same(f"journal {journal['id']}", sum(line["amount_fen"] for line in journal["lines"]), 0)
        for line in journal["lines"]:
            sums[line["account"], line["site_id"], line["person_id"]] += line["amount_fen"]
    shown = {(b["account"], b["site_id"], b["person_id"]): b["amount_fen"] for b in exports.balances}
    yield same("balances", _without_zero(shown), _without_zero(sums))


def _without_zero(sums: dict[tuple[Any, ...], int]) -> dict[tuple[Any, ...], int]:
    return {key: figure for key, figure in sums.items() if figure}


def the_reserve_fund_is_what_came_in_less_what_was_approved(exports: Exports) -> Check:
    """R72-R77, D17: per site, and never below zero."""
    fund: dict[str, int] = defaultdict(int)
    for receipt in used_receipts(exports):
        fund[receipt["site_id"]] += receipt["reserve_fen"]
    for refund in paid_refunds(exports):
        fund[refund["site_id"]] -= refund["reserve_fen"]
    for proposal in exports.proposals:
        if proposal["state"] == "approved":
            fund[proposal["site_id"]] -= proposal["amount_fen"]
    shown = {line["site_id"]: line["balance_fen"] for line in exports.reserve}
    for site_id, code in exports.sites.items():
        yield same(f"{code}: reserve fund", shown.get(site_id, 0), fund[site_id])
        yield f"{code}: the fund is overdrawn" if fund[site_id] < 0 else None
