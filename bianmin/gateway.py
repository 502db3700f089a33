"""One port for the four services on one machine: each web application under its own name, and a start page.

It knows the services by name only (`services.<name>.main:web`), as uvicorn would.
"""

from importlib import import_module

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response
from starlette.routing import Mount, Route
from starlette.types import ASGIApp

from shared.headers import SecurityHeaders
from shared.settings import settings

SERVICES = {
    "intake": "客服部 front desk",
    "dispatch": "工程部、环境部 departments",
    "finance": "财务部 finance",
    "hr": "人事、行政部 people and administration",
}

PAGE = """<!doctype html><html lang="zh"><meta charset="utf-8"><title>便民有偿服务 Bianmin</title>
<h1>便民有偿服务 Bianmin</h1><p>Four services, each with a JSON API:</p><ul>{items}</ul></html>"""

NOT_PUBLIC = ("/openapi.json", "/ops/metrics")
"""What a service tells of itself to those who run it; a stranger learns from it what there is to attack."""


async def start_page(_: Request) -> HTMLResponse:
    """Where the four APIs are."""
    described = ' · <a href="/{name}/openapi.json">OpenAPI</a>' if settings().describe_publicly else ""
    items = "".join(
        f'<li>/{name} {title} · <a href="/{name}/ready">ready?</a>{described.format(name=name)}</li>'
        for name, title in SERVICES.items()
    )
    return HTMLResponse(PAGE.format(items=items))


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
            *(Mount(f"/{name}", app=web, name=name) for name, web in webs.items()),
        ]
    )
    app.router.redirect_slashes = False  # a redirect would lead to whatever host the request names
    return SecurityHeaders(app)
