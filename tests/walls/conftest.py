"""The month is lived once for all tests of the walls, which change nothing."""

from collections.abc import Iterator

import pytest
from sqlalchemy import NullPool, create_engine, text
from sqlalchemy.engine import make_url

from shared.db import close_databases
from shared.installation import prepare
from shared.settings import settings
from tests.bianmin.town import live_a_month
from tests.conftest import START
from tests.walls.house import LivedTown, hire_everybody
from tests.walls.statements import noted

SECRET = "the-founder-of-two-sites"


@pytest.fixture(scope="session")
def town(template: str) -> Iterator[LivedTown]:
    """April 2026 at two sites of one company, and one person of each role at the first alone."""
    server = create_engine(
        make_url(template).set(database="postgres"), isolation_level="AUTOCOMMIT", poolclass=NullPool
    )
    with server.connect() as connection:
        connection.execute(text("CREATE DATABASE two_sites"))
    url = make_url(template).set(database="two_sites").render_as_string(hide_password=False)
    prepare(url, simulated_at=START.isoformat())
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("BIANMIN_DATABASE_URL", url)
        environment.setenv("BIANMIN_FOUNDER_SECRET", SECRET)
        environment.setenv("BIANMIN_LOG_LEVEL", "error")
        environment.setenv("BIANMIN_DESCRIBE_PUBLICLY", "true")
        settings.cache_clear()
        close_databases()
        with noted() as statements:
            client, cast = live_a_month(url, SECRET, "BK", "QN")
        yield LivedTown(url, client, cast, *hire_everybody(client, cast), statements)
        close_databases()
    settings.cache_clear()
    with server.connect() as connection:
        connection.execute(text("DROP DATABASE two_sites WITH (FORCE)"))
