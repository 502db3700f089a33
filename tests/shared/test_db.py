"""The connections of a process."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest

from shared import db
from shared.db import close_databases, database


@pytest.mark.usefixtures("installation")
def test_threads_that_ask_first_at_the_same_time_are_given_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    """Another one's connections would be nobody's, and never closed."""
    together = Barrier(8)
    make = db.Database

    def slowly(*args: object, **named: object) -> db.Database:
        made = make(*args, **named)  # type: ignore[arg-type]
        threads.submit(lambda: None).result()  # others go on meanwhile
        return made

    def ask(_: int) -> db.Database:
        together.wait(30)
        return database("intake")

    monkeypatch.setattr(db, "Database", slowly)
    with ThreadPoolExecutor(9) as threads:
        assert len(set(map(id, threads.map(ask, range(8))))) == 1


@pytest.mark.usefixtures("installation")
def test_what_is_closed_is_made_anew() -> None:
    first = database("intake")
    assert database("intake", db.WEB) is first
    assert database("intake", db.WORKER) is not first
    close_databases()
    assert database("intake") is not first
