"""What the month says: callbacks kept day by day, reworks by site, trade and person, and its report [R42, R43]."""

from collections.abc import Sequence
from itertools import groupby
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Response

from services.intake.pages.see import see, with_trades
from services.intake.queries.figures import Reworks, callbacks_by_day, reworks_by
from services.intake.queries.reports import report
from services.intake.rules.report import shown
from shared.messages import ReportLine
from shared.ui.charts import Bar, Chart
from shared.ui.tables import Column, Table
from shared.ui.views import View
from shared.web import MonthName

pages = APIRouter()

REPORT = [
    Column("whose", "部门、人员"),
    Column("item", "项目"),
    Column("value", "数值", "number"),
]


def _percent(value: float) -> str:
    return f"{value:.0f}%"


@pages.get("/figures")
def figures(view: Annotated[View, see("read_months")]) -> Response:
    with_trades(view)
    month, site_id = view.asked_month(), view.asked_site()
    days = callbacks_by_day(view.session, view.actor, month=month, site_id=site_id)
    kept, missed = sum(day.kept for day in days), sum(day.missed for day in days)
    by = {
        name: reworks_by(view.session, view.actor, name, month=month, site_id=site_id)
        for name in ("site", "trade", "person")
    }
    return view.show(
        "figures.html",
        month=month,
        kept=kept,
        missed=missed,
        asked=sum(one.asked for one in by["trade"]),
        problems=sum(one.problems for one in by["trade"]),
        callbacks=Chart(
            "日期", ("按时", "超时"), [Bar(day.day, (day.kept, day.missed)) for day in days], colours=(1, 3)
        ),
        by_site=_rates(by["site"], "小区", {str(site.id): site.name for site in view.sites.values()}),
        by_trade=_rates(by["trade"], "服务项目", {one.key: view.label(one.key) for one in by["trade"]}),
        by_person=_rates(by["person"], "服务人员", {}),
        live="intake",
    )


def _rates(found: Sequence[Reworks], heading: str, names: dict[str, str]) -> Chart:
    """Reworks of a hundred owners asked."""
    worst = sorted(found, key=lambda one: (one.percent, one.asked), reverse=True)[:12]
    bars = [Bar(names.get(one.key, one.key), (one.percent,)) for one in worst]
    return Chart(heading, ("返修率",), bars, _percent)


@pages.get("/months/{month}/sites/{site_id}/report")
def read_report(month: MonthName, site_id: UUID, view: Annotated[View, see("read_months")]) -> Response:
    with_trades(view)
    found = report(view.session, view.actor, site_id=site_id, month=month)
    groups = [
        (_whose(view, lines[0]), [(_called(view, line.item), shown(line.item, line.value)) for line in lines])
        for lines in _by_whom(found.lines)
    ]
    rows = [{"whose": whose, "item": item, "value": value} for whose, lines in groups for item, value in lines]
    return view.show(
        "month_report.html",
        report=found,
        groups=groups,
        table=Table(REPORT, rows, None, "没有数据", f"report-{found.site_code}-{month}"),
    )


def _by_whom(lines: Sequence[ReportLine]) -> list[list[ReportLine]]:
    return [list(of) for _, of in groupby(lines, lambda line: (line.department, line.person_id))]


def _whose(view: View, line: ReportLine) -> str:
    if line.department is None:
        return view.say("全小区")
    department = view.label(line.department)
    return f"{department} · {line.name}" if line.name else department


def _called(view: View, item: str) -> str:
    """The figure's name as this page says it."""
    kind, _, code = item.partition(".")
    if kind in ("channel", "trade") and code:
        return f"{view.say('登记')} · {view.label(item if kind == 'channel' else code)}"
    return view.label(f"item.{item}")
