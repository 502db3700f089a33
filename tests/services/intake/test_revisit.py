"""The revisit and free rework until the owner is satisfied [R37-R39, D4, D25]."""

from datetime import timedelta

import pytest

from services.intake import queries
from services.intake.actions import revisit
from services.intake.rules.revisit import RevisitPolicy, Survey, revisit_due, rework_assign_due
from shared.errors import NotFound, RuleBroken
from tests.people import employ, open_site, published
from tests.services.intake.desk import NOW, Desk, minutes

DAY_LATER = NOW + timedelta(hours=24)


def test_the_owner_is_called_a_day_later_and_rework_is_assigned_within_two_hours() -> None:
    assert revisit_due(NOW, RevisitPolicy()) == DAY_LATER
    assert rework_assign_due(NOW, RevisitPolicy()) == NOW + timedelta(hours=2)


def test_a_revisit_appears_on_the_desks_list_after_its_time_and_once(desk: Desk) -> None:
    made = desk.accepted()
    assert revisit.list_due(desk.session, now=DAY_LATER) == 0
    assert queries.revisits_due(desk.session, desk.clerk).items == []
    assert revisit.list_due(desk.session, now=DAY_LATER + timedelta(seconds=1)) == 1
    assert revisit.list_due(desk.session, now=DAY_LATER + timedelta(seconds=1)) == 0
    desk.session.expire_all()
    assert [row.request_id for row in queries.revisits_due(desk.session, desk.clerk).items] == [made.id]
    elsewhere = employ(desk.session, "clerk", "front_desk", open_site(desk.session, "ZJ"))
    assert queries.revisits_due(desk.session, elsewhere).items == []
    with pytest.raises(NotFound):
        revisit.not_reached(desk.session, request_id=made.id, note="x", actor=elsewhere, now=NOW)


def test_an_owner_who_is_not_reached_is_called_again(desk: Desk) -> None:
    made = desk.accepted()
    desk.not_reached(made, 2)
    view = desk.view(made)
    assert (view.state, view.revisits[0].failed_attempts, view.revisits[0].done_at) == ("accepted", 2, None)


def test_a_satisfied_owner_closes_the_request(desk: Desk) -> None:
    made = desk.satisfied(desk.accepted())
    desk.session.flush()
    view = desk.view(made)
    assert (view.state, view.ended_at, view.revisits[0].satisfied) == ("closed", NOW, True)
    assert view.phone == "138****8000"
    with pytest.raises(RuleBroken, match="R37"):
        desk.satisfied(made)


def test_there_is_no_revisit_before_the_work_was_accepted(desk: Desk) -> None:
    made = desk.noticed()
    with pytest.raises(RuleBroken, match="R37"):
        desk.satisfied(made)


def test_a_problem_means_free_rework_again_and_again_until_the_owner_is_satisfied(desk: Desk) -> None:
    made = desk.accepted()
    for round_ in (1, 2):
        desk.problem(made)
        assert published(desk.session)[-1] == ("ReworkOrdered", "dispatch")
        ordered = desk.messages("ReworkOrdered")[-1]
        assert (ordered["round"], ordered["problem"], ordered["notice_number"]) == (
            round_,
            "还在漏水",
            "TZ-BK-20260401-0001",
        )
        with pytest.raises(RuleBroken):
            desk.satisfied(made)
        desk.hear("WorkAccepted", made, round=round_, fee_fen=0, now=minutes(round_))
    desk.satisfied(made)
    desk.session.flush()
    view = desk.view(made)
    assert (view.state, [r.satisfied for r in view.revisits]) == ("closed", [False, False, True])
    assert [visit.round for visit in view.visits] == [0, 1, 2]


def test_a_rework_that_could_not_be_done_is_taken_up_with_the_owner_at_once(desk: Desk) -> None:
    made = desk.problem(desk.accepted())
    desk.hear("WorkTerminated", made, round=1, now=minutes(30))
    assert revisit.list_due(desk.session, now=minutes(31)) == 1
    view = desk.view(made)
    assert (view.state, view.revisits[-1].round, view.revisits[-1].due_at) == ("accepted", 1, minutes(30))
    desk.problem(made, now=minutes(40))
    assert [visit.round for visit in desk.view(made).visits] == [0, 1, 2]


def test_a_problem_needs_a_time_that_is_not_over(desk: Desk) -> None:
    made = desk.accepted()
    with pytest.raises(RuleBroken, match="R49"):
        revisit.problem_found(
            desk.session,
            request_id=made.id,
            problem="x",
            survey=Survey(quality=1, attitude=1, price_as_agreed=True),
            visit_from=minutes(-20),
            visit_to=minutes(-10),
            actor=desk.clerk,
            now=NOW,
        )
