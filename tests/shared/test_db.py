"""The connections of a process."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from sqlalchemy.engine import make_url

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


def test_a_line_is_opened_whatever_the_address_says_of_what_we_say_too(template: str) -> None:
    url = make_url(template).update_query_dict({"application_name": "theirs", "connect_timeout": "3"})

    async def who_is_there() -> str:
        at = db.Database("hr", url.render_as_string(hide_password=False), pool_size=1)
        async with await at.line() as line:
            (name,) = await (await line.execute("SHOW application_name")).fetchone() or ("nobody",)
        return str(name)

    assert asyncio.run(who_is_there()) == "bianmin-hr"
