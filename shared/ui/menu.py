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


SYSTEM = "系统"
FIELD = "工程与环境"
DECIDE: tuple[Role, ...] = ("administrator", "leader", "desk_head", "finance_lead", "hr", "auditor")
"""Who reads what the company decided."""

MENU: tuple[Entry, ...] = (
    Entry("派工", "/dispatch/board", "list", ("head",)),
    Entry("我的单", "/dispatch/jobs", "tool", ("worker",)),
    Entry("支援与终止", "/dispatch/support", "bell", ("head",)),
    Entry("我的职责", "/dispatch/duties/mine", "check", ("worker",)),
    Entry("接单台", "/intake/board", "phone", ("clerk", "desk_head", "head", "auditor")),
    Entry("提醒", "/intake/alerts", "bell", ("clerk", "desk_head", "operator", "administrator", "auditor")),
    Entry("提醒", "/dispatch/alerts", "bell", ("head", "worker")),
    Entry("提醒", "/finance/alerts", "bell", ("cashier", "finance_lead")),
    Entry("提醒", "/hr/alerts", "bell", ("leader", "hr", "administration")),
    Entry("客服咨询", "/dispatch/consultations", "phone", ("head", "auditor"), FIELD),
    Entry("工单", "/dispatch/work-orders", "tool", ("head", "worker", "clerk", "desk_head", "auditor"), FIELD),
    Entry("岗位职责", "/dispatch/duties", "check", ("head", "auditor"), FIELD),
    Entry("规定的职责", "/dispatch/duties/prescribed", "check", ("desk_head",), FIELD),
    Entry("服务人员", "/dispatch/workers", "people", ("head", "clerk", "desk_head", "auditor"), FIELD),
    Entry("有偿工时", "/dispatch/hours", "chart", ("head", "worker", "desk_head", "leader", "auditor"), FIELD),
    Entry("耽误本职", "/dispatch/neglects", "scale", ("desk_head", "leader", "administration", "auditor"), FIELD),
    Entry("派工台", "/dispatch/board", "list", ("auditor",), FIELD),
    Entry("消息与时限", "/intake/queues", "clock", ("operator", "administrator", "auditor"), SYSTEM),
    Entry("审计日志", "/intake/audit-log", "eye", ("auditor",), SYSTEM),
    Entry(
        "公司规定",
        "/intake/policies",
        "scale",
        ("administrator", "leader", "desk_head", "finance_lead", "hr", "auditor"),
        SYSTEM,
    ),
    Entry("我的账户", "/hr/account", "people", get_args(Role), SYSTEM),
)


def menu_of(role: Role) -> list[Entry]:
    """What somebody of this role may open, the page he begins with first."""
    return [entry for entry in MENU if role in entry.roles]
