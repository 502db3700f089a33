"""What the four APIs tell an auditor: everything, read page by page."""

from dataclasses import dataclass
from typing import Any

from bianmin.client import Client, Person


@dataclass(frozen=True)
class Exports:
    """Everything the four APIs tell an auditor."""

    month: str
    sites: dict[str, str]
    people: dict[str, str]
    requests: list[Any]
    work_orders: list[Any]
    charges: list[Any]
    receipts: list[Any]
    receipt_books: list[Any]
    hand_overs: list[Any]
    missing_cash: list[Any]
    cash: list[Any]
    proposals: list[Any]
    reserve: list[Any]
    settlements: list[Any]
    balances: list[Any]
    journals: list[Any]
    fines: list[Any]
    refunds: list[Any]
    cash_differences: list[Any]
    cases: list[Any]
    payouts: list[Any]
    deliveries: list[Any]
    reports: list[Any]
    alerts: dict[str, list[Any]]
    sent: dict[str, list[Any]]
    received: dict[str, list[Any]]
    deadlines: dict[str, list[Any]]


SERVICES = ("intake", "dispatch", "finance", "hr")


def read_exports(client: Client, auditor: Person, month: str) -> Exports:
    """Read it all, page by page."""
    buses = {name: client.get(auditor, f"/{name}/ops/bus") for name in SERVICES}
    return Exports(
        month=month,
        sites={site["id"]: site["code"] for site in client.get(auditor, "/intake/api/sites")},
        people={person["id"]: person["name"] for person in client.pages(auditor, "/hr/api/people")},
        requests=client.pages(auditor, "/intake/api/requests"),
        work_orders=client.pages(auditor, "/dispatch/api/work-orders"),
        charges=client.pages(auditor, "/finance/api/charges"),
        receipts=client.pages(auditor, "/finance/api/receipts"),
        receipt_books=client.pages(auditor, "/finance/api/receipt-books"),
        hand_overs=client.pages(auditor, "/finance/api/hand-overs"),
        missing_cash=client.pages(auditor, "/finance/api/missing-cash"),
        cash=client.get(auditor, "/finance/api/cash"),
        proposals=client.pages(auditor, "/finance/api/reserve/proposals"),
        reserve=client.get(auditor, "/finance/api/reserve"),
        settlements=client.get(auditor, "/finance/api/settlements", month=month),
        balances=client.get(auditor, "/finance/api/ledger/balances"),
        journals=client.pages(auditor, "/finance/api/ledger/journals"),
        fines=client.pages(auditor, "/finance/api/fines"),
        refunds=client.pages(auditor, "/finance/api/refunds"),
        cash_differences=client.pages(auditor, "/finance/api/cash-differences"),
        cases=client.pages(auditor, "/hr/api/cases"),
        payouts=client.pages(auditor, "/hr/api/payouts"),
        deliveries=client.pages(auditor, "/hr/api/deliveries"),
        reports=client.pages(auditor, "/hr/api/reports"),
        alerts={name: client.pages(auditor, f"/{name}/api/alerts", unseen=False) for name in SERVICES},
        sent={name: client.pages(auditor, f"/{name}/ops/sent") for name in SERVICES},
        received={name: client.pages(auditor, f"/{name}/ops/received") for name in SERVICES},
        deadlines={name: bus["deadlines"] for name, bus in buses.items()},
    )
