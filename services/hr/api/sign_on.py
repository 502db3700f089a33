"""Signing in by a provider of identity: the way there, the way back, and who is linked to whom there [promise 22].

While somebody is at the provider all that is known of him lies sealed in a cookie of his browser; the return is good
for that browser, within ten minutes, once. Who waits for a provider holds no transaction and no connection.
"""

import asyncio
import hmac
from collections.abc import Callable
from typing import Annotated, TypeVar
from uuid import UUID
from weakref import WeakKeyDictionary

import structlog
from anyio import CapacityLimiter, to_thread
from fastapi import APIRouter, Query, Request
from pydantic import StringConstraints
from sqlalchemy.orm import Session
from starlette.responses import RedirectResponse

from services.hr.actions import login, sign_on
from services.hr.actions import provider as providers
from services.hr.actions import session as sessions_of
from services.hr.api.may import may
from services.hr.api.throttle import check_address, check_may_try
from services.hr.queries.logins import SignOnLinkView, link_view, links_of
from services.hr.rules.sign_on import HOME, PATIENCE, Begun, SignOnRefused, begin
from shared import clock
from shared.errors import NotFound, Problem
from shared.limits import address_of, network_of
from shared.sealing import SealBroken, seal, unseal
from shared.sessions import Claims, cookie_name, is_plain, set_cookie
from shared.settings import settings
from shared.sign_on_settings import PROVIDER_NAME, OidcProvider, StepsProvider, Url
from shared.ui.language import remember
from shared.web import Body, Edge, transaction

log = structlog.get_logger()

T = TypeVar("T")

PLACE = "hr.sign_on.cookie"
AT_ONCE = 4
"""How many may wait for a provider at a time in one process; the others wait for them."""

Name = Annotated[str, StringConstraints(pattern=PROVIDER_NAME)]

_asking: WeakKeyDictionary[asyncio.AbstractEventLoop, CapacityLimiter] = WeakKeyDictionary()

doors = APIRouter(prefix="/sign-on", tags=["sign-on"])
"""What browsers are sent to; not under /api, for nothing else calls it."""

routes = APIRouter(tags=["sign-on"])


class LinkPerson(Body):
    """Who the person is there: the subject, as its issuer calls him for ever. A refused sign-in names both."""

    issuer: Url
    subject: Annotated[str, StringConstraints(min_length=1, max_length=255)]


class UnlinkPerson(Body):
    """Where the person is to sign in no more."""

    issuer: Url


def _cookie(request: Request) -> str:
    return f"{cookie_name(request)}-sign-on"


def _provider(name: str) -> OidcProvider | StepsProvider:
    found = settings().sign_on.get(name)
    if found is None:
        raise NotFound("provider of sign-ons", name)
    return found


async def _ask(question: Callable[[], T]) -> T:
    """Ask a provider, in a thread."""
    loop = asyncio.get_running_loop()
    if loop not in _asking:
        _asking[loop] = CapacityLimiter(AT_ONCE)
    return await to_thread.run_sync(question, limiter=_asking[loop])


@doors.get(
    "/{provider}", status_code=303, response_class=RedirectResponse, summary="Go to a provider of identity and sign in"
)
async def go(
    provider: Name,
    request: Request,
    to: Annotated[str, Query(max_length=600, description="where to go on to afterwards: a path of this host")] = HOME,
) -> RedirectResponse:
    asked = _provider(provider)
    await to_thread.run_sync(check_address, network_of(address_of(request.scope)))
    begun = await transaction("hr", request, lambda session: begin(provider, to=to, now=clock.now(session)))
    response = RedirectResponse(await _ask(lambda: providers.authorization_url(asked, begun)), 303)
    response.set_cookie(
        _cookie(request),
        seal(begun.written(), place=PLACE),
        max_age=int(PATIENCE.total_seconds()),
        path="/",
        secure=not is_plain(request),
        httponly=True,
        samesite="lax",  # the provider sends the browser back from its own site
    )
    return response


@doors.get(
    "/{provider}/return",
    status_code=303,
    response_class=RedirectResponse,
    summary="Come back from the provider; sets the cookie of the session",
)
async def come_back(provider: Name, request: Request) -> RedirectResponse:
    asked = _provider(provider)
    address = network_of(address_of(request.scope))
    try:
        begun = _begun(request, provider)
        await transaction("hr", request, lambda session: sign_on.use(session, begun, now=clock.now(session)))
        identity = await _ask(lambda: providers.identity_of(asked, begun, request.query_params))
        await to_thread.run_sync(check_may_try, f"{identity.issuer} {identity.subject}", address)

        def work(session: Session) -> tuple[Claims, str | None]:
            now = clock.now(session)
            person = sign_on.prove(session, identity, now=now)
            sign_on.keep(session, person, identity, now=now)
            log.info("signed_in", person_id=str(person.id), provider=provider)
            claims = sessions_of.begin(session, person, agent=request.headers.get("user-agent", ""), now=now)
            return claims, login.spoken_by(session, person.id)

        claims, spoken = await transaction("hr", request, work)
    except Problem as refused:
        log.warning("sign_on_refused", provider=provider, reason=refused.code, address=address)
        raise
    response = RedirectResponse(begun.to, 303)
    set_cookie(request, response, claims)
    if spoken is not None:
        remember(response, spoken, secure=not is_plain(request))
    response.delete_cookie(_cookie(request), path="/", secure=not is_plain(request), httponly=True, samesite="lax")
    return response


def _begun(request: Request, provider: str) -> Begun:
    """What this browser began with this provider. Raises SignOnRefused when it began nothing, or something else."""
    try:
        begun = Begun.read(unseal(request.cookies.get(_cookie(request), ""), place=PLACE))
    except SealBroken:
        raise SignOnRefused("not_begun_here", "this browser did not go to the provider from here") from None
    state = request.query_params.get("state", "")
    if begun.provider != provider or not hmac.compare_digest(begun.state.encode(), state.encode()):
        raise SignOnRefused("wrong_state", "this return does not belong to what this browser began last")
    return begun


@routes.get("/people/{person_id}/sign-on", summary="As whom a person signs in by providers of identity")
def list_links(person_id: UUID, edge: Annotated[Edge, may("read_sign_ons")]) -> list[SignOnLinkView]:
    return links_of(edge.session, edge.actor, person_id)


@routes.post(
    "/people/{person_id}/sign-on",
    status_code=201,
    summary="Link a person to a subject of a provider, instead of one before; his sessions end, and he is told",
)
def link_person(person_id: UUID, body: LinkPerson, edge: Annotated[Edge, may("link_sign_on")]) -> SignOnLinkView:
    return link_view(sign_on.link(edge.session, person_id=person_id, actor=edge.actor, now=edge.now, **dict(body)))


@routes.post(
    "/people/{person_id}/sign-on/end", status_code=204, summary="A person signs in there no more; his sessions end"
)
def unlink_person(person_id: UUID, body: UnlinkPerson, edge: Annotated[Edge, may("link_sign_on")]) -> None:
    sign_on.unlink(edge.session, person_id=person_id, issuer=body.issuer, actor=edge.actor, now=edge.now)
