"""A site, what was changed of it, its public holidays and its leaders in charge."""

from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from services.hr.models import Person, Site, SiteChange, SiteHoliday, SiteLeader
from shared.access import at_sites_of
from shared.people import Actor, site_for


@dataclass(frozen=True)
class SiteView:
    """A site 小区; its times are by the clock on its wall, `opens` and `closes_service` its service hours."""

    id: UUID
    code: str
    name: str
    zone: str
    closing: time
    opens: time | None
    closes_service: time | None
    holidays: list[date]


@dataclass(frozen=True)
class SiteChangeView:
    """A change of a site: field -> [before, after]."""

    version: int
    changes: dict[str, Any]
    changed_by: UUID
    changed_at: datetime
    reason: str


@dataclass(frozen=True)
class HolidayView:
    """A public holiday of a site."""

    day: date
    name: str


@dataclass(frozen=True)
class LeaderView:
    """Who was or is the leader in charge of a department at a site."""

    department: str
    leader_id: UUID
    leader_name: str
    named_by: UUID
    since: datetime
    until: datetime | None


def site_view(s: Site) -> SiteView:
    """A site as shown."""
    return SiteView(s.id, s.code, s.name, s.zone, s.closing, s.opens, s.closes_service, s.holidays)


def sites(session: Session, actor: Actor) -> list[SiteView]:
    """The person's sites, by code."""
    his = select(Site).where(at_sites_of(actor, Site.id)).order_by(Site.code)
    return [site_view(site) for site in session.scalars(his)]


def site_by_id(session: Session, site_id: UUID) -> SiteView:
    """One site, for who was let change it."""
    return site_view(session.get_one(Site, site_id))


def site_changes(session: Session, actor: Actor, site_id: UUID) -> list[SiteChangeView]:
    """What was changed of a site, oldest first. Raises NotFound for a site of others."""
    site_for(session, actor, site_id)
    query = select(SiteChange).where(SiteChange.site_id == site_id).order_by(SiteChange.version)
    return [SiteChangeView(c.version, c.changes, c.changed_by, c.changed_at, c.reason) for c in session.scalars(query)]


def holidays(session: Session, actor: Actor, site_id: UUID) -> list[HolidayView]:
    """A site's public holidays by day. Raises NotFound for a site of others."""
    site_for(session, actor, site_id)
    query = select(SiteHoliday).where(SiteHoliday.site_id == site_id).order_by(SiteHoliday.day)
    return [HolidayView(one.day, one.name) for one in session.scalars(query)]


def leaders(session: Session, actor: Actor, site_id: UUID) -> list[LeaderView]:
    """The leaders in charge at a site, now and before. Raises NotFound for a site of others."""
    site_for(session, actor, site_id)
    session.flush()
    query = (
        select(SiteLeader, Person.name)
        .join(Person, Person.id == SiteLeader.leader_id)
        .where(SiteLeader.site_id == site_id)
        .order_by(SiteLeader.department, SiteLeader.since, SiteLeader.id)
    )
    return [
        LeaderView(one.department, one.leader_id, name, one.named_by, one.since, one.until)
        for one, name in session.execute(query)
    ]
