"""Lines of the month's statistics that are disputed, and settled by both sides [R41]."""

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import text
from sqlalchemy.exc import ProgrammingError

from services.intake.actions import line, statistics
from services.intake.models import Month
from services.intake.queries.statistics import months
from services.intake.rules.statistics import (
    FIELD_DEPARTMENTS,
    LINE,
    Item,
    Line,
    LineState,
    LineStep,
    Said,
    check_agreed,
    check_figure,
    compare,
)
from shared.errors import Malformed, NotFound, NotYourRole, RuleBroken
from shared.ids import new_id
from shared.people import Actor
from tests.people import employ, open_site
from tests.services.intake.desk import MONTH_END, Desk
from tests.services.intake.test_statistics import AFTER, ended, seen, sign, signers

__all__ = ["signers"]

KEY = {"department": "engineering", "item": Item.ACCEPTED}


def act(desk: Desk, name: str, actor: Actor, **facts: Any) -> Month:
    """Dispute, settle or accept engineering's accepted jobs."""
    words = {"reason": "有一单不是我们做的"} if name == "dispute" else {"note": "已对单"}
    known = {"site_id": desk.site_id, "month": "2026-04", "actor": actor, "now": AFTER} | KEY | words
    done: Month = getattr(line, name)(desk.session, **known | facts)
    desk.session.flush()
    return done


def shown(desk: Desk, item: Item = Item.ACCEPTED) -> Line:
    return next(one for one in seen(desk).lines if (one.department, one.item) == ("engineering", item))


@pytest.fixture
def month(desk: Desk) -> Desk:
    """April is over; the desk counts one job accepted and paid, and so do the others."""
    ended(desk)
    desk.figures(accepted=1, receipts=1, received_fen=5000, now=AFTER)
    return desk


@given(st.lists(st.sampled_from(LineStep), max_size=8), st.sampled_from([0, 1, None]))
def test_a_line_is_signed_only_when_both_counts_are_the_same_or_both_sides_accepted_a_figure(
    steps: list[LineStep], theirs: int | None
) -> None:
    figures = {(department, item): 1 for department in FIELD_DEPARTMENTS for item in Item}
    given_ = {
        key: value for key, value in (figures | {("engineering", Item.ACCEPTED): theirs}).items() if value is not None
    }
    state, said = LineState.AGREED if theirs == 1 else LineState.DIFFERS, []
    for step in steps:
        if LINE.allows(state, step):
            state = LINE.move(state, step)
            said.append(Said("engineering", Item.ACCEPTED, step, 7 if step is LineStep.SETTLE else None, "x"))
    lines = compare(figures, given_, said)
    (one,) = [each for each in lines if (each.department, each.item) == ("engineering", Item.ACCEPTED)]
    assert one.state is state
    assert one.counts == (7 if state is LineState.SETTLED else 1)
    if state in (LineState.AGREED, LineState.SETTLED):
        check_agreed(lines)
    else:
        with pytest.raises(RuleBroken, match="R41"):
            check_agreed(lines)


@pytest.mark.parametrize("item", [Item.ACCEPTED, Item.TERMINATED, Item.RECEIPTS])
def test_a_count_is_never_below_nothing_but_money_net_of_refunds_may_be(item: Item) -> None:
    with pytest.raises(Malformed):
        check_figure(item, -1)
    check_figure(item, 0)
    check_figure(Item.RECEIVED_FEN, -1)


def test_a_department_disputes_a_line_whose_figures_agree_and_signatures_given_are_void(
    month: Desk, signers: dict[str, Actor]
) -> None:
    sign(month, signers["finance"])
    assert [(s.department, s.name) for s in seen(month).signatures] == [("finance", seen(month).signatures[0].name)]
    act(month, "dispute", signers["engineering"])
    assert (shown(month).state, shown(month).reason) == (LineState.DISPUTED, "有一单不是我们做的")
    assert (shown(month, Item.RECEIPTS).state, seen(month).signed, seen(month).all_agree) == (
        LineState.AGREED,
        [],
        False,
    )
    with pytest.raises(RuleBroken, match="disputed"):
        sign(month, signers["finance"])


def test_a_disputed_line_is_settled_when_the_other_side_accepts_the_desks_figure(
    month: Desk, signers: dict[str, Actor]
) -> None:
    act(month, "dispute", signers["engineering"])
    act(month, "settle", month.head, figure=0)
    assert (shown(month).state, shown(month).figure) == (LineState.PROPOSED, 0)
    with pytest.raises(RuleBroken, match="proposed"):
        sign(month, month.head)
    for wrong in ("finance", "environment"):
        with pytest.raises(NotYourRole):
            act(month, "accept", signers[wrong])
    act(month, "accept", signers["engineering"])
    assert (shown(month).state, shown(month).counts) == (LineState.SETTLED, 0)
    for actor in signers.values():
        sign(month, actor)
    view = seen(month)
    assert view.report is not None
    assert (view.report["engineering.accepted"], view.report["accepted"]) == (0, 0)
    assert [(e.step, e.figure, e.by_department) for e in view.entries] == [
        ("dispute", None, "engineering"),
        ("settle", 0, "front_desk"),
        ("accept", 0, "engineering"),
    ]
    with pytest.raises(RuleBroken, match="agreed already"):
        act(month, "dispute", signers["engineering"])


def test_the_cashier_may_accept_for_finance(month: Desk, signers: dict[str, Actor]) -> None:
    cashier = employ(month.session, "cashier", "finance", month.site_id)
    money = {"item": Item.RECEIVED_FEN}
    act(month, "dispute", signers["finance"], **money)
    act(month, "settle", month.head, figure=4000, **money)
    act(month, "accept", cashier, **money)
    assert shown(month, Item.RECEIVED_FEN).state is LineState.SETTLED


def test_a_figure_the_other_side_will_not_have_is_disputed_anew(month: Desk, signers: dict[str, Actor]) -> None:
    act(month, "dispute", signers["engineering"])
    act(month, "settle", month.head, figure=3)
    act(month, "dispute", signers["engineering"], reason="还是不对")
    assert (shown(month).state, shown(month).figure, shown(month).reason) == (LineState.DISPUTED, None, "还是不对")
    for name, facts in (("dispute", {}), ("accept", {})):
        with pytest.raises(RuleBroken, match="R41"):
            act(month, name, signers["engineering"], **facts)


def test_nothing_is_settled_that_nobody_disputes(month: Desk) -> None:
    with pytest.raises(RuleBroken, match="R41"):
        act(month, "settle", month.head, figure=1)


def test_asking_for_figures_again_leaves_a_dispute_open(month: Desk, signers: dict[str, Actor]) -> None:
    act(month, "dispute", signers["engineering"])
    statistics.ask_figures(month.session, site_id=month.site_id, month="2026-04", actor=month.head, now=AFTER)
    month.figures(accepted=1, receipts=1, received_fen=5000, now=AFTER + timedelta(hours=1))
    assert shown(month).state is LineState.DISPUTED


def test_lines_are_disputed_only_by_who_signs_at_the_site_and_once_the_month_is_over(desk: Desk) -> None:
    desk.begin_month()
    with pytest.raises(RuleBroken, match="not over"):
        act(desk, "dispute", desk.head)
    statistics.end_months(desk.session, now=MONTH_END + timedelta(seconds=1))
    with pytest.raises(NotYourRole):
        act(desk, "dispute", employ(desk.session, "leader", "management", desk.site_id))
    stranger = employ(desk.session, "head", "engineering", open_site(desk.session, "ZJ"))
    for name, facts in (("dispute", {}), ("settle", {"figure": 1}), ("accept", {})):
        with pytest.raises(NotFound):
            act(desk, name, stranger, **facts)
    assert months(desk.session, stranger, month="2026-04") == []


def test_what_was_said_of_a_line_stays(month: Desk, signers: dict[str, Actor]) -> None:
    act(month, "dispute", signers["engineering"])
    with pytest.raises(ProgrammingError, match="permission denied"), month.session.begin_nested():
        month.session.execute(text("DELETE FROM line_entries"))


@pytest.mark.parametrize(
    ("by", "facts", "told"),
    [
        ("engineering", {}, {("desk_head", None, False)}),
        ("front_desk", {}, {("head", "engineering", False)}),
        ("environment", {}, {("desk_head", None, False), ("head", "engineering", False)}),
        ("front_desk", {"item": Item.RECEIPTS}, {("finance_lead", None, False)}),
        ("finance", {"item": Item.RECEIPTS}, {("desk_head", None, False)}),
    ],
)
def test_a_dispute_is_told_to_the_desk_head_and_to_the_other_side_but_not_to_who_disputes(
    month: Desk, signers: dict[str, Actor], by: str, facts: dict[str, Any], told: set[tuple[str, str | None, bool]]
) -> None:
    act(month, "dispute", signers[by], **facts)
    assert month.alerts("line_disputed") == told


def test_each_dispute_of_a_line_is_told(month: Desk, signers: dict[str, Actor]) -> None:
    for _ in range(2):
        act(month, "dispute", signers["engineering"])
        act(month, "settle", month.head, figure=3)
    (told,) = month.session.execute(text("SELECT count(*) FROM alerts WHERE kind = 'line_disputed'")).scalars()
    assert told == 2


def test_a_line_is_read_in_the_order_it_was_spoken_of_whatever_host_made_the_ids(
    month: Desk, signers: dict[str, Actor], monkeypatch: pytest.MonkeyPatch
) -> None:
    earlier, later = new_id(), new_id()
    for name, id_, facts in (("dispute", later, {}), ("settle", earlier, {"figure": 2})):
        monkeypatch.setattr(line, "new_id", lambda made=id_: made)
        act(month, name, month.head, **facts)
    assert (shown(month).state, shown(month).figure) == (LineState.PROPOSED, 2)
    assert [entry.step for entry in seen(month).entries] == ["dispute", "settle"]
