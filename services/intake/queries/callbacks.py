"""Owners who wait for their call [R47, R48]."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from services.intake.models import Request
from services.intake.queries.requests import WHOLE, RequestView, request_view
from services.intake.rules.access import MAY
from services.intake.rules.request import RequestState
from shared.access import Own, at_sites_of
from shared.people import Actor


def callbacks(session: Session, actor: Actor) -> list[RequestView]:
    """Who waits for a call, the least time left first; missed ones stay until the owner is reached.

    A department's head sees those of his department [R47].
    """
    query = (
        select(Request)
        .where(Request.state == RequestState.RECORDED, at_sites_of(actor, Request.site_id))
        .order_by(Request.callback_due_at)
        .limit(500)
        .options(*WHOLE)
    )
    if MAY["read_callbacks"].of(actor) is Own.DEPARTMENT:
        query = query.where(Request.department == actor.department)
    return [request_view(row) for row in session.scalars(query)]
