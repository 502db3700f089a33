"""From the hearing to the moment a case is final, or lifted [R78-R88, D18, D19]."""

from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.orm import Session

from services.hr.actions import appeal, case, post
from services.hr.models import Case, HrTask, Site
from services.hr.queries.cases import CaseView, case_by_id, cases, own_cases
from services.hr.queries.points import points
from services.hr.queries.tasks import tasks
from services.hr.rules.appeal import AppealPolicy, appeal_due, check_in_time
from services.hr.rules.case import Charge
from services.hr.rules.ladder import DisciplinePolicy, LadderPolicy, Offence, points_of
from services.hr.rules.shift import in_working_hours
from services.hr.tasks import (
    end_appeal_time,
    hear_callback_missed,
    hear_duty_neglected,
    hear_private_job_reported,
    mark_late_tasks,
)
from shared.alerts import alerts_of
from shared.errors import NotFound, NotYet, NotYourRole, RuleBroken
from shared.ids import new_id
from shared.messages import CallbackMissed, DutyNeglected, PrivateJobReported
from shared.people import Actor
from shared.policy_rows import change
from tests.people import employ, open_site, published
from tests.services.hr.court import accept, actor_of, decide, finish, hear

Opens = Callable[..., Case]
SECOND = timedelta(seconds=1)
WEEK = timedelta(days=7)


@pytest.fixture
def hr(session: Session, site_id: UUID) -> Actor:
    return employ(session, "hr", "hr", site_id)


@pytest.fixture
def worker(session: Session, site_id: UUID) -> Actor:
    return employ(session, "worker", "engineering", site_id, name="李雷")


@pytest.fixture
def head(session: Session, site_id: UUID) -> Actor:
    return employ(session, "head", "engineering", site_id)


@pytest.fixture
def leader(session: Session) -> Actor:
    return employ(session, "leader", "management")


@pytest.fixture
def deputy(session: Session) -> Actor:
    """Another leader."""
    return employ(session, "leader", "management")


@pytest.fixture
def opens(session: Session, site_id: UUID, worker: Actor, hr: Actor, now: datetime) -> Opens:
    """Open a private job of the worker."""

    def open_case(**facts: Any) -> Case:
        given = {"offence": Offence.PRIVATE_JOB, "person_id": worker.person_id, "happened_at": now, **facts}
        charge = Charge(site_id=site_id, evidence="业主反映", **given)
        made = case.open_(session, charge=charge, actor=hr, now=given["happened_at"])
        session.flush()
        return made

    return open_case


def lodge(session: Session, made: Case, now: datetime) -> Case:
    accused = actor_of(session, made.person_id)
    return appeal.open_(session, case_id=made.id, reason="当日已上交", actor=accused, now=now)


def answer(session: Session, made: Case, leader: Actor, now: datetime, *, uphold: bool) -> Case:
    appeal.decide(session, case_id=made.id, uphold=uphold, reason="复核", actor=leader, now=now)
    session.flush()
    return made


def told(session: Session, reader: Actor) -> list[str]:
    return [alert.kind for alert in alerts_of(session, reader, unseen=True, after=None, limit=100).items]


def set_policy(session: Session, policy: Any, now: datetime, *, site_id: UUID | None = None) -> None:
    administrator = employ(session, "administrator", "administration")
    change(session, policy, site_id=site_id, effective_from=now, reason="x", actor=administrator, now=now)


# --- rules ------------------------------------------------------------------------------------------------------


def test_an_appeal_is_possible_for_seven_days_to_the_second(now: datetime) -> None:
    due_at = appeal_due(now, AppealPolicy())
    assert due_at == now + WEEK
    check_in_time(due_at, due_at=due_at)
    with pytest.raises(RuleBroken) as refused:
        check_in_time(due_at + SECOND, due_at=due_at)
    assert refused.value.code == "appeal_too_late"


@given(fine_fen=st.integers(1, 10**9), per=st.integers(1, 10))
def test_each_hundred_yuan_begun_are_points_so_that_no_fine_is_for_nothing(fine_fen: int, per: int) -> None:
    points = points_of(fine_fen, DisciplinePolicy(points_per_100_yuan=per))
    assert (points - per) * 10000 < fine_fen * per <= points * 10000


@pytest.mark.parametrize(
    ("at", "start", "end", "working"),
    [
        ("2026-04-01T08:00", time(8), time(17, 30), True),
        ("2026-04-01T07:59", time(8), time(17, 30), False),
        ("2026-04-01T17:30", time(8), time(17, 30), False),
        ("2026-04-06T10:00", time(8), time(17, 30), False),  # a holiday
        ("2026-04-01T10:00", None, None, False),
        ("2026-04-01T23:00", time(22), time(6), True),
        ("2026-04-02T05:59", time(22), time(6), True),
        ("2026-04-02T06:00", time(22), time(6), False),
        ("2026-04-07T03:00", time(22), time(6), False),  # the night that began on the holiday
        ("2026-04-06T03:00", time(22), time(6), True),  # the night that began before it
    ],
)
def test_working_hours_are_the_shift_and_no_holiday(
    at: str, start: time | None, end: time | None, working: bool
) -> None:
    holidays = [date(2026, 4, 6)]
    found = in_working_hours(datetime.fromisoformat(at + "+08:00"), shift_start=start, shift_end=end, holidays=holidays)
    assert found is working


# --- the hearing ------------------------------------------------------------------------------------------------


def test_nobody_is_judged_unheard(session: Session, opens: Opens, leader: Actor, now: datetime) -> None:
    made = opens()
    for confirm in (True, False):
        with pytest.raises(RuleBroken) as refused:
            case.decide(session, case_id=made.id, confirm=confirm, reason="x", actor=leader, now=now)
        assert refused.value.allowed == ("add_evidence", "hear")


def test_hr_or_the_accused_note_the_hearing_and_nobody_else(
    session: Session, opens: Opens, hr: Actor, worker: Actor, head: Actor, now: datetime
) -> None:
    for who in (hr, worker):
        made = opens()
        case.hear(session, case_id=made.id, statement="没有到场", attended=False, actor=who, now=now)
        assert (made.state, made.heard_by, made.attended) == ("heard", who.person_id, False)
    with pytest.raises(NotYourRole):
        case.hear(session, case_id=opens().id, statement="x", attended=True, actor=head, now=now)


def test_the_accused_sees_his_case_and_is_heard_even_after_he_moved_away(
    session: Session, opens: Opens, worker: Actor, now: datetime
) -> None:
    made = opens()
    moved = Actor(worker.person_id, worker.name, "worker", "engineering", frozenset({open_site(session, "XH")}))
    case.hear(session, case_id=made.id, statement="x", attended=True, actor=moved, now=now)
    (mine,) = own_cases(session, moved, after=None, limit=10).items
    assert cases(session, moved, state=None, after=None, limit=10).items == [], "a list is of his sites alone"
    assert (mine.id, mine.statement) == (made.id, "x")
    assert own_cases(session, employ(session, "worker", "engineering"), after=None, limit=10).items == []


def test_evidence_is_added_by_witnesses_and_the_accused_until_the_case_has_ended_and_never_changed(
    session: Session, site_id: UUID, opens: Opens, worker: Actor, head: Actor, leader: Actor, now: datetime
) -> None:
    made = opens()
    for who, words in ((worker, "当日在家"), (head, "考勤记录")):
        case.add_evidence(session, case_id=made.id, words=words, actor=who, now=now)
    view = case_by_id(session, head, made.id)
    assert [(one.text, one.added_by) for one in view.added] == [
        ("当日在家", worker.person_id),
        ("考勤记录", head.person_id),
    ]
    colleague = employ(session, "worker", "engineering", site_id)
    with pytest.raises(NotYourRole):
        case.add_evidence(session, case_id=made.id, words="x", actor=colleague, now=now)
    finish(session, made, leader, now)
    with pytest.raises(RuleBroken) as refused:
        case.add_evidence(session, case_id=made.id, words="x", actor=head, now=now)
    assert refused.value.code == "step_not_allowed"
    with pytest.raises(DBAPIError):
        session.execute(text("UPDATE case_evidence SET text = 'x'"))


# --- decided, and not yet final -----------------------------------------------------------------------------------


def test_nothing_follows_from_a_decision_that_is_not_final(
    session: Session, opens: Opens, leader: Actor, now: datetime
) -> None:
    made = decide(session, opens(in_working_hours=False), leader, now)
    assert (made.state, made.rung, made.fine_fen, made.step, made.month) == ("decided", None, None, None, None)
    assert published(session) == []
    assert session.query(HrTask).all() == []


def test_without_an_appeal_a_decision_is_final_after_seven_days_in_the_month_of_that_day(
    session: Session, opens: Opens, leader: Actor
) -> None:
    decided_at = datetime.fromisoformat("2026-04-28T02:00:00Z")
    made = decide(session, opens(), leader, decided_at)
    assert end_appeal_time(session, now=decided_at + WEEK) == 0
    assert end_appeal_time(session, now=decided_at + WEEK + SECOND) == 1
    assert end_appeal_time(session, now=decided_at + WEEK + SECOND) == 0
    assert (made.state, made.month, made.accepted_at) == ("final", "2026-05", None)
    assert published(session) == [("FineConfirmed", "finance")]


def test_cases_that_become_final_in_one_sweep_stand_on_different_rungs(
    session: Session, opens: Opens, leader: Actor, now: datetime
) -> None:
    made = [decide(session, opens(), leader, now) for _ in range(3)]
    assert end_appeal_time(session, now=now + WEEK + SECOND) == 3
    assert sorted(one.rung or 0 for one in made) == [1, 2, 3]


def test_only_the_accused_accepts_or_appeals(
    session: Session, opens: Opens, leader: Actor, hr: Actor, now: datetime
) -> None:
    made = decide(session, opens(), leader, now)
    for who in (hr, leader):
        with pytest.raises(NotYourRole):
            appeal.accept(session, case_id=made.id, actor=who, now=now)
        with pytest.raises(NotYourRole):
            appeal.open_(session, case_id=made.id, reason="x", actor=who, now=now)


def test_an_appeal_in_time_stops_the_clock_and_one_too_late_is_refused(
    session: Session, opens: Opens, leader: Actor, now: datetime
) -> None:
    made, late = decide(session, opens(), leader, now), decide(session, opens(), leader, now)
    lodge(session, made, now + WEEK)
    session.flush()
    with pytest.raises(RuleBroken) as refused:
        lodge(session, late, now + WEEK + SECOND)
    assert refused.value.code == "appeal_too_late"
    assert end_appeal_time(session, now=now + 2 * WEEK) == 1
    assert (made.state, late.state) == ("appealed", "final")


def test_an_appeal_is_decided_by_another_leader_than_the_one_who_decided(
    session: Session, opens: Opens, leader: Actor, deputy: Actor, now: datetime
) -> None:
    made = lodge(session, decide(session, opens(), leader, now), now)
    with pytest.raises(RuleBroken) as refused:
        answer(session, made, leader, now, uphold=True)
    assert refused.value.code == "not_four_eyes"
    answer(session, made, deputy, now, uphold=True)
    assert (made.state, made.rung, made.fine_fen, made.appeal_decided_by) == ("final", 1, 20000, deputy.person_id)


def test_the_database_too_wants_another_leader(session: Session, opens: Opens, leader: Actor, now: datetime) -> None:
    made = lodge(session, decide(session, opens(), leader, now), now)
    session.flush()
    with pytest.raises(IntegrityError, match="ck_cases_appeal_four_eyes"):
        session.execute(text("UPDATE cases SET appeal_decided_by = decided_by WHERE id = :id"), {"id": made.id})


def test_a_lifted_penalty_costs_nothing_and_is_no_rung(
    session: Session, opens: Opens, leader: Actor, deputy: Actor, now: datetime
) -> None:
    made = answer(session, lodge(session, decide(session, opens(), leader, now), now), deputy, now, uphold=False)
    assert (made.state, made.rung, made.fine_fen, made.final_at) == ("lifted", None, None, None)
    assert published(session) == []
    assert finish(session, opens(), leader, now).rung == 1


def test_a_site_may_give_longer_to_appeal(
    session: Session, site_id: UUID, opens: Opens, leader: Actor, now: datetime
) -> None:
    set_policy(session, AppealPolicy(days=14), now, site_id=site_id)
    assert decide(session, opens(), leader, now).appeal_due_at == now + 2 * WEEK


def test_a_ladder_that_looks_back_a_year_forgets_what_is_older(
    session: Session, opens: Opens, leader: Actor, now: datetime
) -> None:
    set_policy(session, LadderPolicy(look_back_days=365), now)
    assert finish(session, opens(), leader, now).rung == 1
    for days, rung in ((365, 2), (366 + 365, 1)):
        later = now + timedelta(days=days)
        assert finish(session, opens(happened_at=later), leader, later).rung == rung


def test_a_look_back_reaches_from_an_offence_both_ways_and_no_farther(
    session: Session, opens: Opens, leader: Actor, now: datetime
) -> None:
    set_policy(session, LadderPolicy(look_back_days=30), now)
    later = now + timedelta(days=40)
    near = opens(happened_at=now + timedelta(days=10))
    far = opens(happened_at=now)
    assert finish(session, opens(happened_at=later), leader, later).rung == 1
    assert finish(session, near, leader, later).rung == 2
    assert finish(session, far, leader, later).rung == 2, "of the two before it only one is near"


def test_where_fines_are_points_finance_hears_nothing_and_the_rung_is_the_same(
    session: Session, site_id: UUID, opens: Opens, leader: Actor, hr: Actor, worker: Actor, now: datetime
) -> None:
    set_policy(session, DisciplinePolicy(fines_as_points=True, points_per_100_yuan=3), now, site_id=site_id)
    first, second = finish(session, opens(), leader, now), finish(session, opens(), leader, now)
    assert [(one.rung, one.fine_fen, one.points, one.step) for one in (first, second)] == [
        (1, 0, 6, "fine"),
        (2, 0, 6, "transfer"),
    ]
    assert published(session) == []
    given = points(session, hr, person_id=worker.person_id, month="2026-04")
    assert [(one.case_number, one.points) for one in given] == [(first.number, 6), (second.number, 6)]
    assert points(session, hr, person_id=worker.person_id, month="2026-05") == []
    assert points(session, hr, person_id=hr.person_id, month=None) == []
    elsewhere = employ(session, "hr", "hr", open_site(session, "XH"))
    assert points(session, elsewhere, person_id=None, month=None) == []


# --- opened by messages -------------------------------------------------------------------------------------------


def neglect(site_id: UUID, head: Actor, **facts: Any) -> DutyNeglected:
    return DutyNeglected(
        **{
            "neglect_id": new_id(),
            "override_id": None,
            "site_id": site_id,
            "department": "engineering",
            "worker_id": new_id(),
            "head_id": head.person_id,
            "day": date(2026, 4, 1),
            "reason": "水泵未巡检",
            "found_by": new_id(),
            "found_at": datetime.fromisoformat("2026-04-01T11:00:00Z"),
            **facts,
        }
    )


def private_job(site_id: UUID, person: Actor, at: datetime) -> PrivateJobReported:
    return PrivateJobReported(
        report_id=new_id(),
        site_id=site_id,
        person_id=person.person_id,
        happened_at=at,
        evidence="业主说师傅私下收了 80 元",
        reported_by=new_id(),
        reported_at=at,
    )


def the_case(session: Session, leader: Actor) -> CaseView:
    (view,) = cases(session, leader, state=None, after=None, limit=10).items
    return view


def test_neglect_opens_one_case_on_the_head_which_nobody_has_decided(
    session: Session, site_id: UUID, head: Actor, leader: Actor, now: datetime
) -> None:
    message = neglect(site_id, head, override_id=new_id())
    for _ in range(2):
        hear_duty_neglected(session, message, now=now)
        session.flush()
    view = the_case(session, leader)
    assert (view.offence, view.person_id, view.state) == ("neglect", head.person_id, "open")
    assert (view.source_id, view.override_id, view.opened_by) == (
        message.neglect_id,
        message.override_id,
        message.found_by,
    )
    assert view.happened_at == datetime.fromisoformat("2026-04-01T10:00:00Z")


def test_an_override_is_charged_once_and_neglect_without_one_each_time(
    session: Session, site_id: UUID, head: Actor, leader: Actor, now: datetime
) -> None:
    override_id = new_id()
    for cited in (override_id, override_id, None, None):
        hear_duty_neglected(session, neglect(site_id, head, override_id=cited), now=now)
        session.flush()
    assert len(cases(session, leader, state=None, after=None, limit=10).items) == 3


def test_what_was_found_before_the_day_closed_happened_no_later_than_it_was_found(
    session: Session, site_id: UUID, head: Actor, leader: Actor, now: datetime
) -> None:
    hear_duty_neglected(session, neglect(site_id, head, found_at=now), now=now)
    assert the_case(session, leader).happened_at == now


@pytest.mark.parametrize(
    ("at", "working"),
    [("2026-04-01T10:00+08:00", True), ("2026-04-01T20:00+08:00", False), ("2026-04-06T10:00+08:00", False)],
)
def test_a_reported_private_job_is_in_working_hours_by_the_shift_the_zone_and_the_holidays(
    session: Session, site_id: UUID, worker: Actor, leader: Actor, at: str, working: bool
) -> None:
    session.get_one(Site, site_id).holidays = [date(2026, 4, 6)]
    session.flush()
    moment = datetime.fromisoformat(at)
    message = private_job(site_id, worker, moment)
    for _ in range(2):
        hear_private_job_reported(session, message, now=moment)
        session.flush()
    view = the_case(session, leader)
    assert (view.offence, view.person_id, view.in_working_hours) == ("private_job", worker.person_id, working)
    assert (view.source_id, view.opened_by, view.state) == (message.report_id, message.reported_by, "open")


def test_the_shift_that_counts_is_the_one_he_had_then(
    session: Session, site_id: UUID, leader: Actor, now: datetime
) -> None:
    administrator = employ(session, "administrator", "administration")
    facts: dict[str, Any] = {"role": "worker", "department": "engineering", "site_ids": [site_id], "all_sites": False}
    made = post.employ(
        session, name="x", shift_start=time(8), shift_end=time(17), actor=administrator, now=now, **facts
    )
    later = now + timedelta(days=1)
    post.move(
        session,
        person_id=made.id,
        shift_start=time(14),
        shift_end=time(22),
        reason="中班",
        actor=administrator,
        now=later,
        **facts,
    )
    session.flush()
    for at, working in ((now + timedelta(hours=1), True), (later + timedelta(hours=1), False)):
        message = private_job(site_id, actor_of(session, made.id), at)
        hear_private_job_reported(session, message, now=later)
        session.flush()
        found = session.query(Case).filter_by(source_id=message.report_id).one()
        assert found.in_working_hours is working


def test_a_report_of_an_unknown_site_waits_and_one_about_a_stranger_is_refused(
    session: Session, site_id: UUID, worker: Actor, now: datetime
) -> None:
    with pytest.raises(NotYet):
        hear_private_job_reported(session, private_job(new_id(), worker, now), now=now)
    stranger = Actor(new_id(), "x", "worker", "engineering", None)
    with pytest.raises(NotFound):
        hear_private_job_reported(session, private_job(site_id, stranger, now), now=now)
    with pytest.raises(NotFound):
        hear_duty_neglected(session, neglect(site_id, stranger), now=now)


# --- told ---------------------------------------------------------------------------------------------------------


def test_the_accused_and_hr_hear_of_a_case_and_the_accused_of_each_decision(
    session: Session, opens: Opens, worker: Actor, hr: Actor, leader: Actor, deputy: Actor, now: datetime
) -> None:
    made = opens()
    assert (told(session, worker), told(session, hr), told(session, leader)) == (["case_opened"], ["case_opened"], [])
    lodge(session, decide(session, made, leader, now), now)
    assert told(session, deputy) == ["case_appealed"]
    answer(session, made, deputy, now, uphold=True)
    assert told(session, worker) == ["case_opened", "case_decided", "appeal_decided"]
    assert told(session, hr) == ["case_opened"]


def test_hr_is_told_of_a_step_that_is_late_and_the_desk_head_of_an_owner_not_called_back(
    session: Session, site_id: UUID, opens: Opens, hr: Actor, leader: Actor, now: datetime
) -> None:
    finish(session, opens(in_working_hours=False), leader, now)
    assert mark_late_tasks(session, now=now + timedelta(days=31)) == 1
    assert told(session, hr) == ["case_opened", "task_late"]
    missed = CallbackMissed(
        request_id=new_id(), request_number="DJ-BK-1", site_id=site_id, clerk_id=new_id(), due_at=now
    )
    for _ in range(2):
        hear_callback_missed(session, missed, now=now)
    assert told(session, employ(session, "desk_head", "front_desk", site_id)) == ["callback_missed"]
    assert told(session, employ(session, "desk_head", "front_desk", open_site(session, "XH"))) == []


def test_the_task_of_a_transfer_shows_where_the_person_is_moved(
    session: Session, opens: Opens, hr: Actor, leader: Actor, worker: Actor, now: datetime
) -> None:
    for facts in ({}, {}, {}):
        finish(session, opens(**facts), leader, now)
    transfer, dismissal = tasks(session, hr, after=None, limit=10).items
    assert (transfer.kind, transfer.move) == ("transfer", f"/people/{worker.person_id}/move")
    assert (dismissal.kind, dismissal.move) == ("dismissal", None)


def test_a_case_is_heard_and_accepted_once(session: Session, opens: Opens, leader: Actor, now: datetime) -> None:
    made = finish(session, opens(), leader, now)
    for again in (hear, accept):
        with pytest.raises(RuleBroken) as refused:
            again(session, made, now)
        assert refused.value.code == "step_not_allowed"
