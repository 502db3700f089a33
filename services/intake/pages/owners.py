"""What is held of an owner, taken out or erased when he asks, and every time that was done [D26].

What is looked for stands in no address of a page: those are written down on the way.
"""

from typing import Annotated, Any

from fastapi import APIRouter, Response

from services.intake.api.privacy import FindOwner, erase_owner, export_owner, find_owner
from services.intake.pages.see import see
from services.intake.queries.privacy import OwnersRequest
from services.intake.rules.access import MAY
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
    Column("request_id", "登记", link=lambda row: f"/intake/requests/{row['request_id']}" if row["open"] else ""),
]


def _page(view: View, find: Form[FindOwner], found: list[OwnersRequest] | None, **again: Form[Any]) -> Response:
    known = [(str(one.request_id), one.number) for one in found or []]
    forms = {
        name: again.get(name) or Form(OwnersRequests, choices={"request_ids": known}, id=name)
        for name in ("export", "erase")
    }
    return view.show("owners.html", find=find, found=found, forms=forms)


@pages.get("/owners")
def look(view: Annotated[View, see("watch")]) -> Response:
    return _page(view, Form(FindOwner), None)


@pages.post("/owners")
def find(view: Annotated[View, see("handle_personal_data")]) -> Response:
    form = Form(FindOwner)
    return view.answer(
        form,
        lambda body: find_owner(body, view),
        show=lambda found: _page(view, form, found),
        again=lambda again: _page(view, again, None),
    )


def _requests(view: View, name: str) -> Form[OwnersRequests]:
    """The form of what was ticked; any id may be: the action finds those of his sites."""
    ids = [str(one) for one in view.posted.getlist("request_ids")]
    return Form(OwnersRequests, choices={"request_ids": [(one, one) for one in ids]}, id=name)


@pages.post("/owners/export")
def export(view: Annotated[View, see("handle_personal_data")]) -> Response:
    return view.answer(
        _requests(view, "export"),
        lambda body: export_owner(body, view),
        show=lambda held: _workbook(view, held),
        again=lambda form: _page(view, Form(FindOwner), None, export=form),
    )


def _workbook(view: View, held: list[dict[str, Any]]) -> Response:
    """All that is held, a request a column, so that its owner can read it."""
    names = list(held[0]) if held else []
    rows: list[list[Cell]] = [[view.label(name), *(_cell(one[name]) for one in held)] for name in names]
    made = as_xlsx({"owner": [["", *(str(one["number"]) for one in held)], *rows]}, made_at=view.now)
    return Response(made, media_type=XLSX, headers=attachment(f"owner-{view.today():%Y%m%d}.xlsx"))


def _cell(value: Any) -> Cell:
    return value if value is None or isinstance(value, str | int | float | bool) else str(value)


@pages.post("/owners/erase")
def erase(view: Annotated[View, see("handle_personal_data")]) -> Response:
    return view.submit(
        _requests(view, "erase"),
        lambda body: erase_owner(body, view),
        then="/intake/owners",
        again=lambda form: _page(view, Form(FindOwner), None, erase=form),
        said="已删除个人信息，并通知各部门同步删除",
    )


@pages.get("/privacy")
def acts(view: Annotated[View, see("read_privacy_acts")]) -> Response:
    found = privacy_acts(
        view.session, view.actor, request_id=view.asked_id("request"), after=view.asked_id(), limit=view.rows
    )
    may_open = view.actor.role in MAY["read_requests"].roles
    rows = [vars(one) | {"act": f"privacy.{one.act}", "open": may_open} for one in found.items]
    table = Table(ACTS, rows, found.next, "没有人查看、导出或删除过业主的个人信息。", "privacy")
    return view.show("privacy.html", table=table)
