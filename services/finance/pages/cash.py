"""Cash on its way to finance: one's own, hand-overs counted blind, and finance's day 日清 [R36, R84-R86]."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Response

from services.finance.api.cash_differences import confirm_difference, settle_difference
from services.finance.api.hand_overs import (
    CountHandOver,
    OfferHandOver,
    ReceiveOnBehalf,
    count_hand_over,
    offer_hand_over,
    receive_on_behalf,
    withdraw_hand_over,
)
from services.finance.api.receipts import CollectFee
from services.finance.pages.parts import BY_MONTH, SITE, Filter, asked_one, at_site, by_state, month_in, newest, state
from services.finance.pages.see import see
from services.finance.queries.cash import cash, own_cash, tills
from services.finance.queries.daily_checks import CashCheckView, cash_checks
from services.finance.queries.hand_overs import HandOverView, hand_over_by_id, hand_overs, open_hand_overs
from services.finance.queries.people import colleagues, gone_holders
from services.finance.queries.receipts import receipts, receipts_by_ids, unexplained
from services.finance.rules.hand_over import DENOMINATIONS, HAND_OVER, RECEIVERS, HandOverState, HandOverStep
from services.finance.rules.receipt import ReceiptState
from shared.errors import NotFound
from shared.ui.forms import Form, Nothing, yuan_of
from shared.ui.tables import Column, Table
from shared.ui.views import View
from shared.web import Reason

pages = APIRouter()

NOTES = {"notes": [(str(fen), str(fen)) for fen in DENOMINATIONS]}
"""The fields of a count note by note."""

HAND_OVERS = [
    Column("offered_at", "交款时间", "moment", link=lambda row: f"/finance/hand-overs/{row.id}"),
    SITE,
    Column("from_id", "交款人", "person"),
    Column("to_id", "收款人", "person"),
    Column("amount_fen", "交款金额", "money"),
    Column("counted_fen", "清点金额", "money"),
    state(),
]


def _offer_form(view: View, site_id: UUID) -> Form[OfferHandOver]:
    people = colleagues(view.session, site_id=site_id, roles=RECEIVERS.get(view.actor.role, ()))
    names = [(str(one.id), f"{one.name} · {view.label(one.role)}") for one in people if one.id != view.actor.person_id]
    first = {"to_person_id": names[0][0]} if names else {}
    return Form(
        OfferHandOver,
        choices={"to_person_id": names},
        fixed={"site_id": str(site_id)},
        shown=first,
        id=str(site_id),
    )


def my_cash_page(
    view: View,
    *,
    offering: tuple[UUID, Form[OfferHandOver]] | None = None,
    collecting: tuple[UUID, Form[CollectFee]] | None = None,
) -> Response:
    """What he holds: cash to hand over, receipts he carries, hand-overs under way."""
    me = view.actor.person_id
    held = own_cash(view.session, view.actor)
    may_offer = view.may("offer_hand_over")
    forms = {one.site_id: _offer_form(view, one.site_id) for one in held if one.free_fen > 0 and may_offer}
    forms |= dict([offering]) if offering else {}
    mine = receipts(view.session, view.actor, state=None, month=None, holder_id=me, after=None, limit=1000)
    carried = receipts(
        view.session, view.actor, state=ReceiptState.CARRIED, month=None, holder_id=None, after=None, limit=1000
    )
    going = [one for one in open_hand_overs(view.session, view.actor) if me in (one.from_id, one.to_id)]
    with_me = [one for one in carried.items if one.carried_by == me and one.request_id]
    collect = {one.request_id: _collect_form(str(one.id), one.amount_fen) for one in with_me}
    collect |= dict([collecting]) if collecting else {}
    return view.show(
        "my_cash.html",
        live="finance",
        held=held,
        total=sum(one.amount_fen for one in held),
        offered=sum(one.amount_fen - one.free_fen for one in held),
        forms=forms,
        going=going,
        carried=with_me,
        collect=collect,
        table=Table(
            [
                Column("number", "票据", link=lambda row: f"/finance/receipts/{row.id}"),
                SITE,
                Column("amount_fen", "金额", "money"),
                Column("collected_at", "收款时间", "moment"),
            ],
            mine.items,
            empty="您手里没有现金，今天已结清。",
            name="cash",
        ),
    )


def _collect_form(receipt_id: str, fee_fen: int | None) -> Form[CollectFee]:
    fixed = {"amount_fen": yuan_of(fee_fen), "receipt_id": receipt_id, "method": "cash"}
    return Form(CollectFee, fixed=fixed, id=receipt_id)


@pages.get("/my-cash")
def my_cash(view: Annotated[View, see("read_hand_overs")]) -> Response:
    return my_cash_page(view)


@pages.post("/hand-overs")
def offer(view: Annotated[View, see("offer_hand_over")]) -> Response:
    try:
        site_id = UUID(str(view.posted.get("site_id", "")))
    except ValueError as error:
        raise NotFound("site", view.posted.get("site_id", "")) from error
    return view.submit(
        _offer_form(view, site_id),
        lambda body: offer_hand_over(body, view),
        then=lambda offered: f"/finance/hand-overs/{offered.id}",
        again=lambda form: my_cash_page(view, offering=(site_id, form)),
        said="已提交交款，请对方当面清点",
    )


@pages.get("/hand-overs")
def list_hand_overs(view: Annotated[View, see("read_hand_overs")]) -> Response:
    asked = asked_one(view, "state", HandOverState)
    found = hand_overs(view.session, view.reader, state=asked, **newest(view))
    return view.show(
        "listing.html",
        title="交款记录",
        hint="每一笔现金从谁手里到谁手里，由收款人清点。",
        table=Table(HAND_OVERS, found.items, found.next, "没有符合条件的交款。", "hand-overs"),
        filters=[*at_site(view), by_state(HandOverState)],
    )


def _behalf(view: View, form: Form[ReceiveOnBehalf] | None = None) -> Response:
    site_id, person_id = view.asked_site(), view.asked_id("person")
    holder = next(
        (one for one in gone_holders(view.session, view.actor) if (one.site_id, one.id) == (site_id, person_id)), None
    )
    if holder is None and form is None:
        raise NotFound("holder of cash", person_id)
    return view.show(
        "on_behalf.html", holder=holder, form=form or _behalf_form(str(site_id), str(person_id)), notes=DENOMINATIONS
    )


def _behalf_form(site_id: str, person_id: str) -> Form[ReceiveOnBehalf]:
    return Form(ReceiveOnBehalf, choices=NOTES, fixed={"site_id": site_id, "from_person_id": person_id})


@pages.get("/hand-overs/on-behalf")
def ask_on_behalf(view: Annotated[View, see("read_hand_overs")]) -> Response:
    return _behalf(view)


@pages.post("/hand-overs/on-behalf")
def take_on_behalf(view: Annotated[View, see("receive_on_behalf")]) -> Response:
    return view.submit(
        _behalf_form(str(view.posted.get("site_id", "")), str(view.posted.get("from_person_id", ""))),
        lambda body: receive_on_behalf(body, view),
        then=lambda received: f"/finance/hand-overs/{received.id}",
        again=lambda form: _behalf(view, form),
        said="已代为收取",
    )


def _hand_over(
    view: View,
    hand_over_id: UUID,
    *,
    count: Form[CountHandOver] | None = None,
    settle: Form[Reason] | None = None,
    failed: Form[Nothing] | None = None,
) -> Response:
    one = hand_over_by_id(view.session, view.actor, hand_over_id)
    mine, to_me = one.from_id == view.actor.person_id, one.to_id == view.actor.person_id
    for_him = one.on_behalf_reason is not None
    confirms = mine or (for_him and view.actor.role == "desk_head" and not to_me)
    return view.show(
        "hand_over.html",
        one=one,
        receipts=receipts_by_ids(view.session, view.actor, one.receipt_ids),
        mine=mine,
        to_me=to_me,
        blind=one.amount_fen is None,
        count=(count or Form(CountHandOver, choices=NOTES, id="count"))
        if to_me and _may(view, one, "count_hand_over", HandOverStep.COUNT)
        else None,
        settle=(settle or Form(Reason, id="settle"))
        if to_me and _may(view, one, "settle_difference", HandOverStep.SETTLE_DIFFERENCE)
        else None,
        confirms=confirms and _may(view, one, "confirm_difference", HandOverStep.CONFIRM_DIFFERENCE),
        withdraws=(mine or (for_him and to_me)) and _may(view, one, "withdraw_hand_over", HandOverStep.WITHDRAW),
        failed=failed,
        notes=DENOMINATIONS,
        live="finance",
    )


def _may(view: View, one: HandOverView, action: str, step: HandOverStep) -> bool:
    return view.may(action) and HAND_OVER.allows(HandOverState(one.state), step)


@pages.get("/hand-overs/{hand_over_id}")
def read_hand_over(hand_over_id: UUID, view: Annotated[View, see("read_hand_overs")]) -> Response:
    return _hand_over(view, hand_over_id)


@pages.post("/hand-overs/{hand_over_id}/count")
def count(hand_over_id: UUID, view: Annotated[View, see("count_hand_over")]) -> Response:
    return view.submit(
        Form(CountHandOver, choices=NOTES, id="count"),
        lambda body: count_hand_over(hand_over_id, body, view),
        then=f"/finance/hand-overs/{hand_over_id}",
        again=lambda form: _hand_over(view, hand_over_id, count=form),
        said="清点结果已记录",
    )


@pages.post("/hand-overs/{hand_over_id}/settle-difference")
def settle(hand_over_id: UUID, view: Annotated[View, see("settle_difference")]) -> Response:
    return view.submit(
        Form(Reason, id="settle"),
        lambda body: settle_difference(hand_over_id, body, view),
        then=f"/finance/hand-overs/{hand_over_id}",
        again=lambda form: _hand_over(view, hand_over_id, settle=form),
        said="差额已说明，等交款人确认",
    )


@pages.post("/hand-overs/{hand_over_id}/confirm-difference")
def confirm(hand_over_id: UUID, view: Annotated[View, see("confirm_difference")]) -> Response:
    return view.press(
        lambda: confirm_difference(hand_over_id, view),
        then=f"/finance/hand-overs/{hand_over_id}",
        again=lambda form: _hand_over(view, hand_over_id, failed=form),
        said="差额已由双方确认",
    )


@pages.post("/hand-overs/{hand_over_id}/withdraw")
def withdraw(hand_over_id: UUID, view: Annotated[View, see("withdraw_hand_over")]) -> Response:
    return view.press(
        lambda: withdraw_hand_over(hand_over_id, view),
        then=f"/finance/hand-overs/{hand_over_id}",
        again=lambda form: _hand_over(view, hand_over_id, failed=form),
        said="交款已撤回，现金仍在交款人手里",
    )


@pages.get("/daily")
def daily(view: Annotated[View, see("read_cash")]) -> Response:
    """Finance's day: who has not handed over yet, what waits to be counted, the tills."""
    going = open_hand_overs(view.session, view.reader) if view.may("read_hand_overs") else []
    to_me = [one for one in going if one.to_id == view.actor.person_id]
    unknown = {(one.site_id, one.from_id) for one in to_me if one.state == HandOverState.OFFERED}
    out = cash(view.session, view.reader)
    gone = gone_holders(view.session, view.reader) if view.may("receive_on_behalf") else []
    return view.show(
        "daily.html",
        live="finance",
        to_me=to_me,
        others=[one for one in going if one not in to_me],
        out=out,
        unknown=unknown,
        gone={(one.site_id, one.id) for one in gone},
        total=sum(one.amount_fen for one in out if (one.site_id, one.holder_id) not in unknown),
        tills=tills(view.session, view.reader) if view.may("read_deposits") else {},
        unexplained=unexplained(view.session, view.reader),
        filters=at_site(view),
    )


def _day_state(row: CashCheckView) -> str:
    if row.closed_at:
        return "结清"
    return "未结清" if row.checked_at else "营业中"


DAYS = [
    Column("day", "日期"),
    SITE,
    Column("state", "状态", "badge", tone=lambda row: {"结清": "good", "未结清": "bad"}.get(row["state"], "info")),
    Column("held_fen", "打烊时未交", "money"),
    Column("holders", "未交款人"),
    Column("carried", "外带票据"),
    Column("closed_at", "结清时间", "moment"),
]


@pages.get("/days")
def days(view: Annotated[View, see("read_cash")]) -> Response:
    """A month's daily cash checks."""
    found = cash_checks(view.session, view.reader, month=month_in(view) or view.this_month())
    rows = [
        {
            "day": one.day,
            "site_id": one.site_id,
            "state": _day_state(one),
            "held_fen": one.held_fen or None,
            "holders": "、".join(view.people.get(f.holder_id, "—") for f in one.findings) or None,
            "carried": "、".join(f.number for f in one.carried) or None,
            "closed_at": one.closed_at,
        }
        for one in sorted(found, key=lambda one: (one.day, str(one.site_id)), reverse=True)
    ]
    return view.show(
        "listing.html",
        title="每日现金检查",
        hint="每天打烊时清查未交的现金和外带的票据，次日早上追缴。",
        table=Table(DAYS, rows, empty="这个月还没有营业日。", name="days"),
        filters=[*at_site(view), Filter("month", BY_MONTH.title, "month")],
    )
