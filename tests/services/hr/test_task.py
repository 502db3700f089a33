"""HR's tasks: carried out with evidence, and late for ever when their time has passed [D19]."""

from datetime import datetime, timedelta
from uuid import UUID

import pytest
from sqlalchemy.orm import Session

from services.hr.actions import case, task
from services.hr.models import HrTask
from services.hr.queries.tasks import task_by_id, tasks
from services.hr.rules.case import Charge
from services.hr.rules.ladder import Offence
from services.hr.rules.task import TaskPolicy, check_undone, task_due
from services.hr.tasks import mark_late_tasks
from shared.errors import NotFound, RuleBroken
from shared.people import Actor
from tests.people import employ, open_site
from tests.services.hr.court import finish


@pytest.fixture
def hr(session: Session, site_id: UUID) -> Actor:
    return employ(session, "hr", "hr", site_id)


@pytest.fixture
def made(session: Session, site_id: UUID, hr: Actor, now: datetime) -> HrTask:
    """The warning of a private job outside working hours."""
    worker = employ(session, "worker", "engineering", site_id, name="李雷")
    charge = Charge(Offence.PRIVATE_JOB, site_id, worker.person_id, now, "业主反映", in_working_hours=False)
    opened = case.open_(session, charge=charge, actor=hr, now=now)
    leader = employ(session, "leader", "management")
    session.flush()
    finish(session, opened, leader, now)
    return session.query(HrTask).one()


def test_a_step_is_due_thirty_days_after_the_case_is_final(now: datetime) -> None:
    assert task_due(now, TaskPolicy()) == now + timedelta(days=30)


def test_a_step_is_done_once(now: datetime) -> None:
    check_undone(None)
    with pytest.raises(RuleBroken) as refused:
        check_undone(now)
    assert refused.value.code == "done_already"


def test_hr_carries_a_step_out_with_evidence(session: Session, made: HrTask, hr: Actor, now: datetime) -> None:
    task.finish(session, task_id=made.id, evidence="书面警告已签收", actor=hr, now=now)
    (view,) = tasks(session, hr, after=None, limit=10).items
    assert (view.kind, view.case_number, view.person_name) == ("warning", "AJ-BK-2026-0001", "李雷")
    assert (view.done_at, view.done_by, view.evidence) == (now, hr.person_id, "书面警告已签收")
    assert mark_late_tasks(session, now=made.due_at + timedelta(days=1)) == 0


def test_a_step_is_late_only_after_its_time_and_stays_to_be_done(session: Session, made: HrTask, hr: Actor) -> None:
    assert mark_late_tasks(session, now=made.due_at) == 0
    after = made.due_at + timedelta(seconds=1)
    assert mark_late_tasks(session, now=after) == 1
    assert mark_late_tasks(session, now=after) == 0
    task.finish(session, task_id=made.id, evidence="已签收", actor=hr, now=after)
    view = task_by_id(session, hr, made.id)
    assert (view.late_at, view.done_at) == (after, after)


def test_a_step_of_another_site_does_not_exist(session: Session, made: HrTask, now: datetime) -> None:
    elsewhere = employ(session, "hr", "hr", open_site(session, "XH"))
    with pytest.raises(NotFound):
        task.finish(session, task_id=made.id, evidence="x", actor=elsewhere, now=now)
    with pytest.raises(NotFound):
        task_by_id(session, elsewhere, made.id)
    assert tasks(session, elsewhere, after=None, limit=10).items == []
