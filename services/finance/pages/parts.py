"""What finance's pages share: the colours of states, the filters above lists, and what somebody may still do."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Any, TypedDict, TypeVar
from uuid import UUID

from services.finance.rules.access import MAY
from services.finance.rules.ledger import CHART, Account
from services.finance.rules.split import SplitPolicy
from shared.access import check_four_eyes
from shared.errors import NotFound, RuleBroken
from shared.policy_rows import in_force
from shared.ui.forms import fen_of
from shared.ui.tables import Column
from shared.ui.views import View

E = TypeVar("E", bound=StrEnum)

ROWS = 50
"""Rows of a list's page."""

TONES = {
    "accepted": "warn",
    "collected": "good",
    "noticed": "info",
    "on_hand": "info",
    "carried": "warn",
    "used": "good",
    "voided": "bad",
    "offered": "warn",
    "differs": "bad",
    "stated": "bad",
    "counted": "good",
    "proposed": "warn",
    "draft": "warn",
    "approved": "good",
    "rejected": "bad",
    "open": "info",
    "closed": "warn",
    "agreed": "info",
    "computed": "warn",
    "received": "good",
}
"""State -> the colour of its badge; it is said in words besides."""

SITE = Column("site_id", "小区", "site")


def tone(row: Any) -> str:
    """The colour of a row's state."""
    return TONES.get(row.state, "calm")


def state(heading: str = "状态") -> Column:
    """The column of a state."""
    return Column("state", heading, "badge", tone=tone)


class Paging(TypedDict):
    """Which rows of a list are asked for."""

    after: UUID | None
    limit: int
    newest: bool


def newest(view: View) -> Paging:
    """The page of a list the address asks for, the newest first; all of it for a spreadsheet."""
    return {"after": view.asked_id(), "limit": 10_000 if view.asked("export") else ROWS, "newest": True}


def asked_one(view: View, name: str, of: type[E]) -> E | None:
    """The choice the address asks for; nothing when it is none of them."""
    try:
        return of(view.asked(name) or "")
    except ValueError:
        return None


def month_in(view: View, name: str = "month") -> str | None:
    """The month the address asks for; nothing when it is none."""
    asked = view.asked(name) or ""
    return asked if re.fullmatch(r"[1-9]\d{3}-(0[1-9]|1[0-2])", asked) else None


def month_of_path(month: str) -> str:
    """A month of a path. Raises NotFound for what is none."""
    if not re.fullmatch(r"[1-9]\d{3}-(0[1-9]|1[0-2])", month):
        raise NotFound("month", month)
    return month


def day_in(view: View, name: str) -> date | None:
    """The day the address asks for; nothing when it is none."""
    try:
        return date.fromisoformat(view.asked(name) or "")
    except ValueError:
        return None


def fen_in(view: View, name: str) -> int | None:
    """The amount (fen) the address asks for in yuan; nothing when it is none."""
    fen = fen_of(view.asked(name) or "")
    return fen if isinstance(fen, int) else None


def free(view: View, action: str, **who: UUID | frozenset[UUID] | None) -> bool:
    """Whether he may do it: his role may, and no tie of his to the thing keeps him from it [D18]."""
    if not view.may(action):
        return False
    try:
        check_four_eyes(MAY[action], view.actor, **who)
    except RuleBroken:
        return False
    return True


def percents(view: View, site_id: UUID, at: datetime) -> tuple[str, str, str]:
    """The parts of a hundred of company, workers and reserve at a site at a moment, as people read them [R69-R72]."""
    policy = in_force(view.session, SplitPolicy, site_id=site_id, at=at)
    return f"{policy.company}%", f"{policy.workers}%", f"{policy.reserve}%"


def choices(of: type[StrEnum]) -> list[tuple[str, str]]:
    """A field's choices: every one of these."""
    return [(one.value, one.value) for one in of]


def account_name(view: View, code: str) -> str:
    """What an account is called in the chart."""
    entry = CHART[Account(code)]
    return entry.chinese if view.spoken == "zh" else entry.english.capitalize()


@dataclass(frozen=True)
class Filter:
    """One field of the filter above a list: what the address calls it, its title, and its kind of input."""

    name: str
    title: str
    kind: str = "search"
    choices: Sequence[tuple[str, str]] = ()
    default: str = ""
    """What is chosen where the address does not say."""


def at_site(view: View) -> list[Filter]:
    """The filter by site, for whoever has more than one."""
    return [Filter("site", "小区", "choose", view.choose_sites())] if len(view.sites) > 1 else []


def by_state(of: type[StrEnum], default: str = "") -> Filter:
    """The filter by state."""
    return Filter("state", "状态", "choose", choices(of), default)


BY_MONTH = Filter("month", "月份", "month")
