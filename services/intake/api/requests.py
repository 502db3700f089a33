"""Requests from the registration form to the agreement, or to their withdrawal [R13-R21, R46, R49]."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter
from pydantic import Field, StringConstraints, model_validator

from services.intake.actions import request
from services.intake.api.may import may
from services.intake.queries.requests import RegisteredView, RequestView, registered, request_by_id, requests
from services.intake.rules.price import Wanted
from services.intake.rules.request import Channel, RequestState
from shared.money import PositiveFen
from shared.paging import Page
from shared.web import After, Body, Edge, Limit, Moment, Reason, Short, Words

routes = APIRouter(tags=["requests"])


Phone = Annotated[str, StringConstraints(pattern=r"^\+?[0-9][0-9 -]{4,19}$")]


class Window(Body):
    """A stretch of time that suits the owner [R17]."""

    start: Moment
    end: Moment

    @model_validator(mode="after")
    def _has_a_length(self) -> "Window":
        if self.start >= self.end:
            raise ValueError("a window ends after it begins")
        return self


class RequestForm(Body):
    """The registration form 有偿服务登记表 [R13-R17]."""

    channel: Channel
    owner_name: Short
    address: Short
    phone: Phone
    description: Words
    trade: Short = Field(description="a code of the trade catalogue, e.g. `water`")
    windows: list[Window] = Field(default=[], max_length=10)

    def form(
        self, *, source: str | None = None, source_key: str | None = None, asked_at: datetime | None = None
    ) -> request.RegistrationForm:
        """What the action takes."""
        return request.RegistrationForm(
            channel=self.channel,
            owner_name=self.owner_name,
            address=self.address,
            phone=self.phone,
            description=self.description,
            trade=self.trade,
            windows=[(window.start, window.end) for window in self.windows],
            source=source,
            source_key=source_key,
            asked_at=asked_at,
        )


class RegisterRequest(RequestForm):
    """The registration form of an owner at a site [R6]."""

    site_id: UUID


class LogAttempt(Body):
    """A call that did not reach the owner."""

    note: Words


class AgreedItem(Body):
    """An item of the price book, how many of it, and the agreed price of one (fen) [R57, D10]."""

    price_code: Short
    quantity: int = Field(ge=1, le=1000, strict=True)
    unit_fen: PositiveFen

    def wanted(self) -> Wanted:
        """What the action takes."""
        return Wanted(self.price_code, self.quantity, self.unit_fen)


Items = Annotated[list[AgreedItem], Field(min_length=1, max_length=20)]


class AgreeVisit(Body):
    """Time and fee as agreed with the owner [R18, R49]: what is to be done, each at its approved price."""

    visit_from: Moment
    visit_to: Moment
    items: Items
    owner_waits: bool = Field(default=False, description="a walk-in owner waits at the desk for the worker [R45]")


@routes.post("/requests", status_code=201, summary="Register a request and start its clock [R13-R21, R48]")
def register_request(body: RegisterRequest, edge: Annotated[Edge, may("register_request")]) -> RegisteredView:
    def act() -> RegisteredView:
        made = request.register(edge.session, site_id=body.site_id, form=body.form(), actor=edge.actor, now=edge.now)
        return registered(edge.session, edge.actor, made.id)

    return edge.once(body, act)


@routes.get("/requests", summary="Requests in order of registration")
def list_requests(
    edge: Annotated[Edge, may("read_requests")],
    state: RequestState | None = None,
    after: After = None,
    limit: Limit = 100,
) -> Page[RequestView]:
    return requests(edge.session, edge.actor, state=state, after=after, limit=limit)


@routes.get("/requests/{request_id}", summary="One request, whole")
def read_request(request_id: UUID, edge: Annotated[Edge, may("read_requests")]) -> RequestView:
    return request_by_id(edge.session, edge.actor, request_id)


@routes.post("/requests/{request_id}/attempts", summary="A call did not reach the owner [D3]")
def log_attempt(request_id: UUID, body: LogAttempt, edge: Annotated[Edge, may("log_attempt")]) -> RequestView:
    def act() -> RequestView:
        request.log_attempt(edge.session, request_id=request_id, note=body.note, actor=edge.actor, now=edge.now)
        return request_by_id(edge.session, edge.actor, request_id)

    return edge.once(body, act)


@routes.post("/requests/{request_id}/agree", summary="Agree time and fee with the owner [R18, R46, R49]")
def agree_visit(request_id: UUID, body: AgreeVisit, edge: Annotated[Edge, may("agree_visit")]) -> RequestView:
    def act() -> RequestView:
        request.agree_visit(
            edge.session,
            request_id=request_id,
            visit_from=body.visit_from,
            visit_to=body.visit_to,
            items=[item.wanted() for item in body.items],
            owner_waits=body.owner_waits,
            actor=edge.actor,
            now=edge.now,
        )
        return request_by_id(edge.session, edge.actor, request_id)

    return edge.once(body, act)


@routes.post("/requests/{request_id}/cancel", summary="The owner no longer wants it")
def cancel_request(request_id: UUID, body: Reason, edge: Annotated[Edge, may("cancel_request")]) -> RequestView:
    request.cancel(edge.session, request_id=request_id, reason=body.reason, actor=edge.actor, now=edge.now)
    return request_by_id(edge.session, edge.actor, request_id)
