"""Logins: invited, given a password and a second factor. Each change proves the password again [promise 22]."""

from dataclasses import dataclass
from typing import Annotated
from uuid import UUID

from anyio import to_thread
from fastapi import APIRouter, Request
from pydantic import Field, SecretStr
from sqlalchemy.orm import Session

from services.hr.actions import login
from services.hr.api.may import may
from services.hr.api.proof import HELD, SignInBody, hashing, proof_of
from services.hr.rules.hashing import hash_password
from services.hr.rules.login import login_name
from services.hr.rules.password import check_password
from services.hr.rules.totp import enrolment_uri
from shared import clock
from shared.web import Body, Edge, transaction

routes = APIRouter(tags=["logins"])

NewPassword = Annotated[
    SecretStr, Field(min_length=1, max_length=HELD, description="12 to 128 characters, none of the common ones")
]


class InvitePerson(Body):
    """The name he will sign in with: 3 to 50 of a-z, 0-9, dot, hyphen, underscore."""

    login: str = Field(min_length=1, max_length=100)


class AcceptInvitation(Body):
    """The invitation's secret, and the password the person chose."""

    secret: SecretStr
    password: NewPassword


class ChangePassword(SignInBody):
    """The old password, and the new one."""

    new_password: NewPassword


class ConfirmFactor(SignInBody):
    """The code the authenticator shows now."""

    code: str = Field(min_length=6, max_length=6)


@dataclass(frozen=True)
class InvitationSecret:
    """What the person sets his password with, within three days; shown this once."""

    login: str
    secret: str


@dataclass(frozen=True)
class LoginName:
    """The name to sign in with."""

    login: str


@dataclass(frozen=True)
class FactorSecret:
    """What an authenticator app is given, as a secret and as the text of a QR code; shown this once."""

    secret: str
    uri: str


@dataclass(frozen=True)
class RecoveryCodes:
    """Ten codes that each stand in once for the second factor; shown this once."""

    codes: list[str]


# not once for a key: the stored answer would hold the secret
@routes.post("/people/{person_id}/invitation", status_code=201, summary="Invite a person to set his password")
def invite_person(person_id: UUID, body: InvitePerson, edge: Annotated[Edge, may("invite_person")]) -> InvitationSecret:
    secret = login.invite(edge.session, person_id=person_id, login=body.login, actor=edge.actor, now=edge.now)
    return InvitationSecret(login_name(body.login), secret)


@routes.post("/invitations/accept", status_code=201, summary="Set one's password, with the secret of an invitation")
async def accept_invitation(body: AcceptInvitation, request: Request) -> LoginName:
    secret, password = body.secret.get_secret_value(), body.password.get_secret_value()

    def names(session: Session) -> list[str]:
        held = login.invitation_for(session, secret, now=clock.now(session))
        return login.known_names(session, held.login, person_id=held.person_id)

    check_password(password, names=await transaction("hr", request, names))
    hashed = await to_thread.run_sync(hash_password, password, limiter=hashing())

    def work(session: Session) -> LoginName:
        made = login.accept(session, secret=secret, password_hash=hashed, now=clock.now(session))
        return LoginName(made.name)

    return await transaction("hr", request, work)


@routes.post("/password", status_code=204, summary="Change one's password, with the old one; every session ends")
async def change_password(body: ChangePassword, request: Request) -> None:
    proof, password = await proof_of(request, body), body.new_password.get_secret_value()
    check_password(
        password, names=await transaction("hr", request, lambda session: login.known_names(session, proof.login))
    )
    hashed = await to_thread.run_sync(hash_password, password, limiter=hashing())

    def work(session: Session) -> None:
        now = clock.now(session)
        person, held = login.prove(session, proof, code=body.totp, now=now)
        login.change_password(session, person, held, password_hash=hashed, now=now)

    await transaction("hr", request, work)


@routes.post("/totp", summary="Enrol a second factor (TOTP); with the code of the one before, where there is one")
async def enrol_factor(body: SignInBody, request: Request) -> FactorSecret:
    proof = await proof_of(request, body)

    def work(session: Session) -> FactorSecret:
        _, held = login.prove(session, proof, code=body.totp, now=clock.now(session))
        secret = login.enrol_factor(held)
        return FactorSecret(secret, enrolment_uri(secret, login=held.name))

    return await transaction("hr", request, work)


@routes.post("/totp/confirm", summary="The authenticator works: its code is asked for from here on")
async def confirm_factor(body: ConfirmFactor, request: Request) -> RecoveryCodes:
    proof = await proof_of(request, body)

    def work(session: Session) -> RecoveryCodes:
        now = clock.now(session)
        _, held = login.prove(session, proof, code=body.totp, now=now)
        return RecoveryCodes(login.confirm_factor(session, held, code=body.code, now=now))

    return await transaction("hr", request, work)
