"""People join, get their token, move to other posts, learn and leave."""

import secrets
from collections.abc import Sequence
from datetime import datetime, time
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from services.hr.actions.account_alert import tell_of_act
from services.hr.models import LoginSession, Person, Post, Site, SiteLeader
from services.hr.rules.access import MAY
from services.hr.rules.post import check_post, check_rank, check_valid
from services.hr.rules.token import check_acts_as
from shared import clock
from shared.access import at_sites_of, check_four_eyes
from shared.bus.outbox import publish
from shared.errors import NotFound, RuleBroken
from shared.ids import new_id
from shared.messages import Certificate, Department, PersonChanged, Role
from shared.people import Actor, hash_token


def new_token() -> str:
    """A token of 256 random bits."""
    return secrets.token_urlsafe(32)


def tell(session: Session, person: Person) -> None:
    """Everybody hears how the person stands now."""
    publish(
        session,
        PersonChanged.model_validate(
            {
                "person_id": person.id,
                "version": person.version,
                "name": person.name,
                "role": person.role,
                "department": person.department,
                "site_ids": person.site_ids,
                "all_sites": person.all_sites,
                "active": person.active,
                "token_hash": person.token_hash,
                "shift_start": person.shift_start,
                "shift_end": person.shift_end,
                "skills": person.skills,
                "certificates": person.certificates or [],
                "session_epoch": person.session_epoch,
            }
        ),
    )


def begin_post(session: Session, person: Person, *, given_by: UUID | None, reason: str, now: datetime) -> None:
    """The person's post as it stands now ends the one before; both are kept [R82]."""
    _end_post(session, person, now=now)
    session.flush()
    session.add(
        Post(
            person_id=person.id,
            role=person.role,
            department=person.department,
            site_ids=person.site_ids,
            all_sites=person.all_sites,
            shift_start=person.shift_start,
            shift_end=person.shift_end,
            since=now,
            given_by=given_by,
            reason=reason,
        )
    )


def _end_post(session: Session, person: Person, *, now: datetime) -> None:
    session.execute(update(Post).where(Post.person_id == person.id, Post.until.is_(None)).values(until=now))


def _end_leadership(session: Session, person: Person, *, now: datetime) -> None:
    """He is in charge no longer wherever he is no leader any more [R77]."""
    in_charge = update(SiteLeader).where(SiteLeader.leader_id == person.id, SiteLeader.until.is_(None))
    if person.active and person.role == "leader":
        if person.all_sites:
            return
        in_charge = in_charge.where(SiteLeader.site_id.not_in(person.site_ids))
    session.execute(in_charge.values(until=now))


def employ(
    session: Session,
    *,
    name: str,
    role: Role,
    department: Department,
    site_ids: Sequence[UUID],
    all_sites: bool,
    shift_start: time | None,
    shift_end: time | None,
    actor: Actor,
    now: datetime,
) -> Person:
    """Employ a person at sites of whoever employs him; nobody can act as him before a token is issued."""
    check_post(role, department, site_ids=site_ids, all_sites=all_sites, shift_start=shift_start, shift_end=shift_end)
    _check_gives(session, actor, role, site_ids=site_ids, all_sites=all_sites)
    person = Person(
        id=new_id(),
        version=1,
        name=name,
        role=role,
        department=department,
        site_ids=sorted(set(site_ids)),
        all_sites=all_sites,
        active=True,
        token_hash=hash_token(new_token()),
        shift_start=shift_start,
        shift_end=shift_end,
    )
    session.add(person)
    session.flush()
    begin_post(session, person, given_by=actor.person_id, reason="employed", now=now)
    tell(session, person)
    return person


def _check_gives(session: Session, actor: Actor, role: Role, *, site_ids: Sequence[UUID], all_sites: bool) -> None:
    """Raises unless the post is one the actor may give out: none of an administrator's, and at his sites."""
    check_rank(actor.role, of=role)
    known = set(session.scalars(select(Site.id).where(at_sites_of(actor, Site.id), Site.id.in_(site_ids))))
    for site_id in site_ids:
        if site_id not in known:
            raise NotFound("site", site_id)
    if all_sites and actor.site_ids is not None:
        raise NotFound("post at", "all sites")


def move(
    session: Session,
    *,
    person_id: UUID,
    role: Role,
    department: Department,
    site_ids: Sequence[UUID],
    all_sites: bool,
    shift_start: time | None,
    shift_end: time | None,
    reason: str,
    actor: Actor,
    now: datetime,
) -> Person:
    """Another post for a person; the one before is kept with its dates. Nobody moves himself [R79, R82, D18]."""
    person = person_for(session, actor, person_id)
    check_four_eyes(MAY["move_person"], actor, subject=person.id)
    check_post(role, department, site_ids=site_ids, all_sites=all_sites, shift_start=shift_start, shift_end=shift_end)
    _check_gives(session, actor, role, site_ids=site_ids, all_sites=all_sites)
    wanted = {
        "role": role,
        "department": department,
        "site_ids": sorted(set(site_ids)),
        "all_sites": all_sites,
        "shift_start": shift_start,
        "shift_end": shift_end,
    }
    if wanted == {**{field: getattr(person, field) for field in wanted}, "site_ids": sorted(person.site_ids)}:
        raise RuleBroken("same_post", f"{person.name} has this post already", rule="R82")
    for field, value in wanted.items():
        setattr(person, field, value)
    person.version += 1
    begin_post(session, person, given_by=actor.person_id, reason=reason, now=now)
    _end_leadership(session, person, now=now)
    end_sessions(session, person, now=now)
    tell(session, person)
    tell_of_act(session, "post_changed", person=person, actor=actor, now=now)
    return person


def record_skills(session: Session, *, person_id: UUID, skills: Sequence[str] | None, actor: Actor) -> Person:
    """The trades the person can do; None: every trade of his department [R60]."""
    person = person_for(session, actor, person_id)
    wanted = None if skills is None else sorted(set(skills))
    if wanted == person.skills:
        raise RuleBroken("nothing_changes", f"these are the skills of {person.name} already", rule="R60")
    person.skills = wanted
    person.version += 1
    tell(session, person)
    return person


def record_certificate(
    session: Session, *, person_id: UUID, certificate: Certificate, actor: Actor, now: datetime
) -> Person:
    """A certificate the person got or renewed; there is one of each kind [R60, R66]."""
    person = person_for(session, actor, person_id)
    check_valid(certificate.valid_until, today=now.date())
    wanted = certificate.model_dump(mode="json")
    if wanted in person.certificates:
        raise RuleBroken("nothing_changes", f"{person.name} has this certificate already", rule="R60")
    others = [held for held in person.certificates if held["kind"] != certificate.kind]
    person.certificates = [*others, wanted]
    person.version += 1
    tell(session, person)
    return person


def issue_token(session: Session, *, person_id: UUID, actor: Actor) -> str:
    """A new token, shown this once; the one before is worth nothing from here on. For others in a simulation alone."""
    person = person_for(session, actor, person_id)
    if person.service_account:
        raise RuleBroken("service_account", f"{person.name} is a program: it gets API tokens alone")
    check_acts_as(person.id, issuer=actor.person_id, simulated=clock.is_simulated(session))
    token = new_token()
    person.token_hash = hash_token(token)
    person.version += 1
    tell(session, person)
    return token


def let_leave(session: Session, *, person_id: UUID, actor: Actor, now: datetime) -> Person:
    """The person leaves: his token is worth nothing, what he did stays."""
    person = person_for(session, actor, person_id)
    # whoever lets others leave stays, so that there is always one who can employ
    check_four_eyes(MAY["let_leave"], actor, subject=person.id)
    person.active = False
    person.version += 1
    _end_post(session, person, now=now)
    _end_leadership(session, person, now=now)
    end_sessions(session, person, now=now)
    tell(session, person)
    return person


def end_sessions(session: Session, person: Person, *, now: datetime) -> None:
    """Every session the person has begun so far is worth nothing; whoever calls tells everybody."""
    person.session_epoch += 1
    own = update(LoginSession).where(LoginSession.person_id == person.id, LoginSession.ended_at.is_(None))
    session.execute(own.values(ended_at=now))


def person_for(session: Session, actor: Actor, person_id: UUID) -> Person:
    """A person working at no site the actor does not see, locked. Raises NotFound, and RuleBroken when he left."""
    person = session.get(Person, person_id, with_for_update=True)
    if person is None or not (
        actor.site_ids is None or (not person.all_sites and actor.site_ids.issuperset(person.site_ids))
    ):
        raise NotFound("person", person_id)
    check_rank(actor.role, of=person.role)
    if not person.active:
        raise RuleBroken("left_already", f"{person.name} has left")
    return person
