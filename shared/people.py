"""People and sites as every service knows them: hr owns them, the others keep a copy made from its messages."""

from dataclasses import dataclass
from datetime import date, datetime, time
from hashlib import sha256
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, Date, Index, String, Uuid, bindparam, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, Session, declared_attr, mapped_column

from shared.audit import ACTING
from shared.db import SITES
from shared.errors import NotFound, NotYet
from shared.messages import Department, PersonChanged, Role, SiteChanged


class SiteRow:
    """A site 小区: its code, time zone, closing time and public holidays."""

    __tablename__ = "sites"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    version: Mapped[int]
    code: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]
    zone: Mapped[str]
    closing: Mapped[time]
    holidays: Mapped[list[date]] = mapped_column(ARRAY(Date), server_default=text("'{}'"))


class PersonRow:
    """A person of the company, with the hash of the token that proves who he is."""

    __tablename__ = "people"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    version: Mapped[int]
    name: Mapped[str]
    role: Mapped[str]
    department: Mapped[str]
    site_ids: Mapped[list[UUID]] = mapped_column(ARRAY(Uuid))
    all_sites: Mapped[bool]
    active: Mapped[bool]
    token_hash: Mapped[str]
    shift_start: Mapped[time | None]
    shift_end: Mapped[time | None]
    skills: Mapped[list[str] | None] = mapped_column(ARRAY(String))
    certificates: Mapped[list] = mapped_column(JSONB, server_default=text("'[]'"))  # type: ignore[type-arg]
    session_epoch: Mapped[int] = mapped_column(default=0, server_default=text("0"))
    """Grows when all his sessions end: one begun in an earlier epoch is worth nothing."""

    @declared_attr.directive
    @classmethod
    def __table_args__(cls) -> tuple[Index, ...]:
        return (Index("ix_people_token_hash", "token_hash", unique=True),)


@dataclass(frozen=True)
class Site:
    """What rules need to know of a site."""

    id: UUID
    code: str
    name: str
    zone: str
    closing: time


@dataclass(frozen=True)
class Actor:
    """Who acts: a person, his role and the sites he may see (None: all of them)."""

    person_id: UUID
    name: str
    role: Role
    department: Department
    site_ids: frozenset[UUID] | None
    scopes: frozenset[str] | None = None
    """The actions (`service:action`) his token is limited to; None: whatever his role may."""

    def sees(self, site_id: UUID) -> bool:
        """Whether the site is one of his."""
        return self.site_ids is None or site_id in self.site_ids


def hash_token(token: str) -> str:
    """What is stored of a token: its SHA-256. Tokens are 256 random bits, so that is enough."""
    return sha256(token.encode()).hexdigest()


KNOWN = """
    p.id, p.name, p.role, p.department, p.site_ids, p.all_sites, clock_now() AS now,
    set_config('app.audit', CAST(jsonb_set(CAST(:said AS jsonb), '{actor}', to_jsonb(p.id)) AS text), true),
    set_config('app.sites', CASE WHEN p.all_sites THEN '*' ELSE array_to_string(p.site_ids, ',') END, true) AS sites
"""
"""SQL: what is asked of the person `p` who acts.

From then on the transaction sees and writes what is of his sites, and nothing else (walls.py), and the audit log names
him (`:said`: audit.py).
"""

_IDENTIFY = text(f"SELECT {KNOWN} FROM people p WHERE p.token_hash = :token_hash AND p.active")  # noqa: S608  # our own


def identify(session: Session, token: str, *, said: str = "{}") -> tuple[Actor, datetime] | None:
    """Whose token this is, and the moment it is, in one round trip; None when it is nobody's.

    `said` (see shared/audit.py) is what the audit log will say of what he changes.
    """
    row = session.execute(_IDENTIFY, {"token_hash": hash_token(token), "said": said}).one_or_none()
    return None if row is None else actor_of(session, row)


def actor_of(session: Session, row: Any, scopes: frozenset[str] | None = None) -> tuple[Actor, datetime]:
    """Who acts, of a row of KNOWN, and the moment it is."""
    session.info |= {SITES: row.sites, ACTING: row.id}
    sites = None if row.all_sites else frozenset(row.site_ids)
    return Actor(row.id, row.name, row.role, row.department, sites, scopes), row.now


_SITE = text("SELECT id, code, name, zone, closing FROM sites WHERE id = :id")


def site_for(session: Session, actor: Actor, site_id: UUID) -> Site:
    """A site of the person asking. Raises NotFound for any other [R6]."""
    row = session.execute(_SITE, {"id": site_id}).one_or_none() if actor.sees(site_id) else None
    if row is None:
        raise NotFound("site", site_id)
    return Site(*row)


def known_site(session: Session, site_id: UUID) -> Site:
    """A site named by a message. Raises NotYet while hr's message about it has not come."""
    row = session.execute(_SITE, {"id": site_id}).one_or_none()
    if row is None:
        raise NotYet(f"site {site_id} is not known yet")
    return Site(*row)


_NAMES = text("SELECT id, name FROM people WHERE id = ANY(:ids)")


def names_of(session: Session, *ids: UUID | None) -> dict[UUID | None, str]:
    """What these people are called; who is not known, and nobody, have no name."""
    known = session.execute(_NAMES, {"ids": [id_ for id_ in ids if id_ is not None]})
    return dict.fromkeys(ids, "") | {row.id: row.name for row in known}


_SITES = text("SELECT id, code, name, zone, closing FROM sites ORDER BY code")


def sites_of(session: Session, actor: Actor) -> list[Site]:
    """The person's sites, in order of their codes."""
    return [Site(*row) for row in session.execute(_SITES) if actor.sees(row.id)]


_EVERYBODY = text("SELECT id, name FROM people")


def everybodys_names(session: Session) -> dict[UUID, str]:
    """What everybody of the company is called, for pages that name many."""
    return {row.id: row.name for row in session.execute(_EVERYBODY)}


_COLLEAGUES = text("""
    SELECT id, name FROM people WHERE CAST(:sites AS uuid[]) IS NULL OR all_sites OR site_ids && CAST(:sites AS uuid[])
    ORDER BY name
""")


def colleagues_of(session: Session, actor: Actor) -> list[tuple[UUID, str]]:
    """Everybody who may have done something at the person's sites, by name."""
    sites = None if actor.site_ids is None else list(actor.site_ids)
    return [(row.id, row.name) for row in session.execute(_COLLEAGUES, {"sites": sites})]


_PUT_SITE = text("""
    INSERT INTO sites (id, version, code, name, zone, closing, holidays)
    VALUES (:site_id, :version, :code, :name, :zone, :closing, :holidays)
    ON CONFLICT (id) DO UPDATE SET version = excluded.version, code = excluded.code, name = excluded.name,
        zone = excluded.zone, closing = excluded.closing, holidays = excluded.holidays
    WHERE sites.version < excluded.version
    RETURNING 1
""")

_PUT_PERSON = text("""
    INSERT INTO people (id, version, name, role, department, site_ids, all_sites, active, token_hash,
                        shift_start, shift_end, skills, certificates, session_epoch)
    VALUES (:person_id, :version, :name, :role, :department, :site_ids, :all_sites, :active, :token_hash,
            :shift_start, :shift_end, :skills, :certificates, :session_epoch)
    ON CONFLICT (id) DO UPDATE SET version = excluded.version, name = excluded.name, role = excluded.role,
        department = excluded.department, site_ids = excluded.site_ids, all_sites = excluded.all_sites,
        active = excluded.active, token_hash = excluded.token_hash, shift_start = excluded.shift_start,
        shift_end = excluded.shift_end, skills = excluded.skills, certificates = excluded.certificates,
        session_epoch = excluded.session_epoch
    WHERE people.version < excluded.version
    RETURNING 1
""").bindparams(bindparam("certificates", type_=JSONB))


def site_changed(session: Session, message: SiteChanged) -> bool:
    """Keep what hr says of a site, unless we hold something newer; whether it was kept."""
    return session.execute(_PUT_SITE, message.model_dump()).one_or_none() is not None


def person_changed(session: Session, message: PersonChanged) -> bool:
    """Keep what hr says of a person, unless we hold something newer; whether it was kept."""
    told = message.model_dump() | {"certificates": [one.model_dump(mode="json") for one in message.certificates]}
    return session.execute(_PUT_PERSON, told).one_or_none() is not None
