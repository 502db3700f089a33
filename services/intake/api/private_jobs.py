"""What the desk was told of paid jobs taken privately [R54]."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter

from services.intake.actions import private_job
from services.intake.api.may import may
from services.intake.queries.private_jobs import PrivateJobView, private_job_view, private_jobs
from shared.paging import Page
from shared.web import After, Body, Edge, Limit, Moment, Words

routes = APIRouter(tags=["private_jobs"])


class ReportPrivateJob(Body):
    """Who took a paid job privately, when, and how one knows [R54]."""

    site_id: UUID
    person_id: UUID
    happened_at: Moment
    evidence: Words


@routes.get("/private-job-reports", summary="What the desk was told of private jobs [R54]")
def list_private_jobs(
    edge: Annotated[Edge, may("read_private_jobs")], after: After = None, limit: Limit = 100
) -> Page[PrivateJobView]:
    return private_jobs(edge.session, edge.actor, after=after, limit=limit)


@routes.post("/private-job-reports", status_code=201, summary="Somebody took a paid job privately [R54, R81, D20]")
def report_private_job(body: ReportPrivateJob, edge: Annotated[Edge, may("report_private_job")]) -> PrivateJobView:
    def act() -> PrivateJobView:
        made = private_job.report(edge.session, **body.model_dump(), actor=edge.actor, now=edge.now)
        return private_job_view(made)

    return edge.once(body, act)
