"""What an owner may do on his own page, without signing in: where his job stands decides it [R17-R19, R37-R39, R54].

Nothing he does there takes a decision from the desk. Until the notice is issued he may move the visit to a time that he
himself called convenient; and, as long as nobody is on the way, to a time that the desk offered him, by which a notice
that is out is revised [R24, D23]. Any other wish is a message to the desk. A problem is a message too: the desk calls
him and decides on the rework [R38]. A rating stands beside the desk's revisit.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from enum import StrEnum

from services.intake.rules.notice import check_window
from services.intake.rules.request import RequestState
from shared.errors import RuleBroken

MOST_ACTS = 50
"""How often an owner may write by one link; whoever has more to say calls the desk."""

SLOTS = 8
"""How many times are offered at most."""

MOVE_BEFORE = timedelta(hours=1)
"""So long before the visit a notice that is out stays as it is: from then on its workers may be at the door [D4]."""


class OwnerAct(StrEnum):
    """What an owner does by his link."""

    CONFIRM = "confirm"
    MOVE = "move"
    WISH = "wish"
    RATE = "rate"
    PROBLEM = "report_problem"
    PRIVATE_JOB = "tell_private_job"


_AFTER_WORK = frozenset({RequestState.ACCEPTED, RequestState.CLOSED, RequestState.CLOSED_UNREACHABLE})

ALLOWED: dict[OwnerAct, frozenset[RequestState]] = {
    OwnerAct.CONFIRM: frozenset({RequestState.AGREED, RequestState.NOTICED}),
    OwnerAct.MOVE: frozenset({RequestState.AGREED, RequestState.NOTICED}),
    OwnerAct.WISH: frozenset(
        {RequestState.RECORDED, RequestState.AGREED, RequestState.NOTICED, RequestState.REWORK},
    ),
    OwnerAct.RATE: _AFTER_WORK,
    OwnerAct.PROBLEM: _AFTER_WORK | {RequestState.NOTICED, RequestState.REWORK, RequestState.TERMINATED},
    # also of a job he withdrew: perhaps somebody told him to
    OwnerAct.PRIVATE_JOB: frozenset(RequestState) - {RequestState.REFUSED, RequestState.RECORDED},
}
"""Act -> the states of a request in which its owner may."""


def may_act(act: OwnerAct, state: RequestState) -> bool:
    """Whether his page offers it now."""
    return state in ALLOWED[act]


def check_act(act: OwnerAct, state: RequestState, *, acts_before: int) -> None:
    """Raises RuleBroken when the request is not where this can be done, or when he wrote too often."""
    if not may_act(act, state):
        raise RuleBroken("not_now", f"a request that is {state} takes no {act}", rule="R17-R19, R37")
    if acts_before >= MOST_ACTS:
        raise RuleBroken("wrote_too_often", f"an owner may write {MOST_ACTS} times by one link", rule="R37")


def check_not_over(visit_to: datetime, *, now: datetime) -> None:
    """Raises RuleBroken when the agreed time has passed: nobody can confirm it any more [R49]."""
    if visit_to <= now:
        raise RuleBroken("window_is_past", "the visit would be over already", rule="R49")


def check_slot(start: datetime, end: datetime, *, now: datetime) -> None:
    """Raises RuleBroken for a time that cannot be offered: one without length, or that has begun [R17, R49]."""
    check_window(start, end, now=now)
    if start <= now:
        raise RuleBroken("window_is_past", "an offered time begins later than now", rule="R49")


def movable(state: RequestState, visit_from: datetime, *, now: datetime) -> bool:
    """Whether a visit may still move by the owner's choice: with the notice out, only before somebody may be there."""
    return state is not RequestState.NOTICED or now < visit_from - MOVE_BEFORE


def check_movable(state: RequestState, visit_from: datetime, *, now: datetime) -> None:
    """Raises RuleBroken when workers may be on the way or at the home: then the desk and the owner talk [R30, R49]."""
    if not movable(state, visit_from, now=now):
        raise RuleBroken("too_late_to_move", "workers may be on the way: call the owner", rule="R30, R49")


def offered(
    windows: Sequence[tuple[datetime, datetime]], *, visit_from: datetime, visit_to: datetime, now: datetime
) -> list[tuple[datetime, datetime]]:
    """The times an owner may move his visit to: within those he called convenient [R17], as long as the one agreed.

    Each begins after now, and none is the time agreed already.
    """
    length = visit_to - visit_from
    found = [
        (start + number * length, start + (number + 1) * length)
        for start, end in windows
        for number in range(min(int((end - start) / length), 24))
    ]
    return sorted({slot for slot in found if slot[0] > now and slot != (visit_from, visit_to)})[:SLOTS]


_TWO_LETTERS = frozenset(
    {
        *("欧阳", "司马", "上官", "诸葛", "东方", "皇甫", "尉迟", "公孙", "慕容", "令狐"),
        *("长孙", "宇文", "司徒", "夏侯", "端木", "独孤", "南宫", "轩辕", "闻人", "百里"),
    }
)
"""Family names of two letters, as they are met."""


def given_name(name: str) -> str:
    """What an owner is told of who comes: the given name alone, '王小明' as '小明', 'Li Wei' as 'Wei'."""
    words = name.split()
    if len(words) > 1:
        return words[-1]
    family = 2 if name[:2] in _TWO_LETTERS and len(name) > 2 else 1
    return name[family:] or name
