"""Revisits, and the month's statistics line by line."""

from collections.abc import Callable

from services.intake.actions import line, statistics
from services.intake.models import Request
from shared.people import Actor
from tests.bad_input.acts import Act, Call
from tests.bad_input.house import House
from tests.services.intake.desk import MONTH_END, NOW, Desk, price_book

MONTH = "2026-04"
LINE = {"department": "engineering", "item": "accepted"}
SURVEY = {"quality": 5, "attitude": 4, "price_as_agreed": True}


def at_the_desk(house: House, prepare: Callable[[Desk], Request | None]) -> str:
    """Prepare something with the desk's own helpers; the id of the request it is about, if any."""
    with house.session() as session:
        desk = Desk(session, house.site_id, house.people["clerk"], house.people["desk_head"])
        desk.handle(price_book())
        made = prepare(desk)
        session.flush()
        return str(made.id) if made else ""


def a_revisit(house: House) -> Call:
    made = at_the_desk(house, lambda desk: desk.accepted())
    return Call(f"/requests/{made}/revisit", {"outcome": "satisfied", "note": "满意", "survey": SURVEY})


def an_unreachable_owner(house: House) -> Call:
    made = at_the_desk(house, lambda desk: desk.not_reached(desk.accepted(), 3))
    return Call(f"/requests/{made}/close-unreachable", {"reason": "停机"})


def a_month(house: House, act: str, *said: str) -> Call:
    """April is over with every figure the same; of a line so much was said."""

    def prepare(desk: Desk) -> None:
        desk.begin_month()
        statistics.end_months(desk.session, now=MONTH_END.replace(minute=31))
        desk.figures(now=MONTH_END.replace(minute=31))
        known = {"site_id": desk.site_id, "month": MONTH, "now": NOW, **LINE}
        head: Actor = house.people["desk_head"]
        if "dispute" in said:
            line.dispute(desk.session, reason="少一单", actor=head, **known)  # type: ignore[arg-type]
            desk.session.flush()
        if "settle" in said:
            line.settle(desk.session, figure=1, note="已核对", actor=head, **known)  # type: ignore[arg-type]

    at_the_desk(house, prepare)
    return Call(f"/months/{MONTH}/sites/{house.site_id}/{act}")


def a_line(house: House, act: str, *said: str) -> Call:
    words = {"dispute": {"reason": "少一单"}, "settle": {"figure": 1, "note": "已核对"}, "accept": {"note": "同意"}}
    return Call(a_month(house, f"lines/{act}", *said).path, LINE | words[act])


ACTS = [
    Act("intake", "/requests/{request_id}/revisit", "clerk", a_revisit),
    Act("intake", "/requests/{request_id}/close-unreachable", "desk_head", an_unreachable_owner),
    Act(
        "intake",
        "/months/{month}/sites/{site_id}/ask",
        "desk_head",
        lambda house: a_month(house, "ask"),
        again="as often as a figure was put right",
    ),
    Act("intake", "/months/{month}/sites/{site_id}/sign", "desk_head", lambda house: a_month(house, "sign")),
    Act(
        "intake",
        "/months/{month}/sites/{site_id}/lines/dispute",
        "head",
        lambda house: a_line(house, "dispute"),
    ),
    Act(
        "intake",
        "/months/{month}/sites/{site_id}/lines/settle",
        "desk_head",
        lambda house: a_line(house, "settle", "dispute"),
    ),
    Act(
        "intake",
        "/months/{month}/sites/{site_id}/lines/accept",
        "head",
        lambda house: a_line(house, "accept", "dispute", "settle"),
    ),
]
