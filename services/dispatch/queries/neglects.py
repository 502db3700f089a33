"""Findings of regular work left undone for paid work [R51, R78]."""

from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from services.dispatch.models import DutyOverride, Neglect, Person, WorkOrder
from services.dispatch.queries.people import workers_of
from services.dispatch.queries.work_orders import OverrideView
from services.dispatch.rules.access import MAY
from shared.access import Own, at_sites_of
from shared.paging import Page, page_of
from shared.people import Actor


@dataclass(frozen=True)
class NeglectView:
    """Regular work found undone because of paid work, and the head who answers for it [R78]."""

    id: UUID
    worker_id: UUID
    day: date
    site_id: UUID
    department: str
    head_id: UUID
    override_id: UUID | None
    reason: str
    found_by: UUID
    found_at: datetime


def neglect_view(found: Neglect) -> NeglectView:
    """One finding as shown."""
    return NeglectView(
        found.id,
        found.worker_id,
        found.day,
        found.site_id,
        found.department,
        found.head_id,
        found.override_id,
        found.reason,
        found.found_by,
        found.found_at,
    )


def neglects(session: Session, actor: Actor, *, after: UUID | None, limit: int) -> Page[NeglectView]:
    """What was found at the person's sites, the newest first; to a head, in his department."""
    query = select(Neglect).where(at_sites_of(actor, Neglect.site_id))
    if MAY["read_neglects"].of(actor) is Own.DEPARTMENT:
        query = query.where(Neglect.department == actor.department)
    return page_of(session, query, Neglect.id, neglect_view, after=after, limit=limit, newest=True)


def overrides_to_cite(session: Session, actor: Actor, *, limit: int) -> list[OverrideView]:
    """The latest leaves to go with duties undone at the person's sites: what a finding may cite [D8, R78]."""
    query = (
        select(DutyOverride)
        .join(WorkOrder, WorkOrder.id == DutyOverride.work_order_id)
        .where(at_sites_of(actor, WorkOrder.site_id))
        .order_by(DutyOverride.id.desc())
        .limit(limit)
    )
    return [
        OverrideView(row.id, row.worker_id, row.head_id, row.reason, row.overridden_at)
        for row in session.scalars(query)
    ]


def workers_found(session: Session, actor: Actor) -> list[tuple[UUID, str]]:
    """(id, name) of the workers a finding of the person may be about, by name."""
    query = select(Person.id, Person.name).where(workers_of(actor, "find_neglect")).order_by(Person.name, Person.id)
    return [(row.id, row.name) for row in session.execute(query)]
