"""The month's close as a list: what is done, what somebody can do now, and what waits for it [R89-R92, D18]."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Item:
    """One thing to do before a month is done; who has to do it, and what comes first."""

    name: str
    owner: str
    after: tuple[str, ...] = ()


ITEMS = (
    Item("month_is_over", "clock"),
    Item("cash_checked", "cashier"),
    Item("receipts_explained", "desk_head"),
    Item("statistics_agreed", "desk_head", ("month_is_over",)),
    Item("accounts_agreed_by_desk", "desk_head", ("month_is_over", "cash_checked", "statistics_agreed")),
    Item("accounts_agreed_by_finance", "finance_lead", ("month_is_over", "cash_checked", "statistics_agreed")),
    Item("fines_taken_in", "finance_lead", ("accounts_agreed_by_desk", "accounts_agreed_by_finance")),
    Item("computed", "finance_lead", ("accounts_agreed_by_desk", "accounts_agreed_by_finance")),
    Item("approved", "leader", ("computed",)),
    Item("received_by_hr", "hr", ("approved",)),
    Item("all_paid", "hr", ("approved",)),
)
"""In the order of the month's end; `cash_checked` and the rest are figures finance has [R36, R41, R90-R92]."""


@dataclass(frozen=True)
class Checked:
    """An item and where it stands; `missing` counts what is still to be done of it, `waits_for` what comes first."""

    name: str
    owner: str
    state: Literal["done", "open", "waiting"]
    missing: int
    waits_for: list[str]


def check(missing: Mapping[str, int]) -> list[Checked]:
    """The list, from how much of each item is still missing: done, open to be done, or waiting for another."""
    checked = []
    for item in ITEMS:
        waits_for = [name for name in item.after if missing[name]] if missing[item.name] else []
        state: Literal["done", "open", "waiting"] = (
            "done" if not missing[item.name] else "waiting" if waits_for else "open"
        )
        checked.append(Checked(item.name, item.owner, state, missing[item.name], waits_for))
    return checked
