"""Sessions begin, are renewed and end; every service is told of those that end before their time [promise 21]."""

import secrets
from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from services.hr.actions.account_alert import tell_of_act
from services.hr.actions.post import end_sessions, person_for, tell
from services.hr.models import LoginSession, Person
from services.hr.rules.login import SignInPolicy
from shared.audit import on_behalf_of
from shared.bus.outbox import publish
from shared.errors import NotFound, RuleBroken
from shared.ids import NO_SITE
from shared.messages import SessionEnded
from shared.people import Actor
from shared.policy_rows import in_force
from shared.sessions import Claims, hash_session, session_ended

AGENT = 200
"""Characters kept of what the browser calls itself."""


def policy_at(session: Session, now: datetime) -> SignInPolicy:
    """The company's policy of signing in."""
    return in_force(session, SignInPolicy, site_id=NO_SITE, at=now)


def begin(session: Session, person: Person, *, agent: str, now: datetime, begun: datetime | None = None) -> Claims:
    """A session with a new id; one that goes on from an earlier one ends absolutely when that would have."""
    begun = begun or now
    idle_until, absolute_until = policy_at(session, now).ends(person.role, begun=begun, now=now)
    session_id = secrets.token_urlsafe(32)
    session.add(
        LoginSession(
            id_hash=hash_session(session_id),
            person_id=person.id,
            agent=agent[:AGENT],
            begun_at=begun,
            idle_until=idle_until,
            absolute_until=absolute_until,
        )
    )
    session.flush()
    return Claims(
        session_id=session_id,
        person_id=person.id,
        epoch=person.session_epoch,
        issued=int(now.timestamp()),
        idle_until=int(idle_until.timestamp()),
        absolute_until=int(absolute_until.timestamp()),
    )


def renew(session: Session, claims: Claims, *, now: datetime) -> Claims:
    """The session goes on under a new id; the old one ends. Raises NotFound when it was renewed a moment ago."""
    person = session.get_one(Person, claims.person_id, with_for_update=True)
    held = _open(session, LoginSession.id_hash == hash_session(claims.session_id))
    _end(session, held, now=now)
    return begin(session, person, agent=held.agent, now=now, begun=held.begun_at)


def end_current(session: Session, claims: Claims, *, now: datetime) -> None:
    """The session of the request ends."""
    _end(session, _open(session, LoginSession.id_hash == hash_session(claims.session_id)), now=now)


def end(session: Session, *, session_id: UUID, actor: Actor, now: datetime) -> None:
    """One of the person's own sessions ends."""
    _end(session, _open(session, LoginSession.id == session_id, LoginSession.person_id == actor.person_id), now=now)


def end_own(session: Session, *, actor: Actor, now: datetime) -> None:
    """Every session of the person asking ends."""
    end_all(session, session.get_one(Person, actor.person_id, with_for_update=True), now=now)


def end_of(session: Session, *, person_id: UUID, actor: Actor, now: datetime) -> None:
    """Every session of a person ends, by an administrator."""
    person = person_for(session, actor, person_id)
    on_behalf_of(session, person.id)
    end_all(session, person, now=now)
    if person.id != actor.person_id:
        tell_of_act(session, "sessions_ended", person=person, actor=actor, now=now)


def end_all(session: Session, person: Person, *, now: datetime) -> None:
    """Every session the person has begun so far is worth nothing; everybody hears."""
    end_sessions(session, person, now=now)
    person.version += 1
    tell(session, person)


def _open(session: Session, *conditions: ColumnElement[bool]) -> LoginSession:
    wanted = select(LoginSession).where(*conditions, LoginSession.ended_at.is_(None))
    held = session.scalars(wanted.with_for_update()).one_or_none()
    if held is None:
        raise NotFound("open session", "like this")
    return held


def _end(session: Session, held: LoginSession, *, now: datetime) -> None:
    if held.absolute_until <= now:
        raise RuleBroken("session_over", "this session is over already")
    held.ended_at = now
    ended = SessionEnded(session_hash=held.id_hash, until=held.absolute_until)
    session_ended(session, ended)
    publish(session, ended)
