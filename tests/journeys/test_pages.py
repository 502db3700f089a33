"""Every page, as each role meets it by following links from the menu, over a month that was lived.

The links are followed without a browser; then every page is opened once in each language in a real one, as whoever
meets it first, and everything that is promised of a page is looked at while it is open.
"""

import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from html import unescape
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from playwright.sync_api import Browser, CDPSession, Page

from bianmin.address import Address
from tests.browser import DESK, NARROW, PHONE, Visitor, axe, chromium, session_of, sideways, until
from tests.folders import reachable_folder
from tests.journeys.conftest import LivedMonth
from tests.papers.printing import pdf_file, sheets

pytestmark = pytest.mark.journey

ROLES = (
    *("clerk", "desk_head", "head", "worker", "cashier", "finance_lead"),
    *("leader", "hr", "administration", "operator", "auditor", "administrator"),
)
MOST_BYTES = 60_000
"""Of a first visit, zipped as sent; with the signature or a paper's preview twice that."""
MOST_REQUESTS = 8
"""Of a first visit: the page, its style, its scripts, the mark; the pictures of a job come besides."""
MARGIN = {"top": "12mm", "bottom": "12mm", "left": "12mm", "right": "12mm"}
SHEET_PX = round((210 - 24) / 25.4 * 96)
"""How wide a sheet of A4 is within those margins, in pixels of the style."""

PRINTED = {
    "/intake/requests/…": 2,
    "/intake/requests/…/notice": 2,
    "/intake/months/…/sites/…": 2,
    "/intake/months/…/sites/…/report": 4,
    "/intake/figures": 3,
    "/dispatch/board": 2,
    "/dispatch/work-orders/…": 1,
    "/dispatch/hours": 2,
    "/finance/daily": 1,
    "/finance/receipts/…": 1,
    "/finance/settlements/…/…": 2,
    "/finance/reserve/…/statement": 1,
    "/finance/prices/…": 1,
    "/hr/payouts": 2,
    "/hr/income": 2,
    "/hr/cases/…": 2,
}
"""Pages that people print as they see them, and the sheets of A4 each may take."""

A_SHIFT = 0.02
"""How much of a page may move while it loads (cumulative layout shift)."""

WATCHED = """
window.shown = { shift: 0, largest: null, came: 0 };
document.addEventListener("htmx:afterRequest", () => { window.shown.came += 1; });
new PerformanceObserver((list) => {
  for (const one of list.getEntries()) if (!one.hadRecentInput) window.shown.shift += one.value;
}).observe({ type: "layout-shift", buffered: true });
new PerformanceObserver((list) => {
  const { element, url } = list.getEntries().at(-1);
  const sized = !!element?.getAttribute("width") && !!element?.getAttribute("height");
  window.shown.largest = { url, sized, name: element?.tagName ?? "", text: element?.textContent ?? "" };
}).observe({ type: "largest-contentful-paint", buffered: true });
"""
"""Notes from a page's first moment on how much it moves, the largest thing it shows, and how many parts have come."""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with reachable_folder() as folder, chromium(folder) as started:
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
def site(lived_month: LivedMonth) -> Site:
    base_url = Address.read(lived_month.stack.data).base_url
    people = {role: person.id for role, person in lived_month.stack.people().items()}
    known = Site(base_url, people)
    for role in ROLES:
        with httpx.Client(base_url=base_url, cookies=known.session(role), follow_redirects=True, timeout=30) as reader:
            waiting = ["/hr/"]
            while waiting:
                path = waiting.pop()
                answer = reader.get(path, headers={"Accept": "text/html", "Accept-Language": "zh-CN"})
                if answer.status_code != 200:
                    known.refused.append(f"{role} {path} {answer.status_code}")
                    known.found.pop((role, kind_of(path)), None)
                    continue
                here = str(answer.url).removeprefix(base_url)
                known.found.setdefault((role, kind_of(here)), here)
                for link in map(unescape, re.findall(r'<a\b[^>]*\bhref="([^"]*)"', answer.text)):
                    if is_page(link) and (role, kind_of(link)) not in known.found:
                        known.found[role, kind_of(link)] = link
                        waiting.append(link)
    return known


class Looked:
    """What was found wrong with the pages in one language, by what was looked for, and what pages print as."""

    def __init__(self) -> None:
        self.wrong: defaultdict[str, list[str]] = defaultdict(list)
        self.printed: dict[str, tuple[bytes, int]] = {}
        """Page -> its print, and how many pixels of it are beyond the edge of the sheet."""

    def at(self, visitor: Visitor, measured: CDPSession, kind: str, path: str) -> None:
        """Open a page as on a first visit, and look at it in every width."""
        page, sent = visitor.page, Sent(measured)
        answer = page.goto(path)
        assert answer is not None
        assert answer.status == 200, f"{path}: {answer.status}"
        source = answer.text()
        until(page, "window.shown.largest")
        until(page, "window.shown.came >= document.querySelectorAll('[hx-trigger*=load]').length")
        page.evaluate("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
        self._budget(page, kind, sent)
        self._largest(page, kind, source)
        policy = answer.headers["content-security-policy"]
        if "unsafe" in policy or "default-src 'none'" not in policy:
            self.wrong["policy"].append(f"{kind}: {policy}")
        if page.title().startswith("!"):
            self.wrong["said"].append(f"{kind} opens with an error")
        for size in (DESK, PHONE):
            page.set_viewport_size(size)
            self.wrong["axe"] += [f"{kind} at {size['width']}: {fault}" for fault in axe(page)]
        page.set_viewport_size(NARROW)
        if (wider := sideways(page)) > 0:
            self.wrong["sideways"].append(f"{kind} is {wider} px too wide at 320 px")
        page.set_viewport_size(DESK)
        if kind in PRINTED:
            self._print(page, kind)
        page.evaluate("document.documentElement.style.fontSize = '200%'")
        if (wider := sideways(page)) > 0:
            self.wrong["sideways"].append(f"{kind} is {wider} px too wide with text of 200 %")

    def _budget(self, page: Page, kind: str, sent: "Sent") -> None:
        most = 2 * MOST_BYTES if page.query_selector("#signature, .sheet") else MOST_BYTES
        if sent.bytes > most:
            self.wrong["budget"].append(f"{kind}: {sent.bytes:.0f} bytes")
        pictures = page.locator("main img").count()
        if len(sent.urls) > MOST_REQUESTS + pictures:
            self.wrong["budget"].append(f"{kind}: {len(sent.urls)} requests: {[*sent.urls.values()]}")
        if (shift := page.evaluate("window.shown.shift")) > A_SHIFT:
            self.wrong["budget"].append(f"{kind}: moves by {shift:.3f}")

    def _largest(self, page: Page, kind: str, source: str) -> None:
        """The largest thing shown (LCP) is in the first answer, and nothing but the one style is awaited for it."""
        largest = page.evaluate("window.shown.largest")
        if largest["url"]:
            there = largest["sized"] and urlsplit(largest["url"]).path in source
        else:
            there = bare(largest["text"]) in bare(re.sub(r"<[^>]+>", "", unescape(source)))
        if not there:
            self.wrong["largest"].append(f"{kind}: {largest}")
        awaited = page.eval_on_selector_all(
            "link[rel=stylesheet], script[src]:not([defer]):not([async]):not([type=module])",
            "all => all.map(one => one.href ?? one.src)",
        )
        if len(awaited) != 1:
            self.wrong["largest"].append(f"{kind}: awaits {awaited}")

    def _print(self, page: Page, kind: str) -> None:
        page.emulate_media(media="print")
        page.set_viewport_size({"width": SHEET_PX, "height": 1000})
        beyond = sideways(page)
        self.printed[kind] = (page.pdf(format="A4", margin=MARGIN), beyond)
        page.emulate_media(media="screen")
        page.set_viewport_size(DESK)


def bare(words: str) -> str:
    """Words alone: spaces, and the figures of a clock that runs, are no matter."""
    return re.sub(r"[\s\d]", "", words)


class Sent:
    """What a browser is sent from now on."""

    def __init__(self, measured: CDPSession) -> None:
        self.bytes = 0.0
        self.urls: dict[str, str] = {}
        measured.on("Network.loadingFinished", self._finished)
        measured.on("Network.requestWillBeSent", self._asked)

    def _finished(self, event: dict[str, Any]) -> None:
        self.bytes += event["encodedDataLength"]

    def _asked(self, event: dict[str, Any]) -> None:
        if not event["request"]["url"].startswith("data:"):
            self.urls[event["requestId"]] = event["request"]["url"]


@pytest.fixture(scope="module", params=["zh", "en"])
def looked(site: Site, browser: Browser, request: pytest.FixtureRequest) -> Looked:
    found = Looked()
    for role in ROLES:
        visitor = Visitor(browser, site.base_url, language=request.param)
        visitor.context.add_init_script(WATCHED)
        visitor.sign_in(site.session(role))
        for kind, path in site.first_met_by(role):
            measured = visitor.context.new_cdp_session(visitor.page)
            measured.send("Network.enable")
            measured.send("Network.setCacheDisabled", {"cacheDisabled": True})  # as on a first visit
            found.at(visitor, measured, kind, path)
            measured.detach()
        found.wrong["elsewhere"] += visitor.elsewhere
        found.wrong["said"] += visitor.problems
        visitor.close()
    return found


def test_no_page_offers_what_its_reader_is_refused(site: Site) -> None:
    assert not site.refused, "\n".join(site.refused)


def test_every_role_finds_more_than_his_account(site: Site) -> None:
    pages = {role: [kind for who, kind in site.found if who == role] for role in ROLES}
    assert all(len(kinds) >= 4 for kinds in pages.values()), pages


PROMISES = {
    "axe": "no page has a fault that axe finds, at a desk or on a phone",
    "said": "no page opens with an error, or with one in the console",
    "elsewhere": "no page asks another host",
    "sideways": "no page scrolls sideways at 320 px, or at a desk with text of 200 %",
    "budget": "every page keeps to its bytes, its requests, and where it is",
    "largest": "the largest thing of every page comes with its first answer",
    "policy": "every page has a policy that allows nothing unsafe",
}


@pytest.mark.parametrize("what", PROMISES)
def test_every_page_keeps_what_is_promised_of_all(looked: Looked, what: str) -> None:
    wrong = looked.wrong[what]
    assert not wrong, "\n".join([f"not so: {PROMISES[what]}", *wrong])


def test_what_people_print_from_the_screen_fills_the_sheets_it_should(looked: Looked, tmp_path: Path) -> None:
    assert looked.printed.keys() == PRINTED.keys()
    taken = {kind: sheets(pdf_file(tmp_path, pdf))[0] for kind, (pdf, _) in looked.printed.items()}
    assert not {kind: count for kind, count in taken.items() if not 1 <= count <= PRINTED[kind]}
    assert not {kind: beyond for kind, (_, beyond) in looked.printed.items() if beyond > 0}
