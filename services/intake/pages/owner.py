"""The owner's own page 业主页面, by a link and without signing in: his job, and what he may do about it [R17, R37]."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import RedirectResponse
from markupsafe import Markup
from pydantic import BaseModel, Field
from segno import make_qr
from sqlalchemy.orm import Session

from services.intake import models
from services.intake.actions import owner
from services.intake.api.owner_links import owner_page_address, renew_owner_link
from services.intake.pages import owner_words
from services.intake.pages.calendar_file import CALENDAR, calendar_file
from services.intake.pages.see import see
from services.intake.pages.words import WORDS
from services.intake.queries.owner import NoSuchLink, OwnersJob, open_link, owner_link, owners_job
from services.intake.rules.owner import OwnerAct
from services.intake.rules.request import RequestState
from shared.audit import because, cause_of
from shared.calendar import local
from shared.clock import now as moment_now
from shared.csrf import masked
from shared.errors import Problem
from shared.headers import attachment
from shared.ids import new_id
from shared.limits import address_of, check_often
from shared.owner_link import RATE, cause_by_link, check_form, token_of
from shared.people import hash_token
from shared.ui import language
from shared.ui.forms import Form, Nothing, Sentence
from shared.ui.public import show_public
from shared.ui.render import packages_of
from shared.ui.views import Posted, View
from shared.ui.words import Words
from shared.web import Body, transaction
from shared.web import Words as Written

pages = APIRouter()

PATH = "/intake/o"
Code = Annotated[str, Query(alias="c", max_length=100)]


class MoveVisit(Body):
    """To which of the times offered."""

    slot: str = Field(max_length=40)


class Wish(Body):
    """Another time, or whatever he has to say."""

    wish: Written


class Rating(Body):
    """How it was, and in his words why."""

    stars: int = Field(ge=1, le=5, strict=True)
    remark: Written | None = None


class Trouble(Body):
    """What is not right."""

    trouble: Written


class PrivateJob(Body):
    """Who took money for himself, as far as he knows: when, how much, for what."""

    private_job: Written


OWN_WORDS = Words({**WORDS.names, **owner_words.NAMES}, {**WORDS.problems, **owner_words.PROBLEMS})
"""The desk's words, with those an owner is told instead."""

STEPS = ("登记", "约定", "派单", "上门", "回访")
"""The steps of a job, in an owner's words."""

DONE = {
    RequestState.RECORDED: 1,
    RequestState.AGREED: 2,
    RequestState.NOTICED: 3,
    RequestState.REWORK: 3,
    RequestState.ACCEPTED: 4,
    RequestState.CLOSED: 5,
    RequestState.CLOSED_UNREACHABLE: 5,
}
"""State -> how many of the steps are behind it; ended otherwise there are none."""

NOW = {
    RequestState.REFUSED: "抱歉，这项服务我们不受理。",
    RequestState.RECORDED: "已登记，客服会尽快联系您，约定时间和费用。",
    RequestState.AGREED: "时间和费用已约定，客服正在派单。",
    RequestState.NOTICED: "已派单，服务人员会按约定时间带通知单上门。",
    RequestState.ACCEPTED: "服务已完成，您已签字验收。客服会给您回访。",
    RequestState.REWORK: "正在安排免费返修。",
    RequestState.CLOSED: "这一单已结束。谢谢！",
    RequestState.CLOSED_UNREACHABLE: "这一单已结束。客服多次联系不上您，有问题请在下面告诉我们。",
    RequestState.TERMINATED: "服务没有完成，已终止。客服会向您说明。",
    RequestState.CANCELLED: "这一单已取消。",
}
"""State -> what an owner is told of it."""

SAID: Mapping[str, str] = {
    OwnerAct.CONFIRM: "谢谢，您已确认上门时间。",
    OwnerAct.MOVE: "上门时间已改好。",
    OwnerAct.WISH: "已转给客服，会尽快联系您。",
    OwnerAct.RATE: "谢谢您的评价。",
    OwnerAct.PROBLEM: "已转给客服，会尽快给您回电。",
    OwnerAct.PRIVATE_JOB: "已转给客服主管处理。谢谢您告诉我们。",
}
"""Act -> what the page says once it is done."""

STARS = [("5", "非常满意"), ("4", "满意"), ("3", "一般"), ("2", "不满意"), ("1", "很不满意")]


def forms_of(job: OwnersJob) -> dict[str, Form[Any]]:
    """The forms of the page."""
    slots = [(start.isoformat(), language.span(start, end, job.zone)) for start, end in job.slots]
    return {
        "move": Form(MoveVisit, choices={"slot": slots}),
        "wish": Form(Wish),
        "rate": Form(Rating, choices={"stars": STARS}),
        "trouble": Form(Trouble),
        "private_job": Form(PrivateJob),
    }


def _begin(session: Session, request: Request, code: str, *, lock: bool) -> tuple[models.Request, datetime]:
    """The request of the link, and the moment it is; the audit log says that its owner came. Raises NoSuchLink."""
    because(session, cause_of(cause_by_link(request), address=address_of(request.scope)))
    now = moment_now(session)
    return open_link(session, code, now=now, lock=lock), now


def _said(chinese: str, spoken: str) -> str:
    return language.translations(spoken, *packages_of("services.intake")).gettext(chinese) if chinese else ""


async def _job(request: Request, code: str) -> OwnersJob:
    """What the page shows. Raises NoSuchLink, TooOften."""

    def read(session: Session) -> OwnersJob:
        found, now = _begin(session, request, code, lock=False)
        return owners_job(session, found, now=now)

    job = await transaction("intake", request, read)
    await check_often(f"owner:{hash_token(code)}", RATE)
    return job


def _gone(request: Request) -> Response:
    return show_public(request, "intake", OWN_WORDS, "owner_gone.html", status=404, home=PATH, path=PATH)


def _show(
    request: Request, code: str, job: OwnersJob, *, status: int = 200, said: str = "", again: Mapping[str, Any] = {}
) -> Response:
    spoken = language.chosen(request)
    return show_public(
        request,
        "intake",
        OWN_WORDS,
        "owner.html",
        status=status,
        job=job,
        forms=forms_of(job) | dict(again),
        steps_said=[_said(step, spoken) for step in STEPS],
        done=DONE.get(RequestState(job.state)),
        wrong=again.get("press"),
        code=code,
        csrf=masked(token_of(code)),
        key=new_id,
        said=_said(said, spoken),
        now_words=NOW[RequestState(job.state)],
        home=f"{PATH}?c={code}",
        path=f"{PATH}?c={code}",
        moment=lambda at: language.moment(at, job.zone),
        span=lambda start, end: language.span(start, end, job.zone),
        long_day=lambda at: language.long_day(local(at, job.zone).date(), spoken),
        clock=lambda at: language.clock(at, job.zone),
    )


@pages.get("/o")
async def read(request: Request, code: Code = "", said: str = "") -> Response:
    try:
        job = await _job(request, code)
    except NoSuchLink:
        return _gone(request)
    return _show(request, code, job, said=SAID.get(said, ""))


@pages.get("/o/visit.ics")
async def calendar(request: Request, code: Code = "") -> Response:
    """The appointment, for the calendar of his phone."""
    try:
        job = await _job(request, code)
    except NoSuchLink:
        return _gone(request)
    if job.visit_from is None or job.visit_to is None:
        return _gone(request)
    made = calendar_file(
        uid=f"{job.number}@bianmin",
        start=job.visit_from,
        end=job.visit_to,
        made_at=job.shown_at,
        title=f"{job.site_name} {job.trade_name}",
        place=f"{job.site_name} {job.address}",
        words=job.description,
    )
    return Response(made, media_type=CALENDAR, headers=attachment(f"{job.number}.ics"))


async def _act(
    request: Request,
    posted: Posted,
    act: OwnerAct,
    form: Callable[[OwnersJob], Form[Any]],
    do: Callable[[Session, models.Request, Any, str, datetime], None],
    *,
    name: str = "press",
) -> Response:
    """Do what a form of the page asks; else show the page again with what was written and the reason.

    Raises CrossSite for a form that no page of this link sent.
    """
    code, key = check_form(request, posted), str(posted.get("key") or new_id())
    try:
        asked = form(await _job(request, code))
        body: BaseModel | None = asked.read(posted)
        if body is None:
            return _show(request, code, await _job(request, code), status=422, again={name: asked})

        def work(session: Session) -> None:
            found, now = _begin(session, request, code, lock=True)
            do(session, found, body, key, now)

        try:
            await transaction("intake", request, work)
        except Problem as problem:
            asked.errors = {"": Sentence(OWN_WORDS.problem(problem.code, problem.detail), {})}
            return _show(request, code, await _job(request, code), status=problem.status, again={name: asked})
    except NoSuchLink:
        return _gone(request)
    return RedirectResponse(f"{PATH}?c={code}&said={act}", 303)


@pages.post("/o/confirm")
async def confirm(request: Request, posted: Posted) -> Response:
    return await _act(
        request,
        posted,
        OwnerAct.CONFIRM,
        lambda _: Form(Nothing),
        lambda session, found, _, key, now: owner.confirm(session, found, key=key, now=now),
    )


@pages.post("/o/move")
async def move(request: Request, posted: Posted) -> Response:
    return await _act(
        request,
        posted,
        OwnerAct.MOVE,
        lambda job: forms_of(job)["move"],
        lambda session, found, body, key, now: owner.move(session, found, slot=body.slot, key=key, now=now),
        name="move",
    )


@pages.post("/o/wish")
async def wish(request: Request, posted: Posted) -> Response:
    return await _act(
        request,
        posted,
        OwnerAct.WISH,
        lambda job: forms_of(job)["wish"],
        lambda session, found, body, key, now: owner.wish(session, found, words=body.wish, key=key, now=now),
        name="wish",
    )


@pages.post("/o/rate")
async def rate(request: Request, posted: Posted) -> Response:
    return await _act(
        request,
        posted,
        OwnerAct.RATE,
        lambda job: forms_of(job)["rate"],
        lambda session, found, body, key, now: owner.rate(
            session, found, stars=body.stars, words=body.remark, key=key, now=now
        ),
        name="rate",
    )


@pages.post("/o/problem")
async def report_problem(request: Request, posted: Posted) -> Response:
    return await _act(
        request,
        posted,
        OwnerAct.PROBLEM,
        lambda job: forms_of(job)["trouble"],
        lambda session, found, body, key, now: owner.report_problem(
            session, found, words=body.trouble, key=key, now=now
        ),
        name="trouble",
    )


@pages.post("/o/private-job")
async def tell_private_job(request: Request, posted: Posted) -> Response:
    return await _act(
        request,
        posted,
        OwnerAct.PRIVATE_JOB,
        lambda job: forms_of(job)["private_job"],
        lambda session, found, body, key, now: owner.tell_private_job(
            session, found, words=body.private_job, key=key, now=now
        ),
        name="private_job",
    )


def link_card(view: View, request_id: UUID) -> dict[str, Any] | None:
    """What `owner_link.html` shows on the desk's page of a request: link, QR, what the owner did; None for others."""
    if not view.may("read_owner_link"):
        return None
    known = owner_link(view.session, view.actor, request_id, now=view.now)
    address = f"{owner_page_address(view.request)}?c={known.code}" if known.code else ""
    qr = Markup(make_qr(address).svg_inline(scale=4, omitsize=True)) if address else ""  # noqa: S704  # drawn by us
    return {
        "request_id": known.request_id,
        "open": known.open,
        "address": address,
        "qr": qr,
        "acts": known.acts,
        "may_offer": known.may_offer and known.code is not None,
        "offered": known.offered,
    }


@pages.post("/requests/{request_id}/owner-link")
def renew(request_id: UUID, view: Annotated[View, see("renew_owner_link")]) -> Response:
    renew_owner_link(request_id, view)
    return view.go(f"/intake/requests/{request_id}", "已换新链接，旧链接不能再用")
