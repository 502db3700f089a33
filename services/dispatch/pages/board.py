"""The head's board 派工, calls for help 支援与终止, and the worker's own jobs 我的单 [R27-R30, R38, R50, R62, R67]."""

from typing import Annotated

from fastapi import APIRouter, Response

from services.dispatch.pages.see import see
from services.dispatch.pages.work_orders import tone
from services.dispatch.queries.duties import duties_mine
from services.dispatch.queries.teams import candidates_to_assign
from services.dispatch.queries.work_orders import WorkOrderView, notices_out, open_orders
from shared.ui.views import View

pages = APIRouter()

MOST = 300
"""Orders that have not ended, of one person's board."""

NOW = ("checked_in", "started", "stopped", "finished")
"""States of a job that somebody is at."""


def _by_state(view: View) -> dict[str, list[WorkOrderView]]:
    found: dict[str, list[WorkOrderView]] = {}
    for order in open_orders(view.session, view.actor, limit=MOST):
        found.setdefault(order.state, []).append(order)
    return found


@pages.get("/board")
def board(view: Annotated[View, see("read_candidates")]) -> Response:
    found = _by_state(view)
    received = sorted(found.get("received", []), key=lambda one: one.acknowledge_due_at)
    to_assign = sorted(found.get("acknowledged", []), key=lambda one: one.assign_due_at or one.visit_from)
    under_way = [one for state in ("assigned", *NOW) for one in found.get(state, []) if state != "stopped"]
    late = [one for one in under_way if one.arrived_at is None and one.arrive_due_at < view.now]
    return view.show(
        "dispatch_board.html",
        received=received,
        to_assign=to_assign,
        candidates=candidates_to_assign(view.session, view.actor, now=view.now),
        under_way=sorted(under_way, key=lambda one: (one not in late, one.visit_from)),
        late={one.id for one in late},
        stopped=found.get("stopped", []),
        declined=found.get("declined", []),
        out=notices_out(view.session, view.actor, limit=MOST),
        tone=tone,
        live="dispatch",
    )


@pages.get("/support")
def support(view: Annotated[View, see("read_work_orders")]) -> Response:
    stopped = sorted(_by_state(view).get("stopped", []), key=lambda one: one.stops[-1].stopped_at)
    return view.show("support.html", stopped=stopped, tone=tone, live="dispatch")


@pages.get("/jobs")
def jobs(view: Annotated[View, see("read_work_orders")]) -> Response:
    found = _by_state(view)
    at_work = [one for state in NOW for one in found.get(state, [])]
    waiting = found.get("assigned", [])
    return view.show(
        "jobs.html",
        at_work=at_work,
        next_one=waiting[0] if waiting else None,
        later=waiting[1:],
        out=notices_out(view.session, view.actor, limit=20),
        duties=duties_mine(view.session, view.actor, now=view.now) if view.may("read_own_duties") else None,
        tone=tone,
        live="dispatch",
    )
