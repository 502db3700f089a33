"""The edge of every service's HTTP: who asks, one transaction, problems as RFC 9457, the trace."""

import asyncio
import gc
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from time import monotonic
from typing import Annotated, Any, TypeVar, cast
from uuid import UUID
from weakref import WeakKeyDictionary

import structlog
from fastapi import APIRouter, Depends, FastAPI, Header, Query, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from fastapi.routing import APIRoute
from pydantic import AfterValidator, AwareDatetime, BaseModel, BeforeValidator, StringConstraints
from pydantic_core import to_jsonable_python
from sqlalchemy.exc import DataError, IntegrityError, OperationalError
from sqlalchemy.orm import Session
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.responses import RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from shared import measures, startup, tracing
from shared.access import Permissions
from shared.audit import because, cause_of
from shared.broker import broker_away
from shared.credentials import Credential, credential_of
from shared.db import database, own_login
from shared.errors import NotYourRole, Problem
from shared.headers import SecurityHeaders
from shared.idempotency import earlier_answer, fingerprint, keep_answer
from shared.limits import PERSON, Limits, address_of
from shared.log import configure_logging
from shared.people import Actor
from shared.problems import PROBLEM, ProblemView, problem
from shared.settings import settings
from shared.ui import assets
from shared.ui.problem_page import problem_page, sign_in_first, wants_page

log = structlog.get_logger()

T = TypeVar("T")

IdempotencyKey = Annotated[
    str | None, Header(description="needed where money is created or moved: the same key takes effect once")
]


class Body(BaseModel):
    """What a request may send: nothing but the fields named, and no type guessed from another."""

    model_config = {"extra": "forbid", "frozen": True}


def _storable(written: str) -> str:
    if any(letter == "\0" or "\ud800" <= letter <= "\udfff" for letter in written):
        raise ValueError("must be text that can be stored: no NUL, no half of a letter")
    return written


Words = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=2000), AfterValidator(_storable)
]
"""What somebody wrote: a reason, a question, a description."""

Short = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200), AfterValidator(_storable)
]
"""A name, a code, an address."""

MonthName = Annotated[str, StringConstraints(pattern=r"^[1-9]\d{3}-(0[1-9]|1[0-2])$")]
"""A month, as '2026-04'."""


EARLIEST, LATEST = datetime(2000, 1, 1, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC)


def _in_our_time(moment: datetime) -> datetime:
    if not EARLIEST <= moment < LATEST:
        raise ValueError(f"must lie from {EARLIEST:%Y} to {LATEST:%Y}")
    return moment


def _not_a_number(written: object) -> object:
    if _is_number(written):
        raise ValueError("must be written as in RFC 3339, and is no number")
    return written


def _is_number(written: object) -> bool:
    if isinstance(written, str):
        try:
            float(written)
        except ValueError:
            return False
        return True
    return isinstance(written, int | float)


Written = BeforeValidator(_not_a_number)
"""For moments, days and times: pydantic would take a number for seconds since 1970, or since midnight."""

Moment = Annotated[AwareDatetime, AfterValidator(_in_our_time), Written]
"""A moment with a zone (RFC 3339), in years that every clock and column can hold."""


def _in_our_years(day: date) -> date:
    if not EARLIEST.date() <= day < LATEST.date():
        raise ValueError(f"must lie from {EARLIEST:%Y} to {LATEST:%Y}")
    return day


Day = Annotated[date, AfterValidator(_in_our_years), Written]
"""A day, as '2026-04-01'."""

After = Annotated[UUID | None, Query(description="`next` of the page before; omit for the first page")]
"""The cursor of a list."""

Limit = Annotated[int, Query(ge=1, le=1000, description="rows a page")]
"""How many rows a page of a list has."""


class Reason(Body):
    """Why."""

    reason: Words


WALL_TIME = r"^([01]\d|2[0-3]):[0-5]\d(:[0-5]\d(\.\d{1,6})?)?$"
"""A time of day as the clock on the wall shows it."""

PROBLEMS: dict[int | str, dict[str, Any]] = {
    status: {"model": ProblemView, "description": text_}
    for status, text_ in {
        400: "the body is no text in UTF-8",
        401: "no valid token or session",
        403: "the person's role may not do this",
        404: "no such thing at the person's sites",
        409: "the rulebook or the state does not allow this now; `allowed` says what is",
        408: "the body did not come in time",
        413: "the body is too large, or its JSON too deep or of too many parts",
        414: "the path or the query is too long",
        422: "what was sent cannot be meant so",
        429: "too many requests of this person, or from this address; `Retry-After` says when to come again",
        431: "the headers are too large",
        500: "a defect of ours; X-Trace-Id finds it in the logs",
        503: "the database, or a provider of sign-ons, cannot be reached or is too busy",
    }.items()
}


@dataclass
class Edge:
    """One request of one person: his transaction, who he is and the moment it is."""

    session: Session
    actor: Actor
    now: datetime
    request: Request
    idempotency_key: str | None
    credential: Credential

    def once(self, body: BaseModel | None, act: Callable[[], T]) -> T:
        """Do `act` once for this Idempotency-Key; a repeat gets the first answer again."""
        print_ = fingerprint(
            self.request.method, self.request.url.path, body.model_dump_json() if body is not None else ""
        )
        answer = earlier_answer(self.session, self.actor.person_id, self.idempotency_key, print_)
        if answer is not None:
            status = self.request.scope["route"].status_code or 200
            return cast("T", JSONResponse(answer, status, headers={"Idempotency-Replayed": "true"}))
        result = act()
        self.session.flush()
        keep_answer(self.session, self.actor.person_id, self.idempotency_key or "", to_jsonable_python(result))
        return result


_admitted: WeakKeyDictionary[asyncio.AbstractEventLoop, dict[str, asyncio.Semaphore]] = WeakKeyDictionary()


def _slots(service: str) -> asyncio.Semaphore:
    services = _admitted.setdefault(asyncio.get_running_loop(), {})
    return services.setdefault(service, asyncio.Semaphore(settings().web_pool))


async def transaction(service: str, request: Request, work: Callable[[Session], T]) -> T:
    """`work` for a request in a transaction of its own, in a thread, as soon as the service has a connection for it."""

    def in_thread() -> T:
        with database(service).session() as session:
            asked_by_nobody(session, request)
            return work(session)

    async with _slots(service):
        return await run_in_threadpool(in_thread)


def _admission(service: str) -> Callable[[], AsyncIterator[None]]:
    """The dependency that lets in as many requests at a time as the service has database connections.

    The others wait here, where waiting costs nothing. Were they to wait for a connection in a thread of the server,
    fifty of them would hold all its threads, and those that have a connection could not go on to give it back.
    """

    async def admission() -> AsyncIterator[None]:
        async with _slots(service):
            yield

    return admission


def permissions(service: str, table: Permissions) -> Callable[[str], Any]:
    """The dependency of a route: `Annotated[Edge, may("collect_fee")]`.

    It opens the transaction, checks token and role, and commits when the route is done, before the answer is
    sent. An action that is not in the table fails when the route is defined.
    """
    admission = _admission(service)

    def may(action: str) -> Any:
        allowed = table[action].roles

        def edge(
            request: Request,
            admitted: Annotated[None, Depends(admission, scope="function")],  # noqa: ARG001  # the right to a connection
            authorization: Annotated[str, Header(description="Bearer token of the person acting")] = "",
            idempotency_key: IdempotencyKey = None,
        ) -> Iterator[Edge]:
            credential = credential_of(request, authorization)
            with database(service).session() as session:
                actor, now = credential.identify(session, said=_said(request))
                request.scope[PERSON] = actor.person_id
                if actor.role not in allowed:
                    raise NotYourRole("role_not_allowed", f"a {actor.role} may not {action}", allowed=sorted(allowed))
                if actor.scopes is not None and f"{service}:{action}" not in actor.scopes:
                    raise NotYourRole("not_in_scope", f"this token may not {action}", allowed=sorted(actor.scopes))
                yield Edge(session, actor, now, request, idempotency_key, credential)

        edge.action, edge.allowed = action, allowed  # type: ignore[attr-defined]  # for whoever asks the route
        return Depends(edge, scope="function")

    return may


def _said(request: Request) -> str:
    """What the audit log says of a request: its route, and where it came from."""
    return cause_of(f"{request.method} {request.scope['route'].path}", address=address_of(request.scope))


def asked_by_nobody(session: Session, request: Request) -> None:
    """What is changed in this transaction is changed by a request of somebody who has not proved yet who he is."""
    because(session, _said(request))


class TraceMiddleware:
    """Gives every request a trace id (its traceparent's, or a new one), logs and counts it, and returns the id."""

    def __init__(self, app: ASGIApp, service: str) -> None:
        self.app = app
        self.service = service

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        asked = Headers(scope=scope).get("traceparent", "")
        method: str = scope["method"]
        came = monotonic()
        with tracing.work(method, kind="server", service=self.service, traceparent=asked) as piece:

            async def send_traced(message: Message) -> None:
                if message["type"] == "http.response.start":
                    MutableHeaders(scope=message)["X-Trace-Id"] = piece.trace
                    status: int = message["status"]
                    log.info("http_request", method=method, path=scope["path"], status=status)
                    route = _template(scope) or ""  # a path itself may hold the secret of a link
                    measures.answered(self.service, method, route, status=status, seconds=monotonic() - came)
                    facts: dict[str, str | int] = {"http.route": route, "http.response.status_code": status}
                    piece.name(f"{method} {route}".strip(), **facts)
                    if status >= 500:
                        piece.fail(str(status))
                await send(message)

            await self.app(scope, receive, send_traced)


def _template(scope: Scope) -> str | None:
    """The template of the path that took a request; None: no route did.

    FastAPI keeps it, with the prefixes of the routers that include the route, apart from the route itself.
    """
    included = scope.get("fastapi", {}).get("effective_route_context")
    if included is not None:
        return cast("str", included.path_format)
    route = scope.get("route")
    return route.path_format if isinstance(route, APIRoute) else None


def _refusal(
    request: Request, status: int, code: str, detail: str, *, rule: str = "", allowed: tuple[str, ...] = ()
) -> Response:
    """A problem, as a page for whoever came with a browser."""
    if wants_page(request):
        trace = structlog.contextvars.get_contextvars().get("trace", "")
        return problem_page(request, status, code, detail, trace=trace)
    return problem(status, code, detail, rule=rule, allowed=allowed)


def _answer_problem(request: Request, error: Exception) -> Response:
    broken = cast("Problem", error)
    if broken.code == "no_valid_token" and wants_page(request):
        return sign_in_first(request)
    return _refusal(request, broken.status, broken.code, broken.detail, rule=broken.rule, allowed=broken.allowed)


def explain(errors: Any) -> str:
    """Pydantic's errors in one sentence: where and what, without the values sent."""
    return "; ".join(f"{'.'.join(str(part) for part in e['loc'])}: {e['msg']}" for e in errors)


def _answer_malformed(request: Request, error: Exception) -> Response:
    return _refusal(request, 422, "malformed", explain(cast("RequestValidationError", error).errors()))


def _answer_http(request: Request, error: Exception) -> Response:
    known = cast("HTTPException", error)
    if known.status_code == 405 and request.method == "GET" and wants_page(request):
        return RedirectResponse(request.url.path.rpartition("/")[0], 303)  # where the form stands that was posted there
    return _refusal(request, known.status_code, "http", str(known.detail))


def _answer_conflict(request: Request, error: Exception) -> Response:
    constraint = getattr(getattr(cast("IntegrityError", error).orig, "diag", None), "constraint_name", None)
    log.warning("conflict", constraint=constraint)
    return _refusal(
        request, 409, "conflict", f"somebody else did this already, or it contradicts what is stored ({constraint})"
    )


def _answer_unstorable(request: Request, error: Exception) -> Response:
    log.warning("unstorable", error=type(cast("DataError", error).orig).__name__)
    return _refusal(
        request, 422, "malformed", "something sent cannot be stored, like a NUL character or a number too large"
    )


def _answer_unavailable(request: Request, error: Exception) -> Response:
    log.error("database_unavailable", error=type(cast("OperationalError", error).orig).__name__)
    return _refusal(request, 503, "database_unavailable", "the database cannot be reached or is too busy; try again")


def _answer_defect(request: Request, error: Exception) -> Response:
    log.error("request_failed", error=type(error).__name__)  # the server logs the traceback
    return _refusal(request, 500, "defect", "this is our mistake; the X-Trace-Id of this answer finds it in the logs")


class _Web(FastAPI):
    """A service's web application within the layers that see every answer.

    Starlette answers a defect outside all middleware that is added to it, so those layers lie around its own stack.
    """

    service = ""

    def build_middleware_stack(self) -> ASGIApp:
        """The stack of FastAPI within limits, within the trace, within the security headers."""
        return SecurityHeaders(TraceMiddleware(Limits(super().build_middleware_stack()), service=self.service))

    def openapi(self) -> dict[str, Any]:
        """FastAPI's description, with what it calls by names of its own called as the standards do."""
        described = super().openapi()
        for operations in described["paths"].values():
            for operation in operations.values():
                for status, answer in operation["responses"].items():
                    if status >= "400":
                        answer["content"] = {PROBLEM: {"schema": {"$ref": "#/components/schemas/ProblemView"}}}
        _name_wall_times(described)
        return described


def _name_wall_times(part: Any) -> None:
    """JSON Schema's format `time` has a zone; ours is what the clock on the wall shows."""
    if isinstance(part, dict):
        if part.get("format") == "time":
            del part["format"]
            part["pattern"] = WALL_TIME
        for inner in part.values():
            _name_wall_times(inner)
    elif isinstance(part, list):
        for inner in part:
            _name_wall_times(inner)


def make_web(service: str, *routers: APIRouter) -> FastAPI:
    """The web application of a service; `uvicorn services.intake.main:web` runs it alone.

    Ends the process with exit code 2 when its settings are unsafe (shared/startup.py).
    """
    configure_logging(level=settings().log_level, fmt=settings().log_format)
    startup.check_settings(own_login(service))
    measures.serve()
    web = _Web(
        title=f"Bianmin {service}",
        version="1",
        description="Money is in fen (1/100 yuan); moments are UTC (RFC 3339).",
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,  # a redirect would lead to whatever host the request names
    )
    web.service = service
    web.add_exception_handler(Problem, _answer_problem)
    web.add_exception_handler(RequestValidationError, _answer_malformed)
    web.add_exception_handler(HTTPException, _answer_http)
    web.add_exception_handler(IntegrityError, _answer_conflict)
    web.add_exception_handler(DataError, _answer_unstorable)
    web.add_exception_handler(OperationalError, _answer_unavailable)
    web.add_exception_handler(Exception, _answer_defect)
    for router in routers:
        web.include_router(router, responses=PROBLEMS)
    web.include_router(assets.routes)

    @web.get("/live", summary="The process answers", tags=["health"])
    def live() -> dict[str, str]:
        return {"service": service, "state": "live"}

    @web.get(
        "/ready",
        summary="Database, schema and clock are as they must be, else 503; whether the broker answers",
        tags=["health"],
    )
    def ready() -> dict[str, str]:
        with database(service).session() as session:
            fault = startup.database_fault(session)
        if fault is not None:
            raise HTTPException(503, fault)
        # people are served while it is away, so nobody is sent elsewhere for it
        return {"service": service, "state": "ready", "broker": broker_away(settings().broker_url) or "answers"}

    gc.freeze()  # what was made until now stays: to look through all of it for garbage would stop everybody for 0.3 s
    return web
