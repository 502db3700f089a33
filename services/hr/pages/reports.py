"""The month's reports 行政月报 of all sites, compared: charts with their tables, and each site's figures [R42, R43]."""

from typing import Annotated, Any

from fastapi import APIRouter, Response

from services.hr.pages.see import see
from services.hr.queries.reports import ReportView, last_month_reported, reports_of
from shared.ui.charts import Bar, Chart
from shared.ui.language import money
from shared.ui.tables import Column, Table
from shared.ui.views import View

pages = APIRouter()

COLUMNS = [
    Column("site_id", "小区", "site"),
    Column("requests", "登记", "number"),
    Column("accepted", "受理", "number"),
    Column("refused", "不受理", "number"),
    Column("terminated", "终止", "number"),
    Column("callbacks_kept", "按时回电", "number"),
    Column("callbacks_missed", "回电超时", "number"),
    Column("arrived_late", "迟到", "number"),
    Column("first_revisits", "首次回访", "number"),
    Column("reworks_caused", "返修", "number"),
    Column("quality", "质量评分", "number"),
    Column("attitude", "态度评分", "number"),
    Column("received_fen", "实收", "money"),
    Column("reported_at", "送达时间", "moment"),
]

DEPARTMENTS = ("engineering", "environment")


def _row(one: ReportView) -> dict[str, Any]:
    scored = {name: one.report.get(f"{name}_x100", 0) / 100 for name in ("quality", "attitude")}
    return {"site_id": one.site_id, "reported_at": one.reported_at, **one.report, **scored}


def _percent(value: float) -> str:
    return f"{value:.1f}%"


def _of_hundred(part: int, whole: int) -> float:
    return 100 * part / whole if whole else 0.0


@pages.get("/reports")
def reports(view: Annotated[View, see("read_reports")]) -> Response:
    month = view.asked("month") and view.asked_month()
    month = month or last_month_reported(view.session, view.actor) or view.last_month()
    found = [one for one in reports_of(view.session, view.actor, month=month) if one.site_id in view.sites]
    names = {one.site_id: view.sites[one.site_id].name for one in found}
    kept = [
        (names[one.site_id], one.report.get("callbacks_kept", 0), one.report.get("callbacks_missed", 0))
        for one in found
    ]
    people = [(one, line) for one in found for line in one.lines if line.person_id is not None]
    return view.show(
        "reports.html",
        month=month,
        table=Table(
            COLUMNS, [_row(one) for one in found], None, "这个月还没有月报；四部门核对后送来。", f"reports-{month}"
        ),
        received=sum(one.report.get("received_fen", 0) for one in found),
        requests=sum(one.report.get("requests", 0) for one in found),
        kept=sum(row[1] for row in kept),
        missed=sum(row[2] for row in kept),
        callbacks=Chart("小区", ("按时", "超时"), [Bar(name, (on, late)) for name, on, late in kept], colours=(1, 3)),
        rework=Chart(
            "小区",
            ("返修率",),
            [
                Bar(
                    names[one.site_id],
                    (_of_hundred(one.report.get("reworks_caused", 0), one.report.get("first_revisits", 0)),),
                )
                for one in found
            ],
            _percent,
        ),
        money=Chart(
            "小区",
            ("工程部", "环境部"),
            [Bar(names[one.site_id], [one.report.get(f"{of}.received_fen", 0) for of in DEPARTMENTS]) for one in found],
            lambda fen: money(round(fen)),
        ),
        people=people,
    )
