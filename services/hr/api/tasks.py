"""The steps other than money, for HR to carry out."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter

from services.hr.actions import task
from services.hr.api.may import may
from services.hr.queries.tasks import TaskView, task_by_id, tasks
from shared.paging import Page
from shared.web import After, Body, Edge, Limit, Words

routes = APIRouter(tags=["tasks"])


class FinishTask(Body):
    """What proves that the step was carried out."""

    evidence: Words


@routes.get("/tasks", summary="The steps other than money, for HR to carry out [D19]")
def list_tasks(edge: Annotated[Edge, may("read_tasks")], after: After = None, limit: Limit = 100) -> Page[TaskView]:
    return tasks(edge.session, edge.actor, after=after, limit=limit)


@routes.post("/tasks/{task_id}/finish", summary="The step was carried out, with evidence [D19]")
def finish_task(task_id: UUID, body: FinishTask, edge: Annotated[Edge, may("finish_task")]) -> TaskView:
    def act() -> TaskView:
        task.finish(edge.session, task_id=task_id, evidence=body.evidence, actor=edge.actor, now=edge.now)
        return task_by_id(edge.session, edge.actor, task_id)

    return edge.once(body, act)
