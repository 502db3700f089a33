"""The revisit and free rework until the owner is satisfied [R37-R39, D4, D25]."""

from datetime import timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError, ProgrammingError

from services.intake.actions import revisit
from services.intake.models import Request
from services.intake.queries.revisits import RevisitDue, revisits_due
from services.intake.rules.revisit import RevisitPolicy, Survey, is_unreachable, revisit_due, rework_assign_due
from shared.alerts import alerts_of
from shared.errors import NotFound, RuleBroken
from shared.ids import new_id
from tests.people import employ, open_site, published
from tests.services.intake.desk import NOW, Desk, minutes

DAY_LATER = NOW + timedelta(hours=24)


def test_the_owner_is_called_a_day_later_and_rework_is_assigned_within_two_hours() -> None:
    assert revisit_due(NOW, RevisitPolicy()) == DAY_LATER
    assert rework_assign_due(NOW, RevisitPolicy()) == NOW + timedelta(hours=2)


def test_a_revisit_appears_on_the_desks_list_after_its_time_and_once(desk: Desk) -> None:
    made = desk.accepted()
    assert revisit.list_due(desk.session, now=DAY_LATER) == 0
    assert revisits_due(desk.session, desk.clerk).items == []
    assert revisit.list_due(desk.session, now=DAY_LATER + timedelta(seconds=1)) == 1
    assert revisit.list_due(desk.session, now=DAY_LATER + timedelta(seconds=1)) == 0
    desk.session.expire_all()
    assert [row.request_id for row in revisits_due(desk.session, desk.clerk).items] == [made.id]
    elsewhere = employ(desk.session, "clerk", "front_desk", open_site(desk.session, "ZJ"))
    assert revisits_due(desk.session, elsewhere).items == []
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


def due(desk: Desk, *, unreachable: bool = False) -> list[RevisitDue]:
    desk.session.expire_all()
    return revisits_due(desk.session, desk.clerk, unreachable=unreachable).items


def close(desk: Desk, made: Request, reason: str = "三次未接") -> Request:
    return revisit.close_unreachable(desk.session, request_id=made.id, reason=reason, actor=desk.head, now=NOW)


@pytest.mark.parametrize(("attempts", "calls", "gives_up"), [(3, 2, False), (3, 3, True), (1, 1, True), (5, 4, False)])
def test_an_owner_is_unreachable_after_as_many_calls_as_the_policy_says(
    attempts: int, calls: int, gives_up: bool
) -> None:
    assert is_unreachable(calls, RevisitPolicy(attempts=attempts)) is gives_up


def test_every_call_that_was_not_answered_is_kept_with_who_called_and_when(desk: Desk) -> None:
    made = desk.not_reached(desk.not_reached(desk.accepted()), now=minutes(60))
    attempts = desk.view(made).revisits[0].attempts
    assert [(one.at, one.by, one.note) for one in attempts] == [
        (NOW, desk.clerk.person_id, "无人接听"),
        (minutes(60), desk.clerk.person_id, "无人接听"),
    ]
    with pytest.raises(ProgrammingError, match="permission denied"), desk.session.begin_nested():
        desk.session.execute(text("DELETE FROM revisit_attempts"))


def test_the_list_shows_both_forms_and_the_calls_so_far(desk: Desk) -> None:
    made = desk.accepted()
    desk.hear("FeeCollected", made)
    revisit.list_due(desk.session, now=DAY_LATER + timedelta(seconds=1))
    desk.not_reached(made, now=minutes(1500))
    (row,) = due(desk)
    assert (row.owner_name, row.phone, row.description, row.fee_fen) == ("欧阳建国", "138****8000", "水龙头漏水", 5000)
    assert (row.notice_number, row.receipt_number, row.received_fen) == (
        "TZ-BK-20260401-0001",
        "SJ-BK-20260401-0001",
        5000,
    )
    assert (row.visit.workers, row.visit.signer_name, row.visit.accepted_at) == (["张师傅"], "欧阳建国", NOW)
    assert (row.failed_attempts, row.last_attempt_at) == (1, minutes(1500))


def test_the_list_comes_in_pages_the_oldest_first_even_when_rows_are_done_meanwhile(desk: Desk) -> None:
    made = [desk.accepted() for _ in range(3)]
    desk.session.execute(
        text("UPDATE revisits SET due_at = :later WHERE request_id = :id"), {"later": minutes(9999), "id": made[0].id}
    )
    desk.session.execute(text("UPDATE revisits SET listed_at = due_at"))
    desk.session.expire_all()
    first = revisits_due(desk.session, desk.clerk, limit=1)
    assert [row.request_id for row in first.items] == [first.next] == [made[1].id]
    desk.satisfied(made[1])
    desk.session.flush()
    rest = revisits_due(desk.session, desk.clerk, after=first.next, limit=2)
    assert ([row.request_id for row in rest.items], rest.next) == ([made[2].id, made[0].id], None)


def test_after_three_calls_the_owner_is_on_another_list_and_the_desk_head_is_told_once(desk: Desk) -> None:
    made = desk.accepted()
    revisit.list_due(desk.session, now=DAY_LATER + timedelta(seconds=1))
    desk.not_reached(made, 2)
    assert ([row.request_id for row in due(desk)], due(desk, unreachable=True)) == ([made.id], [])
    desk.not_reached(made, 2, now=minutes(1))
    assert (due(desk), [row.request_id for row in due(desk, unreachable=True)]) == ([], [made.id])
    told = alerts_of(desk.session, desk.head, unseen=True, after=None, limit=9).items
    assert [(one.kind, one.facts["request_id"], one.facts["calls"]) for one in told] == [
        ("owner_unreachable", str(made.id), 3)
    ]
    assert alerts_of(desk.session, desk.clerk, unseen=True, after=None, limit=9).items == []
    assert desk.view(made).state == "accepted"


def test_an_owner_who_is_unreachable_again_after_a_rework_is_told_again(desk: Desk) -> None:
    made = desk.problem(desk.not_reached(desk.accepted(), 3))
    desk.hear("WorkAccepted", made, round=1, fee_fen=0)
    desk.not_reached(made, 2)
    assert due(desk, unreachable=True) == []
    desk.not_reached(made)
    told = alerts_of(desk.session, desk.head, unseen=True, after=None, limit=9).items
    assert [one.facts["request_id"] for one in told] == [str(made.id), str(made.id)]


def test_an_unreachable_owner_who_calls_himself_is_asked_after_all(desk: Desk) -> None:
    made = desk.satisfied(desk.not_reached(desk.accepted(), 3))
    desk.session.flush()
    assert (desk.view(made).state, due(desk, unreachable=True)) == ("closed", [])


def test_the_desk_head_closes_an_unreachable_owners_request_and_that_is_no_satisfaction(desk: Desk) -> None:
    made = desk.not_reached(desk.accepted(), 2)
    with pytest.raises(RuleBroken, match="R37"):
        close(desk, made)
    close(desk, desk.not_reached(made))
    desk.session.flush()
    view = desk.view(made)
    assert (view.state, view.ending, view.revisits[0].satisfied) == ("closed_unreachable", "三次未接", None)
    assert (view.ended_at, view.revisits[0].done_at, due(desk, unreachable=True)) == (NOW, NOW, [])
    with pytest.raises(RuleBroken, match="R37"):
        desk.satisfied(made)


def test_what_the_owner_answered_is_kept_with_his_revisit_and_who_was_told_of_a_problem(desk: Desk) -> None:
    made = desk.problem(desk.accepted())
    desk.hear("WorkAccepted", made, round=1, fee_fen=0)
    desk.satisfied(made)
    desk.session.flush()
    first, second = desk.view(made).revisits
    assert (first.survey, first.told) == (Survey(quality=2, attitude=4, price_as_agreed=True), "engineering")
    assert (second.survey, second.told) == (Survey(quality=5, attitude=5, price_as_agreed=True), None)


def test_a_mark_outside_one_to_five_cannot_be_stored(desk: Desk) -> None:
    desk.satisfied(desk.accepted())
    desk.session.flush()
    with pytest.raises(IntegrityError, match="one_to_five"), desk.session.begin_nested():
        desk.session.execute(text("UPDATE revisits SET quality = 6"))


def test_who_did_the_work_is_as_the_acceptance_says_even_when_the_assignment_is_heard_later(desk: Desk) -> None:
    made = desk.noticed()
    did = {"person_id": str(new_id()), "name": "李师傅", "weight": 2}
    desk.hear("WorkAccepted", made, workers=[did])
    desk.hear("WorkAssigned", made)
    assert desk.view(made).visits[0].workers == ["李师傅"]
    assert desk.session.execute(text("SELECT workers FROM visits")).scalar_one() == [did]
