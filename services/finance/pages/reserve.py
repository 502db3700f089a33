"""The reserve fund 公积金: what it holds, its uses, a month's statement [R72-R77, D17]."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Response

from services.finance.api.reserves import ProposeReserveUse, propose_reserve_use
from services.finance.pages.parts import BY_MONTH, SITE, asked_one, at_site, by_state, month_in, newest, state
from services.finance.pages.see import see
from services.finance.queries.charges import charges
from services.finance.queries.damages import damages
from services.finance.queries.people import colleagues
from services.finance.queries.reserves import proposals, reserve_statement, reserves
from services.finance.rules.reserve import ProposalState
from shared.access import ANYBODY
from shared.ui.forms import Form
from shared.ui.tables import Column, Table
from shared.ui.views import View

pages = APIRouter()

COLUMNS = [
    Column("use", "用途", "word"),
    SITE,
    state(),
    Column("amount_fen", "金额", "money"),
    Column("person_id", "给", "person"),
    Column("reason", "原因"),
    Column("proposed_by", "提出人", "person"),
    Column("decided_by", "审批人", "person"),
    Column("decided_at", "审批时间", "moment"),
    Column("decision", "批示"),
    Column("month", "计入月份"),
]

MOVEMENTS = [
    Column("day", "日期"),
    Column("kind", "事项", "word"),
    Column("amount_fen", "收入（负数为支出）", "money"),
    Column("reason", "原因"),
]

RECENT = 200
"""Damage and jobs offered for a proposal: the newest."""


@pages.get("/reserve")
def read_reserve(view: Annotated[View, see("read_reserve")]) -> Response:
    asked = asked_one(view, "state", ProposalState)
    found = proposals(view.session, view.reader, state=asked, **newest(view))
    return view.show(
        "reserve.html",
        funds=reserves(view.session, view.reader),
        table=Table(COLUMNS, found.items, found.next, "还没有动用过公积金。", "reserve"),
        filters=[*at_site(view), by_state(ProposalState)],
        month=view.this_month(),
    )


def _form(view: View) -> Form[ProposeReserveUse]:
    site_id = view.asked_site() or next(iter(view.sites))
    people = colleagues(view.session, site_id=site_id, roles=[role for role in ANYBODY if role != "worker"])
    recent = damages(view.session, view.reader, after=None, limit=RECENT, newest=True).items
    jobs = charges(view.session, view.reader, state=None, after=None, limit=RECENT, newest=True).items
    return Form(
        ProposeReserveUse,
        choices={
            "site_id": view.choose_sites(),
            "person_id": [(str(one.id), one.name) for one in people if one.id != view.actor.person_id],
            "damage_id": [(str(one.damage_id), one.description[:40]) for one in recent],
            "request_id": [(str(one.request_id), one.notice_number) for one in jobs],
        },
        shown={"site_id": str(site_id)},
    )


def _propose(view: View, form: Form[ProposeReserveUse]) -> Response:
    return view.show("reserve_propose.html", form=form, funds=reserves(view.session, view.reader))


@pages.get("/reserve/propose")
def ask_to_propose(view: Annotated[View, see("read_reserve")]) -> Response:
    return _propose(view, _form(view))


@pages.post("/reserve/proposals")
def propose(view: Annotated[View, see("propose_reserve_use")]) -> Response:
    return view.submit(
        _form(view),
        lambda body: propose_reserve_use(body, view),
        then="/finance/reserve",
        again=lambda form: _propose(view, form),
        said="已提出，等分管领导审批",
    )


@pages.get("/reserve/{site_id}/statement")
def statement(site_id: UUID, view: Annotated[View, see("read_reserve")]) -> Response:
    month = month_in(view) or view.this_month(site_id)
    found = reserve_statement(view.session, view.actor, site_id=site_id, month=month)
    return view.show(
        "reserve_statement.html",
        statement=found,
        table=Table(MOVEMENTS, found.movements, empty="本月没有变动。", name=f"reserve-{month}"),
        filters=[BY_MONTH],
    )
