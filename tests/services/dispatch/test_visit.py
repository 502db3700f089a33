"""The visit from the desk to its end [R45, R50, R60-R67, R101]."""

from datetime import UTC, datetime, time, timedelta
from typing import Any

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError

from services.dispatch.actions import damage, visit
from services.dispatch.models import Damage, Stop, WorkOrder
from services.dispatch.queries.work_orders import work_order_by_id
from services.dispatch.rules.team import Member
from shared.errors import NotFound, RuleBroken
from shared.people import Actor
from tests.people import published
from tests.services.dispatch.crew import EVENING, NOW, Crew


def test_a_worker_reports_at_the_desk_and_goes_with_the_owner(crew: Crew) -> None:
    order = crew.assigned()
    visit.check_in(crew.session, work_order_id=order.id, actor=crew.worker, now=NOW)
    assert (order.state, order.checked_in_at) == ("checked_in", NOW)
    crew.do_duties()
    assert crew.arrive(order).state == "started"


def test_a_worker_who_is_not_assigned_cannot_move_an_order(crew: Crew) -> None:
    order = crew.assigned()
    with pytest.raises(NotFound):
        visit.check_in(crew.session, work_order_id=order.id, actor=crew.mate, now=NOW)


def test_work_starts_only_when_every_workers_duties_are_done(crew: Crew) -> None:
    order = crew.acknowledge(crew.receive())
    crew.assign(order, Member(crew.worker.person_id), Member(crew.mate.person_id))
    crew.do_duties()
    with pytest.raises(RuleBroken, match="李师傅"):
        crew.arrive(order)
    crew.session.refresh(order)
    crew.do_duties(crew.mate)
    assert crew.arrive(order).state == "started"


def test_outside_the_shift_duties_hold_nobody(crew: Crew) -> None:
    assert crew.arrive(crew.assigned(), now=EVENING).state == "started"


def test_duties_of_yesterday_do_not_count_today(crew: Crew) -> None:
    order = crew.assigned()
    crew.do_duties(now=NOW - timedelta(days=1))
    with pytest.raises(RuleBroken, match="R50"):
        crew.arrive(order)


def test_a_night_worker_goes_on_the_duties_of_the_evening_he_began(crew: Crew) -> None:
    crew.work_from(crew.worker, time(22), time(6))
    order = crew.assigned()
    two_at_night = datetime(2026, 4, 1, 18, 0, tzinfo=UTC)
    crew.do_duties(now=two_at_night - timedelta(hours=3))
    assert crew.arrive(order, now=two_at_night).state == "started"


def test_who_comes_within_fifteen_minutes_after_the_window_opens_is_in_time(crew: Crew) -> None:
    due = NOW + timedelta(hours=1, minutes=15)
    crew.do_duties()
    assert not crew.arrive(crew.assigned(), now=due).arrived_late
    assert crew.arrive(crew.assigned(), now=due + timedelta(seconds=1)).arrived_late


def test_nobody_at_the_home_after_fifteen_minutes_is_noted_once_and_stays_late(crew: Crew) -> None:
    order = crew.assigned()
    due = order.arrive_due_at
    assert visit.note_late(crew.session, now=due) == 0
    assert visit.note_late(crew.session, now=due + timedelta(seconds=1)) == 1
    assert visit.note_late(crew.session, now=due + timedelta(seconds=1)) == 0
    crew.do_duties()
    crew.arrive(order, now=due + timedelta(minutes=1))
    stored = crew.order(order.request_id)
    assert stored.arrived_late
    assert stored.late_noted_at == due + timedelta(seconds=1)


def test_an_order_that_started_or_ended_is_not_noted_as_late(crew: Crew) -> None:
    crew.started()
    crew.terminate(crew.assigned())
    assert visit.note_late(crew.session, now=NOW + timedelta(days=1)) == 0


def test_a_sweep_takes_a_hundred_orders_at_a_time(crew: Crew) -> None:
    for _ in range(101):
        crew.receive()
    later = NOW + timedelta(days=1)
    assert [visit.note_late(crew.session, now=later) for _ in range(3)] == [100, 1, 0]


@pytest.mark.parametrize("for_safety", [False, True])
def test_a_worker_who_cannot_go_on_stops_and_the_desk_hears_it_at_once(crew: Crew, for_safety: bool) -> None:
    order = crew.stop(crew.started(), for_safety=for_safety)
    assert order.state == "stopped"
    body = crew.session.execute(text("SELECT body FROM outbox WHERE type = 'SupportRequested'")).scalar_one()
    assert (body["for_safety"], body["worker_id"]) == (for_safety, str(crew.worker.person_id))
    assert work_order_by_id(crew.session, crew.head, order.id).stopped_reason == "需要电工"


def test_a_stopped_job_is_not_finished_and_goes_on_when_the_head_sent_support(crew: Crew) -> None:
    order = crew.stop(crew.started())
    with pytest.raises(RuleBroken):
        crew.finish(order)
    visit.resume(crew.session, work_order_id=order.id, actor=crew.head, now=NOW)
    crew.stop(order)
    visit.resume(crew.session, work_order_id=order.id, actor=crew.head, now=NOW)
    assert crew.finish(order).state == "finished"
    assert [row.resumed_by for row in crew.session.scalars(select(Stop))] == [crew.head.person_id] * 2


def test_a_job_that_cannot_be_done_ends_with_its_cause_and_desk_and_finance_hear_it(crew: Crew) -> None:
    order = crew.terminate(crew.stop(crew.started()))
    assert (order.state, order.cause, order.reason) == ("terminated", "unable", "管道在墙内")
    assert (order.terminated_by, order.terminated_month) == (crew.worker.person_id, "2026-04")
    assert published(crew.session)[-2:] == [("WorkTerminated", "intake"), ("WorkTerminated", "finance")]


def test_the_head_may_end_a_job_too_but_nobody_ends_one_twice(crew: Crew) -> None:
    order = crew.terminate(crew.assigned(), actor=crew.head)
    with pytest.raises(RuleBroken, match="terminated"):
        crew.terminate(order)


def test_an_order_nobody_was_sent_to_is_not_terminated(crew: Crew) -> None:
    with pytest.raises(RuleBroken):
        crew.terminate(crew.acknowledge(crew.receive()), actor=crew.head)


def test_a_job_ended_after_closing_on_the_last_day_counts_in_the_next_month(crew: Crew) -> None:
    at_closing = datetime(2026, 4, 30, 10, 0, tzinfo=UTC)
    assert crew.terminate(crew.assigned(), now=at_closing).terminated_month == "2026-05"
    assert crew.terminate(crew.assigned(), now=at_closing - timedelta(seconds=1)).terminated_month == "2026-04"


def test_nobody_starts_more_than_an_hour_before_the_agreed_time(crew: Crew) -> None:
    crew.do_duties()
    early = crew.assigned()
    with pytest.raises(RuleBroken, match=r"60 minutes early.*R30"):
        crew.arrive(early, now=NOW - timedelta(seconds=1))
    crew.session.refresh(early)
    assert crew.arrive(early, now=NOW).state == "started"


def test_a_waiting_owner_is_fetched_at_the_desk_before_the_work(crew: Crew) -> None:
    crew.do_duties()
    order = crew.assigned(channel="walk_in", owner_waits=True, visit_from=NOW + timedelta(hours=2))
    with pytest.raises(RuleBroken, match="R45"):
        crew.arrive(order)
    crew.session.refresh(order)
    visit.check_in(crew.session, work_order_id=order.id, actor=crew.worker, now=NOW)
    assert crew.arrive(order).state == "started"


def test_the_work_is_not_done_before_the_owner_has_all_that_is_needed(crew: Crew) -> None:
    order = crew.started()
    for complete in (None, False):
        if complete is not None:
            crew.check_materials(order, complete=complete)
        with pytest.raises(RuleBroken, match="R58"):
            visit.finish(crew.session, work_order_id=order.id, actor=crew.worker, now=NOW)
        crew.session.refresh(order)
    assert crew.check_materials(order).materials_complete
    assert crew.finish(order).finished_month == "2026-04"


def test_materials_are_checked_at_the_home(crew: Crew) -> None:
    with pytest.raises(RuleBroken):
        crew.check_materials(crew.assigned())
    assert crew.check_materials(crew.stop(crew.started())).state == "stopped"


def test_what_the_owner_was_asked_and_told_stays_with_the_order(crew: Crew) -> None:
    order = crew.started()
    crew.tell_owner(order, kind="asked")
    crew.tell_owner(crew.stop(order))
    view = work_order_by_id(crew.session, crew.head, order.id)
    assert [(row.kind, row.said_by) for row in view.tellings] == [
        ("asked", crew.worker.person_id),
        ("told", crew.worker.person_id),
    ]
    with pytest.raises(RuleBroken):
        crew.tell_owner(crew.assigned())


def test_a_job_beyond_us_is_given_up_only_when_the_owner_was_told_and_a_question_is_not_enough(crew: Crew) -> None:
    order = crew.started()
    crew.tell_owner(order, kind="asked")
    facts: dict[str, Any] = {
        "work_order_id": order.id,
        "cause": "unable",
        "reason": "管道在墙内",
        "actor": crew.worker,
        "now": NOW,
    }
    with pytest.raises(RuleBroken, match="R61"):
        visit.terminate(crew.session, **facts)
    crew.session.refresh(order)
    crew.tell_owner(order)
    assert visit.terminate(crew.session, **facts).cause == "unable"


@pytest.mark.parametrize(
    ("for_safety", "kind"), [(True, "stopped_for_safety"), (False, "support_requested")], ids=["safety", "support"]
)
def test_the_head_is_told_of_each_stop_at_once(crew: Crew, for_safety: bool, kind: str) -> None:
    order = crew.started()
    for _ in range(2):
        crew.stop(order, for_safety=for_safety)
        visit.resume(crew.session, work_order_id=order.id, actor=crew.head, now=NOW)
    assert crew.told() == [kind, kind]
    assert crew.alerts()[0].facts == {"notice_number": order.notice_number, "reason": "需要电工"}


def broken(crew: Crew, order: WorkOrder, actor: Actor | None = None) -> Damage:
    return damage.report(
        crew.session,
        work_order_id=order.id,
        description="碰倒花瓶",
        estimate_fen=12000,
        actor=actor or crew.worker,
        now=NOW,
    )


def test_damage_is_reported_from_the_arrival_on_and_after_the_end_and_everybody_hears(crew: Crew) -> None:
    with pytest.raises(RuleBroken, match="R63"):
        broken(crew, crew.assigned())
    order = crew.started()
    broken(crew, order)
    assert published(crew.session)[-2:] == [("DamageReported", "intake"), ("DamageReported", "finance")]
    broken(crew, crew.terminate(order), crew.head)
    view = work_order_by_id(crew.session, crew.head, order.id)
    assert [(row.estimate_fen, row.reported_by) for row in view.damages] == [
        (12000, crew.worker.person_id),
        (12000, crew.head.person_id),
    ]
    assert crew.told() == ["damage_reported"] * 2


@pytest.mark.parametrize("change", ["UPDATE damages SET estimate_fen = 1", "DELETE FROM tellings"])
def test_what_was_damaged_and_told_is_never_changed_nor_removed(crew: Crew, change: str) -> None:
    broken(crew, crew.tell_owner(crew.started()))
    crew.session.flush()
    with pytest.raises(DBAPIError, match=r"permission denied|append-only"):
        crew.session.execute(text(change))


def test_the_head_is_told_once_that_nobody_came_in_time(crew: Crew) -> None:
    order = crew.assigned()
    late = order.arrive_due_at + timedelta(seconds=1)
    visit.note_late(crew.session, now=late)
    crew.do_duties()
    crew.arrive(order, now=late)
    crew.arrive(crew.assigned(), now=late)
    assert crew.told() == ["arrival_late"] * 2
