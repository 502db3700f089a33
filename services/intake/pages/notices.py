"""The service notice 通知单: its three copies and where each is, revisions, reprints, withdrawal [R24-R28]."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Response

from services.intake.api.notices import ReprintCopy, ReviseNotice, reprint_notice, revise_notice
from services.intake.pages.requests import ITEM_ROWS, priced
from services.intake.pages.see import see, with_trades
from services.intake.queries.notice_list import find_notices
from services.intake.queries.prices import book_of
from services.intake.queries.requests import RequestView, request_by_id
from services.intake.rules.notice import Copy, CopyState
from services.intake.rules.request import REQUEST, RequestState, RequestStep
from shared.errors import NotFound
from shared.ui.forms import Form
from shared.ui.tables import Column, Table
from shared.ui.views import View
from shared.web import Reason

pages = APIRouter()

WHERE = {CopyState.SENT: "warn", CopyState.RECEIVED: "info", CopyState.RETURNED: "good"}
"""Where a copy is -> the colour of its badge."""

COLUMNS = [
    Column("number", "通知单号", link=lambda row: f"/intake/requests/{row.request_id}/notice"),
    Column("state", "状态", "badge", tone=lambda row: "calm" if row.state == "cancelled" else "good"),
    Column("site_id", "小区", "site"),
    Column("address", "房号"),
    Column("owner_name", "业主姓名"),
    Column("trade", "服务项目", "word"),
    Column("visit_from", "约定上门", "moment"),
    Column("fee_fen", "费用", "money"),
    Column("revision", "改单次数", "number"),
    Column("finance", "财务联", "badge", tone=lambda row: WHERE[row.finance]),
    Column("department_copy", "部门联", "badge", tone=lambda row: WHERE[row.department_copy]),
    Column("archive", "存档联", "badge", tone=lambda row: WHERE[row.archive]),
    Column("issued_at", "开出时间", "moment"),
]


@pages.get("/notices")
def list_notices(view: Annotated[View, see("read_requests")]) -> Response:
    with_trades(view)
    found = find_notices(
        view.session,
        view.actor,
        site_id=view.asked_site(),
        words=(view.asked("q") or "").strip()[:100],
        out=view.asked("copy") == "out",
        after=view.asked_id(),
        limit=view.rows,
    )
    columns = [one for one in COLUMNS if one.name != "site_id" or len(view.sites) > 1]
    table = Table(columns, found.items, found.next, "没有这样的通知单。约定时间和费用后即可生成。", "notices")
    return view.show("notices.html", table=table)


def _noticed(view: View, request_id: UUID) -> RequestView:
    one = request_by_id(view.session, view.actor, request_id)
    if one.notice is None:
        raise NotFound("notice", request_id)
    return one


def _revise_form(view: View, one: RequestView) -> Form[ReviseNotice]:
    """What is left empty stays as it is; the prices are those of the version frozen on the job [D10]."""
    book = book_of(view.session, one.price_version, one.trade)
    return Form(
        ReviseNotice,
        choices={"price_code": priced(book)},
        rows=ITEM_ROWS,
        zone=view.zone(one.site_id),
        id="revise",
    )


def _page(view: View, request_id: UUID, **again: Form[Any]) -> Response:
    with_trades(view)
    one = _noticed(view, request_id)
    state = RequestState(one.state)
    forms: dict[str, Form[Any]] = {
        "revise": _revise_form(view, one),
        "reprint": Form(ReprintCopy, choices={"copy": [(str(copy), f"copy.{copy}") for copy in Copy]}, id="reprint"),
        "cancel": Form(Reason, id="cancel"),
    }
    return view.show(
        "notice.html",
        one=one,
        notice=one.notice,
        book=book_of(view.session, one.price_version, one.trade),
        forms=forms | again,
        where=WHERE,
        can={step: REQUEST.allows(state, step) and not one.receipt_number for step in RequestStep},
        may_reprint=one.notice is not None and one.notice.cancelled_at is None,
        live="intake",
    )


@pages.get("/requests/{request_id}/notice")
def read_notice(request_id: UUID, view: Annotated[View, see("read_requests")]) -> Response:
    return _page(view, request_id)


@pages.post("/requests/{request_id}/revise")
def revise(request_id: UUID, view: Annotated[View, see("revise_notice")]) -> Response:
    return view.submit(
        _revise_form(view, _noticed(view, request_id)),
        lambda body: revise_notice(request_id, body, view),
        then=f"/intake/requests/{request_id}/notice",
        again=lambda form: _page(view, request_id, revise=form),
        said="已改单，各联持有人会收到新版；请换发纸质联",
    )


@pages.post("/requests/{request_id}/notice/reprint")
def reprint(request_id: UUID, view: Annotated[View, see("reprint_notice")]) -> Response:
    return view.submit(
        Form(ReprintCopy, choices={"copy": [(str(copy), f"copy.{copy}") for copy in Copy]}, id="reprint"),
        lambda body: reprint_notice(request_id, body, view),
        then=f"/intake/requests/{request_id}/notice",
        again=lambda form: _page(view, request_id, reprint=form),
        said="补打已登记，请打印",
    )
