"""A company founded a moment ago, at one site, whose people act in browsers of their own."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from playwright.sync_api import Browser, Locator, Page, expect

from bianmin.address import Address
from bianmin.client import Client, Person
from bianmin.month.cast import Cast, Team, found_company
from bianmin.month.quiet import World
from tests.browser import DESK, PATIENCE_MS, PHONE, Visitor, chromium, session_of
from tests.stack import running

expect.set_options(timeout=PATIENCE_MS)


@dataclass
class Town:
    """The company with its one site, and the browsers of its people."""

    base_url: str
    browser: Browser
    cast: Cast
    world: World
    visitors: dict[str, Visitor] = field(default_factory=dict)
    sessions: dict[str, dict[str, str]] = field(default_factory=dict)

    @property
    def team(self) -> Team:
        """The people of the site."""
        [team] = self.cast.teams
        return team

    def at(self, person: Person, path: str = "/hr/", *, phone: bool = False) -> Page:
        """A page, as this person opens it; he signs in again when his session has ended meanwhile."""
        if person.id not in self.visitors:
            self.visitors[person.id] = Visitor(self.browser, self.base_url, size=PHONE if phone else DESK)
        visitor = self.visitors[person.id]
        page = visitor.go(path)
        if "/hr/login" in page.url:
            visitor.sign_in(session_of(self.base_url, person.id))
            page = visitor.go(path)
        return page

    def session(self, person: Person) -> dict[str, str]:
        """A session of this person, begun once for all his browsers: who begins many must wait."""
        if person.id not in self.sessions:
            self.sessions[person.id] = session_of(self.base_url, person.id)
        return self.sessions[person.id]

    def later(self, **time: float) -> None:
        """So much later, everything that follows has happened."""
        for visitor in self.visitors.values():
            visitor.page.goto("about:blank")  # a live page would go and ask to sign in again by itself
        self.settle()
        self.world.move_to(self.world.now + timedelta(**time))

    def settle(self) -> None:
        """What follows from all that was done has happened."""
        self.world.client.acts += 1  # what was clicked is no act of the client's
        self.world.settle()


@contextmanager
def open_town(folder: Path, begins: datetime) -> Iterator[Town]:
    """The installation that `make up` starts, in `folder`, empty but for the company and its people."""
    with running(folder / "data", "--simulate", begins.isoformat()) as stack, chromium(folder) as browser:
        address = Address.read(stack.data)
        with Client(address.base_url) as client:
            world = World(client, address.database_url)
            cast = found_company(world, address.founder_secret, ["BK"], today=begins.date())
            yield Town(address.base_url, browser, cast, world)


def number_of(page: Page) -> str:
    """The id in the address of the page."""
    found = re.search(r"[0-9a-f]{8}-[0-9a-f-]{27}", page.url)
    assert found is not None, page.url
    return found[0]


def send(button: Locator) -> None:
    """Press it, and wait for the page that follows."""
    with button.page.expect_navigation():
        button.click()


def local_time(moment: datetime) -> str:
    """A moment as a field of the page takes it, at the site."""
    return f"{moment.astimezone(UTC) + timedelta(hours=8):%Y-%m-%dT%H:%M}"
