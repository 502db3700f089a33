"""`make screenshots`: pictures of the screens, in both languages, into docs/screens, of a month that was lived.

`python -m tests.screenshots FOLDER` takes them of an installation that runs in that data folder; without one it lives a
month and the morning after in a new one first.
"""

import json
import sys
import tempfile
from pathlib import Path

from playwright.sync_api import Browser

from bianmin.address import Address
from tests.browser import DESK, PHONE, Visitor, chromium, session_of
from tests.stack import running

INTO = Path(__file__).resolve().parent.parent / "docs" / "screens"

SCREENS = (
    ("callback-board", "clerk", "/intake/board", DESK),
    ("requests", "clerk", "/intake/requests", DESK),
    ("month-figures", "desk_head", "/intake/figures", DESK),
    ("assignment-board", "head", "/dispatch/board", DESK),
    ("my-jobs", "worker", "/dispatch/jobs", PHONE),
    ("my-income", "worker", "/hr/income", PHONE),
    ("fees", "clerk", "/finance/charges", DESK),
    ("cashiers-day", "cashier", "/finance/daily", DESK),
    ("month-close", "finance_lead", "/finance/settlements", DESK),
    ("approvals", "leader", "/finance/approvals", DESK),
    ("payouts", "hr", "/hr/payouts", DESK),
    ("cases", "leader", "/hr/cases", DESK),
    ("queues", "operator", "/intake/queues", DESK),
    ("audit-log", "auditor", "/intake/audit-log", DESK),
)
"""Name of the picture, whose screen it is, where, and on what."""


def take(browser: Browser, data: Path) -> None:
    """Every screen in both languages."""
    base_url = Address.read(data).base_url
    people = {one["role"]: one["id"] for one in reversed(json.loads((data / "people.json").read_text("utf-8")))}
    sessions = {role: session_of(base_url, people[role]) for role in {role for _, role, _, _ in SCREENS}}
    for language in ("zh", "en"):
        (INTO / language).mkdir(parents=True, exist_ok=True)
        for name, role, path, size in SCREENS:
            visitor = Visitor(browser, base_url, language=language, size=size)
            visitor.sign_in(sessions[role])
            visitor.go(path).screenshot(path=INTO / language / f"{name}.png")
            visitor.close()


def main() -> None:
    """Of the installation named, or of a new one."""
    with tempfile.TemporaryDirectory(prefix="bm-screens-") as folder, chromium(Path(folder)) as browser:
        if len(sys.argv) > 1:
            take(browser, Path(sys.argv[1]))
            return
        with running(Path(folder) / "data", "--simulate", "2026-03-31T16:00:00+00:00") as stack:
            for command in (("month", "--results", str(Path(folder) / "results")), ("morning",)):
                done = stack.bianmin(*command)
                if done.returncode:
                    raise SystemExit(done.stdout + done.stderr)
            take(browser, stack.data)


if __name__ == "__main__":
    main()
