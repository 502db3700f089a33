"""What was missing: found by counting, or still out in the morning; what is owed of it [R86-R88, D6, D7]."""

from dataclasses import replace
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Response

from services.finance.api.cash_differences import MakeGood, make_good
from services.finance.pages.parts import SITE, at_site, newest
from services.finance.pages.see import see
from services.finance.queries.cash_differences import cash_differences, open_shortages
from services.finance.queries.missing_cash import missing_cash
from shared.ui.forms import Form
from shared.ui.tables import Column, Table
from shared.ui.views import View

pages = APIRouter()

DIFFERENCES = [
    Column("recorded_at", "确认时间", "moment", link=lambda row: f"/finance/hand-overs/{row.hand_over_id}"),
    SITE,
    Column("giver_id", "交款人", "person"),
    Column("receiver_id", "收款人", "person"),
    Column("amount_fen", "短款（负数为长款）", "money"),
    Column("reason", "原因"),
    Column("made_good_at", "补足时间", "moment"),
    Column("made_good_by", "经收人", "person"),
]

MISSING = [
    Column("day", "日期"),
    SITE,
    Column("holder_name", "经手人"),
    Column("amount_fen", "金额", "money"),
    Column("numbers", "票据"),
    Column("found_at", "发现时间", "moment"),
    Column("returned_at", "交回时间", "moment"),
]


def _differences(view: View, failed: tuple[UUID, Form[MakeGood]] | None = None) -> Response:
    owed = open_shortages(view.session, view.reader)
    others = view.may("make_good")
    forms = {one.id: Form(MakeGood, id=str(one.id)) for one in owed if others and one.giver_id != view.actor.person_id}
    forms |= dict([failed]) if failed else {}
    found = cash_differences(view.session, view.reader, **newest(view))
    shown = DIFFERENCES if view.may("read_hand_overs") else [replace(DIFFERENCES[0], link=None), *DIFFERENCES[1:]]
    return view.show(
        "differences.html",
        owed=owed,
        forms=forms,
        total=sum(one.amount_fen for one in owed),
        differences=Table(shown, found.items, found.next, "清点从未不符。", "differences"),
        filters=at_site(view),
        read_hand_overs=view.may("read_hand_overs"),
    )


@pages.get("/differences")
def list_differences(view: Annotated[View, see("read_cash")]) -> Response:
    return _differences(view)


@pages.post("/differences/{difference_id}/make-good")
def make_up(difference_id: UUID, view: Annotated[View, see("make_good")]) -> Response:
    return view.submit(
        Form(MakeGood, id=str(difference_id)),
        lambda body: make_good(difference_id, body, view),
        then="/finance/differences",
        again=lambda form: _differences(view, (difference_id, form)),
        said="短款已补足",
    )


@pages.get("/missing-cash")
def list_missing(view: Annotated[View, see("read_cash")]) -> Response:
    found = missing_cash(view.session, view.reader, **newest(view))
    rows = [
        {
            **{
                name: getattr(one, name)
                for name in ("day", "site_id", "holder_name", "amount_fen", "found_at", "returned_at")
            },
            "numbers": "、".join(one.receipt_numbers) or None,
        }
        for one in found.items
    ]
    return view.show(
        "listing.html",
        title="隔夜未交现金",
        hint="次日早上仍未交的现金，已通报人事立案；处罚金额等于所涉现金。",
        table=Table(MISSING, rows, found.next, "没有隔夜未交的现金。", "missing-cash"),
        filters=at_site(view),
        links=[("差额与欠款", "/finance/differences")],
    )
