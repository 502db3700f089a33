"""Prescribed duties, how they were done, and what was left undone [R3, R50, R51, R78]."""

from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from services.dispatch.actions import duty, neglect
from services.dispatch.models import Neglect
from services.dispatch.queries.duties import duties, duties_mine, prescribed_duties
from shared.errors import Malformed, NotFound, RuleBroken
from shared.ids import new_id
from shared.people import Actor
from tests.people import employ, open_site, published
from tests.services.dispatch.crew import NOW, Crew

TODAY = date(2026, 4, 1)


def check(crew: Crew, *, good: bool, note: str | None = "地没拖", **changes: Any) -> None:
    facts: dict[str, Any] = {"person_id": crew.worker.person_id, "day": TODAY, "actor": crew.head, "now": NOW}
    duty.check_day(crew.session, good=good, note=note, **facts | changes)


def find(crew: Crew, actor: Actor, **changes: Any) -> Neglect:
    facts: dict[str, Any] = {"worker_id": crew.worker.person_id, "day": TODAY, "reason": "大堂未清洁"}
    return neglect.find(crew.session, actor=actor, **{**facts, "override_id": None, "now": NOW} | changes)


def mine(crew: Crew, actor: Actor | None = None, *, now: datetime = NOW) -> list[tuple[str, bool]]:
    shown = duties_mine(crew.session, actor or crew.worker, now=now)
    return [(row.name, row.ticked_at is not None) for row in shown.duties]


def is_done(crew: Crew, actor: Actor | None = None) -> bool:
    return duties_mine(crew.session, actor or crew.worker, now=NOW).done


def test_a_worker_has_the_duties_of_his_department_at_his_sites(crew: Crew) -> None:
    crew.prescribe("巡查泵房")
    crew.prescribe("抄表", person_id=crew.mate.person_id)
    cleaner = employ(crew.session, "worker", "environment", crew.site_id)
    elsewhere = employ(crew.session, "worker", "engineering", open_site(crew.session, "ZJ"))
    roamer = employ(crew.session, "worker", "engineering")
    assert mine(crew) == mine(crew, roamer) == [("巡查泵房", False)]
    assert mine(crew, crew.mate) == [("巡查泵房", False), ("抄表", False)]
    assert mine(crew, cleaner) == mine(crew, elsewhere) == []


def test_a_duty_of_a_shift_is_of_those_who_work_it(crew: Crew) -> None:
    crew.prescribe("早班巡查", shift="day")
    crew.prescribe("夜班巡查", shift="night")
    assert mine(crew) == [("早班巡查", False)]
    crew.work_from(crew.worker, time(22), time(6))
    assert mine(crew) == [("夜班巡查", False)]
    crew.work_from(crew.worker, None, None)
    assert mine(crew) == []


def test_the_day_is_done_when_the_last_duty_is_ticked_and_yesterdays_ticks_do_not_count(crew: Crew) -> None:
    first, second = crew.prescribe("巡查泵房"), crew.prescribe("抄表")
    crew.tick(first)
    assert not is_done(crew)
    crew.tick(second)
    assert is_done(crew)
    assert not is_done(crew, crew.mate)
    tomorrow = NOW + timedelta(days=1)
    assert mine(crew, now=tomorrow) == [("巡查泵房", False), ("抄表", False)]
    (row,) = [row for row in duties(crew.session, crew.head, day=TODAY, now=NOW) if row.done]
    assert (row.person_id, row.done_at, row.prescribed, row.ticked) == (crew.worker.person_id, NOW, 2, 2)


def test_a_duty_is_ticked_once_a_day_by_whom_it_is_for(crew: Crew) -> None:
    made = crew.prescribe(person_id=crew.worker.person_id)
    crew.tick(made)
    with pytest.raises(RuleBroken, match="R50"):
        crew.tick(made)
    with pytest.raises(NotFound):
        crew.tick(made, crew.mate)
    crew.tick(made, now=NOW + timedelta(days=1))


def test_where_duties_are_prescribed_a_statement_is_not_enough(crew: Crew) -> None:
    crew.do_duties()
    crew.prescribe()
    assert not is_done(crew)
    with pytest.raises(RuleBroken, match="R50"):
        crew.do_duties(crew.mate)


def test_a_retired_duty_holds_nobody_from_that_day_on_and_the_days_before_stay_as_they_were(crew: Crew) -> None:
    made = crew.prescribe()
    tomorrow = NOW + timedelta(days=1)
    retired = duty.retire(crew.session, duty_id=made.id, actor=crew.head, now=tomorrow)
    assert (retired.until, retired.retired_by) == (date(2026, 4, 2), crew.head.person_id)
    assert (mine(crew), mine(crew, now=tomorrow)) == ([("巡查泵房", False)], [])
    with pytest.raises(RuleBroken):
        duty.retire(crew.session, duty_id=made.id, actor=crew.head, now=tomorrow)
    with pytest.raises(NotFound):
        crew.tick(made, now=tomorrow)
    crew.prescribe(now=tomorrow)
    assert mine(crew, now=tomorrow) == [("巡查泵房", False)]


def test_a_duty_holds_from_the_day_it_was_prescribed(crew: Crew) -> None:
    crew.prescribe()
    assert mine(crew, now=NOW - timedelta(days=1)) == []


def test_a_head_prescribes_once_at_his_sites_to_his_workers_and_retires_his_own(crew: Crew) -> None:
    made = crew.prescribe()
    with pytest.raises(RuleBroken, match="already"):
        crew.prescribe()
    with pytest.raises(NotFound):
        crew.prescribe(site_id=open_site(crew.session, "ZJ"))
    cleaner = employ(crew.session, "worker", "environment", crew.site_id)
    for person_id in (cleaner.person_id, new_id(), crew.head.person_id):
        with pytest.raises(RuleBroken, match="no active worker"):
            crew.prescribe("抄表", person_id=person_id)
    with pytest.raises(NotFound):
        duty.retire(
            crew.session, duty_id=made.id, actor=employ(crew.session, "head", "environment", crew.site_id), now=NOW
        )
    shown = prescribed_duties(crew.session, crew.head, after=None, limit=10).items
    assert [(row.name, row.since, row.until) for row in shown] == [("巡查泵房", TODAY, None)]


def test_a_paid_job_waits_for_the_last_prescribed_duty(crew: Crew) -> None:
    made, order = crew.prescribe(), crew.assigned()
    with pytest.raises(RuleBroken, match="R50"):
        crew.arrive(order)
    crew.session.refresh(order)
    crew.tick(made)
    assert crew.arrive(order).state == "started"


def test_a_worker_without_a_shift_is_held_to_his_duties_and_free_without_any(crew: Crew) -> None:
    crew.work_from(crew.worker, None, None)
    assert crew.arrive(crew.assigned()).state == "started"
    crew.prescribe()
    with pytest.raises(RuleBroken, match="R50"):
        crew.arrive(crew.assigned())


def test_on_a_public_holiday_of_the_site_everybody_is_free_to_go(crew: Crew) -> None:
    crew.prescribe()
    crew.session.execute(text("UPDATE sites SET holidays = '{2026-04-01}'"))
    assert crew.arrive(crew.assigned()).state == "started"


def test_work_the_head_found_bad_counts_as_not_done_until_he_finds_it_good(crew: Crew) -> None:
    crew.do_duties()
    check(crew, good=False)
    assert not is_done(crew)
    order = crew.assigned()
    with pytest.raises(RuleBroken, match="R50"):
        crew.arrive(order)
    crew.session.refresh(order)
    check(crew, good=True, note=None)
    assert crew.arrive(order).state == "started"


def test_a_head_looks_at_the_days_of_his_workers_that_have_come_and_says_what_was_bad(crew: Crew) -> None:
    with pytest.raises(NotFound):
        check(crew, good=True, actor=employ(crew.session, "head", "environment", crew.site_id))
    with pytest.raises(NotFound):
        check(crew, good=True, person_id=crew.head.person_id)
    with pytest.raises(Malformed):
        check(crew, good=True, day=TODAY + timedelta(days=1))
    with pytest.raises(Malformed):
        check(crew, good=False, note=None)


def test_neglected_work_is_found_once_for_a_worker_and_day_and_hr_hears_of_the_head(crew: Crew) -> None:
    found = find(crew, employ(crew.session, "desk_head", "front_desk", crew.site_id))
    assert (found.head_id, found.site_id, found.department) == (crew.head.person_id, crew.site_id, "engineering")
    assert published(crew.session) == [("DutyNeglected", "hr")]
    leader = employ(crew.session, "leader", "management")
    with pytest.raises(RuleBroken, match="R78"):
        find(crew, leader)
    find(crew, leader, day=TODAY - timedelta(days=1))
    find(crew, leader, worker_id=crew.mate.person_id)


def test_who_let_the_worker_go_answers_for_what_he_left_undone(crew: Crew) -> None:
    other_head = employ(crew.session, "head", "engineering", name="副主管")
    order = crew.assigned()
    crew.head, head = other_head, crew.head
    override = crew.override(order)
    crew.session.flush()
    desk_head = employ(crew.session, "desk_head", "front_desk", crew.site_id)
    found = find(crew, desk_head, override_id=override.id)
    assert (found.head_id, found.override_id) == (other_head.person_id, override.id)
    assert find(crew, desk_head, day=TODAY - timedelta(days=1)).head_id == head.person_id
    for changes in ({"override_id": new_id()}, {"override_id": override.id, "worker_id": crew.mate.person_id}):
        with pytest.raises(NotFound):
            find(crew, desk_head, **changes)


def test_an_override_answers_for_the_day_it_let_the_worker_go_and_no_other(crew: Crew) -> None:
    desk_head = employ(crew.session, "desk_head", "front_desk", crew.site_id)
    tomorrow = NOW + timedelta(days=1)
    override = crew.override(crew.assigned(visit_from=tomorrow))
    crew.session.flush()
    with pytest.raises(RuleBroken, match=r"on 2026-04-02, not on 2026-04-01.*R78"):
        find(crew, desk_head, override_id=override.id)
    assert find(crew, desk_head, override_id=override.id, day=TODAY + timedelta(days=1), now=tomorrow)


def test_a_night_workers_override_is_of_the_evening_he_began(crew: Crew) -> None:
    crew.work_from(crew.worker, time(22), time(6))
    two_at_night = datetime(2026, 4, 1, 18, 0, tzinfo=UTC)
    override = crew.override(crew.assigned(visit_from=two_at_night))
    crew.session.flush()
    assert find(crew, employ(crew.session, "leader", "management"), override_id=override.id).day == TODAY


def test_neglect_is_found_of_workers_at_ones_sites_on_days_that_have_come_where_somebody_is_head(crew: Crew) -> None:
    elsewhere = employ(crew.session, "desk_head", "front_desk", open_site(crew.session, "ZJ"))
    here = employ(crew.session, "desk_head", "front_desk", crew.site_id)
    with pytest.raises(NotFound):
        find(crew, elsewhere)
    with pytest.raises(Malformed):
        find(crew, here, day=TODAY + timedelta(days=1))
    cleaner = employ(crew.session, "worker", "environment", crew.site_id)
    with pytest.raises(RuleBroken, match="nobody heads"):
        find(crew, here, worker_id=cleaner.person_id)


@pytest.mark.parametrize("table", ["duty_ticks", "duty_checks", "neglects"])
def test_what_was_done_and_found_is_never_removed(crew: Crew, table: str) -> None:
    crew.tick(crew.prescribe())
    check(crew, good=False)
    find(crew, employ(crew.session, "leader", "management"))
    crew.session.flush()
    with pytest.raises(DBAPIError, match=r"permission denied|append-only"):
        crew.session.execute(text(f"DELETE FROM {table}"))
