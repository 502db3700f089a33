"""Paid hours 有偿工时 of a month [R68]."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from services.dispatch.models import Assignment, Person, Site, WorkOrder
from services.dispatch.queries.people import HOME_SITE, workers_of
from services.dispatch.rules.hours import HoursPolicy, is_near, is_over
from shared.people import Actor
from shared.policy_rows import in_force_at


@dataclass(frozen=True)
class HoursView:
    """A worker's paid visits of a month: minutes at homes, and whether they come near the limit or pass it [R68]."""

    person_id: UUID
    name: str
    month: str
    visits: int
    minutes: int
    near_limit: bool
    over_limit: bool


def paid_visits(
    session: Session, month: str, *, person_ids: Sequence[UUID] | None = None
) -> dict[UUID, tuple[int, int]]:
    """(visits, minutes from arrival to the work's end) of each person in a month, rework too [R68]."""
    session.flush()
    at_homes = func.sum(func.extract("epoch", WorkOrder.finished_at - WorkOrder.arrived_at))
    query = (
        select(Assignment.person_id, func.count(), at_homes)
        .join(WorkOrder, WorkOrder.id == Assignment.work_order_id)
        .where(WorkOrder.finished_month == month)
        .group_by(Assignment.person_id)
    )
    if person_ids is not None:
        query = query.where(Assignment.person_id.in_(person_ids))
    return {person_id: (visits, int(seconds) // 60) for person_id, visits, seconds in session.execute(query)}


def hours(session: Session, actor: Actor, *, month: str, now: datetime) -> list[HoursView]:
    """The person's workers, by name, with what they did in a month; held against the limit of their home site."""
    rows = session.execute(
        select(Person.id, Person.name, Site.id.label("site_id"))
        .join(Site, Site.id == HOME_SITE)
        .where(workers_of(actor))
        .order_by(Person.name, Person.id)
    ).all()
    visited = paid_visits(session, month, person_ids=[row.id for row in rows])
    policies = in_force_at(session, HoursPolicy, site_ids=[*{row.site_id for row in rows}], at=now)
    shown = []
    for row in rows:
        visits, minutes = visited.get(row.id, (0, 0))
        policy = policies[row.site_id]
        shown.append(
            HoursView(row.id, row.name, month, visits, minutes, is_near(minutes, policy), is_over(minutes, policy))
        )
    return shown
