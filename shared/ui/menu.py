"""The menu: every page somebody begins at, in whichever service it is, and the roles it is for.

The one place that knows the pages of all services. A test compares the roles with the permission each page asks for.
"""

from dataclasses import dataclass
from typing import get_args

from shared.messages import Role


@dataclass(frozen=True)
class Entry:
    """A page of the menu: what it is called, where it is, and for whom."""

    name: str
    path: str
    icon: str
    roles: tuple[Role, ...]
    group: str = ""


MENU: tuple[Entry, ...] = (
    Entry("接单台", "/intake/board", "phone", ("clerk", "desk_head", "head", "auditor")),
    Entry("我的账户", "/hr/account", "people", get_args(Role)),
)


def menu_of(role: Role) -> list[Entry]:
    """What somebody of this role may open, the page he begins with first."""
    return [entry for entry in MENU if role in entry.roles]
