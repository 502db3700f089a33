"""The steps other than money that HR carries out."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import Select, select
from sqlalchemy.orm import Session, joinedload

from services.hr.models import HrTask
from services.hr.rules.task import MOVES
from shared.access import at_sites_of
from shared.errors import NotFound
from shared.paging import Page, page_of
from shared.people import Actor


@dataclass(frozen=True)
class TaskView:
    """A step HR carries out, by `due_at`; `move` is where the person gets another post, if that is the step."""

    id: UUID
    kind: str
    case_id: UUID
    case_number: str
    site_id: UUID
    person_id: UUID
    person_name: str
    due_at: datetime
    late_at: datetime | None
    done_at: datetime | None
    done_by: UUID | None
    evidence: str | None
    move: str | None


def _task_view(t: HrTask) -> TaskView:
    """A task loaded with its case and person, as shown."""
    return TaskView(
        id=t.id,
        kind=t.kind,
        case_id=t.case_id,
        case_number=t.case.number,
        site_id=t.site_id,
        person_id=t.person_id,
        person_name=t.person.name,
        due_at=t.due_at,
        late_at=t.late_at,
        done_at=t.done_at,
        done_by=t.done_by,
        evidence=t.evidence,
        move=f"/people/{t.person_id}/move" if t.kind in MOVES else None,
    )


def _whole_tasks(actor: Actor) -> Select[HrTask]:
    return (
        select(HrTask)
        .where(at_sites_of(actor, HrTask.site_id))
        .options(joinedload(HrTask.case), joinedload(HrTask.person))
    )


def task_by_id(session: Session, actor: Actor, task_id: UUID) -> TaskView:
    """One task. Raises NotFound when it is none of the person's sites."""
    session.flush()
    query = _whole_tasks(actor).where(HrTask.id == task_id).execution_options(populate_existing=True)
    task = session.scalars(query).one_or_none()
    if task is None:
        raise NotFound("task", task_id)
    return _task_view(task)


def tasks(
    session: Session, actor: Actor, *, done: bool | None = None, after: UUID | None, limit: int
) -> Page[TaskView]:
    """HR's tasks, those done, those not, or all, in the order of the decisions they follow."""
    query = _whole_tasks(actor)
    if done is not None:
        query = query.where(HrTask.done_at.is_not(None) if done else HrTask.done_at.is_(None))
    return page_of(session, query, HrTask.id, _task_view, after=after, limit=limit)
