"""The database's own time, never the simulated one, without a round trip for each message.

It is asked once a minute, over a connection of its own that is part of no transaction, and counted on by the steady
clock of this process in between. So a host whose clock is wrong, or is set, changes nothing of what is valid.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from time import monotonic

from sqlalchemy import NullPool, create_engine, text

from shared.db import GONE, Database

ASK_SECONDS = 60.0


class Moment:
    """See the module."""

    def __init__(self, where: Callable[[], Database]) -> None:
        self._where = where
        self._asked: tuple[datetime, float] | None = None

    def now(self) -> datetime:
        """What time it is; raises OperationalError when the database has to be asked and is away."""
        if self._asked is None or not 0 <= monotonic() - self._asked[1] <= ASK_SECONDS:
            self._asked = (self._ask(), monotonic())
        told, at = self._asked
        return told + timedelta(seconds=monotonic() - at)

    def _ask(self) -> datetime:
        engine = create_engine(self._where().engine.url, poolclass=NullPool, connect_args=GONE)
        with engine.connect() as connection:
            moment: datetime = connection.execute(text("SELECT pg_catalog.clock_timestamp()")).scalar_one()
        return moment
