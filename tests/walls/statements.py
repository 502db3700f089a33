"""Every statement the services send to the database: who sends it, what it asks for, which sites it acts for."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, event

from shared.db import SERVICES

ROOT = str(Path(__file__).parents[2])
BENEATH = ("shared/db.py", "shared/paging.py", "shared/tasks.py")
"""What sends statements for others."""


READS = ("SELECT", "WITH", "UPDATE", "DELETE")
"""How a statement begins that looks for rows; a plain insert does not."""


@dataclass(frozen=True)
class Asked:
    """A statement of a service, the function that sends it, the values of its last use, and `app.sites` then."""

    service: str
    by: str
    statement: str
    values: Any
    sites: str


Statements = dict[tuple[str, str, int], Asked]
"""Service, statement, and whether it acts for none, one, several (2) or all sites (-1) -> its last use."""


@contextmanager
def noted() -> Iterator[Statements]:
    """While the block lasts, what the services send to find rows is noted."""
    found: Statements = {}

    def note(connection: Connection, cursor: Any, statement: str, values: Any, _: Any, many: bool) -> None:
        service = cursor.connection.info.parameter_status("application_name").removeprefix("bianmin-")
        by = _sender()
        if service not in SERVICES or not by or not statement.lstrip(" \n(").startswith(READS):
            return
        (sites,) = cursor.connection.execute("SELECT coalesce(current_setting('app.sites', true), '')").fetchone()
        howmany = -1 if sites == "*" else min(2, sites.count(",") + bool(sites))
        found[service, statement, howmany] = Asked(service, by, statement, values[0] if many else values, sites)

    event.listen(Engine, "before_cursor_execute", note)
    try:
        yield found
    finally:
        event.remove(Engine, "before_cursor_execute", note)


def _sender() -> str:
    """The function of ours that sends the statement under way; nothing when it is a test."""
    frame = sys._getframe(1)
    while frame := frame.f_back:  # type: ignore[assignment]
        path = frame.f_code.co_filename.removeprefix(f"{ROOT}/")
        if path.startswith(("tests/", "bianmin/")):
            return ""
        if path.startswith(("services/", "shared/")) and path not in BENEATH:
            return f"{path} {frame.f_code.co_name}"
    return ""
