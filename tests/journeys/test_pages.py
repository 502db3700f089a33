"""Every page, as each role meets it by following links from the menu, in a real browser over a month that was lived."""

import re
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser

from bianmin.address import Address
from tests.browser import DESK, NARROW, PHONE, Visitor, axe, chromium, session_of, sideways
from tests.journeys.conftest import LivedMonth

pytestmark = pytest.mark.journey

ROLES = (
    *("clerk", "desk_head", "head", "worker", "cashier", "finance_lead"),
    *("leader", "hr", "administration", "operator", "auditor", "administrator"),
)
MOST_BYTES = 60_000
"""Of a first visit, zipped as sent; with the signature or a paper's preview twice that."""
A_SHIFT = 0.02
"""How much of a page may move while it loads (cumulative layout shift)."""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with tempfile.TemporaryDirectory(prefix="bm-browser-") as folder, chromium(Path(folder)) as started:
        yield started


@dataclass
class Site:
    """What was found by following links: one address of every page, and who found it."""

    base_url: str
    people: dict[str, str]
    refused: list[str] = field(default_factory=list)
    """What a page offered and its reader was refused."""
    found: dict[tuple[str, str], str] = field(default_factory=dict)
    """(role, the page without its ids) -> an address of it."""

    def session(self, role: str) -> dict[str, str]:
        """A new session of somebody of the role: one begun long ago may have ended."""
        return session_of(self.base_url, self.people[role])

    def first_met_by(self, role: str) -> list[tuple[str, str]]:
        """The pages nobody of an earlier role has met, and an address of each: every page is looked at once."""
        earlier = {kind for who, kind in self.found if ROLES.index(who) < ROLES.index(role)}
        return [(kind, path) for (who, kind), path in self.found.items() if who == role and kind not in earlier]


def kind_of(path: str) -> str:
    """The page an address is of: its path without ids, numbers, months and codes."""
    plain = urlsplit(path).path
    return re.sub(r"/(?:[0-9a-f]{8}-[0-9a-f-]{27}|\d[\w-]*|[A-Z][A-Z0-9-]{3,})(?=/|$)", "/…", plain)


def is_page(path: str) -> bool:
    """Whether an address is of a page of ours that a person reads."""
    return bool(re.match(r"/(intake|dispatch|finance|hr)/(?!api/)", path)) and "export=" not in path


@pytest.fixture(scope="module")
def site(lived_month: LivedMonth, browser: Browser) -> Site:
    base_url = Address.read(lived_month.stack.data).base_url
    people = {role: person.id for role, person in lived_month.stack.people().items()}
    known = Site(base_url, people)
    for role in ROLES:
        visitor = Visitor(browser, base_url, scripts=False)
        visitor.sign_in(known.session(role))
        waiting = ["/hr/"]
        while waiting:
            path = waiting.pop()
            page = visitor.page
            answer = page.goto(path)
            if answer is None or answer.status != 200:
                known.refused.append(f"{role} {path} {answer.status if answer else ''}")
                known.found.pop((role, kind_of(path)), None)
                continue
            here = page.url.removeprefix(base_url)
            known.found.setdefault((role, kind_of(here)), here)
            for link in page.eval_on_selector_all("a[href]", "all => all.map(a => a.getAttribute('href'))"):
                if is_page(link) and (role, kind_of(link)) not in known.found:
                    known.found[role, kind_of(link)] = link
                    waiting.append(link)
        visitor.close()
    return known


def test_no_page_offers_what_its_reader_is_refused(site: Site) -> None:
    assert not site.refused, "\n".join(site.refused)


def test_every_role_finds_more_than_his_account(site: Site) -> None:
    pages = {role: [kind for who, kind in site.found if who == role] for role in ROLES}
    assert all(len(kinds) >= 4 for kinds in pages.values()), pages


@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.parametrize("role", ROLES)
def test_no_page_has_a_fault_that_axe_finds_nor_asks_another_host(
    site: Site, browser: Browser, role: str, language: str
) -> None:
    wrong: list[str] = []
    session = site.session(role)
    for size in (DESK, PHONE):
        visitor = Visitor(browser, site.base_url, language=language, size=size)
        visitor.sign_in(session)
        for kind, path in site.first_met_by(role):
            page = visitor.go(path)
            wrong += [f"{kind} at {size['width']}: {fault}" for fault in axe(page)]
            if page.title().startswith("!"):
                wrong.append(f"{kind} opens with an error")
        assert not visitor.elsewhere, visitor.elsewhere
        wrong += visitor.problems
        visitor.close()
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("role", ROLES)
def test_no_page_scrolls_sideways_where_it_is_narrow_or_its_text_large(site: Site, browser: Browser, role: str) -> None:
    wrong = []
    session = site.session(role)
    visitor = Visitor(browser, site.base_url, size=NARROW)
    visitor.sign_in(session)
    for kind, path in site.first_met_by(role):
        if (wider := sideways(visitor.go(path))) > 0:
            wrong.append(f"{kind} is {wider} px too wide at 320 px")
    visitor.page.set_viewport_size(DESK)
    for kind, path in site.first_met_by(role):
        page = visitor.go(path)
        page.evaluate("document.documentElement.style.fontSize = '175%'")
        if (wider := sideways(page)) > 0:
            wrong.append(f"{kind} is {wider} px too wide with text twice as large")
    visitor.close()
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("role", ROLES)
def test_every_page_keeps_to_its_budget_and_its_policy(site: Site, browser: Browser, role: str) -> None:
    wrong = []
    session = site.session(role)
    for kind, path in site.first_met_by(role):
        visitor = Visitor(browser, site.base_url)  # a first visit: nothing is kept from before
        visitor.sign_in(session)
        measured = visitor.context.new_cdp_session(visitor.page)
        measured.send("Network.enable")
        sent: list[float] = []
        measured.on("Network.loadingFinished", lambda event, sent=sent: sent.append(event["encodedDataLength"]))
        answer = visitor.page.goto(path)
        assert answer is not None
        policy = answer.headers["content-security-policy"]
        if "unsafe" in policy or "default-src 'none'" not in policy:
            wrong.append(f"{kind}: {policy}")
        visitor.page.wait_for_load_state("load")
        shift = visitor.page.evaluate(
            "new Promise(done => new PerformanceObserver((list, all) => { all.disconnect();"
            " done(list.getEntries().reduce((sum, one) => sum + one.value, 0)); })"
            ".observe({type: 'layout-shift', buffered: true}) || setTimeout(() => done(0), 50))"
        )
        most = 2 * MOST_BYTES if visitor.page.query_selector("#signature, .sheet") else MOST_BYTES
        if sum(sent) > most:
            wrong.append(f"{kind}: {sum(sent):.0f} bytes")
        if shift > A_SHIFT:
            wrong.append(f"{kind}: moves by {shift:.3f}")
        visitor.close()
    assert not wrong, "\n".join(wrong)
