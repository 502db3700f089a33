"""A desk that takes money, many clerks at once, and remembers each receipt it was told is committed."""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field

from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from bianmin.children import wait_until
from services.finance.rules.receipt import LONGEST_BOOK
from shared.db import WORKER, Database
from tests.recovery.cluster import Cluster
from tests.services.finance.office import Office

CLERKS = 4


@dataclass
class Desk:
    """Four sites of a cluster, a clerk at each; `acknowledged` is what the owners of the homes hold in their hands."""

    cluster: Cluster
    offices: list[Office] = field(default_factory=list)
    acknowledged: dict[str, int] = field(default_factory=dict)
    """Number of the receipt -> fen."""

    def open(self) -> None:
        """The sites, with books of receipts enough."""
        database = self.database()
        for number in range(CLERKS):
            with database.session() as session:
                office = Office(session, code=f"S{number}")
                office.begin()
                for first in (61, 61 + LONGEST_BOOK):
                    office.book(first, first + LONGEST_BOOK - 1)
            self.offices.append(office)
        database.engine.dispose()

    def database(self) -> Database:
        return Database("finance", self.cluster.url, pool_size=CLERKS, limits=WORKER)

    def take_fee(self, database: Database, office: Office) -> None:
        """A job from its notice to its receipt and journal, committed; and then the owner of the home has his paper."""
        with database.session() as session:
            office.session = session
            receipt = office.paid(10000 + office.jobs)
        assert receipt.amount_fen is not None
        self.acknowledged[receipt.number] = receipt.amount_fen

    def take(self, count: int) -> None:
        """So many receipts, one after the other."""
        database = self.database()
        for number in range(count):
            self.take_fee(database, self.offices[number % CLERKS])
        database.engine.dispose()

    def busy_until(self, disaster: Callable[[], None], *, receipts: int) -> None:
        """All clerks take fees until, after so many more receipts, the disaster strikes in the middle of it."""
        database, goal = self.database(), len(self.acknowledged) + receipts
        struck = threading.Event()
        failures: list[DBAPIError] = []

        def work(office: Office) -> None:
            try:
                while True:
                    self.take_fee(database, office)
            except DBAPIError as failure:
                if not struck.is_set():
                    failures.append(failure)

        clerks = [threading.Thread(target=work, args=(office,)) for office in self.offices]
        for clerk in clerks:
            clerk.start()
        wait_until(f"{receipts} receipts", lambda: len(self.acknowledged) >= goal or bool(failures), seconds=120)
        struck.set()
        disaster()
        for clerk in clerks:
            clerk.join()
        database.engine.dispose()
        assert not failures, failures

    def held(self) -> dict[str, int]:
        """The used receipts the database knows: number -> fen."""
        with self.cluster.engine().connect() as connection:
            rows = connection.execute(text("SELECT number, amount_fen FROM finance.receipts WHERE state = 'used'"))
            return {row.number: row.amount_fen for row in rows}
