"""The registration form 登记表 from the first call to its end: where it stands, and what can be done now [R13-R49]."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Response

from services.intake.api.consultations import AskConsultation, ask_consultation
from services.intake.api.notices import issue_notice
from services.intake.api.owner_links import OfferTimes, offer_times
from services.intake.api.privacy import reveal_phone
from services.intake.api.requests import AgreeVisit, LogAttempt, agree_visit, cancel_request, log_attempt
from services.intake.pages.owner import link_card
from services.intake.pages.see import see, trade_choices, with_trades
from services.intake.queries.callbacks import calls_of
from services.intake.queries.consultations import consultations_of
from services.intake.queries.owner import stretches
from services.intake.queries.people import heads_of
from services.intake.queries.prices import PriceView, book_of, version_in_force
from services.intake.queries.request_list import Looked, find_requests
from services.intake.queries.requests import RegisteredView, registered
from services.intake.rules.owner import OwnerAct
from services.intake.rules.request import ENDED, REQUEST, RequestState, RequestStep
from shared.ui.forms import Form, wall_of, yuan_of
from shared.ui.tables import Column, Table
from shared.ui.views import View
from shared.web import Reason

pages = APIRouter()

ITEM_ROWS = 2
"""Items of the price book offered at first."""

SLOT_ROWS = 3
"""Times for the owner to choose from, asked for at first."""

TONES = {
    RequestState.RECORDED: "warn",
    RequestState.AGREED: "info",
    RequestState.NOTICED: "info",
    RequestState.ACCEPTED: "good",
    RequestState.REWORK: "warn",
    RequestState.CLOSED: "good",
    RequestState.TERMINATED: "bad",
}
"""State -> the colour of its badge; the others are calm."""

DONE = {
    RequestState.RECORDED: 1,
    RequestState.AGREED: 2,
    RequestState.NOTICED: 3,
    RequestState.REWORK: 3,
    RequestState.ACCEPTED: 4,
    RequestState.CLOSED: 6,
}
"""State -> how many of the steps 登记、约定、通知单、上门、回访、结束 are behind it; ended otherwise there are none."""

COLUMNS = [
    Column("number", "登记号", link=lambda row: f"/intake/requests/{row.id}"),
    Column("state", "状态", "badge", tone=lambda row: TONES.get(row.state, "calm")),
    Column("site_id", "小区", "site"),
    Column("address", "房号"),
    Column("owner_name", "业主姓名"),
    Column("trade", "服务项目", "word"),
    Column("description", "情况说明"),
    Column("recorded_at", "登记时间", "moment"),
    Column("callback_missed", "回电超时"),
    Column("visit_from", "约定上门", "moment"),
    Column("fee_fen", "费用", "money"),
    Column("notice_number", "通知单号"),
    Column("receipt_number", "票据号"),
]


@pages.get("/requests")
def list_requests(view: Annotated[View, see("read_requests")]) -> Response:
    with_trades(view)
    state, day = view.asked("state"), view.asked_day("day")
    looked = Looked(
        site_id=view.asked_site(),
        state=state if state in tuple(RequestState) else None,
        trade=view.asked("trade"),
        day=day,
        words=(view.asked("q") or "").strip()[:100],
    )
    found = find_requests(view.session, view.actor, looked=looked, after=view.asked_id(), limit=view.rows)
    table = Table(
        _shown_columns(view), found.items, found.next, "没有这样的登记。可放宽条件，或在接单台新登记。", "requests"
    )
    states = [(str(one), str(one)) for one in RequestState]
    return view.show("requests.html", table=table, states=states, trades=trade_choices(view))


def _shown_columns(view: View) -> list[Column]:
    """All for an export; a screen has no room for those of the papers, and one site needs no column."""
    hidden = set() if view.asked("export") else {"callback_missed", "notice_number", "receipt_number", "channel"}
    hidden |= {"site_id"} if len(view.sites) == 1 else set()
    return [column for column in COLUMNS if column.name not in hidden]


def agree_form(view: View, one: RegisteredView, book: list[PriceView]) -> Form[AgreeVisit]:
    """Time and fee: what is agreed already, else the first stretch of time that suits the owner."""
    zone = view.zone(one.site_id)
    start, end = windows_of(one)[0] if one.windows else (None, None)
    items = {
        f"items.{number}.{name}": value
        for number, item in enumerate(one.items)
        for name, value in (
            ("price_code", item.code),
            ("quantity", str(item.quantity)),
            ("unit_fen", yuan_of(item.unit_fen)),
        )
    }
    return Form(
        AgreeVisit,
        choices={"price_code": priced(book)},
        shown={
            "visit_from": wall_of(one.visit_from or start, zone),
            "visit_to": wall_of(one.visit_to or end, zone),
            **items,
        },
        rows=ITEM_ROWS,
        zone=zone,
        id="agree",
    )


def offer_form(view: View, one: RegisteredView) -> Form[OfferTimes]:
    """Times the owner may choose from: those offered already stand in it."""
    zone = view.zone(one.site_id)
    shown = {
        f"slots.{number}.{name}": wall_of(at, zone)
        for number, slot in enumerate(stretches(one.offered))
        for name, at in zip(("start", "end"), slot, strict=True)
    }
    return Form(OfferTimes, shown=shown, rows=SLOT_ROWS, zone=zone, id="offer")


def windows_of(one: RegisteredView) -> list[tuple[datetime, datetime]]:
    """The stretches of time that suit the owner."""
    return stretches(one.windows)


def priced(book: list[PriceView]) -> list[tuple[str, str]]:
    """The items of a price book as a field offers them, each with its approved price."""
    return [(one.code, f"{one.name} {_price(one)}/{one.unit}") for one in book]


def _price(one: PriceView) -> str:
    low, high = yuan_of(one.min_fen), yuan_of(one.max_fen)
    return f"¥{low}" if low == high else f"¥{low}–{high}"


def _page(view: View, request_id: UUID, *, phone: str | None = None, **again: Form[Any]) -> Response:
    """The page of a request; `again` holds the form that was refused, under its name."""
    with_trades(view)
    one = registered(view.session, view.actor, request_id)
    version = version_in_force(view.session, view.today(one.site_id))
    book = book_of(view.session, version, one.trade) if REQUEST.allows(_state(one), RequestStep.AGREE) else []
    zone = view.zone(one.site_id)
    forms: dict[str, Form[Any]] = {
        "agree": agree_form(view, one, book),
        "attempt": Form(LogAttempt, id="attempt"),
        "consult": Form(AskConsultation, zone=zone, id="consult"),
        "cancel": Form(Reason, id="cancel"),
        "reveal": Form(Reason, id="reveal"),
        "offer": offer_form(view, one),
    }
    asked = consultations_of(view.session, view.actor, request_id)
    return view.show(
        "request.html",
        one=one,
        phone=phone,
        book=book,
        windows=windows_of(one),
        forms=forms | again,
        calls=calls_of(view.session, view.actor, request_id),
        asked=asked,
        heads=heads_of(view.session, one.site_id).get(one.department or "", []),
        done=DONE.get(_state(one)),
        tone=TONES.get(_state(one), "calm"),
        can={step: REQUEST.allows(_state(one), step) for step in RequestStep},
        ended=_state(one) in ENDED,
        wrong=again.get("press"),
        history=_history(view, one),
        owner_page=link_card(view, request_id),
        live="intake",
    )


def _state(one: RegisteredView) -> RequestState:
    return RequestState(one.state)


def _history(view: View, one: RegisteredView) -> list[tuple[Any, str, str]]:
    """What happened, in order: when, what, and the words to it."""
    happened: list[tuple[Any, str, str]] = [(one.recorded_at, "已登记", view.people.get(one.recorded_by, ""))]
    happened += [
        (call.at, "接通业主" if call.reached else "未接通", view.label(call.note))
        for call in calls_of(view.session, view.actor, one.id)
    ]
    if one.notice:
        happened += [
            (
                revision.made_at,
                "改单" if revision.revision else "开出通知单",
                view.label(revision.reason) if revision.revision else one.notice.number,
            )
            for revision in one.notice.revisions
        ]
    for visit in one.visits:
        happened += [
            (at, what, words)
            for at, what, words in (
                (visit.acknowledged_at, "部门已收单", ""),
                (visit.assigned_at, "已派工", "、".join(visit.workers)),
                (visit.accepted_at, "业主验收签字", visit.signer_name or ""),
                (visit.terminated_at, "终止服务", visit.reason or ""),
            )
            if at is not None
        ]
    for revisit in one.revisits:
        happened += [(attempt.at, "回访未接通", attempt.note) for attempt in revisit.attempts]
        if revisit.done_at is not None:
            said = {True: "回访满意", False: "回访有问题", None: "联系不上，结束"}[revisit.satisfied]
            happened.append((revisit.done_at, said, revisit.note or ""))
    happened += [(done.done_at, _owner_did(view, done.act), done.words or "") for done in one.owner_acts]
    if one.offered_at is not None and one.offered_by is not None:
        happened.append((one.offered_at, "给业主另选时间", view.people.get(one.offered_by, "")))
    happened += [(refund.refunded_at, "退款", refund.reason) for refund in one.refunds]
    happened += [(damage.reported_at, "损坏上报", damage.description) for damage in one.damages]
    if one.ended_at is not None:
        happened.append((one.ended_at, "结束", view.label(one.ending or one.refusal or "")))
    return sorted(happened, key=lambda event: event[0])


def _owner_did(view: View, act: str) -> str:
    return "业主留言" if act == OwnerAct.WISH else view.label(act)


@pages.get("/requests/{request_id}")
def read(request_id: UUID, view: Annotated[View, see("read_requests")]) -> Response:
    return _page(view, request_id)


@pages.post("/requests/{request_id}/attempts")
def attempt(request_id: UUID, view: Annotated[View, see("log_attempt")]) -> Response:
    return view.submit(
        Form(LogAttempt, id="attempt"),
        lambda body: log_attempt(request_id, body, view),
        then=f"/intake/requests/{request_id}",
        again=lambda form: _page(view, request_id, attempt=form),
        said="已记下未接通，继续计时",
    )


@pages.post("/requests/{request_id}/agree")
def agree(request_id: UUID, view: Annotated[View, see("agree_visit")]) -> Response:
    one = registered(view.session, view.actor, request_id)
    book = book_of(view.session, version_in_force(view.session, view.today(one.site_id)), one.trade)
    return view.submit(
        agree_form(view, one, book),
        lambda body: agree_visit(request_id, body, view),
        then=f"/intake/requests/{request_id}",
        again=lambda form: _page(view, request_id, agree=form),
        said="已约定，请开通知单",
    )


@pages.post("/requests/{request_id}/offer")
def offer(request_id: UUID, view: Annotated[View, see("offer_times")]) -> Response:
    one = registered(view.session, view.actor, request_id)
    return view.submit(
        offer_form(view, one),
        lambda body: offer_times(request_id, body, view),
        then=f"/intake/requests/{request_id}",
        again=lambda form: _page(view, request_id, offer=form),
        said="已保存，请告诉业主在他的页面上选",
    )


@pages.post("/requests/{request_id}/cancel")
def cancel(request_id: UUID, view: Annotated[View, see("cancel_request")]) -> Response:
    return view.submit(
        Form(Reason, id="cancel"),
        lambda body: cancel_request(request_id, body, view),
        then=f"/intake/requests/{request_id}",
        again=lambda form: _page(view, request_id, cancel=form),
        said="已取消",
    )


@pages.post("/requests/{request_id}/consultations")
def consult(request_id: UUID, view: Annotated[View, see("ask_consultation")]) -> Response:
    one = registered(view.session, view.actor, request_id)
    return view.submit(
        Form(AskConsultation, zone=view.zone(one.site_id), id="consult"),
        lambda body: ask_consultation(request_id, body, view),
        then=f"/intake/requests/{request_id}",
        again=lambda form: _page(view, request_id, consult=form),
        said="已转部门主管，请按承诺时间回复业主",
    )


@pages.post("/requests/{request_id}/phone/reveal")
def reveal(request_id: UUID, view: Annotated[View, see("reveal_phone")]) -> Response:
    """Shown here, once: no address and no list keeps it [D26]."""
    return view.answer(
        Form(Reason, id="reveal"),
        lambda body: reveal_phone(request_id, body, view),
        show=lambda found: _page(view, request_id, phone=found.phone),
        again=lambda form: _page(view, request_id, reveal=form),
    )


@pages.post("/requests/{request_id}/notice")
def issue(request_id: UUID, view: Annotated[View, see("issue_notice")]) -> Response:
    return view.press(
        lambda: issue_notice(request_id, view),
        then=f"/intake/requests/{request_id}/notice",
        again=lambda form: _page(view, request_id, press=form),
        said="通知单已开出，请打印三联",
    )
