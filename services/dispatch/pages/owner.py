"""The settlement list on the owner's own phone, where he signs it: by his link, without signing in [R31, R32, D23]."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Literal

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import RedirectResponse
from sqlalchemy.orm import Session

from services.dispatch.actions.acceptance import sign_by_link
from services.dispatch.api.acceptances import Drawn, ShownHash
from services.dispatch.models import WorkOrder
from services.dispatch.pages.words import WORDS
from services.dispatch.queries.owner_links import NoSuchLink, OwnersList, open_link, owners_list
from services.dispatch.rules.acceptance import Relation
from services.dispatch.rules.work_order import WORK_ORDER, WorkState, WorkStep
from shared.audit import because, cause_of
from shared.clock import now as moment_now
from shared.csrf import masked
from shared.errors import Problem
from shared.ids import new_id
from shared.limits import address_of, check_often
from shared.owner_link import RATE, cause_by_link, check_form, token_of
from shared.people import hash_token
from shared.ui import language
from shared.ui.forms import Form, Sentence
from shared.ui.public import show_public
from shared.ui.views import Posted
from shared.ui.words import Words
from shared.web import Body, Short, transaction

pages = APIRouter()

PATH = "/dispatch/o"
HOME = "/intake/o"
"""The owner's page, where the rest of his job is."""

Code = Annotated[str, Query(alias="c", max_length=100)]


class Sign(Body):
    """A signature by whoever has the owner's link; where nobody can sign, the worker's phone asks for a witness."""

    shown_hash: ShownHash
    signer_name: Short
    relation: Literal["owner", "occupant"]
    signature: Drawn


NOW: Mapping[str, str] = {
    WorkState.RECEIVED: "服务人员还没有上门。完工后，请在这里核对签字。",
    WorkState.ACKNOWLEDGED: "服务人员还没有上门。完工后，请在这里核对签字。",
    WorkState.ASSIGNED: "服务人员还没有上门。完工后，请在这里核对签字。",
    WorkState.CHECKED_IN: "服务人员还没有上门。完工后，请在这里核对签字。",
    WorkState.STARTED: "正在服务。完工后，请在这里核对签字。",
    WorkState.STOPPED: "服务暂停，正在安排。完工后，请在这里核对签字。",
    WorkState.FINISHED: "服务已完工。请检查，合格后签字。",
    WorkState.ACCEPTED: "您已签字验收，谢谢。",
    WorkState.TERMINATED: "服务没有完成，已终止，不用签字。",
    WorkState.CANCELLED: "这一单已取消，不用签字。",
    WorkState.DECLINED: "客服正在重新安排，请等客服联系您。",
}
"""State -> what an owner is told of it."""

OWN_WORDS = Words(
    WORDS.names,
    {
        **WORDS.problems,
        "step_not_allowed": "现在不能签字，请看最新情况。",
        "notice_changed": "费用或内容刚刚变更，请看过新的清单后重新签字。",
    },
)
"""The department's words, with those an owner is told instead."""


def _form(shown: OwnersList) -> Form[Sign]:
    return Form(
        Sign,
        choices={"relation": [(one, one) for one in (Relation.OWNER, Relation.OCCUPANT)]},
        fixed={"shown_hash": shown.hash},
        shown={"signer_name": shown.owner_name, "relation": Relation.OWNER},
    )


def _begin(session: Session, request: Request, code: str, *, lock: bool) -> tuple[WorkOrder, datetime]:
    """The order of the link, and the moment it is; the audit log says that its owner came. Raises NoSuchLink."""
    because(session, cause_of(cause_by_link(request), address=address_of(request.scope)))
    now = moment_now(session)
    return open_link(session, code, now=now, lock=lock), now


async def _list(request: Request, code: str) -> OwnersList:
    """What the page shows. Raises NoSuchLink, TooOften."""
    shown = await transaction(
        "dispatch", request, lambda session: owners_list(session, _begin(session, request, code, lock=False)[0])
    )
    await check_often(f"owner:{hash_token(code)}", RATE)
    return shown


def _gone(request: Request) -> Response:
    return show_public(request, "dispatch", OWN_WORDS, "owner_gone.html", status=404, home=HOME, path=PATH)


def _show(
    request: Request, code: str, found: OwnersList, *, form: Form[Sign] | None = None, status: int = 200
) -> Response:
    state = WorkState(found.state)
    if form is not None:  # of what holds now: a list that changed has to be read before it is signed
        form.fixed = {"shown_hash": found.hash}
    return show_public(
        request,
        "dispatch",
        OWN_WORDS,
        "owner_sign.html",
        status=status,
        found=found,
        shown=found.shown,
        form=form or _form(found),
        can_sign=WORK_ORDER.allows(state, WorkStep.ACCEPT),
        good=state is WorkState.ACCEPTED,
        now_words=NOW[state],
        code=code,
        csrf=masked(token_of(code)),
        key=new_id,
        home=f"{HOME}?c={code}",
        path=f"{PATH}?c={code}",
        moment=lambda at: language.moment(at, found.zone),
    )


@pages.get("/o")
async def read(request: Request, code: Code = "") -> Response:
    try:
        return _show(request, code, await _list(request, code))
    except NoSuchLink:
        return _gone(request)


@pages.post("/o/sign")
async def sign(request: Request, posted: Posted) -> Response:
    code = check_form(request, posted)
    try:
        form = _form(await _list(request, code))
        body = form.read(posted)
        if body is None:
            return _show(request, code, await _list(request, code), form=form, status=422)

        def work(session: Session) -> None:
            order, now = _begin(session, request, code, lock=True)
            sign_by_link(
                session,
                order,
                shown_hash=body.shown_hash,
                signer_name=body.signer_name,
                relation=Relation(body.relation),
                signature=body.signature,
                now=now,
            )

        try:
            await transaction("dispatch", request, work)
        except Problem as problem:
            form.errors = {"": Sentence(OWN_WORDS.problem(problem.code, problem.detail), {})}
            return _show(request, code, await _list(request, code), form=form, status=problem.status)
    except NoSuchLink:
        return _gone(request)
    return RedirectResponse(f"{PATH}?c={code}", 303)
