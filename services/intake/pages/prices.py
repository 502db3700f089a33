"""What the desk tells an owner who asks: prices, answers, and what is taken on at all [R6-R10, R22, R55]."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Response

from services.intake.api.answers import GiveAnswer, give_answer, retire_answer
from services.intake.pages.see import see, trade_choices, with_trades
from services.intake.queries.prices import price_lookup
from services.intake.queries.trades import trades
from shared.ui.forms import Form
from shared.ui.tables import Column, Table
from shared.ui.views import View

pages = APIRouter()

PRICES = [
    Column("name", "收费项目"),
    Column("trade", "服务项目", "word"),
    Column("min_fen", "最低", "money"),
    Column("max_fen", "最高", "money"),
    Column("unit", "单位"),
    Column("effective_from", "生效日期", "day"),
]

TRADES = [
    Column("name", "服务项目"),
    Column("department", "负责部门", "word"),
    Column("refusal", "不受理的原因", "word"),
]


def _form(view: View) -> Form[GiveAnswer]:
    site_ids = view.choose_sites()
    return Form(GiveAnswer, choices={"site_id": site_ids, "trade": trade_choices(view)})


def _page(view: View, form: Form[Any] | None = None, wrong: Form[Any] | None = None) -> Response:
    with_trades(view)
    asked = (view.asked("q") or "").strip()[:200]
    found = price_lookup(view.session, view.actor, q=asked, trade=view.asked("trade"), now=view.now)
    return view.show(
        "prices.html",
        prices=Table(PRICES, found.prices, None, "没有这样的收费项目。不在收费标准里的，不能约定费用。", "prices"),
        answers=found.answers,
        trades=trade_choices(view),
        form=form or _form(view),
        wrong=wrong,
    )


@pages.get("/prices")
def look_up(view: Annotated[View, see("read_prices")]) -> Response:
    return _page(view)


@pages.post("/answers")
def give(view: Annotated[View, see("give_answer")]) -> Response:
    return view.submit(
        _form(with_trades(view)),
        lambda body: give_answer(body, view),
        then="/intake/prices",
        again=lambda form: _page(view, form),
        said="已加入常见问题",
    )


@pages.post("/answers/{answer_id}/retire")
def retire(answer_id: UUID, view: Annotated[View, see("retire_answer")]) -> Response:
    return view.press(
        lambda: retire_answer(answer_id, view),
        then="/intake/prices",
        again=lambda form: _page(view, wrong=form),
        said="已停用这条问答",
    )


@pages.get("/trades")
def scope(view: Annotated[View, see("read_trades")]) -> Response:
    """What is taken on at a site, by whom, and what is refused and why."""
    site_id = view.asked_site() or next(iter(view.sites), None)
    found = trades(view.session, view.actor, site_id=site_id, now=view.now) if site_id else []
    return view.show("trades.html", table=Table(TRADES, found, None, "还没有服务项目。", "trades"))
