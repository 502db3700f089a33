"""Cash of the desk that finance waits for [R36, R85, D6]."""

from typing import Annotated

from fastapi import APIRouter, Response

from services.intake.pages.see import see
from services.intake.queries.cash_alerts import cash_alerts
from shared.ui.tables import Column, Table
from shared.ui.views import View

pages = APIRouter()

COLUMNS = [
    Column("day", "日期", "day"),
    Column("site_id", "小区", "site"),
    Column("holder_id", "持有人", "person"),
    Column("amount_fen", "金额", "money"),
    Column("found_at", "发现时间", "moment"),
    Column("returned_at", "交回时间", "moment"),
    Column("state", "状态", "badge", tone=lambda row: "good" if row["returned_at"] else "bad"),
]


@pages.get("/cash-alerts")
def list_alerts(view: Annotated[View, see("read_months")]) -> Response:
    found = cash_alerts(view.session, view.actor, after=view.asked_id(), limit=view.rows)
    rows = [vars(one) | {"state": "cash.returned" if one.returned_at else "cash.out"} for one in found.items]
    table = Table(COLUMNS, rows, found.next, "所有现金都已按日上交。", "cash-alerts")
    return view.show("cash.html", table=table, out=[row for row in rows if row["returned_at"] is None], live="intake")
