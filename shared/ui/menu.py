"""The menu: every page somebody begins at, in whichever service it is, and the roles it is for.

The one place that knows the pages of all services. A test compares the roles with the permission each page asks for.
"""

from dataclasses import dataclass
from typing import get_args

from shared.messages import Role


@dataclass(frozen=True)
class Entry:
    """A page of the menu: what it is called, where it is, and for whom."""

    name: str
    path: str
    icon: str
    roles: tuple[Role, ...]
    group: str = ""


MENU: tuple[Entry, ...] = (
    Entry("接单台", "/intake/board", "phone", ("clerk", "desk_head", "head", "auditor")),
    Entry("待批", "/finance/approvals", "check", ("leader",), "财务"),
    Entry("出纳日清", "/finance/daily", "cash", ("cashier",), "财务"),
    Entry(
        "月结", "/finance/settlements", "paper", ("finance_lead", "cashier", "desk_head", "leader", "auditor"), "财务"
    ),
    Entry("出纳日清", "/finance/daily", "cash", ("finance_lead", "leader", "auditor"), "财务"),
    Entry("待批", "/finance/approvals", "check", ("finance_lead", "auditor"), "财务"),
    Entry("收费", "/finance/charges", "cash", ("clerk", "desk_head", "cashier", "finance_lead", "auditor"), "财务"),
    Entry("我的现金", "/finance/my-cash", "cash", ("clerk", "desk_head", "worker"), "财务"),
    Entry("票据", "/finance/receipts", "list", ("clerk", "desk_head", "cashier", "finance_lead", "auditor"), "财务"),
    Entry(
        "票据簿",
        "/finance/receipt-books",
        "paper",
        ("clerk", "desk_head", "cashier", "finance_lead", "auditor"),
        "财务",
    ),
    Entry("存款", "/finance/deposits", "home", ("cashier", "finance_lead", "leader", "auditor"), "财务"),
    Entry(
        "差额与欠款",
        "/finance/differences",
        "scale",
        ("cashier", "finance_lead", "leader", "desk_head", "auditor"),
        "财务",
    ),
    Entry(
        "价格标准",
        "/finance/prices",
        "list",
        ("clerk", "desk_head", "cashier", "finance_lead", "leader", "auditor"),
        "财务",
    ),
    Entry(
        "公积金",
        "/finance/reserve",
        "scale",
        ("clerk", "desk_head", "cashier", "finance_lead", "leader", "auditor"),
        "财务",
    ),
    Entry("退款", "/finance/refunds", "cash", ("cashier", "finance_lead", "leader", "auditor"), "财务"),
    Entry("罚款", "/finance/fines", "scale", ("cashier", "finance_lead", "leader", "hr", "auditor"), "财务"),
    Entry("上门损坏", "/finance/damages", "tool", ("desk_head", "finance_lead", "leader", "auditor"), "财务"),
    Entry("经营图表", "/finance/charts", "chart", ("finance_lead", "leader", "cashier", "auditor"), "财务"),
    Entry("总账", "/finance/ledger", "list", ("cashier", "finance_lead", "leader", "auditor"), "财务"),
    Entry("我的账户", "/hr/account", "people", get_args(Role)),
)


def menu_of(role: Role) -> list[Entry]:
    """What somebody of this role may open, the page he begins with first."""
    return [entry for entry in MENU if role in entry.roles]
