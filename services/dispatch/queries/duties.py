"""Prescribed duties, and how far each worker's day is done [R3, R50]."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from services.dispatch.models import Person, PrescribedDuty
from services.dispatch.queries.people import person_at_home, workers_of
from services.dispatch.rules.access import MAY
from services.dispatch.rules.duty import DutiesOfDay, Shift
from shared.access import Own, at_sites_of
from shared.calendar import local
from shared.paging import Page, page_of
from shared.people import Actor
from shared.walls import across_sites


@dataclass(frozen=True)
class DutyView:
    """A worker's duties of a day: done, and since when; how many are prescribed and ticked; found good, or not."""

    person_id: UUID
    name: str
    day: date
    done: bool
    done_at: datetime | None
    prescribed: int
    ticked: int
    good: bool | None


@dataclass(frozen=True)
class DutyDoneView:
    """The moment a worker's duties of a day were done."""

    person_id: UUID
    day: date
    done_at: datetime


@dataclass(frozen=True)
class PrescribedDutyView:
    """Regular work that is prescribed: to all workers of the department at the site, a shift, or one person."""

    id: UUID
    site_id: UUID
    department: str
    name: str
    person_id: UUID | None
    shift: str | None
    since: date
    until: date | None


@dataclass(frozen=True)
class MyDutyView:
    """One of the worker's duties of today, and when he did it."""

    duty_id: UUID
    site_id: UUID
    name: str
    ticked_at: datetime | None


@dataclass(frozen=True)
class MyDutiesView:
    """The worker's duties of his day: each of them, whether the day is done, and what the head found."""

    day: date
    done: bool
    good: bool | None
    duties: list[MyDutyView]


# a duty holds from `since` to before `until` for whoever is of its department, site and shift, or is its person
_HIS_DUTIES = """
    d.site_id = his.site_id AND d.department = his.department
    AND (d.person_id IS NULL OR d.person_id = his.person_id) AND (d.shift IS NULL OR d.shift = his.shift)
    AND d.since <= his.day AND (d.until IS NULL OR his.day < d.until)
"""


# each of those people on each of those days, at each of his sites
_HIS = """
    SELECT p.id AS person_id, CAST(:first AS date) + n AS day, p.department, site_id,
           CASE WHEN p.shift_end <= p.shift_start THEN 'night' WHEN p.shift_start < p.shift_end THEN 'day' END AS shift
    FROM people p CROSS JOIN generate_series(0, :further) AS n
    LEFT JOIN LATERAL unnest(
        CASE WHEN p.all_sites THEN (SELECT array_agg(id) FROM sites) ELSE p.site_ids END
    ) AS site_id ON true
    WHERE p.id = ANY(:ids)
"""


_DUTIES = text(f"""
    WITH his AS ({_HIS})
    SELECT his.person_id, his.day, count(d.id) AS prescribed, count(t.ticked_at) AS ticked,
           bool_or(s.done_at IS NOT NULL) AS stated, c.good, greatest(max(t.ticked_at), max(s.done_at)) AS at
    FROM his
    LEFT JOIN prescribed_duties d ON {_HIS_DUTIES}
    LEFT JOIN duty_ticks t ON t.duty_id = d.id AND t.person_id = his.person_id AND t.day = his.day
    LEFT JOIN duty_days s ON s.person_id = his.person_id AND s.day = his.day
    LEFT JOIN LATERAL (
        SELECT good FROM duty_checks WHERE person_id = his.person_id AND day = his.day ORDER BY id DESC LIMIT 1
    ) c ON true
    GROUP BY his.person_id, his.day, c.good
""")  # noqa: S608  # our own conditions


_MINE = text(f"""
    WITH his AS ({_HIS})
    SELECT d.id AS duty_id, d.site_id, d.name, t.ticked_at
    FROM his JOIN prescribed_duties d ON {_HIS_DUTIES}
    LEFT JOIN duty_ticks t ON t.duty_id = d.id AND t.person_id = his.person_id AND t.day = his.day
    ORDER BY d.id
""")  # noqa: S608  # our own conditions


def duties_between(
    session: Session, person_ids: Sequence[UUID], *, first: date, last: date
) -> dict[UUID, dict[date, DutiesOfDay]]:
    """Each person's duties of the days from `first` to `last`."""
    session.flush()
    asked = {"ids": list(person_ids), "first": first, "further": (last - first).days}
    with across_sites(session):  # his day is done when it is done at all his sites
        rows = session.execute(_DUTIES, asked).all()
    found: dict[UUID, dict[date, DutiesOfDay]] = {}
    for person_id, day, *duties in rows:
        found.setdefault(person_id, {})[day] = DutiesOfDay(*duties)
    return found


def duties_near(session: Session, person_ids: Sequence[UUID], day: date) -> dict[UUID, dict[date, DutiesOfDay]]:
    """Each person's duties of the days around `day`; no zone or shift is further away than two days."""
    return duties_between(session, person_ids, first=day - timedelta(days=2), last=day + timedelta(days=2))


def duties(session: Session, actor: Actor, *, day: date | None, now: datetime) -> list[DutyView]:
    """The person's workers, by name, with their duties of a day; without one, of today at his home site."""
    shown = day or local(now, person_at_home(session, actor.person_id)[1]).date()
    people = session.execute(
        select(Person.id, Person.name).where(workers_of(actor, "read_duties")).order_by(Person.name, Person.id)
    ).all()
    of_day = duties_between(session, [row.id for row in people], first=shown, last=shown)
    return [_duty_view(row.id, row.name, shown, of_day[row.id][shown]) for row in people]


def _duty_view(person_id: UUID, name: str, day: date, of_day: DutiesOfDay) -> DutyView:
    return DutyView(
        person_id,
        name,
        day,
        of_day.done,
        of_day.at if of_day.done else None,
        of_day.prescribed,
        of_day.ticked,
        of_day.good,
    )


def duty_by_day(session: Session, person: Person, day: date) -> DutyView:
    """One worker's duties of a day."""
    of_day = duties_between(session, [person.id], first=day, last=day)[person.id][day]
    return _duty_view(person.id, person.name, day, of_day)


def duty_today(session: Session, actor: Actor, *, now: datetime) -> tuple[Person, date]:
    """The worker and the day whose duties he does now: at his home site, and by his shift."""
    person, zone = person_at_home(session, actor.person_id)
    return person, Shift(person.shift_start, person.shift_end).day(local(now, zone))


def duties_mine(session: Session, actor: Actor, *, now: datetime) -> MyDutiesView:
    """What is prescribed for the worker asking today, and what of it is done."""
    person, day = duty_today(session, actor, now=now)
    of_day = duties_between(session, [person.id], first=day, last=day)[person.id][day]
    rows = session.execute(_MINE, {"ids": [person.id], "first": day, "further": 0}).mappings()
    return MyDutiesView(day, of_day.done, of_day.good, [MyDutyView(**row) for row in rows])


def prescribed_duty_view(duty: PrescribedDuty) -> PrescribedDutyView:
    """One prescribed duty as shown."""
    return PrescribedDutyView(
        duty.id, duty.site_id, duty.department, duty.name, duty.person_id, duty.shift, duty.since, duty.until
    )


def prescribed_duties(session: Session, actor: Actor, *, after: UUID | None, limit: int) -> Page[PrescribedDutyView]:
    """What is prescribed now at the person's sites; to a head, in his department."""
    query = select(PrescribedDuty).where(at_sites_of(actor, PrescribedDuty.site_id), PrescribedDuty.until.is_(None))
    if MAY["read_prescribed"].of(actor) is Own.DEPARTMENT:
        query = query.where(PrescribedDuty.department == actor.department)
    return page_of(session, query, PrescribedDuty.id, prescribed_duty_view, after=after, limit=limit)
