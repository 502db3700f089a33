"""The menu: every page somebody begins at, in whichever service it is, and the roles it is for.

The one place that knows the pages of all services. A test compares the roles with the permission each page asks for.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
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


SYSTEM, HR, MINE = "系统", "人事行政", "本人"
CLIENTS, FIELD = "客服", "工程与环境"
HEADS: tuple[Role, ...] = ("desk_head", "head", "finance_lead")
"""Who is at the head of a department."""

DECIDE: tuple[Role, ...] = ("administrator", "leader", "desk_head", "finance_lead", "hr", "auditor")
"""Who reads what the company decided."""

DESK: tuple[Role, ...] = ("clerk", "desk_head")
COMPARE: tuple[Role, ...] = (*DESK, "head", "cashier", "finance_lead", "administration", "auditor")
"""Roles of the desk, and of those who compare the month's figures."""

FINANCE = "财务"
TILL: tuple[Role, ...] = ("cashier", "finance_lead")
BOOKS: tuple[Role, ...] = (*TILL, "leader")
"""Finance's roles, and those with the leader."""

MENU: tuple[Entry, ...] = (
    Entry("接单台", "/intake/board", "phone", (*DESK, "head", "auditor"), CLIENTS),
    Entry("登记表", "/intake/requests", "list", (*DESK, "auditor"), CLIENTS),
    Entry("业主与房号", "/intake/homes", "search", DESK, CLIENTS),
    Entry("通知单", "/intake/notices", "paper", (*DESK, "auditor"), CLIENTS),
    Entry("咨询", "/intake/consultations", "bell", (*DESK, "auditor"), CLIENTS),
    Entry("回访", "/intake/revisits", "check", (*DESK, "auditor"), CLIENTS),
    Entry("价格与问答", "/intake/prices", "cash", (*DESK, "auditor"), CLIENTS),
    Entry("未交现金", "/intake/cash-alerts", "clock", DESK, CLIENTS),
    Entry("私下接活", "/intake/private-job-reports", "eye", (*DESK, "auditor"), CLIENTS),
    Entry("导入", "/intake/imports", "list", DESK, CLIENTS),
    Entry("服务范围", "/intake/trades", "tool", ("head",), CLIENTS),
    Entry("派工", "/dispatch/board", "list", ("head", "auditor"), FIELD),
    Entry("我的单", "/dispatch/jobs", "tool", ("worker",), FIELD),
    Entry("支援与终止", "/dispatch/support", "bell", ("head",), FIELD),
    Entry("我的职责", "/dispatch/duties/mine", "check", ("worker",), FIELD),
    Entry("客服咨询", "/dispatch/consultations", "phone", ("head", "auditor"), FIELD),
    Entry("工单", "/dispatch/work-orders", "tool", ("head", "worker", *DESK, "auditor"), FIELD),
    Entry("岗位职责", "/dispatch/duties", "check", ("head", "auditor"), FIELD),
    Entry("规定的职责", "/dispatch/duties/prescribed", "check", ("desk_head",), FIELD),
    Entry("服务人员", "/dispatch/workers", "people", ("head", *DESK, "auditor"), FIELD),
    Entry("有偿工时", "/dispatch/hours", "chart", ("head", "worker", "desk_head", "leader", "auditor"), FIELD),
    Entry("耽误本职", "/dispatch/neglects", "scale", ("desk_head", "leader", "administration", "auditor"), FIELD),
    Entry("收费", "/finance/charges", "cash", (*DESK, *TILL, "auditor"), FINANCE),
    Entry("我的现金", "/finance/my-cash", "cash", (*DESK, "worker"), FINANCE),
    Entry("票据", "/finance/receipts", "list", (*DESK, *TILL, "auditor"), FINANCE),
    Entry("票据簿", "/finance/receipt-books", "paper", (*DESK, *TILL, "auditor"), FINANCE),
    Entry("月结", "/finance/settlements", "paper", ("desk_head", *BOOKS, "auditor"), FINANCE),
    Entry("待批", "/finance/approvals", "check", ("finance_lead", "leader", "auditor"), FINANCE),
    Entry("出纳日清", "/finance/daily", "cash", (*BOOKS, "auditor"), FINANCE),
    Entry("存款", "/finance/deposits", "home", (*BOOKS, "auditor"), FINANCE),
    Entry("差额与欠款", "/finance/differences", "scale", ("desk_head", *BOOKS, "auditor"), FINANCE),
    Entry("价格标准", "/finance/prices", "list", (*BOOKS, "auditor"), FINANCE),
    Entry("公积金", "/finance/reserve", "scale", (*DESK, *BOOKS, "auditor"), FINANCE),
    Entry("退款", "/finance/refunds", "cash", (*BOOKS, "auditor"), FINANCE),
    Entry("罚款", "/finance/fines", "scale", (*BOOKS, "hr", "auditor"), FINANCE),
    Entry("上门损坏", "/finance/damages", "tool", ("desk_head", "finance_lead", "leader", "auditor"), FINANCE),
    Entry("经营图表", "/finance/charts", "chart", (*BOOKS, "auditor"), FINANCE),
    Entry("总账", "/finance/ledger", "list", (*BOOKS, "auditor"), FINANCE),
    Entry("月度核对", "/intake/months", "scale", COMPARE, "月度"),
    Entry("月度分析", "/intake/figures", "chart", COMPARE, "月度"),
    Entry("案件待批", "/hr/approvals", "scale", ("leader",), HR),
    Entry("发放明细", "/hr/payouts", "cash", ("hr", "leader", "auditor"), HR),
    Entry("待办处理", "/hr/tasks", "check", ("hr", "leader", "auditor"), HR),
    Entry("违规案件", "/hr/cases", "scale", ("hr", "desk_head", "finance_lead", "leader", "auditor"), HR),
    Entry("行政月报", "/hr/reports", "chart", ("administration", "hr", "leader", "auditor"), HR),
    Entry("回电超时", "/hr/missed-callbacks", "phone", ("administration", "hr", "desk_head", "leader", "auditor"), HR),
    Entry("先派有偿服务", "/hr/overrides", "clock", ("hr", "desk_head", "finance_lead", "leader", "auditor"), HR),
    Entry("绩效扣分", "/hr/points", "list", ("administration", "hr", "leader", "auditor"), HR),
    Entry("人员名册", "/hr/people", "people", ("administrator", "hr", "administration", "leader", "auditor"), HR),
    Entry("组织架构", "/hr/organisation", "people", ("administrator", "hr", "administration", *HEADS), HR),
    Entry(
        "小区管理", "/hr/sites", "home", ("administrator", "hr", "administration", "leader", "operator", "auditor"), HR
    ),
    Entry("投递人事系统", "/hr/deliveries", "paper", ("hr", "auditor"), HR),
    Entry("推送地址", "/hr/webhooks", "gear", ("administrator", "operator"), HR),
    Entry("服务账号", "/hr/service-accounts", "gear", ("administrator", "auditor"), HR),
    Entry("动态验证码重置", "/hr/factor-resets", "eye", ("administrator", "leader", "auditor"), HR),
    Entry("我的收入", "/hr/income", "cash", ("worker", "head", "clerk", "desk_head"), MINE),
    Entry("我的案件", "/hr/my-cases", "paper", ("worker", "head", "clerk", "desk_head", "cashier"), MINE),
    Entry("立案", "/hr/opened-cases", "scale", ("head", "clerk", "cashier"), MINE),
    Entry("提醒", "/intake/alerts", "bell", (*DESK, "operator", "administrator", "auditor"), SYSTEM),
    Entry("提醒", "/dispatch/alerts", "bell", ("head", "worker"), SYSTEM),
    Entry("提醒", "/finance/alerts", "bell", TILL, SYSTEM),
    Entry("提醒", "/hr/alerts", "bell", ("leader", "hr", "administration"), SYSTEM),
    Entry("消息与时限", "/intake/queues", "clock", ("operator", "administrator", "auditor"), SYSTEM),
    Entry("审计日志", "/intake/audit-log", "eye", ("auditor",), SYSTEM),
    Entry("公司规定", "/intake/policies", "scale", DECIDE, SYSTEM),
    Entry("业主个人信息", "/intake/owners", "people", ("administrator",), SYSTEM),
    Entry("个人信息记录", "/intake/privacy", "eye", ("leader", "auditor"), SYSTEM),
    Entry("我的账户", "/hr/account", "people", get_args(Role), SYSTEM),
)


DAILY: Mapping[Role, tuple[str, ...]] = {
    "clerk": (
        *("/intake/board", "/intake/requests", "/finance/charges", "/finance/my-cash"),
        *("/intake/revisits", "/intake/alerts"),
    ),
    "desk_head": (
        *("/intake/board", "/intake/requests", "/intake/alerts", "/intake/months"),
        *("/finance/charges", "/finance/my-cash", "/intake/revisits"),
    ),
    "head": (
        *("/dispatch/board", "/dispatch/support", "/dispatch/work-orders", "/dispatch/alerts"),
        *("/dispatch/consultations", "/dispatch/duties"),
    ),
    "worker": ("/dispatch/jobs", "/dispatch/duties/mine", "/finance/my-cash", "/dispatch/alerts", "/hr/income"),
    "cashier": ("/finance/daily", "/finance/charges", "/finance/deposits", "/finance/alerts"),
    "finance_lead": ("/finance/settlements", "/finance/approvals", "/finance/daily", "/finance/alerts"),
    "leader": ("/finance/approvals", "/hr/approvals", "/hr/alerts", "/finance/charts", "/finance/settlements"),
    "hr": ("/hr/payouts", "/hr/cases", "/hr/tasks", "/hr/alerts", "/hr/people"),
    "administration": ("/hr/reports", "/intake/months", "/hr/missed-callbacks", "/hr/alerts"),
    "auditor": ("/intake/audit-log", "/intake/requests", "/finance/ledger", "/intake/alerts"),
    "operator": ("/intake/queues", "/intake/alerts", "/hr/webhooks", "/hr/sites"),
    "administrator": ("/hr/people", "/hr/sites", "/intake/alerts", "/intake/policies"),
}
"""Role -> the pages of every day, the one he begins with first; a phone has the first TABS of them at its foot."""

TABS = 4
"""How many pages a phone's foot has room for, beside the way to all the others."""


def menu_of(role: Role) -> list[Entry]:
    """What somebody of this role may open: what he uses every day, in no group, then the others by their groups."""
    his = {entry.path: entry for entry in MENU if role in entry.roles}
    daily = [replace(his.pop(path), group="") for path in DAILY[role]]
    return [*daily, *his.values()]


def groups_of(menu: Sequence[Entry]) -> list[tuple[str, list[Entry]]]:
    """The menu's groups in their order, each with its pages; what is in none is left out."""
    return [(name, list(pages)) for name, pages in groupby(menu, lambda entry: entry.group) if name]
