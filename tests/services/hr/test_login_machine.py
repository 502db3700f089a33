"""Signing in, whatever happens in whatever order: one person, some browsers, a clock that moves [promises 21, 22].

True after every step, whatever it was:

- a browser is let in exactly while its session has neither ended nor run out, and its person has not left;
- of the tries at an account in any quarter of an hour ten are tried, and the rest are refused unread;
- who is let in gave the password of now and, once a factor is confirmed, a code that nobody used before;
- of two who use the same code at once one is let in;
- an invitation is taken once, within three days, and by its newest secret alone;
- a new password, its person's leaving and whoever ends all sessions end every session there is.
"""

import itertools
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from types import SimpleNamespace
from typing import Any

import argon2
import pyotp
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from services.hr.rules import hashing
from tests.cases import cases
from tests.services.hr.front_door import Browser, Door, forget_tries

PASSWORDS = ["seven otters swim upstream", "nine herons sleep standing", "two badgers dig at midnight"]
WRONG = "eleven geese cross the road"
TRIES, WINDOW = 10, timedelta(minutes=15)
IDLE, ABSOLUTE, INVITED = timedelta(minutes=480), timedelta(hours=12), timedelta(days=3)

SEVERAL = settings(
    max_examples=min(cases(12), 1000),
    stateful_step_count=25,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)

_names = itertools.count(1)


@dataclass
class Open:
    """A session as it should be."""

    browser: Browser
    begun: datetime
    used: datetime
    ended: bool = False

    def good(self, now: datetime) -> bool:
        return not self.ended and now < min(self.used + IDLE, self.begun + ABSOLUTE)


@dataclass
class Factor:
    """The second factor as it should be."""

    secret: str
    confirmed: bool = False
    used: int = 0
    recovery: list[str] = field(default_factory=list)
    spent: set[str] = field(default_factory=set)


class SigningIn(RuleBasedStateMachine):
    """What a person, a guesser and an administrator do, against what should come of it."""

    door: Door
    passing: SimpleNamespace

    @initialize()
    def begin(self) -> None:
        self.login = f"person{next(_names)}"
        self.person_id = self.door.hire("clerk", "front_desk", login=self.login, password=PASSWORDS[0])
        self.password = PASSWORDS[0]
        self.now = self.door.now()
        self.sessions: list[Open] = []
        self.tries: list[datetime] = []
        self.factor: Factor | None = None
        self.secret = ""
        self.old_secrets: list[str] = []
        self.invited_at = self.now
        self.active = True

    # --- what should happen ------------------------------------------------------------------------------------------

    def tried(self) -> bool:
        """Count a try; whether it is one of the ten."""
        if len(self.tries) >= TRIES and self.tries[-TRIES] >= self.now - WINDOW:
            return False
        self.tries.append(self.now)
        return True

    def takes(self, code: str | None) -> bool:
        """Whether the factor, if any, lets this code through, which uses it up."""
        if self.factor is None or not self.factor.confirmed:
            return True
        if code is None:
            return False
        if code in self.factor.recovery and code not in self.factor.spent:
            self.factor.spent.add(code)
            return True
        step = int(self.now.timestamp()) // 30
        right = [s for s in (step - 1, step, step + 1) if self.shown(s) == code and s > self.factor.used]
        if right:
            self.factor.used = right[0]
        return bool(right)

    def shown(self, step: int) -> str:
        assert self.factor is not None
        return pyotp.TOTP(self.factor.secret).generate_otp(step)

    def proves(self, password: str, code: str | None) -> int:
        """The status of what proves who one is: 0 when it goes through."""
        if not self.tried():
            return 429
        return 0 if password == self.password and self.active and self.takes(code) else 401

    def all_end(self) -> None:
        for session in self.sessions:
            session.ended = True

    def code(self, kind: int) -> str | None:
        """None, the code of now, that of half a minute ago, a recovery code, a code of nothing."""
        if kind == 0 or self.factor is None:
            return None
        step = int(self.now.timestamp()) // 30
        recovery = self.factor.recovery or ["aaaaaaaaaaaaaaaa"]
        return [self.shown(step), self.shown(step - 1), recovery[0], recovery[-1], "000000"][kind - 1]

    def api(self, path: str, **body: Any) -> Any:
        return Browser(self.door.web, address=f"10.{next(_names) % 250}.{next(_names) % 250}.1").http.post(
            f"/api{path}", json={"login": self.login, **body}
        )

    def open_browser(self) -> Browser:
        return self.door.browser(address=f"10.{next(_names) % 250}.{next(_names) % 250}.2")

    # --- what happens ------------------------------------------------------------------------------------------------

    @rule(password=st.sampled_from([*PASSWORDS, None, None, None, WRONG]), kind=st.integers(0, 5))
    def sign_in(self, password: str | None, kind: int) -> None:
        password, code, browser = password or self.password, self.code(kind), self.open_browser()
        answer = browser.sign_in(self.login, password, code)
        assert answer.status_code == (self.proves(password, code) or 201), answer.text
        if answer.is_success:
            self.sessions.append(Open(browser, self.now, self.now))

    @rule(kind=st.integers(1, 5))
    def two_sign_in_at_once_with_one_code(self, kind: int) -> None:
        code, browsers = self.code(kind), [self.open_browser(), self.open_browser()]
        with ThreadPoolExecutor(2) as pool:
            answers = list(pool.map(lambda one: one.sign_in(self.login, self.password, code), browsers))
        expected = sorted(self.proves(self.password, code) or 201 for _ in browsers)
        assert sorted(answer.status_code for answer in answers) == expected
        self.sessions += [
            Open(browser, self.now, self.now)
            for browser, answer in zip(browsers, answers, strict=True)
            if answer.is_success
        ]

    @rule(howmany=st.integers(2, 14))
    def guess(self, howmany: int) -> None:
        answers = [self.open_browser().sign_in(self.login, WRONG).status_code for _ in range(howmany)]
        assert answers == [self.proves(WRONG, None) for _ in range(howmany)]

    @rule(given=st.sampled_from([*PASSWORDS, None, None]), new=st.sampled_from(PASSWORDS), kind=st.integers(0, 3))
    def change_password(self, given: str | None, new: str, kind: int) -> None:
        given, code = given or self.password, self.code(kind)
        answer = self.api("/password", password=given, totp=code, new_password=new)
        assert answer.status_code == (self.proves(given, code) or 204), answer.text
        if answer.is_success:
            self.password = new
            self.all_end()

    @precondition(lambda self: self.active)
    @rule()
    def invite(self) -> None:
        self.old_secrets += [self.secret] if self.secret else []
        self.secret, self.invited_at = self.door.invite(self.person_id, self.login), self.now

    @rule(new=st.sampled_from(PASSWORDS), old=st.booleans())
    def accept(self, new: str, *, old: bool) -> None:
        secret = self.old_secrets[-1] if old and self.old_secrets else self.secret
        if not secret:
            return
        open_ = secret == self.secret and self.now < self.invited_at + INVITED
        answer = self.door.accept(secret, new)
        assert answer.status_code == (404 if not open_ else 201 if self.active else 409), answer.text
        if answer.is_success:
            self.old_secrets.append(self.secret)
            self.secret, self.password = "", new
            self.all_end()

    @rule(kind=st.integers(0, 3), confirms=st.sampled_from([True, True, False]))
    def enrol(self, kind: int, *, confirms: bool) -> None:
        code = self.code(kind)
        answer = self.api("/totp", password=self.password, totp=code)
        assert answer.status_code == (self.proves(self.password, code) or 200), answer.text
        if not answer.is_success:
            return
        self.factor = Factor(answer.json()["secret"])
        step = int(self.now.timestamp()) // 30
        shown = self.shown(step) if confirms else "000000"
        confirmed = self.api("/totp/confirm", password=self.password, code=shown)
        assert confirmed.status_code == (self.proves(self.password, None) or (200 if confirms else 409)), confirmed.text
        if confirmed.is_success:
            self.factor.confirmed, self.factor.used = True, step
            self.factor.recovery = confirmed.json()["codes"]

    @precondition(lambda self: self.sessions)
    @rule(which=st.integers(0, 50), how=st.sampled_from(["renew", "current/end", "end"]))
    def go_on_or_out(self, which: int, how: str) -> None:
        session = self.sessions[which % len(self.sessions)]
        kept = session.browser.cookie
        good = self.active and session.good(self.now)
        answer = session.browser.post(f"/sessions/{how}")
        assert answer.status_code == ((200 if how == "renew" else 204) if good else 401), answer.text
        if not good:
            return
        if how == "end":
            self.all_end()
            return
        session.ended = True
        if how == "renew":
            copied = self.open_browser()  # by somebody who saw the cookie and the token before
            copied.csrf, copied.http.headers["Cookie"] = session.browser.csrf, f"__Host-bianmin={kept}"
            session.browser.csrf = answer.json()["csrf_token"]
            self.sessions.append(Open(session.browser, session.begun, self.now))
            session.browser = copied

    @rule()
    def the_administrator_ends_all(self) -> None:
        answer = self.door.admin(f"/people/{self.person_id}/sessions/end")
        assert answer.status_code == (204 if self.active else 409), answer.text  # who left has none
        self.all_end()

    @rule(chance=st.integers(0, 9))
    def leave(self, chance: int) -> None:
        if chance == 0 and self.active:
            assert self.door.admin(f"/people/{self.person_id}/leave").is_success
            self.active = False
            self.all_end()

    @rule(
        seconds=st.one_of(
            st.integers(1, 90),
            st.sampled_from([15 * 60 - 1, 15 * 60, 15 * 60 + 1, 8 * 3600, 12 * 3600 - 1, 72 * 3600 - 1]),
        )
    )
    def time_passes(self, seconds: int) -> None:
        self.now += timedelta(seconds=seconds)
        self.door.move_clock(self.now)
        self.passing.seconds += seconds

    # --- what is always so -------------------------------------------------------------------------------------------

    @invariant()
    def each_browser_is_let_in_as_long_as_its_session_is_good(self) -> None:
        for session in self.sessions[-4:]:
            expected = 200 if self.active and session.good(self.now) else 401
            assert session.browser.get("/sites").status_code == expected


@pytest.fixture
def door(installation: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Door]:
    """hr's door; the clock of the tries moves with the installation's, and a hash costs little."""
    from services.hr.main import web  # noqa: PLC0415  # wiring reads the settings the fixture made

    monkeypatch.setattr(hashing, "_hasher", argon2.PasswordHasher(time_cost=1, memory_cost=64, parallelism=1))
    forget_tries()
    yield Door(web, installation)
    forget_tries()


def test_signing_in_holds_whatever_happens_in_whatever_order(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    passing = SimpleNamespace(seconds=0.0)
    began = door.now().timestamp()
    monkeypatch.setattr("limits.storage.redis.time", SimpleNamespace(time=lambda: began + passing.seconds))

    class Here(SigningIn):
        """At this door."""

    Here.door, Here.passing = door, passing
    run_state_machine_as_test(Here, settings=SEVERAL)
