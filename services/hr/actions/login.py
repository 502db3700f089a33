"""Invitations, passwords and the second factor: how a person comes to sign in, and proves who he is [promise 22].

Hashing a password takes long, so the caller does it outside the transaction; what was proved before is read again here,
locked.
"""

import hmac
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from uuid import UUID

from sqlalchemy import delete, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from services.hr.actions.account_alert import tell_of_act
from services.hr.actions.post import new_token, person_for
from services.hr.actions.session import end_all
from services.hr.models import Invitation, Login, Person, RecoveryCode
from services.hr.rules.login import (
    INVITED,
    SignInPolicy,
    check_code_given,
    check_factor_enrolled,
    is_login_name,
    login_name,
    refused,
)
from services.hr.rules.totp import new_recovery_codes, new_secret, step_of
from shared.errors import Malformed, NotFound, RuleBroken
from shared.people import Actor, hash_token
from shared.walls import across_sites


@dataclass(frozen=True)
class Proof:
    """Whose password was right, and which hash it was right for; None: nobody's, or wrong."""

    login: str
    password_hash: str | None


def password_hash_of(session: Session, login: str) -> str | None:
    """The hash to check a password against; None where there is no such login."""
    return session.scalars(select(Login.password_hash).where(Login.name == login_name(login))).one_or_none()


_NAMES = text("""
    SELECT name FROM company UNION SELECT name FROM sites UNION SELECT code FROM sites
    UNION SELECT name FROM people
    WHERE id = coalesce(CAST(:person_id AS uuid), (SELECT person_id FROM logins WHERE name = :login))
""")


def known_names(session: Session, login: str, *, person_id: UUID | None = None) -> list[str]:
    """The names that whoever guesses the password of that login knows; the person's too, who may have no login yet."""
    with across_sites(session):
        return [login, *session.scalars(_NAMES, {"login": login, "person_id": person_id})]


def invite(session: Session, *, person_id: UUID, login: str, actor: Actor, now: datetime) -> str:
    """Ask a person to set his password, under this login name; the secret, shown once, ends the one before."""
    person = person_for(session, actor, person_id)
    if person.service_account:
        raise RuleBroken("service_account", f"{person.name} is a program: it gets API tokens, and never signs in")
    name = login_name(login)
    if not is_login_name(name):
        raise Malformed("bad_login_name", "a login name has 3 to 50 of a-z, 0-9, dot, hyphen and underscore")
    if session.scalars(select(Login.person_id).where(Login.name == name, Login.person_id != person_id)).one_or_none():
        raise RuleBroken("login_taken", f"{name!r} is somebody else's login name")
    secret = new_token()
    facts = {
        "secret_hash": hash_token(secret),
        "login": name,
        "invited_by": actor.person_id,
        "invited_at": now,
        "expires_at": now + INVITED,
    }
    put = insert(Invitation).values(person_id=person_id, **facts)
    session.execute(put.on_conflict_do_update(index_elements=[Invitation.person_id], set_=facts))
    if session.get(Login, person_id) is not None:  # whoever has the secret takes the account over
        tell_of_act(session, "invited_anew", person=person, actor=actor, now=now)
    return secret


def invitation_for(session: Session, secret: str, *, now: datetime) -> Invitation:
    """The open invitation of that secret, locked. Raises NotFound when there is none, or it is used or too old."""
    wanted = select(Invitation).where(Invitation.secret_hash == hash_token(secret), Invitation.expires_at > now)
    found = session.scalars(wanted.with_for_update()).one_or_none()
    if found is None:
        raise NotFound("open invitation", "like this")
    return found


def accept(session: Session, *, secret: str, password_hash: str, now: datetime) -> Login:
    """The person sets his password; the invitation is used up, and sessions he had end."""
    invitation = invitation_for(session, secret, now=now)
    person = session.get_one(Person, invitation.person_id, with_for_update=True)
    if not person.active:
        raise RuleBroken("left_already", f"{person.name} has left")
    login = set_password(session, person.id, login=invitation.login, password_hash=password_hash, now=now)
    session.delete(invitation)
    end_all(session, person, now=now)
    return login


def set_password(session: Session, person_id: UUID, *, login: str, password_hash: str, now: datetime) -> Login:
    """The person's login under this name with this password; his second factor stays."""
    held = session.get(Login, person_id, with_for_update=True)
    if held is None:
        held = Login(person_id=person_id)
        session.add(held)
    held.name, held.password_hash, held.password_set_at = login, password_hash, now
    session.flush()
    return held


def prove(session: Session, proof: Proof, *, code: str | None, now: datetime) -> tuple[Person, Login]:
    """Who proved to be himself, by password and, where he has one, his second factor, which is used up by it.

    Raises NotSignedIn: the same for an unknown name, a wrong password, one who left and a wrong code.
    """
    named = select(Person).join(Login, Login.person_id == Person.id).where(Login.name == proof.login)
    person = session.scalars(named.with_for_update(of=Person)).one_or_none()
    if proof.password_hash is None or person is None or not person.active:
        raise refused()
    login = session.get_one(Login, person.id, with_for_update=True)
    if not hmac.compare_digest(login.password_hash, proof.password_hash):  # changed since it was checked
        raise refused()
    if login.totp_confirmed_at is not None and not _use_code(session, login, check_code_given(code), now=now):
        raise refused()
    return person, login


def _use_code(session: Session, login: Login, code: str, *, now: datetime) -> bool:
    """Whether the code of the second factor, or a recovery code, is right; it is right once."""
    step = step_of(code, secret=login.totp_secret or "", used=login.totp_step, now=now)
    if step is not None:
        login.totp_step = step
        return True
    spent = (
        update(RecoveryCode)
        .where(
            RecoveryCode.person_id == login.person_id,
            RecoveryCode.code_hash == _hash_code(code),
            RecoveryCode.used_at.is_(None),
        )
        .values(used_at=now)
        .returning(RecoveryCode.person_id)
    )
    return session.execute(spent).one_or_none() is not None


def _hash_code(code: str) -> str:
    return sha256(code.strip().lower().encode()).hexdigest()


def check_may_sign_in(person: Person, login: Login, *, policy: SignInPolicy) -> None:
    """Raises NotYourRole when his role needs a second factor and he has none."""
    check_factor_enrolled(person.role, confirmed=login.totp_confirmed_at is not None, policy=policy)


def change_password(session: Session, person: Person, login: Login, *, password_hash: str, now: datetime) -> None:
    """Another password; every session the person had ends."""
    login.password_hash, login.password_set_at = password_hash, now
    end_all(session, person, now=now)


def enrol_factor(login: Login) -> str:
    """A new secret for the second factor; it counts once a code confirmed it, and the one before counts no more."""
    login.totp_secret, login.totp_confirmed_at, login.totp_step = new_secret(), None, None
    return login.totp_secret


def confirm_factor(session: Session, login: Login, *, code: str, now: datetime) -> list[str]:
    """The authenticator works: from here on it is asked for. Returns ten recovery codes, shown this once."""
    if login.totp_secret is None or login.totp_confirmed_at is not None:
        raise RuleBroken("nothing_to_confirm", "enrol a second factor first", allowed=["POST /api/totp"])
    step = step_of(code, secret=login.totp_secret, used=None, now=now)
    if step is None:
        raise RuleBroken("wrong_code", "this is not the authenticator's code of now", allowed=["the code of now"])
    login.totp_confirmed_at, login.totp_step = now, step
    codes = new_recovery_codes()
    session.execute(delete(RecoveryCode).where(RecoveryCode.person_id == login.person_id))
    session.add_all(RecoveryCode(person_id=login.person_id, code_hash=_hash_code(code)) for code in codes)
    return codes


def speak(session: Session, person_id: UUID, language: str) -> None:
    """He reads this language from here on, wherever he signs in; one without a login keeps it in his browser alone."""
    session.execute(update(Login).where(Login.person_id == person_id).values(language=language))


def spoken_by(session: Session, person_id: UUID) -> str | None:
    """The language he chose; None when he never did."""
    return session.scalars(select(Login.language).where(Login.person_id == person_id)).one_or_none()
