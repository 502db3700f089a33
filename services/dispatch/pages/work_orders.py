"""A work order 派工单 on its page: what it is, where it stands, and what this person can do with it now [R27-R32, R45].

The same page at a desk and on a phone; on a phone the next step lies in the dock, 请求支援 and 终止服务 beside it.
"""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Response
from starlette.datastructures import UploadFile

from services.dispatch.api import acceptances, damages, photos, privacy, teams, visits, work_orders
from services.dispatch.models import PhotoKind
from services.dispatch.pages.offers import offered
from services.dispatch.pages.see import see
from services.dispatch.queries.acceptances import settlement_list_by_id
from services.dispatch.queries.photos import photos_of
from services.dispatch.queries.teams import CandidateView, candidates
from services.dispatch.queries.work_orders import WorkOrderView, work_order_by_id
from services.dispatch.queries.work_orders import work_orders as listed
from services.dispatch.rules.work_order import WorkState
from shared.ui.forms import Choices, Form
from shared.ui.tables import Column, Table
from shared.ui.views import View
from shared.web import Body, Reason

pages = APIRouter()

TONES = {
    "received": "warn",
    "acknowledged": "warn",
    "assigned": "info",
    "checked_in": "info",
    "started": "info",
    "stopped": "bad",
    "finished": "warn",
    "accepted": "good",
    "terminated": "bad",
    "declined": "warn",
}
"""State -> the colour of its badge."""

DONE = {
    "received": 0,
    "acknowledged": 1,
    "assigned": 2,
    "checked_in": 2,
    "started": 3,
    "stopped": 3,
    "finished": 4,
    "accepted": 5,
}
"""State -> how many steps of a job are done: 接单, 派工, 到场, 完工, 签字, 交回."""

COLUMNS = [
    Column("notice_number", "通知单号", link=lambda row: f"/dispatch/work-orders/{row.id}"),
    Column("address", "房号"),
    Column("owner_name", "业主"),
    Column("trade", "服务项目", "word"),
    Column("visit_from", "约定上门", "moment"),
    Column("team", "服务人员"),
    Column("state", "状态", "badge", tone=lambda row: TONES.get(row.state, "calm")),
    Column("fee_fen", "费用", "money"),
    Column("site_id", "小区", "site"),
]


class Picture(Body):
    """What a picture shows; the file itself comes with the form."""

    kind: PhotoKind


def tone(state: str) -> str:
    """The colour of a state's badge."""
    return TONES.get(state, "calm")


def team_of(order: WorkOrderView) -> str:
    """The names of who is sent."""
    return "、".join(worker.name for worker in order.workers)


class _Row:
    """An order as a row of a list, with its team in one cell."""

    def __init__(self, order: WorkOrderView) -> None:
        self.order = order
        self.team = team_of(order) or None

    def __getattr__(self, name: str) -> Any:
        return getattr(self.order, name)


@pages.get("/work-orders")
def orders(view: Annotated[View, see("read_work_orders")]) -> Response:
    wanted = view.asked("state")
    state = wanted if wanted in set(WorkState) else None
    found = listed(
        view.session,
        view.actor,
        state=state,
        after=view.asked_id(),
        limit=view.rows,
        site_id=view.asked_site(),
        words=view.asked("q"),
        newest=True,
    )
    columns = [column for column in COLUMNS if len(view.sites) > 1 or column.name != "site_id"]
    rows = [_Row(order) for order in found.items]
    empty = (
        "没有这样的工单。换个条件再找。" if view.request.query_params else "还没有工单。客服开出通知单后会出现在这里。"
    )
    table = Table(columns, rows, found.next, empty, "work-orders")
    states = [(str(one), str(one)) for one in WorkState]
    return view.show("work_orders.html", table=table, states=states)


def _forms(order: WorkOrderView, may_go: list[CandidateView]) -> dict[str, Form[Any]]:
    """Every form the page may have, by its action; each with ids of its own."""
    on_it: Choices = [(str(worker.person_id), worker.name) for worker in order.workers]
    go: Choices = [(str(one.person_id), one.name) for one in may_go if one.may]
    causes: Choices = [("unable", "unable"), ("safety", "safety"), ("owner", "cause:owner")]
    kinds: Choices = [("work", "work"), ("damage", "damage"), ("signature", "photo_signature")]
    return {
        "decline": Form(Reason, id="decline"),
        "assign": Form(teams.Assign, choices={"person_id": go}, rows=3, id="assign"),
        "override_duty": Form(teams.OverrideDuty, choices={"worker_id": on_it}, id="override"),
        "stop": Form(visits.StopWork, id="stop"),
        "terminate": Form(visits.Terminate, choices={"cause": causes}, id="terminate"),
        "check_materials": Form(visits.CheckMaterials, id="materials"),
        "tell_owner": Form(visits.TellOwner, shown={"kind": "told"}, id="tell"),
        "report_damage": Form(damages.ReportDamage, id="damage"),
        "add_photo": Form(Picture, choices={"kind": kinds}, shown={"kind": "work"}, id="photo"),
        "reveal_phone": Form(Reason, id="reveal"),
    }


def page(
    view: View, work_order_id: UUID, *, wrong: Form[Any] | None = None, at: str = "", phone: str | None = None
) -> Response:
    """The order's page; `wrong` is a form that was refused, of the action `at`."""
    order = work_order_by_id(view.session, view.actor, work_order_id)
    seen = photos_of(view.session, view.actor, order.id) if view.may("read_photos") else []
    can = offered(view, order, seen)
    may_go = candidates(view.session, view.actor, order.id, now=view.now) if "assign" in can else []
    forms = _forms(order, may_go)
    if wrong is not None and at in forms:
        forms[at] = wrong
    return view.show(
        "work_order.html",
        order=order,
        photos=seen,
        can=can,
        candidates=may_go,
        forms=forms,
        wrong=wrong if at not in forms else None,
        at=at or view.asked("do") or "",
        tone=tone(order.state),
        done=6 if order.returned_at else DONE.get(order.state),
        told=any(one.kind == "told" for one in order.tellings),
        revealed=phone,
        live="dispatch",
    )


@pages.get("/work-orders/{work_order_id}")
def one(work_order_id: UUID, view: Annotated[View, see("read_work_orders")]) -> Response:
    return page(view, work_order_id)


def _here(work_order_id: UUID) -> str:
    return f"/dispatch/work-orders/{work_order_id}"


def _press(view: View, work_order_id: UUID, act: Any, said: str) -> Response:
    """A button of the page that asks nothing more; `act` is the API's own function."""
    return view.press(
        lambda: act(work_order_id, view),
        then=_here(work_order_id),
        again=lambda form: page(view, work_order_id, wrong=form, at="press"),
        said=said,
    )


def _send(view: View, work_order_id: UUID, at: str, act: Any, said: str) -> Response:
    """A form of the page; `act` is the API's own function."""
    order = work_order_by_id(view.session, view.actor, work_order_id)
    may_go = candidates(view.session, view.actor, order.id, now=view.now) if at == "assign" else []
    return view.submit(
        _forms(order, may_go)[at],
        lambda body: act(work_order_id, body, view),
        then=_here(work_order_id),
        again=lambda form: page(view, work_order_id, wrong=form, at=at),
        said=said,
    )


@pages.post("/work-orders/{work_order_id}/acknowledge")
def acknowledge(work_order_id: UUID, view: Annotated[View, see("acknowledge")]) -> Response:
    return _press(view, work_order_id, work_orders.acknowledge, "已接单，请派工")


@pages.post("/work-orders/{work_order_id}/decline")
def decline(work_order_id: UUID, view: Annotated[View, see("decline")]) -> Response:
    return _send(view, work_order_id, "decline", work_orders.decline, "已退回客服")


@pages.post("/work-orders/{work_order_id}/assign")
def assign(work_order_id: UUID, view: Annotated[View, see("assign")]) -> Response:
    return _send(view, work_order_id, "assign", teams.assign, "已派工")


@pages.post("/work-orders/{work_order_id}/override")
def override(work_order_id: UUID, view: Annotated[View, see("override_duty")]) -> Response:
    return _send(view, work_order_id, "override_duty", teams.override_duty, "已放行，人事会收到通知")


@pages.post("/work-orders/{work_order_id}/check-in")
def check_in(work_order_id: UUID, view: Annotated[View, see("check_in")]) -> Response:
    return _press(view, work_order_id, visits.check_in, "已签到，请陪业主一起上门")


@pages.post("/work-orders/{work_order_id}/arrive")
def arrive(work_order_id: UUID, view: Annotated[View, see("arrive")]) -> Response:
    return _press(view, work_order_id, visits.arrive, "已到场，请先核对材料")


@pages.post("/work-orders/{work_order_id}/check-materials")
def check_materials(work_order_id: UUID, view: Annotated[View, see("check_materials")]) -> Response:
    return _send(view, work_order_id, "check_materials", visits.check_materials, "已记录材料情况")


@pages.post("/work-orders/{work_order_id}/tell-owner")
def tell_owner(work_order_id: UUID, view: Annotated[View, see("tell_owner")]) -> Response:
    return _send(view, work_order_id, "tell_owner", visits.tell_owner, "已记录")


@pages.post("/work-orders/{work_order_id}/stop")
def stop(work_order_id: UUID, view: Annotated[View, see("stop")]) -> Response:
    return _send(view, work_order_id, "stop", visits.stop, "已通知主管，请等待支援")


@pages.post("/work-orders/{work_order_id}/resume")
def resume(work_order_id: UUID, view: Annotated[View, see("resume")]) -> Response:
    return _press(view, work_order_id, visits.resume, "已派支援，恢复服务")


@pages.post("/work-orders/{work_order_id}/finish")
def finish(work_order_id: UUID, view: Annotated[View, see("finish")]) -> Response:
    return _press(view, work_order_id, visits.finish, "已完工，请业主验收签字")


@pages.post("/work-orders/{work_order_id}/terminate")
def terminate(work_order_id: UUID, view: Annotated[View, see("terminate")]) -> Response:
    return _send(view, work_order_id, "terminate", visits.terminate, "已终止，不收费")


@pages.post("/work-orders/{work_order_id}/damage")
def damage(work_order_id: UUID, view: Annotated[View, see("report_damage")]) -> Response:
    return _send(view, work_order_id, "report_damage", damages.report_damage, "已登记损坏，客服、财务和主管会收到通知")


@pages.post("/work-orders/{work_order_id}/return")
def return_notice(work_order_id: UUID, view: Annotated[View, see("return_notice")]) -> Response:
    return _press(view, work_order_id, work_orders.return_notice, "通知单已交回客服")


@pages.post("/work-orders/{work_order_id}/photos")
def add_photo(work_order_id: UUID, view: Annotated[View, see("add_photo")]) -> Response:
    """The file comes in the form; the API's function is given its bytes."""
    sent = view.posted.get("picture")
    content = sent.file.read() if isinstance(sent, UploadFile) else b""

    def keep(order_id: UUID, body: Picture, edge: View) -> Any:
        return photos.add_photo(order_id, content, edge, body.kind)

    return _send(view, work_order_id, "add_photo", keep, "照片已保存")


@pages.post("/work-orders/{work_order_id}/phone/reveal")
def reveal_phone(work_order_id: UUID, view: Annotated[View, see("reveal_phone")]) -> Response:
    """The number is shown on this answer alone; no address holds it."""
    return view.answer(
        Form(Reason, id="reveal"),
        lambda body: privacy.reveal_phone(work_order_id, body, view),
        show=lambda found: page(view, work_order_id, phone=found.phone or "—"),
        again=lambda form: page(view, work_order_id, wrong=form, at="reveal_phone"),
    )


def _sign_form(view: View, work_order_id: UUID) -> tuple[Form[acceptances.Accept], Any, WorkOrderView]:
    order = work_order_by_id(view.session, view.actor, work_order_id)
    shown = settlement_list_by_id(view.session, view.actor, work_order_id)
    form = Form(
        acceptances.Accept,
        choices={"relation": [(one, one) for one in ("owner", "occupant", "witnessed")]},
        fixed={"shown_hash": shown.hash},
        shown={"signer_name": order.owner_name, "relation": "owner"},
    )
    return form, shown, order


def _signing(view: View, work_order_id: UUID, wrong: Form[acceptances.Accept] | None = None) -> Response:
    form, shown, order = _sign_form(view, work_order_id)
    can = offered(view, order, [])
    return view.show("sign.html", form=wrong or form, shown=shown, order=order, can=can, tone=tone(order.state))


@pages.get("/work-orders/{work_order_id}/sign")
def sign(work_order_id: UUID, view: Annotated[View, see("read_work_orders")]) -> Response:
    """What the owner is shown, and where he signs [R31, R32, D23]."""
    return _signing(view, work_order_id)


@pages.post("/work-orders/{work_order_id}/accept")
def accept(work_order_id: UUID, view: Annotated[View, see("accept")]) -> Response:
    form, _, _ = _sign_form(view, work_order_id)
    return view.submit(
        form,
        lambda body: acceptances.accept(work_order_id, body, view),
        then=_here(work_order_id),
        again=lambda wrong: _signing(view, work_order_id, wrong),
        said="业主已签字，请把通知单交回客服",
    )
