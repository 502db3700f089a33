"""One port for the four services on one machine: each web application under its own name.

It knows the services by name only (`services.<name>.main:web`), as uvicorn would.
"""

from importlib import import_module

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.routing import Mount, Route
from starlette.types import ASGIApp

from shared.headers import SecurityHeaders
from shared.settings import settings
from shared.ui.assets import read_asset

SERVICES = ("intake", "dispatch", "finance", "hr")

NOT_PUBLIC = ("/openapi.json", "/ops/metrics")
"""What a service tells of itself to those who run it; a stranger learns from it what there is to attack."""


async def start_page(_: Request) -> Response:
    """To where people begin."""
    return RedirectResponse("/hr/", 303)


def read_static(request: Request) -> Response:
    """What every service answers under this path."""
    return read_asset(request.path_params["name"], request)


async def _not_here(_: Request) -> Response:
    return PlainTextResponse("not on this port: see BIANMIN_DESCRIBE_PUBLICLY", 404)


def make_app() -> ASGIApp:
    """The four applications behind one address."""
    webs = {name: import_module(f"services.{name}.main").web for name in SERVICES}
    hidden = [] if settings().describe_publicly else [f"/{name}{path}" for name in SERVICES for path in NOT_PUBLIC]
    app = Starlette(
        routes=[
            Route("/", start_page),
            *(Route(path, _not_here) for path in hidden),
            Route("/static/{name}", read_static),
            *(Mount(f"/{name}", app=web, name=name) for name, web in webs.items()),
        ]
    )
    app.router.redirect_slashes = False  # a redirect would lead to whatever host the request names
    return SecurityHeaders(app)
