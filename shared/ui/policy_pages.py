"""The pages of a service's policies 公司规定: what the company decided, since when, and by whom [D1-D27]."""

from collections.abc import Callable
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Response
from pydantic import create_model

from shared.errors import NotFound
from shared.policy import Policy
from shared.policy_routes import ChangePolicy, change_policy
from shared.policy_rows import PolicyView, views
from shared.ui.forms import Form, yuan_of
from shared.ui.views import View
from shared.web import Body, Moment, Words


def _form(view: View, policy: type[Policy], held: PolicyView) -> Form[Any]:
    """A form of the policy's own settings, with what holds now written into it."""
    body = create_model(
        f"Change{policy.__name__}",
        __base__=Body,
        settings=(policy, ...),
        site_id=(UUID | None, None),
        effective_from=(Moment, ...),
        reason=(Words, ...),
    )
    return Form(
        body,
        choices={"site_id": view.choose_sites()},
        shown=dict(_flat("settings", in_force(held, view.now))),
        rows=1,
        zone=view.zone(),
    )


def in_force(held: PolicyView, now: datetime) -> dict[str, Any]:
    """The company's settings as they hold now."""
    past = [one for one in held.changes if one["site_id"] is None and one["effective_from"] <= now]
    settings: dict[str, Any] = past[-1]["settings"] if past else held.default
    return held.default | settings


def _flat(name: str, value: Any) -> list[tuple[str, str]]:
    """Nested settings as names and texts of fields."""
    if isinstance(value, dict):
        return [pair for key, inner in value.items() for pair in _flat(f"{name}.{key}", inner)]
    if isinstance(value, list) and value and isinstance(value[0], dict):
        return [pair for number, inner in enumerate(value) for pair in _flat(f"{name}.{number}", inner)]
    if isinstance(value, list):
        return [(name, "\n".join(str(one) for one in value))]
    if name.endswith("_fen"):
        return [(name, yuan_of(value))]
    return [] if value is None else [(name, str(value).lower() if isinstance(value, bool) else str(value))]


def make_policy_pages(service: str, may: Callable[[str], Any], *policies: type[Policy]) -> APIRouter:
    """The list, and each with its history and the form that changes it; `may` is the service's `see`."""
    pages = APIRouter()
    by_name = {policy.__name__: policy for policy in policies}

    def held(view: View, name: str) -> PolicyView:
        found = next((one for one in views(view.session, view.actor, policies) if one.name == name), None)
        if found is None:
            raise NotFound("policy", name)
        return found

    def shown(view: View, name: str, form: Form[Any] | None = None) -> Response:
        policy = held(view, name)
        form = form or _form(view, by_name[name], policy)
        return view.show("policy.html", policy=policy, form=form, flat=_flat)

    @pages.get("/policies")
    def list_policies(view: Annotated[View, may("read_policies")]) -> Response:
        found = views(view.session, view.actor, policies)
        held_now = {one.name: _flat("", in_force(one, view.now)) for one in found}
        return view.show("policies.html", policies=found, held=held_now)

    @pages.get("/policies/{name}")
    def policy(name: str, view: Annotated[View, may("read_policies")]) -> Response:
        return shown(view, name)

    @pages.post("/policies/{name}")
    def change(name: str, view: Annotated[View, may("change_policy")]) -> Response:
        def act(body: Any) -> list[PolicyView]:
            wanted = ChangePolicy(
                settings=body.settings.model_dump(mode="json"),
                site_id=body.site_id,
                effective_from=body.effective_from,
                reason=body.reason,
            )
            return change_policy(policies, name, wanted, view)

        now_held = held(view, name)
        return view.submit(
            _form(view, by_name[name], now_held),
            act,
            then=f"/{service}/policies/{name}",
            again=lambda form: shown(view, name, form),
            said="已登记，到时生效",
        )

    return pages
