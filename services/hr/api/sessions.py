"""Sessions: sign in, go on, sign out; who one is."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated
from uuid import UUID

import structlog
from anyio import to_thread
from fastapi import APIRouter, Request, Response
from sqlalchemy.orm import Session

from services.hr.actions import login
from services.hr.actions import session as sessions_of
from services.hr.api.may import may
from services.hr.api.proof import SignInBody, hashing, proof_of
from services.hr.queries.logins import SessionView, sessions
from services.hr.rules.hashing import hash_password, needs_rehash
from shared import clock
from shared.csrf import HEADER, check_same_origin, csrf_token
from shared.errors import RuleBroken
from shared.paging import Page
from shared.sessions import Claims, clear_cookie, set_cookie
from shared.web import After, Edge, Limit, transaction

log = structlog.get_logger()

routes = APIRouter(tags=["sessions"])


@dataclass(frozen=True)
class SignedIn:
    """Whose session it is, until when, and the token its pages send as X-CSRF-Token with whatever changes something."""

    person_id: UUID
    csrf_token: str
    idle_until: datetime
    absolute_until: datetime


def signed_in(claims: Claims) -> SignedIn:
    """What whoever signed in is told."""
    return SignedIn(
        claims.person_id,
        csrf_token(claims.session_id),
        datetime.fromtimestamp(claims.idle_until, UTC),
        datetime.fromtimestamp(claims.absolute_until, UTC),
    )


def check_sent_by_us(request: Request) -> None:
    """A browser signs nobody in from a page of another site. Raises CrossSite; a program has no such page."""
    if "sec-fetch-site" in request.headers:
        check_same_origin(request)


def _claims(edge: Edge) -> Claims:
    if edge.credential.claims is None:
        raise RuleBroken("no_session", "this is about the session of a browser, and a token came", allowed=["cookie"])
    return edge.credential.claims


async def begin_session(body: SignInBody, request: Request) -> Claims:
    """The session of whoever proves that he is somebody; his browser is not told of it yet.

    Raises CrossSite, TooManyLogins, and NotSignedIn where the proof fails.
    """
    check_sent_by_us(request)
    proof = await proof_of(request, body)
    rehashed: str | None = None
    if proof.password_hash is not None and needs_rehash(proof.password_hash):
        rehashed = await to_thread.run_sync(hash_password, body.password.get_secret_value(), limiter=hashing())

    def work(session: Session) -> Claims:
        now = clock.now(session)
        person, held = login.prove(session, proof, code=body.totp, now=now)
        login.check_may_sign_in(person, held, policy=sessions_of.policy_at(session, now))
        if rehashed is not None:
            held.password_hash = rehashed
        log.info("signed_in", person_id=str(person.id))
        return sessions_of.begin(session, person, agent=request.headers.get("user-agent", ""), now=now)

    return await transaction("hr", request, work)


@routes.post("/sessions", status_code=201, summary="Sign in; sets the cookie of the session")
async def sign_in(body: SignInBody, request: Request, response: Response) -> SignedIn:
    claims = await begin_session(body, request)
    set_cookie(request, response, claims)
    return signed_in(claims)


@routes.get("/sessions/current", summary=f"Whose session this is, and its {HEADER}")
def show_current(edge: Annotated[Edge, may("read_sessions")]) -> SignedIn:
    return signed_in(_claims(edge))


@routes.get("/sessions", summary="The open sessions of the person asking")
def list_sessions(
    edge: Annotated[Edge, may("read_sessions")], after: After = None, limit: Limit = 100
) -> Page[SessionView]:
    return sessions(edge.session, edge.actor, now=edge.now, after=after, limit=limit)


@routes.post("/sessions/renew", summary="Go on with the session, under a new id")
def renew_session(edge: Annotated[Edge, may("manage_sessions")], request: Request, response: Response) -> SignedIn:
    claims = sessions_of.renew(edge.session, _claims(edge), now=edge.now)
    set_cookie(request, response, claims)
    return signed_in(claims)


@routes.post("/sessions/end", status_code=204, summary="Sign out everywhere; every session of the person ends")
def end_own_sessions(edge: Annotated[Edge, may("manage_sessions")], request: Request, response: Response) -> None:
    sessions_of.end_own(edge.session, actor=edge.actor, now=edge.now)
    clear_cookie(request, response)


@routes.post("/sessions/current/end", status_code=204, summary="Sign out")
def sign_out(edge: Annotated[Edge, may("manage_sessions")], request: Request, response: Response) -> None:
    sessions_of.end_current(edge.session, _claims(edge), now=edge.now)
    clear_cookie(request, response)


@routes.post("/sessions/{session_id}/end", status_code=204, summary="End another session of one's own")
def end_session(session_id: UUID, edge: Annotated[Edge, may("manage_sessions")]) -> None:
    sessions_of.end(edge.session, session_id=session_id, actor=edge.actor, now=edge.now)


@routes.post("/people/{person_id}/sessions/end", status_code=204, summary="End every session of a person")
def end_sessions_of(person_id: UUID, edge: Annotated[Edge, may("end_sessions")]) -> None:
    sessions_of.end_of(edge.session, person_id=person_id, actor=edge.actor, now=edge.now)
