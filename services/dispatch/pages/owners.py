"""What the departments hold of an owner, taken out when he asks, and every time that was done [D26]."""

from typing import Annotated, Any

from fastapi import APIRouter, Response

from services.dispatch.api.privacy import export_owner
from services.dispatch.pages.see import see
from shared.headers import attachment
from shared.privacy_routes import OwnersRequests
from shared.privacy_rows import privacy_acts
from shared.spreadsheets import Cell, as_xlsx
from shared.ui.forms import Form
from shared.ui.tables import Column, Table
from shared.ui.views import XLSX, View

pages = APIRouter()

ACTS = [
    Column("at", "时间", "moment"),
    Column("act", "做了什么", "word"),
    Column("by", "谁", "person"),
    Column("reason", "原因"),
    Column("site_id", "小区", "site"),
]


def _page(view: View, form: Form[OwnersRequests]) -> Response:
    return view.show("owners.html", form=form)


@pages.get("/owners")
def look(view: Annotated[View, see("watch")]) -> Response:
    return _page(view, Form(OwnersRequests))


@pages.post("/owners/export")
def export(view: Annotated[View, see("handle_personal_data")]) -> Response:
    return view.answer(
        Form(OwnersRequests),
        lambda body: export_owner(body, view),
        show=lambda held: _workbook(view, held),
        again=lambda form: _page(view, form),
    )


def _workbook(view: View, held: list[dict[str, Any]]) -> Response:
    """All that is held, a work order a column, so that its owner can read it."""
    names = list(held[0]) if held else []
    rows: list[list[Cell]] = [[view.label(name), *(_cell(one[name]) for one in held)] for name in names]
    made = as_xlsx({"owner": rows}, made_at=view.now)
    return Response(made, media_type=XLSX, headers=attachment(f"owner-{view.today():%Y%m%d}.xlsx"))


def _cell(value: Any) -> Cell:
    return value if value is None or isinstance(value, str | int | float | bool) else str(value)


@pages.get("/privacy")
def acts(view: Annotated[View, see("read_privacy_acts")]) -> Response:
    found = privacy_acts(
        view.session, view.actor, request_id=view.asked_id("request"), after=view.asked_id(), limit=view.rows
    )
    rows = [vars(one) | {"act": f"privacy.{one.act}"} for one in found.items]
    table = Table(ACTS, rows, found.next, "没有人查看、导出或删除过业主的个人信息。", "privacy")
    return view.show("privacy.html", table=table)
