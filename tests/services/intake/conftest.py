"""The front desk of site BK."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from sqlalchemy import event
from sqlalchemy.orm import Session

from tests.services.intake.desk import Desk, open_desk


@pytest.fixture
def desk(session_of: Callable[[str], Session]) -> Desk:
    return open_desk(session_of("intake"))


@pytest.fixture
def statements(desk: Desk) -> Iterator[list[str]]:
    """Every statement the desk's session sends from here on."""
    sent: list[str] = []

    def keep(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        sent.append(statement)

    engine = desk.session.connection().engine
    event.listen(engine, "before_cursor_execute", keep)
    yield sent
    event.remove(engine, "before_cursor_execute", keep)
