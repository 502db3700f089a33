"""Owners who wait for their call [R47, R48]."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from services.intake.models import CallbackAttempt, Request
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


@dataclass(frozen=True)
class CallView:
    """A call to the owner before the work, and whether it reached him."""

    at: datetime
    by: UUID
    reached: bool
    note: str


def calls_of(session: Session, actor: Actor, request_id: UUID) -> list[CallView]:
    """The calls of a request, in order; none for one of others' sites."""
    query = (
        select(CallbackAttempt)
        .join(Request, Request.id == CallbackAttempt.request_id)
        .where(CallbackAttempt.request_id == request_id, at_sites_of(actor, Request.site_id))
        .order_by(CallbackAttempt.at, CallbackAttempt.id)
    )
    return [CallView(call.at, call.by, call.reached, call.note) for call in session.scalars(query)]


@dataclass(frozen=True)
class KeptView:
    """Of the callbacks that were decided, how many were kept and how many missed."""

    kept: int
    missed: int

    @property
    def percent(self) -> float | None:
        """Kept of a hundred; None while none is decided."""
        decided = self.kept + self.missed
        return 100 * self.kept / decided if decided else None


# by the clock on the site's wall; the index ix_requests_recorded_at finds the day
_TODAY = text("""
    SELECT count(*) FILTER (WHERE reached_at <= callback_due_at) AS kept,
           count(*) FILTER (WHERE callback_missed) AS missed
    FROM sites s JOIN requests r ON r.site_id = s.id
     AND r.recorded_at >= date_trunc('day', CAST(:now AS timestamptz) AT TIME ZONE s.zone) AT TIME ZONE s.zone
    WHERE (CAST(:sites AS uuid[]) IS NULL OR s.id = ANY(:sites)) AND callback_due_at IS NOT NULL
      AND (CAST(:department AS text) IS NULL OR r.department = :department)
""")


def kept_today(session: Session, actor: Actor, *, now: datetime) -> KeptView:
    """Of the callbacks of requests recorded today, those decided; a head counts those of his department [R47, R48]."""
    own = MAY["read_callbacks"].of(actor) is Own.DEPARTMENT
    sites = None if actor.site_ids is None else list(actor.site_ids)
    asked = {"now": now, "sites": sites, "department": actor.department if own else None}
    row = session.execute(_TODAY, asked).one()
    return KeptView(row.kept, row.missed)
