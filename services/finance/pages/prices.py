"""The price book 价格标准: in force, its versions, what a draft changes, approval [R55-R57, D10]."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Response

from services.finance.api.prices import DraftPrices, approve_prices, draft_prices, withdraw_prices
from services.finance.pages.parts import TONES, free, newest
from services.finance.pages.see import see
from services.finance.queries.prices import (
    PriceVersionView,
    price_difference,
    price_version_by_id,
    price_version_in_force,
    price_versions,
)
from services.finance.rules.price import PRICE_VERSION, PriceState, PriceStep
from shared.errors import NotFound
from shared.ui.forms import Form, Nothing, yuan_of
from shared.ui.tables import Column, Table
from shared.ui.views import View

pages = APIRouter()

ITEMS = [
    Column("code", "编号"),
    Column("trade", "类别", "word"),
    Column("name", "项目"),
    Column("unit", "单位"),
    Column("min_fen", "最低价", "money"),
    Column("max_fen", "最高价", "money"),
]

VERSIONS = [
    Column("number", "版本", link=lambda row: f"/finance/prices/{row['id']}"),
    Column("state", "状态", "badge", tone=lambda row: TONES.get(row["state"], "calm")),
    Column("effective_from", "生效日期"),
    Column("drafted_by", "起草人", "person"),
    Column("approved_by", "批准人", "person"),
    Column("approved_at", "批准时间", "moment"),
    Column("count", "项目数", "number"),
]

MORE_ROWS = 5
"""Blank rows at the end of a draft."""


def _in_force(view: View) -> PriceVersionView | None:
    try:
        return price_version_in_force(view.session, on=view.today())
    except NotFound:
        return None


@pages.get("/prices")
def list_prices(view: Annotated[View, see("read_prices")]) -> Response:
    now = _in_force(view)
    found = price_versions(view.session, **newest(view))
    rows = [
        {
            "id": one.id,
            "number": one.number,
            "state": one.state,
            "effective_from": one.effective_from,
            "drafted_by": one.drafted_by,
            "approved_by": one.approved_by,
            "approved_at": one.approved_at,
            "count": len(one.items),
        }
        for one in found.items
    ]
    return view.show(
        "prices.html",
        now_version=now,
        table=Table(
            ITEMS, now.items if now else [], empty="还没有批准的价格标准；财务主管起草，分管领导批准。", name="prices"
        ),
        versions=Table(VERSIONS, rows, found.next, name="versions"),
    )


def _draft_form(view: View) -> Form[DraftPrices]:
    """A form that begins with the version in force."""
    now = _in_force(view)
    items = now.items if now else []
    shown = {
        f"items.{number}.{name}": yuan_of(value) if name.endswith("_fen") else str(value)
        for number, item in enumerate(items)
        for name, value in item.model_dump().items()
    }
    return Form(DraftPrices, shown=shown, rows=len(items) + MORE_ROWS)


def _draft(view: View, form: Form[DraftPrices]) -> Response:
    numbers = sorted({int(one.name.split(".")[1]) for one in form.fields("items")})
    return view.show("price_draft.html", form=form, numbers=numbers)


@pages.get("/prices/draft")
def ask_for_draft(view: Annotated[View, see("read_prices")]) -> Response:
    return _draft(view, _draft_form(view))


@pages.post("/prices")
def draft(view: Annotated[View, see("draft_prices")]) -> Response:
    return view.submit(
        _draft_form(view),
        lambda body: draft_prices(body, view),
        then=lambda version: f"/finance/prices/{version.id}",
        again=lambda form: _draft(view, form),
        said="草案已送审",
    )


def _version(view: View, version_id: UUID, failed: Form[Nothing] | None = None) -> Response:
    version = price_version_by_id(view.session, version_id)
    now = PriceState(version.state)
    return view.show(
        "price.html",
        version=version,
        difference=price_difference(view.session, version_id),
        table=Table(ITEMS, version.items, name=f"prices-{version.number}"),
        approves=PRICE_VERSION.allows(now, PriceStep.APPROVE)
        and free(view, "approve_prices", proposer=version.drafted_by),
        withdraws=PRICE_VERSION.allows(now, PriceStep.WITHDRAW) and view.may("withdraw_prices"),
        failed=failed,
    )


@pages.get("/prices/{version_id}")
def read_version(version_id: UUID, view: Annotated[View, see("read_prices")]) -> Response:
    return _version(view, version_id)


@pages.post("/prices/{version_id}/approve")
def approve(version_id: UUID, view: Annotated[View, see("approve_prices")]) -> Response:
    return view.press(
        lambda: approve_prices(version_id, view),
        then=f"/finance/prices/{version_id}",
        again=lambda form: _version(view, version_id, form),
        said="已批准，到期自动生效",
    )


@pages.post("/prices/{version_id}/withdraw")
def withdraw(version_id: UUID, view: Annotated[View, see("withdraw_prices")]) -> Response:
    return view.press(
        lambda: withdraw_prices(version_id, view),
        then=f"/finance/prices/{version_id}",
        again=lambda form: _version(view, version_id, form),
        said="草案已撤回",
    )
