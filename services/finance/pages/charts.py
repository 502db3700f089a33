"""How months went, drawn 经营图表: income by month, site and trade, cash still out by holder [R69-R72, R86]."""

from datetime import date
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Response

from services.finance.pages.parts import BY_MONTH, at_site, month_in
from services.finance.pages.see import see
from services.finance.queries.cash import cash
from services.finance.queries.income import income, income_by_trade
from shared.ui.charts import Bar, Chart
from shared.ui.tables import Column, Table
from shared.ui.views import View

pages = APIRouter()

MONTHS_SHOWN = 12
"""Months compared: a year."""

SHARES = ("公司留成", "服务人员", "公积金")

COLUMNS = [
    Column("month", "月份"),
    Column("site_id", "小区", "site"),
    Column("received_fen", "收入", "money"),
    Column("company_fen", "公司留成", "money"),
    Column("workers_fen", "服务人员", "money"),
    Column("reserve_fen", "公积金", "money"),
]


def _yuan(value: float) -> str:
    return f"{value:,.0f}" if value == int(value) else f"{value:,.2f}"


def months_until(last: str, count: int) -> list[str]:
    """The `count` months that end with `last`, in order."""
    year, month = map(int, last.split("-"))
    numbers = range(year * 12 + month - count, year * 12 + month)
    return [f"{date(number // 12, number % 12 + 1, 1):%Y-%m}" for number in numbers]


@pages.get("/charts")
def charts(view: Annotated[View, see("read_ledger")]) -> Response:
    month = month_in(view) or view.this_month()
    months = months_until(month, MONTHS_SHOWN)
    found = income(view.session, view.reader, first=months[0], last=month)
    parts = {
        key: [
            sum(getattr(one, part) for one in found if one.month == key)
            for part in ("company_fen", "workers_fen", "reserve_fen")
        ]
        for key in months
    }
    began = next((number for number, key in enumerate(months) if any(parts[key])), len(months) - 1)
    trades = income_by_trade(view.session, view.reader, month=month)
    by_trade: dict[str, int] = {}
    for one in trades:
        by_trade[one.trade] = by_trade.get(one.trade, 0) + one.amount_fen
    out = cash(view.session, view.reader)
    of_month = [one for one in found if one.month == month]
    return view.show(
        "charts.html",
        month=month,
        compared=Chart("月份", SHARES, [Bar(key, _shares(parts[key])) for key in months[began:]], _yuan),
        by_site=Chart(
            "小区",
            SHARES,
            [
                Bar(_site(view, one.site_id), _shares([one.company_fen, one.workers_fen, one.reserve_fen]))
                for one in of_month
            ],
            _yuan,
        ),
        by_trade=Chart(
            "类别",
            ["收入"],
            [Bar(view.label(trade or "other"), [fen / 100]) for trade, fen in sorted(by_trade.items(), key=_largest)],
            _yuan,
        ),
        by_holder=Chart("经手人", ["未交现金"], [Bar(one.holder_name, [one.amount_fen / 100]) for one in out], _yuan),
        table=Table(COLUMNS, list(reversed(found)), empty="这段时间没有收入。", name="income"),
        filters=[*at_site(view), BY_MONTH],
    )


def _shares(fen: list[int]) -> list[float]:
    return [max(0, part) / 100 for part in fen]  # more given back than taken is no bar


def _site(view: View, site_id: UUID) -> str:
    site = view.sites.get(site_id)
    return site.name if site else "—"


def _largest(trade: tuple[str, int]) -> int:
    return -trade[1]
