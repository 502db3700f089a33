"""The month's report 月度报表, the basis of appraisals: what is counted, by which name, and for whom [R42, R43]."""

from collections.abc import Iterable, Mapping
from uuid import UUID

from services.intake.rules.statistics import Item
from shared.messages import FIELD_DEPARTMENTS, ReportLine
from shared.money import format_fen

LABELS = {
    "requests": "登记 requests registered",
    "refused": "不属范围 refused as out of scope",
    Item.ACCEPTED: "验收完成 jobs accepted",
    Item.TERMINATED: "终止 terminated",
    Item.RECEIPTS: "票据 receipts",
    Item.RECEIVED_FEN: "收入（扣除退款） income net of refunds",
    "callbacks": "来电应回复 callbacks owed",
    "callbacks_kept": "十分钟内回复 callbacks kept",
    "callbacks_missed": "超时未回复 callbacks missed",
    "arrived_in_time": "准时上门 arrived in time",
    "arrived_late": "迟到 arrived late",
    "first_revisits": "首次回访 owners asked at the first revisit",
    "satisfied_at_first": "首次回访满意 satisfied at the first revisit",
    "price_as_agreed": "收费与约定一致 say the price was as agreed",
    "quality_x100": "质量评分 quality (1 to 5)",
    "attitude_x100": "态度评分 attitude (1 to 5)",
    "reworks_caused": "造成返修 reworks caused",
    "rework_permille": "返修率‰ reworks in 1000 first revisits",
    "rework_rounds": "返修完成 rework visits accepted",
    "declined": "部门退单 declined by the department",
    "unreachable": "未能回访 closed as unreachable",
}
"""Every figure's name to people, in the order of the report; those by channel and trade follow by their codes."""

RATES = frozenset({"quality_x100", "attitude_x100", "rework_permille"})
"""Figures that are missing, not nothing, where nobody was asked."""

OF_THE_DESK = frozenset({"requests", "callbacks", "callbacks_kept", "callbacks_missed"})
"""What the front desk, and each of its clerks, is measured by."""

OF_A_WORKER = frozenset(
    {
        Item.ACCEPTED,
        "arrived_in_time",
        "arrived_late",
        "satisfied_at_first",
        "reworks_caused",
        "quality_x100",
        "attitude_x100",
    }
)
"""What a worker is measured by: the quality of the first visit is his who made it, whoever does the rework [R43]."""

OF_A_DEPARTMENT = frozenset(LABELS) - {"refused", "callbacks", "callbacks_kept", "callbacks_missed"}


def shown(item: str, value: int) -> str:
    """A figure as people read it: fen as yuan, a mark times 100 with its two decimals, anything else as it is."""
    if item.endswith("_fen"):
        return format_fen(value)
    return f"{value // 100}.{value % 100:02d}" if item.endswith("_x100") else str(value)


Whose = tuple[str | None, UUID | None]
"""(department, person); without both, the whole site."""


def measured_by(department: str | None, person_id: UUID | None, item: str) -> bool:
    """Whether that figure is one of the site, of that department or of that person."""
    if department is None:
        return True
    if department not in FIELD_DEPARTMENTS:
        return item in OF_THE_DESK
    return item in (OF_A_DEPARTMENT if person_id is None else OF_A_WORKER)


def report_lines(figures: Mapping[Whose, Mapping[str, int | None]], names: Mapping[UUID, str]) -> list[ReportLine]:
    """The lines of the report: the site, its departments and their people, each with what it is measured by.

    A figure nobody has is nothing for site and departments, and left out where it is a rate.
    """
    everybody = dict.fromkeys(
        [*((department, None) for department in (None, "front_desk", *FIELD_DEPARTMENTS)), *figures]
    )
    lines = []
    for department, person_id in everybody:
        counted: dict[str, int | None] = {item: 0 for item in LABELS if item not in RATES}
        counted |= figures.get((department, person_id), {})
        name = names[person_id] if person_id else ""
        lines += [
            ReportLine(department=department, person_id=person_id, name=name, item=str(item), value=value)
            for item, value in counted.items()
            if value is not None and measured_by(department, person_id, item)
        ]
    return sorted(lines, key=_place)


def _place(line: ReportLine) -> tuple[bool, str, bool, str, str, int, str]:
    order = list(LABELS)
    return (
        line.department is not None,
        line.department or "",
        line.person_id is not None,
        line.name,
        str(line.person_id),
        order.index(line.item) if line.item in LABELS else len(order),
        line.item,
    )


def site_totals(lines: Iterable[ReportLine]) -> dict[str, int]:
    """The figures of the whole site by name, and the agreed ones of each department as 'engineering.accepted'."""
    totals = {}
    for line in lines:
        if line.department is None:
            totals[line.item] = line.value
        elif line.department in FIELD_DEPARTMENTS and line.person_id is None and line.item in tuple(Item):
            totals[f"{line.department}.{line.item}"] = line.value
    return totals


def label(item: str) -> str:
    """The figure's name as people read it."""
    kind, _, code = item.partition(".")
    named = {"channel": "登记渠道 registered by", "trade": "登记工种 registered trade"}.get(kind)
    return f"{named} {code}" if named else LABELS[item]
