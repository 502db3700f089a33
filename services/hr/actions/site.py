"""Sites open; their hours, holidays and leaders in charge change, each time with who, when and why [R6, R36, R77]."""

from datetime import date, datetime, time
from typing import Any
from uuid import UUID

from pydantic_core import to_jsonable_python
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from services.hr.models import Person, Site, SiteChange, SiteHoliday, SiteLeader
from services.hr.rules.holiday import public_holidays
from services.hr.rules.post import check_leader
from services.hr.rules.site import check_clears, check_hours, check_zone
from shared.bus.outbox import publish
from shared.calendar import local
from shared.errors import NotFound, RuleBroken
from shared.ids import new_id
from shared.messages import Department, SiteChanged
from shared.people import Actor
from shared.walls import across_sites


def tell(session: Session, site: Site) -> None:
    """Everybody hears how the site stands now."""
    publish(
        session,
        SiteChanged(
            site_id=site.id,
            version=site.version,
            code=site.code,
            name=site.name,
            zone=site.zone,
            closing=site.closing,
            holidays=site.holidays,
        ),
    )


def open_(session: Session, *, code: str, name: str, zone: str, closing: time, now: datetime) -> Site:
    """Open a site 小区, with the holidays of this and the next year, and tell everybody; its code is its own [R6]."""
    check_zone(zone)
    year = local(now, zone).year
    made = Site(id=new_id(), version=1, code=code, name=name, zone=zone, closing=closing)
    days = public_holidays(year, year + 1)
    with across_sites(session):  # as yet it is nobody's
        session.add(made)
        session.flush()
        session.add_all(SiteHoliday(site_id=made.id, day=day, name=name) for day, name in days.items())
        made.holidays = sorted(days)
    tell(session, made)
    return made


def change(
    session: Session,
    *,
    site_id: UUID,
    name: str | None,
    closing: time | None,
    opens: time | None,
    closes_service: time | None,
    clear_hours: bool = False,
    reason: str,
    actor: Actor,
    now: datetime,
) -> Site:
    """Change what is given, or clear the service hours.

    A new closing time holds for days that have not begun, as each department sees to [D6].
    """
    check_clears(opens, closes_service, clear_hours=clear_hours)
    site = _site_for(session, actor, site_id)
    given = {"name": name, "closing": closing, "opens": opens, "closes_service": closes_service}
    wanted: dict[str, str | time | None] = {field: value for field, value in given.items() if value is not None}
    if clear_hours:
        wanted |= {"opens": None, "closes_service": None}
    changes = {field: [getattr(site, field), value] for field, value in wanted.items() if value != getattr(site, field)}
    if not changes:
        raise RuleBroken("nothing_changes", "the site is like this already", rule="D6")
    for field, (_, value) in changes.items():
        setattr(site, field, value)
    check_hours(site.opens, site.closes_service)
    _changed(session, site, changes, reason=reason, actor=actor, now=now)
    return site


def add_holiday(session: Session, *, site_id: UUID, day: date, name: str, actor: Actor, now: datetime) -> Site:
    """One more public holiday, as the State Council announces them each year."""
    site = _site_for(session, actor, site_id)
    if day in site.holidays:
        raise RuleBroken("holiday_already", f"{day} is a holiday already", rule="R68")
    session.add(SiteHoliday(site_id=site.id, day=day, name=name))
    site.holidays = sorted([*site.holidays, day])
    _changed(session, site, {"holiday": [None, day]}, reason=name, actor=actor, now=now)
    return site


def fill_holidays(session: Session, *, site_id: UUID, year: int, reason: str, actor: Actor, now: datetime) -> Site:
    """The public holidays of a year that the site does not have yet, once they are announced or the year comes near."""
    site = _site_for(session, actor, site_id)
    known = set(session.scalars(select(SiteHoliday.day).where(SiteHoliday.site_id == site.id)))
    new = {day: name for day, name in public_holidays(year).items() if day not in known}
    if not new:
        raise RuleBroken("nothing_changes", f"the site has the holidays of {year} already", rule="R68")
    session.add_all(SiteHoliday(site_id=site.id, day=day, name=name) for day, name in new.items())
    site.holidays = sorted({*site.holidays, *new})
    _changed(session, site, {"holidays": [None, sorted(new)]}, reason=reason, actor=actor, now=now)
    return site


def remove_holiday(session: Session, *, site_id: UUID, day: date, reason: str, actor: Actor, now: datetime) -> Site:
    """The day is a working day after all."""
    site = _site_for(session, actor, site_id)
    holiday = session.get(SiteHoliday, (site.id, day))
    if holiday is None:
        raise RuleBroken("no_holiday", f"{day} is no holiday", rule="R68")
    session.delete(holiday)
    site.holidays = [one for one in site.holidays if one != day]
    _changed(session, site, {"holiday": [day, None]}, reason=reason, actor=actor, now=now)
    return site


def name_leader(
    session: Session, *, site_id: UUID, department: Department, leader_id: UUID, actor: Actor, now: datetime
) -> SiteLeader:
    """The leader in charge 分管领导 of a department at a site; whom he follows is kept [R77, R92]."""
    site = _site_for(session, actor, site_id)
    # locked, so that he does not leave meanwhile, which would end what he is in charge of
    leader = session.get(Person, leader_id, with_for_update={"read": True}, populate_existing=True)
    if leader is None:
        raise NotFound("person", leader_id)
    check_leader(leader.role, active=leader.active, at_site=leader.all_sites or site.id in leader.site_ids)
    here = (SiteLeader.site_id == site.id, SiteLeader.department == department, SiteLeader.until.is_(None))
    if session.scalars(select(SiteLeader.leader_id).where(*here)).one_or_none() == leader.id:
        raise RuleBroken("in_charge_already", f"{leader.name} is in charge already", rule="R77")
    session.execute(update(SiteLeader).where(*here).values(until=now))
    named = SiteLeader(site_id=site.id, department=department, leader_id=leader.id, named_by=actor.person_id, since=now)
    session.add(named)
    return named


def _site_for(session: Session, actor: Actor, site_id: UUID) -> Site:
    """A site of the person asking, locked. Raises NotFound."""
    site = session.get(Site, site_id, with_for_update=True, populate_existing=True) if actor.sees(site_id) else None
    if site is None:
        raise NotFound("site", site_id)
    return site


def _changed(
    session: Session, site: Site, changes: dict[str, Any], *, reason: str, actor: Actor, now: datetime
) -> None:
    site.version += 1
    session.add(
        SiteChange(
            site_id=site.id,
            version=site.version,
            changes=to_jsonable_python(changes),
            changed_by=actor.person_id,
            changed_at=now,
            reason=reason,
        )
    )
    tell(session, site)
