"""Paid hours 有偿工时 of a month [R68]."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, and_, func, or_, select
from sqlalchemy.orm import Session

from services.dispatch.models import Assignment, Person, Site, WorkOrder
from services.dispatch.queries.people import HOME_SITE, workers_of
from services.dispatch.rules.hours import HoursPolicy, is_near, is_over, limit_moment
from shared.people import Actor
from shared.policy_rows import in_force_at
from shared.walls import across_sites


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


def paid_visits(session: Session, month: str, person_ids: Sequence[UUID]) -> dict[UUID, tuple[int, int]]:
    """(visits, minutes from arrival to the work's end) of each person in a month [R68].

    Rework counts too, and so does a visit that ended undone: the worker was there and worked.
    """
    ended_at = func.coalesce(WorkOrder.finished_at, WorkOrder.terminated_at)
    undone = and_(WorkOrder.finished_at.is_(None), WorkOrder.arrived_at.is_not(None))
    query = (
        select(Assignment.person_id, func.count(), func.sum(func.extract("epoch", ended_at - WorkOrder.arrived_at)))
        .join(WorkOrder, WorkOrder.id == Assignment.work_order_id)
        .where(
            Assignment.person_id.in_(person_ids),
            or_(WorkOrder.finished_month == month, and_(WorkOrder.terminated_month == month, undone)),
        )
        .group_by(Assignment.person_id)
    )
    return {person_id: (visits, int(seconds) // 60) for person_id, visits, seconds in session.execute(query)}


def paid_hours(
    session: Session, whose: ColumnElement[bool], *, month: str, now: datetime
) -> list[tuple[HoursView, HoursPolicy]]:
    """What those people did in a month, by name, each with the limit of his home site that it is held against."""
    with across_sites(session):
        rows = session.execute(
            select(Person.id, Person.name, Site.id.label("site_id"), Site.zone, Site.closing)
            .join(Site, Site.id == HOME_SITE)
            .where(whose)
            .order_by(Person.name, Person.id)
        ).all()
        sites = defaultdict(set)
        for row in rows:
            sites[limit_moment(month, zone=row.zone, closing=row.closing, now=now)].add(row.site_id)
        policies: dict[UUID, HoursPolicy] = {}
        for at, site_ids in sites.items():  # one moment for all sites of a time zone and closing time
            policies |= in_force_at(session, HoursPolicy, site_ids=[*site_ids], at=at)
        visited = paid_visits(session, month, [row.id for row in rows])
    shown = []
    for row in rows:
        (visits, minutes), policy = visited.get(row.id, (0, 0)), policies[row.site_id]
        near, over = is_near(minutes, policy), is_over(minutes, policy)
        shown.append((HoursView(row.id, row.name, month, visits, minutes, near, over), policy))
    return shown


def hours(session: Session, actor: Actor, *, month: str, now: datetime) -> list[HoursView]:
    """The person's workers, by name, with what they did in a month; held against the limit of their home site."""
    return [view for view, _ in paid_hours(session, workers_of(actor, "read_hours"), month=month, now=now)]
