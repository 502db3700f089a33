"""Another system's list, as a CSV or XLSX file: each row is registered, known, refused or told what is wrong [D2].

The command `bianmin import` takes any file, with a mapping; a page takes a small one whose headings say what they are.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Response
from starlette.datastructures import UploadFile

from services.intake.actions.importing import ImportedRow
from services.intake.api.imports import ImportRequests, import_requests
from services.intake.pages.see import see, with_trades
from services.intake.queries.trades import trade_names
from services.intake.rules.request import Channel
from shared.errors import Malformed
from shared.table_files import NotATable, Row, table_of
from shared.ui.forms import Form
from shared.ui.tables import Column, Table
from shared.ui.views import View
from shared.web import Body, Short

pages = APIRouter()

MOST_ROWS = 500
MAX_UNPACKED = 20_000_000
"""What a file may hold, and an XLSX file unpack to, in a request that somebody waits for."""

HEADINGS: Mapping[str, tuple[str, ...]] = {
    "source_key": ("编号", "来源编号", "source_key"),
    "owner_name": ("业主姓名", "姓名", "owner_name"),
    "phone": ("电话", "手机", "phone"),
    "address": ("房号", "地址", "address"),
    "trade": ("服务项目", "trade"),
    "description": ("情况说明", "description"),
    "channel": ("来源", "channel"),
}
"""Field of a row -> the headings by which it is known; a row without a channel came online."""

COLUMNS = [
    Column("row", "行号", "number"),
    Column(
        "outcome", "结果", "badge", tone=lambda row: {"registered": "good", "malformed": "bad"}.get(row.outcome, "calm")
    ),
    Column("request_id", "登记", link=lambda row: f"/intake/requests/{row.request_id}" if row.request_id else ""),
    Column("reason", "说明", "word"),
]


class Upload(Body):
    """Which site the file is of, and what the system is called it comes from."""

    site_id: UUID
    source: Short


def _form(view: View) -> Form[Upload]:
    return Form(Upload, choices={"site_id": view.choose_sites()})


def _page(view: View, form: Form[Upload], told: list[ImportedRow] | None = None) -> Response:
    counted = {
        outcome: sum(one.outcome == outcome for one in told or [])
        for outcome in ("registered", "refused", "known", "malformed")
    }
    table = Table(COLUMNS, told or [], None, "文件里没有内容。", "import")
    return view.show("imports.html", form=form, told=told, counted=counted, table=table, headings=HEADINGS)


@pages.get("/imports")
def ask(view: Annotated[View, see("read_requests")]) -> Response:
    return _page(view, _form(view))


@pages.post("/imports")
def upload(view: Annotated[View, see("import_requests")]) -> Response:
    with_trades(view)
    form = _form(view)
    return view.answer(
        form,
        lambda body: import_requests(ImportRequests(source=body.source, site_id=body.site_id, rows=_rows(view)), view),
        show=lambda told: _page(view, form, told),
        again=lambda again: _page(view, again),
    )


def _rows(view: View) -> dict[int, dict[str, Any]]:
    """The rows of the posted file by their numbers. Raises Malformed for what is no such table."""
    sent = view.posted.get("file")
    if not isinstance(sent, UploadFile) or not sent.filename:
        raise Malformed("no_file", "send a CSV or XLSX file")
    try:
        table = table_of(Path(sent.filename), sent.file.read(), max_unpacked=MAX_UNPACKED)
    except NotATable as bad:
        raise Malformed("no_table", str(bad)) from None
    missing = [names[0] for field, names in HEADINGS.items() if field != "channel" and not table.headings & {*names}]
    if missing:
        raise Malformed("no_such_column", f"the file lacks {', '.join(missing)}")
    if len(table) > MOST_ROWS:
        raise Malformed("too_many_rows", f"{len(table)} rows, at most {MOST_ROWS}")
    codes = {name: code for code, name in trade_names(view.session).items()}
    return {row.number: _fields(row, codes) for row in table}


def _fields(row: Row, trades: Mapping[str, str]) -> dict[str, Any]:
    fields = {
        field: next((row.cells[name] for name in names if row.cells.get(name)), "") for field, names in HEADINGS.items()
    }
    fields["trade"] = trades.get(fields["trade"], fields["trade"])
    fields["channel"] = CHANNELS.get(fields["channel"], fields["channel"])
    return {field: text for field, text in fields.items() if text}


CHANNELS = {"": Channel.ONLINE, "来电": Channel.PHONE, "来访": Channel.WALK_IN, "网上": Channel.ONLINE}
"""How people write a channel -> what it is."""
