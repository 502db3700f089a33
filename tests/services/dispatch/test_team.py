"""Who goes, and with what leave [R30, R50, D8, D15]."""

from datetime import timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from services.dispatch.actions import team, work_order
from services.dispatch.models import WorkOrder
from services.dispatch.queries.work_orders import work_order_by_id
from services.dispatch.rules.team import Member
from shared.errors import Malformed, NotFound, RuleBroken
from tests.people import employ, published
from tests.services.dispatch.crew import NOW, Crew, notice, rework


def names(crew: Crew, order: WorkOrder) -> list[tuple[str, int]]:
    return [(worker.name, worker.weight) for worker in work_order_by_id(crew.session, crew.head, order.id).workers]


def test_the_head_sends_workers_with_weights_and_the_desk_hears_it(crew: Crew) -> None:
    order = crew.acknowledge(crew.receive())
    crew.assign(order, Member(crew.mate.person_id, 3), Member(crew.worker.person_id))
    assert names(crew, order) == [("李师傅", 3), ("张师傅", 1)]
    assert (order.state, order.assigned_by) == ("assigned", crew.head.person_id)
    assert published(crew.session)[-1] == ("WorkAssigned", "intake")


def test_before_they_left_the_head_may_choose_anew(crew: Crew) -> None:
    order = crew.assigned()
    crew.assign(order, Member(crew.mate.person_id), Member(crew.worker.person_id, 2))
    assert names(crew, order) == [("李师傅", 1), ("张师傅", 2)]
    crew.assign(order, Member(crew.mate.person_id))
    assert names(crew, order) == [("李师傅", 1)]
    with pytest.raises(NotFound):
        crew.arrive(order)


def test_an_order_must_be_acknowledged_before_anybody_is_sent_and_is_not_reassigned_under_way(crew: Crew) -> None:
    for order in (crew.receive(), crew.started()):
        with pytest.raises(RuleBroken):
            crew.assign(order)


def test_nobody_but_workers_of_the_department_at_the_site_is_sent(crew: Crew) -> None:
    order = crew.acknowledge(crew.receive())
    cleaner = employ(crew.session, "worker", "environment", crew.site_id)
    for person in (cleaner, crew.head):
        with pytest.raises(RuleBroken, match="no active worker of engineering"):
            crew.assign(order, Member(person.person_id))
    with pytest.raises(Malformed):
        crew.assign(order, Member(crew.worker.person_id), Member(crew.worker.person_id))


def test_a_rework_not_assigned_in_time_is_late_for_ever(crew: Crew) -> None:
    first = notice(crew.site_id)
    work_order.rework_ordered(crew.session, rework(first), now=NOW)
    order = crew.acknowledge(crew.order(first.request_id, round_=1))
    due = NOW + timedelta(hours=2)
    assert team.note_unassigned(crew.session, now=due) == 0
    assert team.note_unassigned(crew.session, now=due + timedelta(seconds=1)) == 1
    assert team.note_unassigned(crew.session, now=due + timedelta(seconds=1)) == 0
    crew.assign(order, now=due + timedelta(seconds=2))
    assert crew.order(first.request_id, round_=1).assign_late


def test_a_rework_assigned_in_time_stays_in_time_when_the_head_chooses_anew_later(crew: Crew) -> None:
    first = notice(crew.site_id)
    work_order.rework_ordered(crew.session, rework(first), now=NOW)
    order = crew.assign(crew.acknowledge(crew.order(first.request_id, round_=1)))
    crew.assign(order, Member(crew.mate.person_id), now=NOW + timedelta(hours=3))
    assert not order.assign_late
    assert team.note_unassigned(crew.session, now=NOW + timedelta(hours=4)) == 0


def test_a_paid_order_has_no_time_by_which_it_must_be_assigned(crew: Crew) -> None:
    crew.receive()
    assert team.note_unassigned(crew.session, now=NOW + timedelta(days=9)) == 0


def test_an_override_lets_the_worker_go_and_hr_hears_who_answers_for_it(crew: Crew) -> None:
    order = crew.assigned()
    made = crew.override(order)
    assert made.head_id == crew.head.person_id
    assert published(crew.session)[-1] == ("DutyOverridden", "hr")
    assert crew.arrive(order).state == "started"
    assert work_order_by_id(crew.session, crew.head, order.id).overrides == 1


def test_an_override_is_for_one_order(crew: Crew) -> None:
    crew.override(crew.assigned())
    with pytest.raises(RuleBroken, match="R50"):
        crew.arrive(crew.assigned())


def test_an_override_is_made_once_for_a_worker_of_the_job_before_it_started(crew: Crew) -> None:
    order = crew.assigned()
    crew.override(order)
    with pytest.raises(RuleBroken, match="already"):
        crew.override(order)
    crew.arrive(order)
    with pytest.raises(RuleBroken, match="started"):
        crew.override(order)
    other = crew.acknowledge(crew.receive())
    crew.assign(other, Member(crew.mate.person_id))
    with pytest.raises(RuleBroken, match="not assigned"):
        crew.override(other)


@pytest.mark.parametrize("change", ["UPDATE duty_overrides SET reason = ''", "DELETE FROM duty_overrides"])
def test_an_override_is_never_changed_nor_removed(crew: Crew, change: str) -> None:
    crew.override(crew.assigned())
    crew.session.flush()
    refuse(crew.session, change)


def refuse(session: Session, change: str) -> None:
    with pytest.raises(DBAPIError, match=r"permission denied|append-only"):
        session.execute(text(change))
