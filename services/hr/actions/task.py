"""HR carries out the steps other than money [D19]."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import update
from sqlalchemy.orm import Session

from services.hr.models import HR_TASK, HrTask
from services.hr.rules.access import MAY
from services.hr.rules.task import check_undone
from shared.access import check_four_eyes
from shared.alerts import Alert, raise_alerts
from shared.errors import NotFound
from shared.people import Actor


def finish(session: Session, *, task_id: UUID, evidence: str, actor: Actor, now: datetime) -> HrTask:
    """HR has done the step, and says what proves it."""
    task = session.get(HrTask, task_id, with_for_update=True)
    if task is None or not actor.sees(task.site_id):
        raise NotFound("task", task_id)
    check_undone(task.done_at)
    check_four_eyes(MAY["finish_task"], actor, subject=task.person_id)
    task.done_at, task.done_by, task.evidence = now, actor.person_id, evidence
    return task


def mark_late(session: Session, *, now: datetime) -> int:
    """Steps whose time has passed undone are late, for ever; they stay to be done, and hr is told."""
    late = session.execute(
        update(HrTask)
        .where(HrTask.id.in_(HR_TASK.claim(HrTask.id, now=now)))
        .values(late_at=now)
        .returning(HrTask.id, HrTask.site_id, HrTask.kind)
    ).all()
    alerts = [Alert("task_late", site_id, id_, role="hr", facts={"step": str(kind)}) for id_, site_id, kind in late]
    raise_alerts(session, alerts, now=now)
    return len(late)
