"""Duties, consultations, figures and who is free [R19, R23, R41, R50]."""

from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import pytest
from sqlalchemy import text

from services.dispatch.actions import consultation, duty, work_order
from services.dispatch.models import DutyDay
from services.dispatch.queries.consultations import consultations
from services.dispatch.queries.duties import duties
from services.dispatch.queries.teams import workers
from services.dispatch.rules.team import Member
from services.dispatch.tasks import tasks
from shared.errors import NotFound, NotYet, RuleBroken
from shared.ids import new_id
from shared.messages import ConsultationAsked, MonthFiguresAsked
from tests.people import employ, open_site, published
from tests.services.dispatch.crew import NOW, Crew, notice, rework

ASKED = datetime(2026, 4, 30, 10, 30, tzinfo=UTC)


def asked(crew: Crew, **changes: Any) -> ConsultationAsked:
    facts = {
        "consultation_id": new_id(),
        "request_id": new_id(),
        "site_id": crew.site_id,
        "department": "engineering",
        "question": "能换吗?",
        "reply_due_at": NOW + timedelta(hours=1),
    }
    return ConsultationAsked.model_validate(facts | changes)


def figures(crew: Crew) -> dict[str, tuple[int, int]]:
    tasks.handlers["MonthFiguresAsked"](
        crew.session, MonthFiguresAsked(site_id=crew.site_id, month="2026-04", asked_at=ASKED), now=ASKED
    )
    bodies = crew.session.execute(
        text("SELECT body FROM outbox WHERE type = 'DepartmentFiguresGiven' ORDER BY sequence DESC LIMIT 2")
    ).scalars()
    found = {}
    for body in bodies:
        assert datetime.fromisoformat(body["asked_at"]) == ASKED
        found[body["department"]] = (body["accepted"], body["terminated"])
    return found


def test_duties_are_done_once_a_day_and_the_first_time_stands(crew: Crew) -> None:
    first = duty.mark_done(crew.session, actor=crew.worker, now=NOW)
    again = duty.mark_done(crew.session, actor=crew.worker, now=NOW + timedelta(hours=1))
    assert (first.day, again.done_at) == (date(2026, 4, 1), NOW)


def test_the_day_of_duties_is_the_sites_own(crew: Crew) -> None:
    after_midnight_there = datetime(2026, 4, 1, 16, 30, tzinfo=UTC)
    assert duty.mark_done(crew.session, actor=crew.worker, now=after_midnight_there).day == date(2026, 4, 2)


def test_a_worker_of_all_sites_reads_his_day_at_the_first_of_them(crew: Crew) -> None:
    roamer = employ(crew.session, "worker", "engineering")
    assert duty.mark_done(crew.session, actor=roamer, now=NOW).day == date(2026, 4, 1)


def test_a_worker_whose_site_is_not_known_has_no_day(crew: Crew) -> None:
    lost = employ(crew.session, "worker", "engineering", new_id())
    with pytest.raises(NotFound):
        duty.mark_done(crew.session, actor=lost, now=NOW)


def test_the_head_sees_whose_duties_are_done_in_his_department(crew: Crew) -> None:
    employ(crew.session, "worker", "environment", crew.site_id)
    crew.do_duties()
    today = duties(crew.session, crew.head, day=None, now=NOW)
    assert {(row.name, row.done, row.done_at) for row in today} == {("张师傅", True, NOW), ("李师傅", False, None)}
    yesterday = duties(crew.session, crew.head, day=date(2026, 3, 31), now=NOW)
    assert [row.done for row in yesterday] == [False, False]


def test_workers_are_listed_with_their_duties_and_open_orders(crew: Crew) -> None:
    employ(crew.session, "worker", "environment", open_site(crew.session, "ZJ"))
    crew.started()
    both = crew.acknowledge(crew.receive())
    crew.assign(both, Member(crew.worker.person_id), Member(crew.mate.person_id))
    crew.terminate(crew.assigned())
    rows = workers(crew.session, crew.head, now=NOW)
    assert {(row.name, row.duties_done_today, row.open_orders) for row in rows} == {
        ("张师傅", True, 2),
        ("李师傅", False, 1),
    }


def test_a_night_workers_duties_are_those_of_the_evening_he_began(crew: Crew) -> None:
    crew.work_from(crew.worker, time(22), time(6))
    crew.session.add(DutyDay(person_id=crew.worker.person_id, day=date(2026, 4, 1), done_at=NOW))
    two_at_night = datetime(2026, 4, 1, 18, 0, tzinfo=UTC)
    rows = workers(crew.session, crew.head, now=two_at_night)
    assert {(row.name, row.duties_done_today) for row in rows} == {("张师傅", True), ("李师傅", False)}


def test_the_desk_sees_the_workers_of_both_departments_at_its_sites(crew: Crew) -> None:
    cleaner = employ(crew.session, "worker", "environment", crew.site_id, name="王阿姨")
    roamer = employ(crew.session, "worker", "engineering", name="赵师傅")
    clerk = employ(crew.session, "clerk", "front_desk", crew.site_id)
    seen = {row.person_id for row in workers(crew.session, clerk, now=NOW)}
    assert seen == {cleaner.person_id, roamer.person_id, crew.worker.person_id, crew.mate.person_id}
    auditor = employ(crew.session, "auditor", "management")
    assert seen == {row.person_id for row in workers(crew.session, auditor, now=NOW)}


def test_a_question_is_kept_once_and_answered_once_by_the_departments_head(crew: Crew) -> None:
    message = asked(crew)
    for _ in range(2):
        tasks.handlers["ConsultationAsked"](crew.session, message, now=NOW)
    answered = consultation.answer(
        crew.session, consultation_id=message.consultation_id, answer="能", actor=crew.head, now=NOW
    )
    assert (answered.answer, answered.answered_by) == ("能", crew.head.person_id)
    assert published(crew.session) == [("ConsultationAnswered", "intake")]
    with pytest.raises(RuleBroken, match="R23"):
        consultation.answer(
            crew.session, consultation_id=message.consultation_id, answer="不能", actor=crew.head, now=NOW
        )


def test_a_question_of_a_site_that_is_not_known_waits(crew: Crew) -> None:
    with pytest.raises(NotYet):
        tasks.handlers["ConsultationAsked"](crew.session, asked(crew, site_id=new_id()), now=NOW)


def test_a_question_to_another_department_or_site_is_not_there(crew: Crew) -> None:
    message = asked(crew, department="environment", site_id=open_site(crew.session, "ZJ"))
    consultation.asked(crew.session, message, now=NOW)
    for head in (
        employ(crew.session, "head", "engineering", message.site_id),
        employ(crew.session, "head", "environment", crew.site_id),
    ):
        with pytest.raises(NotFound):
            consultation.answer(crew.session, consultation_id=message.consultation_id, answer="能", actor=head, now=NOW)
    with pytest.raises(NotFound):
        consultation.answer(crew.session, consultation_id=new_id(), answer="能", actor=crew.head, now=NOW)


def test_the_head_lists_his_departments_questions_open_or_answered(crew: Crew) -> None:
    first, second = asked(crew), asked(crew)
    for message in (first, second, asked(crew, department="environment")):
        consultation.asked(crew.session, message, now=NOW)
    consultation.answer(crew.session, consultation_id=first.consultation_id, answer="能", actor=crew.head, now=NOW)

    def listed(*, unanswered: bool | None) -> set[object]:
        page = consultations(crew.session, crew.head, unanswered=unanswered, after=None, limit=10)
        return {row.id for row in page.items}

    assert listed(unanswered=True) == {second.consultation_id}
    assert listed(unanswered=False) == {first.consultation_id}
    assert listed(unanswered=None) == {first.consultation_id, second.consultation_id}


def test_each_department_gives_its_count_of_the_month_also_when_it_is_nothing(crew: Crew) -> None:
    assert figures(crew) == {"engineering": (0, 0), "environment": (0, 0)}


def test_paid_jobs_are_counted_in_the_month_they_ended_and_rework_is_not(crew: Crew) -> None:
    for _ in range(2):
        crew.accept(crew.finish(crew.started()))
    crew.terminate(crew.assigned())
    crew.terminate(crew.assigned(), now=ASKED)
    crew.assigned()
    first = notice(crew.site_id)
    work_order.rework_ordered(crew.session, rework(first), now=NOW)
    free = crew.assign(crew.acknowledge(crew.order(first.request_id, round_=1)))
    crew.accept(crew.finish(crew.arrive(free)))
    assert figures(crew) == {"engineering": (2, 1), "environment": (0, 0)}
    assert figures(crew) == {"engineering": (2, 1), "environment": (0, 0)}


def test_figures_of_a_site_that_is_not_known_wait(crew: Crew) -> None:
    with pytest.raises(NotYet):
        tasks.handlers["MonthFiguresAsked"](
            crew.session, MonthFiguresAsked(site_id=new_id(), month="2026-04", asked_at=ASKED), now=ASKED
        )
