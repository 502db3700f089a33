"""One port for the four services on one machine: each web application under its own name, and a start page.

It knows the services by name only (`services.<name>.main:web`), as uvicorn would.
"""

from importlib import import_module

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse
from starlette.routing import Mount, Route

SERVICES = {
    "intake": "客服部 front desk",
    "dispatch": "工程部、环境部 departments",
    "finance": "财务部 finance",
    "hr": "人事、行政部 people and administration",
}

PAGE = """<!doctype html><html lang="zh"><meta charset="utf-8"><title>便民有偿服务 Bianmin</title>
<h1>便民有偿服务 Bianmin</h1><p>Four services, each with a JSON API described by OpenAPI:</p><ul>{items}</ul></html>"""


async def start_page(_: Request) -> HTMLResponse:
    """Where the four APIs are."""
    items = "".join(
        f'<li><a href="/{name}/openapi.json">/{name}</a> {title} · <a href="/{name}/ready">ready?</a></li>'
        for name, title in SERVICES.items()
    )
    return HTMLResponse(PAGE.format(items=items))


def make_app() -> Starlette:
    """The four applications behind one address."""
    webs = {name: import_module(f"services.{name}.main").web for name in SERVICES}
    return Starlette(
        routes=[Route("/", start_page), *(Mount(f"/{name}", app=web, name=name) for name, web in webs.items())]
    )
