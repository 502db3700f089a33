"""The auditor's page of a service's audit log 审计日志: every change, found by who, what and when [promise 20]."""

from collections.abc import Callable
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Response

from shared.audit_routes import WantedPage, entries
from shared.people import colleagues_of
from shared.ui.forms import Form
from shared.ui.views import View

PAGE = 100
FILTERS = ("table", "row", "cause", "since", "until", "actor_id")


def make_audit_pages(service: str, may: Callable[[str], Any]) -> APIRouter:
    """The page; `may` is the service's `see`."""
    pages = APIRouter()

    @pages.get("/audit-log")
    def audit_log(view: Annotated[View, may("read_audit_log")]) -> Response:
        form = Form(WantedPage, zone=view.zone())
        asked = {name: value for name in FILTERS if (value := view.asked(name))}
        wanted = form.read_query({**asked, "after": view.asked("after") or "0", "limit": str(PAGE)})
        found = (
            [] if wanted is None else entries(view.session, view.actor, wanted, after=wanted.after, limit=wanted.limit)
        )
        exact = {} if wanted is None else wanted.model_dump(mode="json", exclude_none=True, exclude={"after", "limit"})
        return view.show(
            "audit_log.html",
            form=form,
            entries=found,
            more=found[-1].id if len(found) == PAGE else None,
            export=f"/{service}/api/audit-log/export.csv?{urlencode(exact)}",
            people=[(str(id_), name) for id_, name in colleagues_of(view.session, view.actor)],
        )

    return pages
