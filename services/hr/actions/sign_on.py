"""Signing in by a provider of identity: whose subject it is, linked by an administrator or by the login name."""

from datetime import datetime
from hashlib import sha256
from uuid import UUID

from sqlalchemy import delete, select, true
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from services.hr.actions.post import person_for
from services.hr.actions.session import end_all, policy_at
from services.hr.models import Login, Person, SignOnLink, Site, UsedSignOn
from services.hr.rules.login import login_name
from services.hr.rules.sign_on import Begun, Identity, SignOnRefused, check_second_factor, not_linked
from shared.alerts import Alert, raise_alerts
from shared.errors import NotFound, RuleBroken
from shared.ids import new_id
from shared.people import Actor


def use(session: Session, begun: Begun, *, now: datetime) -> None:
    """Take this return, now and never again. Raises SignOnRefused when it was, or took too long."""
    if begun.until <= now.timestamp():
        raise SignOnRefused("too_late", "that took too long")
    session.execute(delete(UsedSignOn).where(UsedSignOn.until < now))
    state = sha256(begun.state.encode()).hexdigest()
    until = datetime.fromtimestamp(begun.until, now.tzinfo)
    taken = insert(UsedSignOn).values(id_hash=state, until=until).on_conflict_do_nothing()
    if session.execute(taken.returning(UsedSignOn.id_hash)).one_or_none() is None:
        raise SignOnRefused("used_already", "this return was used already")


def prove(session: Session, identity: Identity, *, now: datetime) -> Person:
    """Who signs in, locked. Raises SignOnRefused for nobody, and NotYourRole for want of a second factor."""
    person = _linked(session, identity) or _named(session, identity)
    if person is None or not person.active or person.service_account:
        raise not_linked(identity)
    login = session.get(Login, person.id)
    check_second_factor(
        person.role,
        identity,
        enrolled=login is not None and login.totp_confirmed_at is not None,
        policy=policy_at(session, now),
    )
    return person


def _linked(session: Session, identity: Identity) -> Person | None:
    linked = (
        select(Person)
        .join(SignOnLink, SignOnLink.person_id == Person.id)
        .where(SignOnLink.issuer == identity.issuer, SignOnLink.subject == identity.subject)
    )
    return session.scalars(linked.with_for_update(of=Person)).one_or_none()


def _named(session: Session, identity: Identity) -> Person | None:
    """Whose login name the provider claims, unless he is another subject already: a name may be given to another."""
    if identity.login is None:
        return None
    named = (
        select(Person)
        .join(Login, Login.person_id == Person.id)
        .where(
            Login.name == login_name(identity.login),
            ~select(SignOnLink).where(SignOnLink.person_id == Person.id, SignOnLink.issuer == identity.issuer).exists(),
        )
    )
    return session.scalars(named.with_for_update(of=Person)).one_or_none()


def keep(session: Session, person: Person, identity: Identity, *, now: datetime) -> None:
    """From here on the person is this subject, whatever name it claims. Raises SignOnRefused if he became another."""
    facts = {"person_id": person.id, "issuer": identity.issuer, "subject": identity.subject, "linked_at": now}
    session.execute(insert(SignOnLink).values(id=new_id(), **facts).on_conflict_do_nothing())
    if _linked(session, identity) is not person:  # two subjects came under his name at once, and the other was first
        raise not_linked(identity)


def link(session: Session, *, person_id: UUID, issuer: str, subject: str, actor: Actor, now: datetime) -> SignOnLink:
    """The person signs in as this subject, instead of one before; his sessions end, and he is told."""
    person = person_for(session, actor, person_id)
    if person.service_account:
        raise RuleBroken("service_account", f"{person.name} is a program: it gets API tokens, and never signs in")
    other = select(SignOnLink.id).where(
        SignOnLink.issuer == issuer, SignOnLink.subject == subject, SignOnLink.person_id != person_id
    )
    if session.scalars(other).one_or_none() is not None:
        raise RuleBroken("subject_taken", "somebody else signs in as this subject")
    session.execute(delete(SignOnLink).where(SignOnLink.person_id == person_id, SignOnLink.issuer == issuer))
    made = SignOnLink(person_id=person_id, issuer=issuer, subject=subject, linked_by=actor.person_id, linked_at=now)
    session.add(made)
    session.flush()
    end_all(session, person, now=now)
    _tell(session, person, made, now=now)
    return made


def unlink(session: Session, *, person_id: UUID, issuer: str, actor: Actor, now: datetime) -> None:
    """The person signs in there no more; his sessions end. Raises NotFound when he does not."""
    person = person_for(session, actor, person_id)
    ended = delete(SignOnLink).where(SignOnLink.person_id == person_id, SignOnLink.issuer == issuer)
    if session.execute(ended.returning(SignOnLink.id)).one_or_none() is None:
        raise NotFound("link to", issuer)
    end_all(session, person, now=now)


def _tell(session: Session, person: Person, made: SignOnLink, *, now: datetime) -> None:
    """Whoever links a person can sign in as him, so he hears of it, at one of his sites."""
    his = true() if person.all_sites else Site.id.in_(person.site_ids)
    site_id = session.scalars(select(Site.id).where(his).order_by(Site.id).limit(1)).one_or_none()
    if site_id is not None:
        facts: dict[str, str | int] = {"issuer": made.issuer, "linked_by": str(made.linked_by)}
        told = Alert("sign_on_linked", site_id, made.id, person_id=person.id, facts=facts)
        raise_alerts(session, [told], now=now)
