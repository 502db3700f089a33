"""Where services have databases of their own, one is restored to an earlier moment and the others are not."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import UUID

import pytest
from sqlalchemy import text

from bianmin.backup.programs import libpq
from bianmin.backup.restoring import restore
from bianmin.backup.taking import Backup, take
from bianmin.children import Child, wait_until
from bianmin.engines import _broker_program
from bianmin.keys import make_missing
from shared.bus.outbox import publish
from shared.db import WORKER, Database
from shared.ids import new_id
from shared.messages import FineConfirmed
from tests.conftest import START
from tests.people import open_site
from tests.recovery.cluster import Cluster

ROOT = Path(__file__).parent.parent.parent


class House:
    """hr in one cluster, which fines people; finance in another, which hears of it. The broker is always a new one."""

    def __init__(self, hr: Cluster, finance: Cluster, place: Path) -> None:
        self.hr, self.finance, self.place = hr, finance, place
        database = Database("finance", finance.url, pool_size=1, limits=WORKER)
        with database.session() as session:
            self.site_id = open_site(session)
        database.engine.dispose()
        self.fined: set[UUID] = set()

    def fine(self, count: int) -> None:
        """Confirm so many fines of 50 yuan."""
        database = Database("hr", self.hr.url, pool_size=1, limits=WORKER)
        for _ in range(count):
            message = FineConfirmed(
                case_id=new_id(),
                case_number=f"CF-{len(self.fined)}",
                site_id=self.site_id,
                person_id=new_id(),
                person_name="王五",
                offence="private_job",
                month="2026-04",
                amount_fen=5000,
                confirmed_at=START,
            )
            with database.session() as session:
                publish(session, message)
            self.fined.add(message.case_id)
        database.engine.dispose()

    @contextmanager
    def working(self) -> Iterator[None]:
        """Both workers run, on a broker that never heard of anything; ends when nothing is under way."""
        socket = self.place / "broker.sock"
        make_missing(self.place / "keys")
        broker = Child(
            "broker",
            [_broker_program(), "--port", "0", "--unixsocket", str(socket), "--save", "", "--appendonly", "no"],
            log=self.place / "broker.log",
        )
        workers = [
            Child(
                name,
                [
                    *(sys.executable, "-m", "celery", "-A", f"services.{name}.worker:celery", "worker"),
                    *("--queues", name, "--loglevel", "WARNING"),
                    *("--without-gossip", "--without-mingle", "--without-heartbeat"),
                ],
                log=self.place / f"{name}.log",
                env={
                    "BIANMIN_DATABASE_URL": cluster.url,
                    "BIANMIN_BROKER_URL": f"redis+socket://{socket}",
                    "BIANMIN_KEYS": str(self.place / "keys"),
                    "PYTHONPATH": str(ROOT),
                },
            )
            for name, cluster in (("hr", self.hr), ("finance", self.finance))
        ]
        broker.start()
        wait_until("the broker's socket", socket.exists, seconds=30)
        for worker in workers:
            worker.start()
        try:
            yield
            wait_until("every message to be acknowledged", self.is_quiet, seconds=90)
        finally:
            for child in (*workers, broker):
                child.stop()
            socket.unlink(missing_ok=True)

    def is_quiet(self) -> bool:
        open_ = self.hr.ask("SELECT count(*) FROM hr.outbox WHERE acknowledged_at IS NULL")
        waiting = self.finance.ask("SELECT count(*) FROM finance.inbox WHERE state <> 'handled' OR ack_due")
        return bool(open_ == 0 and waiting == 0)

    def fines(self) -> list[UUID]:
        """What finance will deduct, each as often as it is there."""
        with self.finance.engine().connect() as connection:
            return list(connection.execute(text("SELECT case_id FROM finance.fines WHERE amount_fen = 5000")).scalars())

    def sent(self) -> int:
        """How often hr has sent anything to finance, as its database remembers."""
        return int(self.hr.ask("SELECT coalesce(sum(sends), 0) FROM hr.outbox"))

    def went_back(self, cluster: Cluster, backup: Backup) -> None:
        """The database of one service is lost and restored as it was then."""
        cluster.destroy()
        restore(backup, cluster.directory, cluster.programs)
        cluster.start()


@pytest.fixture
def house(cluster: Cluster, prepared: Cluster, place: Path) -> Iterator[House]:
    finance = Cluster(place / "finance")
    finance.copy_of(prepared)
    finance.start()
    yield House(cluster, finance, place)
    finance.stop()


def test_a_restored_sender_says_again_what_the_receiver_remembers_and_nothing_takes_effect_twice(house: House) -> None:
    house.fine(10)
    backup = take(house.hr.url, house.place / "backups", house.hr.programs)
    known = set(house.fined)
    house.fine(5)
    with house.working():
        pass
    assert sorted(house.fines()) == sorted(house.fined)
    house.went_back(house.hr, backup)
    assert house.sent() == 0  # hr has forgotten that it ever said anything
    with house.working():
        pass
    assert house.sent() >= 10  # so it said all of it again
    assert sorted(house.fines()) == sorted(house.fined)
    with house.hr.engine().connect() as connection:
        remembered = {
            UUID(body["case_id"]) for body in connection.execute(text("SELECT body FROM hr.outbox")).scalars()
        }
    assert remembered == known  # of the five others finance knows more than hr: a person must look


def test_a_restored_receiver_is_told_again_what_it_has_forgotten(house: House) -> None:
    house.fine(4)
    with house.working():
        pass
    backup = take(house.finance.url, house.place / "backups", house.finance.programs)
    house.fine(6)
    with house.working():
        pass
    house.went_back(house.finance, backup)
    assert len(house.fines()) == 4
    with house.working():
        pass
    assert len(house.fines()) == 4  # all was acknowledged once, so nobody says it again by himself
    house.hr.programs.run(
        "psql",
        *("--no-psqlrc", "--set", "ON_ERROR_STOP=1", "--set", "sender=hr", "--set", "receiver=finance"),
        *("--set", f"since={backup.taken_at.isoformat()}", "--file", str(ROOT / "deploy/backup/resend.sql")),
        libpq(house.hr.url)[0],
    )
    with house.working():
        pass
    assert sorted(house.fines()) == sorted(house.fined)
