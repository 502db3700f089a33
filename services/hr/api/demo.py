"""Signing in as anybody in a simulation; in a real installation these paths are not there."""

from collections.abc import Callable, Coroutine
from typing import Any
from uuid import UUID

import structlog
from anyio import to_thread
from fastapi import APIRouter, Request, Response
from fastapi.routing import APIRoute
from sqlalchemy.orm import Session

from services.hr.actions import demo
from services.hr.api.sessions import SignedIn, check_sent_by_us, signed_in
from services.hr.api.throttle import check_may_try
from services.hr.queries.demo import demo_people
from services.hr.rules.demo import DemoPerson
from shared import clock
from shared.limits import address_of, network_of
from shared.sessions import Claims, set_cookie
from shared.web import Body, transaction

log = structlog.get_logger()


class OfSimulations(APIRoute):
    """A route that answers as one that is not there, before it reads a body, unless this is a simulation."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """What handles a request."""
        handle = super().get_route_handler()

        async def handle_in_a_simulation(request: Request) -> Response:
            await transaction("hr", request, demo.check_simulated)
            return await handle(request)

        return handle_in_a_simulation


routes = APIRouter(tags=["demo"], route_class=OfSimulations)


class BeSomebody(Body):
    """Who one wants to be."""

    person_id: UUID


@routes.get("/demo/people", summary="In a simulation: people of every role one may be")
async def list_demo_people(request: Request) -> list[DemoPerson]:
    def work(session: Session) -> list[DemoPerson]:
        demo.check_simulated(session)
        return demo_people(session)

    return await transaction("hr", request, work)


@routes.post("/demo/sessions", status_code=201, summary="In a simulation: sign in as somebody, without a password")
async def sign_in_as(body: BeSomebody, request: Request, response: Response) -> SignedIn:
    check_sent_by_us(request)
    await to_thread.run_sync(check_may_try, f"demo {body.person_id}", network_of(address_of(request.scope)))

    def work(session: Session) -> Claims:
        agent = request.headers.get("user-agent", "")
        claims = demo.sign_in(session, person_id=body.person_id, agent=agent, now=clock.now(session))
        log.info("signed_in", person_id=str(body.person_id), demo=True)
        return claims

    claims = await transaction("hr", request, work)
    set_cookie(request, response, claims)
    return signed_in(claims)
