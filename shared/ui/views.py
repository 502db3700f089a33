"""What a page's function is given: the request of one person, and what shows him something.

    @pages.get("/board")
    def board(view: Annotated[View, see("read_callbacks")]) -> Response:
        return view.show("board.html", waiting=callbacks(view.session, view.actor))

A posted form goes to the function behind the API's route. When that refuses, nothing it did is kept, and the page is
shown again with what was written and the reason.
"""

import re
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, fields, replace
from datetime import date, datetime, time, timedelta
from functools import cached_property
from json import loads
from types import SimpleNamespace
from typing import Annotated, Any, TypeVar
from urllib.parse import quote, unquote, urlencode
from uuid import UUID

from fastapi import APIRouter, Depends, Request
from fastapi.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from pydantic import BaseModel
from sqlalchemy.exc import IntegrityError
from starlette.datastructures import FormData

from shared.access import COMMON as COMMON_PERMISSIONS
from shared.access import Permissions
from shared.calendar import local
from shared.csrf import FIELD, csrf_token, masked
from shared.errors import Problem
from shared.headers import attachment
from shared.ids import new_id
from shared.people import Actor, Site, everybodys_names, sites_of
from shared.sessions import cookie_name
from shared.spreadsheets import Cell, as_xlsx
from shared.ui import language
from shared.ui.answer import page_answer
from shared.ui.forms import Form, Nothing, Sentence
from shared.ui.menu import groups_of, menu_of
from shared.ui.problem_page import WORDS
from shared.ui.render import environment, packages_of
from shared.ui.tables import Column, Table
from shared.ui.words import Words
from shared.web import Edge, permissions

B = TypeVar("B", bound=BaseModel)
R = TypeVar("R")

SAID = "bianmin_said"
"""The cookie with what the page after a posted form says once."""

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"

SHOWN, EXPORTED = 50, 1000
"""Rows of a page, and of an export."""

DEFAULT_ZONE = "Asia/Shanghai"
"""The zone of a moment that is of no site."""


async def read_posted(request: Request) -> AsyncIterator[FormData]:
    """The fields of a posted form, and its files until it was answered; its token lies where shared/csrf.py looks."""
    if request.method in ("GET", "HEAD"):
        yield FormData()
        return
    async with request.form() as posted:
        request.scope[FIELD] = str(posted.get("csrf", ""))
        yield posted


Posted = Annotated[FormData, Depends(read_posted)]


@dataclass
class View(Edge):
    """One request of one person for a page."""

    service: str
    table: Permissions
    words: Words
    posted: FormData

    def may(self, action: str) -> bool:
        """Whether somebody of his role may take this action of the service; no page offers him what he may not."""
        return self.actor.role in self.table[action].roles

    @cached_property
    def sites(self) -> dict[UUID, Site]:
        """His sites by id, in order of their codes."""
        return {site.id: site for site in sites_of(self.session, self.actor)}

    @cached_property
    def people(self) -> dict[UUID, str]:
        """Everybody's name by id."""
        return everybodys_names(self.session)

    @cached_property
    def spoken(self) -> str:
        """The language he reads."""
        return language.chosen(self.request)

    def say(self, chinese: str, **facts: object) -> str:
        """A sentence in his language."""
        words = language.translations(self.spoken, *packages_of(f"services.{self.service}")).gettext(chinese)
        return words.format(**facts) if facts else words

    def label(self, name: object) -> str:
        """What a field, a state or a choice is called, in his language."""
        return self.say(self.words.label(str(name)))

    def zone(self, site_id: UUID | None = None) -> str:
        """The zone of a site, or of the first of his."""
        if site_id in self.sites:
            zone: str = self.sites[site_id].zone
            return zone
        return next((site.zone for site in self.sites.values()), DEFAULT_ZONE)

    def today(self, site_id: UUID | None = None) -> date:
        """The day it is at a site."""
        return local(self.now, self.zone(site_id)).date()

    def this_month(self, site_id: UUID | None = None) -> str:
        """The month it is at a site, '2026-04'."""
        return f"{self.today(site_id):%Y-%m}"

    def last_month(self, site_id: UUID | None = None) -> str:
        """The month before."""
        return f"{self.today(site_id).replace(day=1) - timedelta(days=1):%Y-%m}"

    @property
    def reader(self) -> Actor:
        """He who reads, of the one site the address asks for where it does: queries are limited to his sites."""
        site_id = self.asked_site()
        return self.actor if site_id is None else replace(self.actor, site_ids=frozenset({site_id}))

    def choose_sites(self) -> list[tuple[str, str]]:
        """His sites, as a field offers them."""
        return [(str(site.id), site.name) for site in self.sites.values()]

    def asked(self, name: str) -> str | None:
        """What the address asks for by this name; nothing when it is empty."""
        return self.request.query_params.get(name) or None

    def asked_id(self, name: str = "after") -> UUID | None:
        """An id the address asks for; nothing when it is none."""
        try:
            return UUID(self.request.query_params.get(name, ""))
        except ValueError:
            return None

    def asked_day(self, name: str) -> date | None:
        """A day the address asks for; nothing when it is none."""
        try:
            return date.fromisoformat(self.request.query_params.get(name, ""))
        except ValueError:
            return None

    def asked_month(self) -> str:
        """The month the address asks for, '2026-04'; else the one it is."""
        found = re.fullmatch(r"[1-9]\d{3}-(0[1-9]|1[0-2])", self.request.query_params.get("month", ""))
        return found[0] if found else self.this_month()

    @property
    def rows(self) -> int:
        """How many rows a list shows; an export holds more of them."""
        return EXPORTED if self.asked("export") else SHOWN

    def asked_site(self) -> UUID | None:
        """The site the address asks for, when it is one of his."""
        wanted = self.asked_id("site")
        return wanted if wanted in self.sites else None

    def show(self, template: str, *, status: int = 200, **facts: Any) -> Response:
        """The page; with `?export=xlsx`, its first table as it is shown.

        Raises ValueError for a fact that is called like one every page has.
        """
        facts = {k: v.sorted(self.asked("sort")) if isinstance(v, Table) else v for k, v in facts.items()}
        tables = [one for one in facts.values() if isinstance(one, Table)]
        if tables and self.asked("export") == "xlsx":
            return self._export(tables[0])
        claims = self.credential.claims
        said = unquote(self.request.cookies.get(SAID, ""))
        common = self._common() | {"csrf": masked(csrf_token(claims.session_id)) if claims else "", "said": said}
        if taken := common.keys() & facts.keys():
            raise ValueError(f"{template}: every page has {', '.join(sorted(taken))} already")
        page = environment(f"services.{self.service}", self.spoken).get_template(template).render(common | facts)
        answer = page_answer(self.request, page, status)
        if said:
            answer.delete_cookie(SAID, path="/")
        return answer

    def _common(self) -> dict[str, Any]:
        path = f"/{self.service}{self.request.scope['route'].path}"
        menu = menu_of(self.actor.role)
        here = [entry for entry in menu if self.here == entry.path or self.here.startswith(f"{entry.path}/")]
        return {
            "view": self,
            "me": self.actor,
            "menu": menu,
            "menu_groups": groups_of(menu),
            "here": max(here, key=lambda entry: len(entry.path)) if here else None,
            "path": self.here,
            "route": path,
            "now": self.now,
            "may": self.may,
            "label": self.label,
            "moment": lambda at, site_id=None: language.moment(at, self.zone(site_id)),
            "clock": lambda at, site_id=None: language.clock(at, self.zone(site_id)),
            "span": lambda start, end, site_id=None: language.span(start, end, self.zone(site_id)),
            "person": lambda id_: self.people.get(id_, "—"),
            "site": lambda id_: self.sites[id_].name if id_ in self.sites else "—",
            "seconds_left": lambda at: round((at - self.now).total_seconds()),
            "key": new_id,
            "with_query": self._with_query,
            "written": self.written,
        }

    @property
    def here(self) -> str:
        """The path of the page, '/intake/board'."""
        path = self.request.url.path
        return path if path.startswith(f"/{self.service}") else f"/{self.service}{path}"

    def _with_query(self, **asked: object) -> str:
        """The address of the page, asked something more, or less (None)."""
        query = {**dict(self.request.query_params), **asked}
        kept = {k: str(v) for k, v in query.items() if v not in (None, "")}
        return f"{self.here}?{urlencode(kept)}" if kept else self.here

    def written(self, column: Column, value: Any, row: Any = None) -> str:
        """What a cell of a table says."""
        site_id = row.get("site_id") if isinstance(row, dict) else getattr(row, "site_id", None)
        writers: dict[str, Callable[[Any], str]] = {
            "money": language.money,
            "moment": lambda at: language.moment(at, self.zone(site_id)),
            "clock": lambda at: language.clock(at, self.zone(site_id)),
            "word": self.label,
            "badge": self.label,
            "person": lambda id_: self.people.get(id_, "—"),
            "site": lambda id_: self.sites[id_].name if id_ in self.sites else "—",
        }
        if value is None:
            return "—"
        if isinstance(value, bool):
            return self.say("是") if value else self.say("否")
        if isinstance(value, time):
            return f"{value:%H:%M}"
        return writers.get(column.kind, str)(value)

    def fact(self, name: str, value: Any, site_id: UUID | None) -> str:
        """What a fact of an alert says: the name tells what it is ('due_at', 'amount_fen')."""
        if name.endswith("_fen"):
            return language.money(int(value))
        if name == "round":  # the first visit is round 0
            return str(int(value) + 1)
        if name.endswith("_at"):
            return language.moment(datetime.fromisoformat(str(value)), self.zone(site_id))
        return self.label(value)

    def _export(self, table: Table) -> Response:
        def cell(column: Column, value: Any) -> Cell:
            if value is None or (column.kind == "number" and isinstance(value, int | float)):
                return value
            return value / 100 if column.kind == "money" else self.written(column, value)

        rows = table.cells(cell)
        rows[0] = [self.say(str(heading)) for heading in rows[0]]
        name = f"{table.name}-{self.today():%Y%m%d}.xlsx"
        return Response(as_xlsx({table.name[:31]: rows}, made_at=self.now), media_type=XLSX, headers=attachment(name))

    def submit(
        self,
        form: Form[B],
        act: Callable[[B], R],
        *,
        then: str | Callable[[R], str],
        again: Callable[[Form[B]], Response],
        said: str = "",
    ) -> Response:
        """Do what a posted form asks, and go on to the page `then`; else show the page `again`, with what is wrong.

        Raises what `act` raises that is no Problem.
        """
        return self.answer(
            form, act, show=lambda done: self.go(then if isinstance(then, str) else then(done), said), again=again
        )

    def answer(
        self,
        form: Form[B],
        act: Callable[[B], R],
        *,
        show: Callable[[R], Response],
        again: Callable[[Form[B]], Response],
    ) -> Response:
        """Do what a posted form asks, and show what came of it here; for what no address may hold, and no list keeps.

        Raises what `act` raises that is no Problem.
        """
        body = form.read(self.posted)
        if body is None:
            return self._refused(again(form), 422)
        kept = self.session.begin_nested()
        try:
            done: Any = act(body)
            self.session.flush()
        except (Problem, IntegrityError) as error:
            kept.rollback()
            form.errors = {"": self.sentence(error)}
            return self._refused(again(form), error.status if isinstance(error, Problem) else 409)
        kept.commit()
        if isinstance(done, JSONResponse):  # the same form, sent again: what was answered then
            done = _as_view(loads(bytes(done.body)))
        return show(done)

    def press(
        self, act: Callable[[], R], *, then: str | Callable[[R], str], again: Callable[[Form[Any]], Response], said: str
    ) -> Response:
        """Do what a button asks that asks nothing more; else show the page `again`, with why not."""
        return self.submit(Form(Nothing), lambda _: act(), then=then, again=again, said=said)

    def sentence(self, error: Exception) -> Sentence:
        """What is said of a refusal."""
        if not isinstance(error, Problem):
            return Sentence(self.words.problem("conflict", ""), {})
        return Sentence(self.words.problem(error.code, error.detail.replace("{", "{{").replace("}", "}}")), {})

    @staticmethod
    def _refused(answer: Response, status: int) -> Response:
        answer.status_code = status
        return answer

    def go(self, path: str, said: str = "") -> Response:
        """On to another page, which says something once."""
        answer = RedirectResponse(path, 303)
        if said:
            secure = cookie_name(self.request).startswith("__Host-")
            answer.set_cookie(
                SAID, quote(self.say(said)), max_age=60, path="/", httponly=True, samesite="lax", secure=secure
            )
        return answer


def _as_view(answer: Any) -> Any:
    """An answer kept as JSON, read like the view it was made of."""
    if isinstance(answer, dict):
        return SimpleNamespace(**{name: _as_view(value) for name, value in answer.items()})
    return [_as_view(one) for one in answer] if isinstance(answer, list) else answer


def views(service: str, table: Permissions, words: Words) -> Callable[[str], Any]:
    """The dependency of a service's pages: `Annotated[View, see("read_callbacks")]`."""
    WORDS[service] = words
    whole = COMMON_PERMISSIONS | table
    may = permissions(service, whole)

    def see(action: str) -> Any:
        asked = may(action)

        def view(posted: Posted, edge: Annotated[Edge, asked]) -> View:
            known = {one.name: getattr(edge, one.name) for one in fields(Edge)}
            known["idempotency_key"] = str(posted.get("key") or "") or edge.idempotency_key
            return View(**known, service=service, table=whole, words=words, posted=posted)

        view.action, view.allowed = action, asked.dependency.allowed  # type: ignore[attr-defined]  # for whoever asks
        return Depends(view)

    return see


def make_pages(*parts: APIRouter) -> APIRouter:
    """The pages of a service together; its description for software does not list them."""
    pages = APIRouter(include_in_schema=False, default_response_class=HTMLResponse)
    for part in parts:
        pages.include_router(part)
    return pages
