"""Deposits 存款: cash of the tills taken to the bank [R87]."""

from typing import Annotated

from fastapi import APIRouter, Response

from services.finance.api.deposits import DepositCash, deposit_cash
from services.finance.pages.parts import SITE, at_site, newest
from services.finance.pages.see import see
from services.finance.queries.cash import tills
from services.finance.queries.deposits import deposits
from shared.ui.forms import Form
from shared.ui.tables import Column, Table
from shared.ui.views import View

pages = APIRouter()

COLUMNS = [
    Column("deposited_at", "存款时间", "moment"),
    SITE,
    Column("amount_fen", "金额", "money"),
    Column("reference", "银行回单号"),
    Column("deposited_by", "经办人", "person"),
]


def _form(view: View) -> Form[DepositCash]:
    first = view.asked_site() or next(iter(view.sites), None)
    return Form(DepositCash, choices={"site_id": view.choose_sites()}, shown={"site_id": str(first or "")})


def _deposits(view: View, form: Form[DepositCash]) -> Response:
    found = deposits(view.session, view.reader, **newest(view))
    return view.show(
        "deposits.html",
        tills=tills(view.session, view.reader),
        table=Table(COLUMNS, found.items, found.next, "还没有存过款。", "deposits"),
        form=form,
        filters=at_site(view),
    )


@pages.get("/deposits")
def list_deposits(view: Annotated[View, see("read_deposits")]) -> Response:
    return _deposits(view, _form(view))


@pages.post("/deposits")
def deposit(view: Annotated[View, see("deposit_cash")]) -> Response:
    return view.submit(
        _form(view),
        lambda body: deposit_cash(body, view),
        then="/finance/deposits",
        again=lambda form: _deposits(view, form),
        said="存款已登记",
    )
