"""Sessions and API tokens, as their person sees them."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from services.hr.models import ApiToken, Invitation, Login, LoginSession, SignOnLink
from services.hr.queries.posts import check_seen
from shared.paging import Page, page_of
from shared.people import Actor


@dataclass(frozen=True)
class SessionView:
    """A session that is open: since when, until when, and what its browser calls itself."""

    id: UUID
    agent: str
    begun_at: datetime
    idle_until: datetime
    absolute_until: datetime


@dataclass(frozen=True)
class TokenView:
    """An API token, never itself; `last_used_at` is its last use at hr, to the minute."""

    id: UUID
    person_id: UUID
    name: str
    scopes: list[str]
    issued_by: UUID
    issued_at: datetime
    expires_at: datetime
    revoked: bool
    last_used_at: datetime | None


@dataclass(frozen=True)
class LoginView:
    """How a person signs in: his name, whether his second factor counts, and until when an invitation is open."""

    login: str | None
    has_factor: bool
    invited_until: datetime | None


def login_of(session: Session, person_id: UUID, *, now: datetime) -> LoginView:
    """How a person signs in, for himself and for who may invite him."""
    held = session.get(Login, person_id)
    invited = session.get(Invitation, person_id)
    open_until = invited.expires_at if invited is not None and invited.expires_at > now else None
    return LoginView(held.name if held else None, bool(held and held.totp_confirmed_at), open_until)


@dataclass(frozen=True)
class SignOnLinkView:
    """A person signs in as this subject of this issuer; `linked_by` is null when his login name linked him."""

    id: UUID
    issuer: str
    subject: str
    linked_by: UUID | None
    linked_at: datetime


def sessions(session: Session, actor: Actor, *, now: datetime, after: UUID | None, limit: int) -> Page[SessionView]:
    """The open sessions of the person asking."""
    query = select(LoginSession).where(
        LoginSession.person_id == actor.person_id, LoginSession.ended_at.is_(None), LoginSession.idle_until > now
    )
    return page_of(session, query, LoginSession.id, _session_view, after=after, limit=limit)


def _session_view(s: LoginSession) -> SessionView:
    return SessionView(s.id, s.agent, s.begun_at, s.idle_until, s.absolute_until)


def token_view(t: ApiToken) -> TokenView:
    """A token as shown."""
    return TokenView(
        id=t.id,
        person_id=t.person_id,
        name=t.name,
        scopes=t.scopes,
        issued_by=t.issued_by,
        issued_at=t.issued_at,
        expires_at=t.expires_at,
        revoked=t.revoked,
        last_used_at=t.last_used_at,
    )


def own_tokens(session: Session, actor: Actor, *, after: UUID | None, limit: int) -> Page[TokenView]:
    """The API tokens of the person asking."""
    return _tokens_of(session, actor.person_id, after=after, limit=limit)


def tokens_of(session: Session, actor: Actor, person_id: UUID, *, after: UUID | None, limit: int) -> Page[TokenView]:
    """The API tokens of a person or service account. Raises NotFound for those of other sites."""
    check_seen(session, actor, person_id)
    return _tokens_of(session, person_id, after=after, limit=limit)


def _tokens_of(session: Session, person_id: UUID, *, after: UUID | None, limit: int) -> Page[TokenView]:
    query = select(ApiToken).where(ApiToken.person_id == person_id)
    return page_of(session, query, ApiToken.id, token_view, after=after, limit=limit)


def link_view(link: SignOnLink) -> SignOnLinkView:
    """A link as shown."""
    return SignOnLinkView(link.id, link.issuer, link.subject, link.linked_by, link.linked_at)


def links_of(session: Session, actor: Actor, person_id: UUID) -> list[SignOnLinkView]:
    """As whom a person signs in elsewhere. Raises NotFound for people of other sites."""
    check_seen(session, actor, person_id)
    query = select(SignOnLink).where(SignOnLink.person_id == person_id).order_by(SignOnLink.issuer)
    return [link_view(link) for link in session.scalars(query)]
