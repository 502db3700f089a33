"""What the desk was told of paid jobs taken privately [R54, R81]."""

from typing import Annotated

from fastapi import APIRouter, Response

from services.intake.api.private_jobs import ReportPrivateJob, report_private_job
from services.intake.pages.see import see
from services.intake.queries.people import workers
from services.intake.queries.private_jobs import private_jobs
from shared.ui.forms import Form
from shared.ui.tables import Column, Table
from shared.ui.views import View

pages = APIRouter()

COLUMNS = [
    Column("person_id", "人员", "person"),
    Column("site_id", "小区", "site"),
    Column("happened_at", "发生时间", "moment"),
    Column("evidence", "依据"),
    Column("reported_by", "记录人", "person"),
    Column("reported_at", "记录时间", "moment"),
]


def _form(view: View) -> Form[ReportPrivateJob]:
    who = [(str(one.id), one.name) for one in workers(view.session, view.actor)]
    return Form(
        ReportPrivateJob, choices={"site_id": view.choose_sites(), "person_id": who}, zone=view.zone(view.asked_site())
    )


def _page(view: View, form: Form[ReportPrivateJob]) -> Response:
    found = private_jobs(view.session, view.actor, after=view.asked_id(), limit=view.rows)
    table = Table(COLUMNS, found.items, found.next, "没有人反映过私下接活。", "private-jobs")
    return view.show("private_jobs.html", table=table, form=form)


@pages.get("/private-job-reports")
def list_reports(view: Annotated[View, see("read_private_jobs")]) -> Response:
    return _page(view, _form(view))


@pages.post("/private-job-reports")
def report(view: Annotated[View, see("report_private_job")]) -> Response:
    return view.submit(
        _form(view),
        lambda body: report_private_job(body, view),
        then="/intake/private-job-reports",
        again=lambda form: _page(view, form),
        said="已记录，并转人事部立案",
    )
