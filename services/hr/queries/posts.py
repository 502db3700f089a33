"""People with their posts."""

from dataclasses import dataclass
from datetime import datetime, time
from uuid import UUID

from sqlalchemy import ColumnElement, or_, select, true
from sqlalchemy.orm import Session

from services.hr.models import Person, Post
from shared.errors import NotFound
from shared.messages import Certificate
from shared.paging import Page, page_of
from shared.people import Actor


@dataclass(frozen=True)
class PersonView:
    """A person and his post; shifts are by the clock on the wall of his site."""

    id: UUID
    name: str
    role: str
    department: str
    site_ids: list[UUID]
    all_sites: bool
    active: bool
    shift_start: time | None
    shift_end: time | None
    skills: list[str] | None
    certificates: list[Certificate]


@dataclass(frozen=True)
class PostView:
    """A post a person has or had; `given_by` None was there before posts were kept."""

    role: str
    department: str
    site_ids: list[UUID]
    all_sites: bool
    shift_start: time | None
    shift_end: time | None
    since: datetime
    until: datetime | None
    given_by: UUID | None
    reason: str


def person_view(p: Person) -> PersonView:
    """A person as shown: never his token, nor its hash."""
    return PersonView(
        id=p.id,
        name=p.name,
        role=p.role,
        department=p.department,
        site_ids=p.site_ids,
        all_sites=p.all_sites,
        active=p.active,
        shift_start=p.shift_start,
        shift_end=p.shift_end,
        skills=p.skills,
        certificates=[Certificate.model_validate(one) for one in p.certificates or []],
    )


def works_at_sites_of(actor: Actor) -> ColumnElement[bool]:
    """The condition that keeps a query to people of the person's sites."""
    if actor.site_ids is None:
        return true()
    return or_(Person.all_sites, Person.site_ids.bool_op("&&")(list(actor.site_ids)))


def people(session: Session, actor: Actor, *, after: UUID | None, limit: int) -> Page[PersonView]:
    """Everybody who works, or worked last, at a site of the person asking."""
    query = select(Person).where(works_at_sites_of(actor))
    return page_of(session, query, Person.id, person_view, after=after, limit=limit)


@dataclass(frozen=True)
class LookedPeople:
    """Whom somebody looks for; nothing asks for everybody who works here."""

    site_id: UUID | None = None
    department: str | None = None
    role: str | None = None
    words: str = ""
    left: bool = False
    programs: bool = False


def find_people(
    session: Session, actor: Actor, *, looked: LookedPeople, after: UUID | None, limit: int
) -> Page[PersonView]:
    """The people, or else the service accounts, of the person's sites that fit, the newest first."""
    query = select(Person).where(
        works_at_sites_of(actor), Person.active.is_(not looked.left), Person.service_account.is_(looked.programs)
    )
    if looked.site_id is not None:
        query = query.where(or_(Person.all_sites, Person.site_ids.bool_op("@>")([looked.site_id])))
    if looked.department is not None:
        query = query.where(Person.department == looked.department)
    if looked.role is not None:
        query = query.where(Person.role == looked.role)
    if looked.words:
        query = query.where(Person.name.icontains(looked.words, autoescape=True))
    return page_of(session, query, Person.id, person_view, after=after, limit=limit, newest=True)


def person_by_id(session: Session, actor: Actor, person_id: UUID, *, program: bool = False) -> PersonView:
    """A person, or a service account, of the person's sites. Raises NotFound."""
    session.flush()
    query = select(Person).where(Person.id == person_id, works_at_sites_of(actor), Person.service_account.is_(program))
    found = session.scalars(query.execution_options(populate_existing=True)).one_or_none()
    if found is None:
        raise NotFound("person", person_id)
    return person_view(found)


def check_seen(session: Session, actor: Actor, person_id: UUID) -> None:
    """Raises NotFound unless the person works, or worked last, at a site of the person asking."""
    seen = select(Person.id).where(Person.id == person_id, works_at_sites_of(actor))
    if session.scalars(seen).one_or_none() is None:
        raise NotFound("person", person_id)


def posts(session: Session, actor: Actor, person_id: UUID) -> list[PostView]:
    """The posts of a person, oldest first. Raises NotFound for people of other sites."""
    check_seen(session, actor, person_id)
    query = select(Post).where(Post.person_id == person_id).order_by(Post.since, Post.id)
    return [
        PostView(
            role=p.role,
            department=p.department,
            site_ids=p.site_ids,
            all_sites=p.all_sites,
            shift_start=p.shift_start,
            shift_end=p.shift_end,
            since=p.since,
            until=p.until,
            given_by=p.given_by,
            reason=p.reason,
        )
        for p in session.scalars(query)
    ]
