"""A lost second factor, with its recovery codes, is taken away by two: one proposes, another confirms [D18]."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from services.hr.actions.account_alert import tell_of_act
from services.hr.actions.post import person_for
from services.hr.actions.session import end_all
from services.hr.models import FactorReset, Login, RecoveryCode
from services.hr.rules.access import MAY
from services.hr.rules.login import check_reset_open, reset_expires
from shared.access import check_four_eyes
from shared.audit import on_behalf_of
from shared.errors import NotFound, RuleBroken
from shared.people import Actor


def propose(session: Session, *, person_id: UUID, reason: str, actor: Actor, now: datetime) -> FactorReset:
    """An administrator, who knows the person stands before him, asks another to confirm it within three days.

    Raises RuleBroken where there is no second factor, and while another proposal is open. One that was not confirmed in
    time is replaced: the audit log has it.
    """
    person = person_for(session, actor, person_id)
    check_four_eyes(MAY["propose_factor_reset"], actor, subject=person.id)
    login = session.get(Login, person.id, with_for_update=True)
    if login is None or login.totp_confirmed_at is None:
        raise RuleBroken("no_factor", f"{person.name} has no second factor that could be lost")
    on_behalf_of(session, person.id)
    reset = _open(session, person.id)
    if reset is None:
        reset = FactorReset(person_id=person.id)
        session.add(reset)
    elif now <= reset.expires_at:
        raise RuleBroken("reset_proposed_already", "another has to confirm it", allowed=["confirm"])
    reset.proposed_by, reset.proposed_at, reset.reason = actor.person_id, now, reason
    reset.expires_at = reset_expires(now)
    session.flush()
    tell_of_act(session, "factor_reset_proposed", person=person, actor=actor, now=now)
    return reset


def confirm(session: Session, *, person_id: UUID, actor: Actor, now: datetime) -> FactorReset:
    """Another than who proposed it, and not the person: factor and recovery codes are gone, every session ends.

    With his password the person enrols another factor; where his role needs one, before he signs in. Raises NotFound
    when nobody proposed it.
    """
    person = person_for(session, actor, person_id)
    reset = _open(session, person.id)
    if reset is None:
        raise NotFound("open reset of the second factor of", person_id)
    check_four_eyes(MAY["confirm_factor_reset"], actor, proposer=reset.proposed_by, subject=person.id)
    check_reset_open(reset.expires_at, now=now)
    on_behalf_of(session, person.id)
    reset.confirmed_by, reset.confirmed_at = actor.person_id, now
    login = session.get_one(Login, person.id, with_for_update=True)
    login.totp_secret, login.totp_confirmed_at, login.totp_step = None, None, None
    session.execute(delete(RecoveryCode).where(RecoveryCode.person_id == person.id))
    end_all(session, person, now=now)
    tell_of_act(session, "factor_reset", person=person, actor=actor, now=now)
    return reset


def _open(session: Session, person_id: UUID) -> FactorReset | None:
    """What was proposed and is not confirmed, in time or not, locked."""
    proposed = select(FactorReset).where(FactorReset.person_id == person_id, FactorReset.confirmed_at.is_(None))
    return session.scalars(proposed.with_for_update()).one_or_none()
