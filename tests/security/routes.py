"""Every route of every service as its application has it, with the action it asks for and the roles that may."""

import re
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from fastapi.routing import APIRoute, iter_route_contexts

from shared.access import COMMON, Permissions
from shared.ids import new_id
from tests.bad_input.house import web_of

OPEN = {
    ("GET", "/live"): "the process answers; says nothing else",
    ("GET", "/ready"): "whether it can work; says nothing else",
    ("GET", "/openapi.json"): "how the routes are called",
    ("GET", "/static/{name}"): "our style and scripts, the same for everybody",
    ("GET", "/login"): "who signs in is nobody yet",
    ("POST", "/login"): "who signs in is nobody yet: asks for his password",
    ("POST", "/language"): "the browser remembers it; nothing of anybody changes",
    ("GET", "/invitation"): "whoever is invited has no login yet",
    ("POST", "/invitation"): "whoever is invited has no login yet: asks for the invitation's secret",
    ("GET", "/password"): "asks for the present password, whatever session there is",
    ("POST", "/password"): "asks for the present password, whatever session there is",
    ("GET", "/second-factor"): "asks for the password, whatever session there is",
    ("POST", "/second-factor"): "asks for the password, whatever session there is",
    ("POST", "/second-factor/confirm"): "asks for the password and a code, whatever session there is",
    ("POST", "/demo/sessions"): "in a simulation alone, where nobody has anything to lose",
    ("GET", "/verify/{code}"): "whoever has a paper may ask whether it holds: asks for its code, of 128 random bits",
    ("GET", "/o"): "an owner has no login: asks for the secret of his link, and shows his own job alone",
    ("GET", "/o/visit.ics"): "the same, for the calendar of his phone",
    ("POST", "/o/sign"): "asks for the secret of the link and the token of its page",
    ("POST", "/o/confirm"): "asks for the secret of the link and the token of its page",
    ("POST", "/o/move"): "asks for the secret of the link and the token of its page",
    ("POST", "/o/wish"): "asks for the secret of the link and the token of its page",
    ("POST", "/o/rate"): "asks for the secret of the link and the token of its page",
    ("POST", "/o/problem"): "asks for the secret of the link and the token of its page",
    ("POST", "/o/private-job"): "asks for the secret of the link and the token of its page",
    ("POST", "/api/company"): "nobody is there yet to act: asks for the founder's secret",
    ("POST", "/api/invitations/accept"): "whoever is invited has no login yet: asks for the invitation's secret",
    ("POST", "/api/sessions"): "who signs in is nobody yet: asks for his password",
    ("GET", "/api/demo/people"): "in a simulation alone: whoever looks around is nobody yet",
    ("POST", "/api/demo/sessions"): "in a simulation alone, where nobody has anything to lose",
    ("GET", "/sign-on/{provider}"): "who signs in is nobody yet: he is sent to prove it to a provider of identity",
    ("GET", "/sign-on/{provider}/return"): "asks for what the provider proves, to the browser that was sent to it",
    ("POST", "/api/password"): "asks for the present password, whatever session there is",
    ("POST", "/api/totp"): "asks for the password, whatever session there is",
    ("POST", "/api/totp/confirm"): "asks for the password and a code, whatever session there is",
}
"""Routes that ask nobody who he is, each with the reason."""

PLACES = {"month": "2026-04", "day": "2026-04-01", "name": "NoPolicy", "file_type": "pdf"}
"""What stands in a path for a name that is no id."""


@dataclass(frozen=True)
class Route:
    """One method of one path; `action` is empty for a route that asks nobody."""

    service: str
    method: str
    path: str
    action: str
    route: Any

    @property
    def somewhere(self) -> str:
        """The path with ids of nothing."""
        return re.sub(r"\{(\w+)\}", lambda found: PLACES.get(found[1], str(new_id())), self.path)

    def matches(self, path: str) -> bool:
        """Whether a path is one of this route's."""
        return re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", self.path), path) is not None


def table_of(service: str) -> Permissions:
    """The service's own table and what is common to all."""
    own: Permissions = import_module(f"services.{service}.rules.access").MAY
    return COMMON | own


def routes_of(service: str) -> list[Route]:
    """Every route of a service's application, whatever made it."""
    return [
        Route(service, method, str(context.path), _action(context.original_route), context.original_route)
        for context in iter_route_contexts(web_of(service).routes)
        for method in sorted(context.original_route.methods - {"HEAD"})
    ]


def _action(route: Any) -> str:
    """The action a route asks for: it has one, or none."""
    if not isinstance(route, APIRoute):
        return ""
    asked = [
        dependency.call.action for dependency in route.dependant.dependencies if hasattr(dependency.call, "action")
    ]
    assert len(asked) <= 1, route.path
    return asked[0] if asked else ""
