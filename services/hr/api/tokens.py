"""API tokens: of a person for his own programs, and of service accounts for the company's HR system."""

from dataclasses import dataclass
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter
from pydantic import Field

from services.hr.actions import token
from services.hr.api.may import may
from services.hr.queries.logins import TokenView, own_tokens, token_view, tokens_of
from services.hr.queries.posts import PersonView, person_view
from shared.paging import Page
from shared.web import After, Body, Edge, Limit, Moment, Short

routes = APIRouter(tags=["tokens"])


class AddServiceAccount(Body):
    """A program of the company's, and the sites whose payouts it reads."""

    name: Short
    site_ids: list[UUID] = Field(default=[], max_length=1000)
    all_sites: bool = False


class IssueToken(Body):
    """What the token is for, until when, and what it may do: `payouts:read`, `payouts:acknowledge`, or an action."""

    name: Short
    scopes: list[Short] = Field(min_length=1, max_length=100)
    expires_at: Moment


@dataclass(frozen=True)
class IssuedToken:
    """A token, which is shown this once."""

    view: TokenView
    token: str


@routes.post(
    "/service-accounts", status_code=201, summary="An account of the company's HR system, for API tokens [R92]"
)
def add_service_account(body: AddServiceAccount, edge: Annotated[Edge, may("manage_service_accounts")]) -> PersonView:
    def act() -> PersonView:
        return person_view(token.employ_program(edge.session, actor=edge.actor, now=edge.now, **dict(body)))

    return edge.once(body, act)


# neither is once for a key: the stored answer would hold the token
@routes.post("/tokens", status_code=201, summary="Issue a token for a program of one's own")
def issue_own_token(body: IssueToken, edge: Annotated[Edge, may("manage_own_tokens")]) -> IssuedToken:
    made, secret = token.issue_own(edge.session, actor=edge.actor, now=edge.now, **dict(body))
    return IssuedToken(token_view(made), secret)


@routes.post("/people/{person_id}/tokens", status_code=201, summary="Issue a token to a service account")
def issue_token_to_program(
    person_id: UUID, body: IssueToken, edge: Annotated[Edge, may("manage_service_accounts")]
) -> IssuedToken:
    made, secret = token.issue_to_program(
        edge.session, person_id=person_id, actor=edge.actor, now=edge.now, **dict(body)
    )
    return IssuedToken(token_view(made), secret)


@routes.post("/tokens/{token_id}/revoke", summary="Revoke a token of one's own, or, by an administrator, of anybody")
def revoke_token(token_id: UUID, edge: Annotated[Edge, may("revoke_token")]) -> TokenView:
    return token_view(token.revoke(edge.session, token_id=token_id, actor=edge.actor))


@routes.get("/tokens", summary="The API tokens of the person asking")
def list_own_tokens(
    edge: Annotated[Edge, may("read_own_tokens")], after: After = None, limit: Limit = 100
) -> Page[TokenView]:
    return own_tokens(edge.session, edge.actor, after=after, limit=limit)


@routes.get("/people/{person_id}/tokens", summary="The API tokens of a person or service account")
def list_tokens_of(
    person_id: UUID, edge: Annotated[Edge, may("read_tokens")], after: After = None, limit: Limit = 100
) -> Page[TokenView]:
    return tokens_of(edge.session, edge.actor, person_id, after=after, limit=limit)
