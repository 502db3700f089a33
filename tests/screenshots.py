"""`make screenshots`: pictures of the screens, in both languages, into docs/screens, of a month that was lived.

`python -m tests.screenshots FOLDER` takes them of an installation that runs in that data folder; without one it lives a
month and the morning after in a new one first.
"""

import io
import json
import re
import sys
from dataclasses import dataclass
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, Page

from bianmin.address import Address
from tests.browser import DESK, LANGUAGES, PHONE, Visitor, chromium, session_of
from tests.folders import reachable_folder
from tests.stack import running

INTO = Path(__file__).resolve().parent.parent / "docs" / "screens"

COLOURS = 128
"""Of a picture; the pages have fewer that matter."""


@dataclass(frozen=True)
class Screen:
    """A picture: its name, whose screen it is (nobody's where empty), where it begins and what is followed from there.

    `then` are beginnings of addresses: of each the first link of the page is followed. `refused` is a page that must
    not answer 200.
    """

    name: str
    role: str
    path: str
    then: tuple[str, ...] = ()
    phone: bool = False
    refused: bool = False


SCREENS = (
    Screen("sign-in", "", "/hr/login"),
    Screen("callback-board", "clerk", "/intake/board"),
    Screen("homes", "clerk", "/intake/homes"),
    Screen("requests", "clerk", "/intake/requests"),
    Screen("request", "clerk", "/intake/board", ("/intake/requests/",)),
    Screen("notices", "clerk", "/intake/notices"),
    Screen("notice", "clerk", "/intake/notices", ("/intake/requests/",)),
    Screen("fees", "clerk", "/finance/charges"),
    Screen("fee", "clerk", "/finance/charges", ("/finance/charges/",)),
    Screen("my-cash", "clerk", "/finance/my-cash"),
    Screen("revisits", "clerk", "/intake/revisits"),
    Screen("revisit", "clerk", "/intake/revisits", ("/intake/requests/",)),
    Screen("month-comparison", "desk_head", "/intake/months?month=2026-04", ("/intake/months/",)),
    Screen("month-figures", "desk_head", "/intake/figures?month=2026-04"),
    Screen("assignment-board", "head", "/dispatch/board"),
    Screen("assignment-board-phone", "head", "/dispatch/board", phone=True),
    Screen("support", "head", "/dispatch/support", phone=True),
    Screen("my-jobs", "worker", "/dispatch/jobs", phone=True),
    Screen("job", "worker", "/dispatch/jobs", ("/dispatch/work-orders/",), phone=True),
    Screen("signature", "worker", "/dispatch/jobs", ("/dispatch/work-orders/", r".*/sign$"), phone=True),
    Screen("my-income", "worker", "/hr/income", phone=True),
    Screen("menu", "worker", "/hr/menu", phone=True),
    Screen("cashiers-day", "cashier", "/finance/daily"),
    Screen("counting", "cashier", "/finance/daily", ("/finance/hand-overs/",)),
    Screen("receipt-books", "cashier", "/finance/receipt-books"),
    Screen("deposits", "cashier", "/finance/deposits"),
    Screen("differences", "finance_lead", "/finance/differences"),
    Screen("month-close", "finance_lead", "/finance/settlements"),
    Screen("settlement", "finance_lead", "/finance/settlements", ("/finance/settlements/",)),
    Screen("fines", "finance_lead", "/finance/fines"),
    Screen("approvals", "leader", "/finance/approvals"),
    Screen("approvals-phone", "leader", "/finance/approvals", phone=True),
    Screen("price-change", "leader", "/finance/approvals", ("/finance/prices/",)),
    Screen("cases", "leader", "/hr/cases"),
    Screen("case-to-decide", "leader", "/hr/approvals", ("/hr/cases/",)),
    Screen("payouts", "hr", "/hr/payouts"),
    Screen("payout", "hr", "/hr/payouts", ("/hr/payouts/",)),
    Screen("monthly-report", "administration", "/hr/reports"),
    Screen("people", "administrator", "/hr/people"),
    Screen("sites", "administrator", "/hr/sites"),
    Screen("queues", "operator", "/intake/queues"),
    Screen("audit-log", "auditor", "/intake/audit-log"),
    Screen("account", "clerk", "/hr/account"),
    Screen("no-permission", "clerk", "/hr/payouts", refused=True),
    Screen("not-found", "clerk", "/hr/nothing", refused=True),
)


def take(browser: Browser, data: Path, language: str) -> None:
    """Every screen in a language."""
    base_url = Address.read(data).base_url
    people = {one["role"]: one["id"] for one in reversed(json.loads((data / "people.json").read_text("utf-8")))}
    sessions = {role: session_of(base_url, people[role]) for role in {one.role for one in SCREENS} - {""}}
    (INTO / language).mkdir(parents=True, exist_ok=True)
    for screen in SCREENS:
        visitor = Visitor(browser, base_url, language=language, size=PHONE if screen.phone else DESK)
        if screen.role:
            visitor.sign_in(sessions[screen.role])
        (INTO / language / f"{screen.name}.png").write_bytes(small(look(visitor, screen).screenshot()))
        visitor.close()


def look(visitor: Visitor, screen: Screen) -> Page:
    """The page of a screen."""
    if screen.refused:
        visitor.page.goto(screen.path)
        return visitor.page
    page = visitor.go(screen.path)
    for wanted in screen.then:
        addresses = page.locator("main a").evaluate_all("(all) => all.map((one) => one.getAttribute('href'))")
        found = [address for address in addresses if re.match(wanted, address) and address != screen.path]
        assert found, f"{screen.name}: no link to {wanted}"
        page = visitor.go(found[0])
    return page


def small(picture: bytes) -> bytes:
    """The picture with few colours, as a smaller PNG."""
    written = io.BytesIO()
    plain = Image.open(io.BytesIO(picture)).convert("RGB").quantize(COLOURS, dither=Image.Dither.NONE)
    plain.save(written, "PNG", optimize=True)
    return written.getvalue()


def take_all(folder: Path, data: Path) -> None:
    """Every screen in both languages; a browser of each, for it writes the dates in its own."""
    for language, locale in LANGUAGES.items():
        with chromium(folder, locale=locale) as browser:
            take(browser, data, language)


def main() -> None:
    """Of the installation named, or of a new one."""
    with reachable_folder() as folder:
        if len(sys.argv) > 1:
            take_all(folder, Path(sys.argv[1]))
            return
        with running(folder / "data", "--simulate", "2026-03-31T16:00:00+00:00") as stack:
            for command in (("month", "--results", str(folder / "results")), ("morning",)):
                done = stack.bianmin(*command)
                if done.returncode:
                    raise SystemExit(done.stdout + done.stderr)
            take_all(folder, stack.data)


if __name__ == "__main__":
    main()
