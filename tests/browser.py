"""A real browser, Debian's Chromium, with the fonts of a package: each person in a context of his own."""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.resources import files
from pathlib import Path
from typing import Any

import httpx
from playwright.sync_api import Browser, BrowserContext, Page, ViewportSize, sync_playwright

from tests.debian import needs

FLAGS = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
)
DESK: ViewportSize = {"width": 1366, "height": 800}
PHONE: ViewportSize = {"width": 390, "height": 844}
NARROW: ViewportSize = {"width": 320, "height": 700}

PATIENCE_MS = 30_000
"""How long what comes is awaited on a busy machine; no promise is tested by it."""

LANGUAGES = {"zh": "zh-CN", "en": "en-US"}


@contextmanager
def chromium(folder: Path, *, locale: str = "en-US") -> Iterator[Browser]:
    """The browser, which writes dates as in `locale`; `folder` holds its fonts' configuration and cache."""
    program = needs("chromium", "chromium")
    if locale != "en-US":
        needs(f"/usr/lib/chromium/locales/{locale}.pak", "chromium-l10n")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=program,
            args=[*FLAGS, f"--lang={locale}"],
            env={**os.environ, "FONTCONFIG_FILE": str(_fonts(folder)), "LANGUAGE": locale.replace("-", "_")},
        )
        yield browser
        browser.close()


def _fonts(folder: Path) -> Path:
    packaged = str(files("manimgx_fonts_cjk"))
    config = folder / "fonts.conf"
    config.write_text(
        '<?xml version="1.0"?><!DOCTYPE fontconfig SYSTEM "fonts.dtd"><fontconfig>'
        f"<dir>{packaged}</dir><dir>/usr/share/fonts</dir><cachedir>{folder / 'fonts'}</cachedir></fontconfig>"
    )
    return config


class Visitor:
    """Somebody at a browser: what he saw go wrong on the way is kept."""

    def __init__(
        self,
        browser: Browser,
        base_url: str,
        *,
        language: str = "zh",
        size: ViewportSize | None = None,
        scripts: bool = True,
    ) -> None:
        size = size or DESK
        self.base_url = base_url
        self.context: BrowserContext = browser.new_context(
            viewport=size,
            locale=LANGUAGES[language],
            has_touch=size["width"] < 500,
            java_script_enabled=scripts,
            base_url=base_url,
        )
        self.problems: list[str] = []
        self.elsewhere: list[str] = []
        self.page: Page = self.open()

    def open(self) -> Page:
        """Another tab."""
        page = self.context.new_page()
        page.on("console", lambda said: self.problems.append(said.text) if said.type == "error" else None)
        page.on("pageerror", lambda error: self.problems.append(str(error)))
        page.on("request", lambda asked: self._note(asked.url))
        return page

    def _note(self, url: str) -> None:
        if not url.startswith((self.base_url, "data:", "blob:")):
            self.elsewhere.append(url)

    def sign_in(self, session: dict[str, str]) -> None:
        """With the session's cookie, as `session_of` gives it."""
        self.context.add_cookies(
            [{"name": name, "value": value, "url": self.base_url} for name, value in session.items()]
        )

    def go(self, path: str) -> Page:
        """Open a page of ours; fails when it does not answer 200."""
        answer = self.page.goto(path)
        assert answer is not None
        assert answer.status == 200, f"{path}: {answer.status}"
        return self.page

    def close(self) -> None:
        """Leave."""
        self.context.close()


def session_of(base_url: str, person_id: str) -> dict[str, str]:
    """A session of somebody of a simulation, begun without a password: its cookie."""
    origin = {"Origin": base_url, "Sec-Fetch-Site": "same-origin"}
    answer = httpx.post(f"{base_url}/hr/api/demo/sessions", json={"person_id": person_id}, headers=origin)
    assert answer.status_code == 201, answer.text
    return dict(answer.cookies)


def sideways(page: Page) -> int:
    """How many pixels the page is wider than its window."""
    wider: int = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    return wider


def until(page: Page, condition: str) -> None:
    """Wait until it is so on the page; its policy, which allows no eval, allows no `wait_for_function` either."""
    page.evaluate(
        "new Promise((done, fail) => {"
        f" const look = () => ({condition}) ? done() : requestAnimationFrame(look);"
        f" setTimeout(() => fail(new Error('it never was so: ' + {json.dumps(condition)})), {PATIENCE_MS}); look(); }})"
    )


def axe(page: Page) -> list[str]:
    """What axe finds wrong with the page, each with where."""
    from axe_playwright_python.sync_playwright import Axe  # noqa: PLC0415  # slow to load, needed here alone

    if not page.evaluate("'axe' in window"):
        page.evaluate(Axe().axe_script)
    found: list[dict[str, Any]] = page.evaluate(
        "axe.run({ resultTypes: ['violations'] }).then((results) => results.violations)"
    )
    return [f"{one['id']}: {node['target']} {node['failureSummary']}" for one in found for node in one["nodes"]]
