"""API tokens are issued and revoked; every service is told [promise 21]."""

import secrets
from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from services.hr.actions.post import employ, person_for
from services.hr.models import ApiToken, Person
from services.hr.rules.access import MAY
from services.hr.rules.token import actions_of, check_expiry
from shared.access import COMMON, Own
from shared.api_tokens import PREFIX
from shared.audit import on_behalf_of
from shared.bus.outbox import publish
from shared.errors import NotFound, RuleBroken
from shared.ids import new_id
from shared.messages import TokenChanged
from shared.people import Actor, hash_token


def employ_program(
    session: Session, *, name: str, site_ids: Sequence[UUID], all_sites: bool, actor: Actor, now: datetime
) -> Person:
    """A service account: the company's HR system, which reads and acknowledges payouts and does nothing else [R92]."""
    made = employ(
        session,
        name=name,
        role="hr",
        department="hr",
        site_ids=site_ids,
        all_sites=all_sites,
        shift_start=None,
        shift_end=None,
        actor=actor,
        now=now,
    )
    made.service_account = True
    return made


def issue_own(
    session: Session, *, name: str, scopes: Sequence[str], expires_at: datetime, actor: Actor, now: datetime
) -> tuple[ApiToken, str]:
    """A token for a program of one's own, and what it is, shown this once."""
    person = session.get_one(Person, actor.person_id)
    return _issue(session, person, name=name, scopes=scopes, expires_at=expires_at, actor=actor, now=now)


def issue_to_program(
    session: Session,
    *,
    person_id: UUID,
    name: str,
    scopes: Sequence[str],
    expires_at: datetime,
    actor: Actor,
    now: datetime,
) -> tuple[ApiToken, str]:
    """A token for a service account; nobody issues one for another person."""
    person = person_for(session, actor, person_id)
    if not person.service_account:
        raise RuleBroken(
            "not_a_service_account", f"{person.name} issues his tokens himself", allowed=["POST /api/tokens"]
        )
    return _issue(session, person, name=name, scopes=scopes, expires_at=expires_at, actor=actor, now=now)


def _issue(
    session: Session,
    person: Person,
    *,
    name: str,
    scopes: Sequence[str],
    expires_at: datetime,
    actor: Actor,
    now: datetime,
) -> tuple[ApiToken, str]:
    check_expiry(expires_at, now=now)
    actions = actions_of(scopes, service_account=person.service_account, role=person.role, may=COMMON | MAY)
    token = PREFIX + secrets.token_urlsafe(32)
    made = ApiToken(
        id=new_id(),
        version=1,
        person_id=person.id,
        token_hash=hash_token(token),
        scopes=actions,
        expires_at=expires_at,
        revoked=False,
        name=name,
        issued_by=actor.person_id,
        issued_at=now,
    )
    session.add(made)
    session.flush()
    _tell(session, made)
    return made, token


def revoke(session: Session, *, token_id: UUID, actor: Actor) -> ApiToken:
    """A token is worth nothing from here on: by its person, or by an administrator of his sites."""
    held = session.get(ApiToken, token_id, with_for_update=True)
    if held is None or (held.person_id != actor.person_id and MAY["revoke_token"].of(actor) is Own.HIMSELF):
        raise NotFound("token", token_id)
    if held.person_id != actor.person_id:
        person_for(session, actor, held.person_id)
        on_behalf_of(session, held.person_id)
    if held.revoked:
        raise RuleBroken("revoked_already", f"the token {held.name} is revoked already")
    held.revoked = True
    held.version += 1
    _tell(session, held)
    return held


def _tell(session: Session, token: ApiToken) -> None:
    publish(
        session,
        TokenChanged(
            token_id=token.id,
            version=token.version,
            person_id=token.person_id,
            token_hash=token.token_hash,
            scopes=token.scopes,
            expires_at=token.expires_at,
            revoked=token.revoked,
        ),
    )
