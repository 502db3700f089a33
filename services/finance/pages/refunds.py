"""Fees given back 退款, in a list; one is proposed at its receipt and decided with what waits [D13, D16]."""

from typing import Annotated

from fastapi import APIRouter, Response

from services.finance.pages.parts import BY_MONTH, SITE, asked_one, at_site, by_state, month_in, newest, state
from services.finance.pages.see import see
from services.finance.queries.refunds import refunds
from services.finance.rules.refund import RefundState
from shared.ui.tables import Column, Table
from shared.ui.views import View

pages = APIRouter()

COLUMNS = [
    Column("receipt_number", "票据", link=lambda row: f"/finance/receipts/{row.receipt_id}"),
    SITE,
    state(),
    Column("amount_fen", "退款", "money"),
    Column("method", "方式", "word"),
    Column("reason", "原因"),
    Column("proposed_by", "提出人", "person"),
    Column("decided_by", "审批人", "person"),
    Column("decided_at", "审批时间", "moment"),
    Column("decision", "批示"),
    Column("month", "计入月份"),
]


@pages.get("/refunds")
def list_refunds(view: Annotated[View, see("read_refunds")]) -> Response:
    asked = asked_one(view, "state", RefundState)
    found = refunds(view.session, view.reader, month=month_in(view), state=asked, **newest(view))
    linked = COLUMNS if view.may("read_receipts") else [Column("receipt_number", "票据"), *COLUMNS[1:]]
    return view.show(
        "listing.html",
        title="退款",
        hint="财务在票据上提出，分管领导批准后当即退出，三方分成各退相应部分。",
        table=Table(linked, found.items, found.next, "没有符合条件的退款。要退款，先打开那张票据。", "refunds"),
        filters=[*at_site(view), by_state(RefundState), BY_MONTH],
    )
