"""The routes under /api/policies: the same in all four services."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter
from pydantic import ValidationError

from shared.access import COMMON
from shared.errors import Malformed
from shared.policy import Policy
from shared.policy_rows import PolicyView, change, views
from shared.web import Body, Edge, Moment, Words, explain, permissions


class ChangePolicy(Body):
    """All settings of the policy from a moment on; without a site for the whole company."""

    settings: dict[str, Any]
    site_id: UUID | None = None
    effective_from: Moment
    reason: Words


def make_policies(service: str, *policies: type[Policy]) -> APIRouter:
    """The routes under /api/policies of a service."""
    may = permissions(service, COMMON)
    router = APIRouter(prefix="/api/policies", tags=["policies"])

    @router.get("", summary="The policies of this service, with every change (D1-D27)")
    def list_policies(edge: Annotated[Edge, may("read_policies")]) -> list[PolicyView]:
        return views(edge.session, edge.actor, policies)

    @router.post("/{name}", status_code=201, summary="Change a policy from a moment on, for the company or one site")
    def change_one(name: str, body: ChangePolicy, edge: Annotated[Edge, may("change_policy")]) -> list[PolicyView]:
        return change_policy(policies, name, body, edge)

    return router


def change_policy(policies: tuple[type[Policy], ...], name: str, body: ChangePolicy, edge: Edge) -> list[PolicyView]:
    """Change one of a service's policies. Raises Malformed for an unknown one, or settings it cannot have."""
    by_name = {policy.__name__: policy for policy in policies}
    if name not in by_name:
        raise Malformed("unknown_policy", f"there is no policy {name!r} here", allowed=by_name)
    try:
        wanted = by_name[name].model_validate(body.settings)
    except ValidationError as bad:
        raise Malformed("bad_settings", explain(bad.errors()), rule=by_name[name].decision) from None

    def act() -> list[PolicyView]:
        change(
            edge.session,
            wanted,
            site_id=body.site_id,
            effective_from=body.effective_from,
            reason=body.reason,
            actor=edge.actor,
            now=edge.now,
        )
        return views(edge.session, edge.actor, policies)

    return edge.once(body, act)
