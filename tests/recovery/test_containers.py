"""What docker-compose.yml and deploy/backup say of the database and its log, run without containers."""

import os
import signal
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from bianmin.children import Child, wait_until
from tests.recovery.cluster import Cluster
from tests.recovery.desk import Desk

ROOT = Path(__file__).parent.parent.parent
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))["services"]


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return int(taken.getsockname()[1])


@pytest.fixture
def server(prepared: Cluster, place: Path) -> Iterator[Cluster]:
    """The database with the options it has in its container, on a port and behind a password.

    Without TLS, which the embedded PostgreSQL was built without: tests/shared/test_tls.py has it.
    """
    said = [part.removeprefix("-c").split("=", 1) for part in COMPOSE["postgres"]["command"][1:]]
    lines = (ROOT / "deploy/backup/pg_hba.conf").read_text().splitlines()
    hba = place / "pg_hba.conf"
    hba.write_text("\n".join(f"{line}\n".replace("hostssl", "host") for line in lines if not line.startswith("hostno")))
    options = {name: value for name, value in said if not name.startswith("ssl")} | {
        "hba_file": str(hba),
        "listen_addresses": "127.0.0.1",
        "port": str(free_port()),
    }
    cluster = Cluster(place / "main", options=options)
    cluster.copy_of(prepared)
    cluster.start()
    cluster.do("ALTER ROLE bianmin PASSWORD 'known-to-compose'")
    yield cluster
    cluster.stop()


@pytest.fixture
def receiver(server: Cluster, place: Path) -> Iterator[Child]:
    """The container's script, started as the container starts it."""
    service = COMPOSE["wal-receiver"]
    assert service["command"] == ["sh", "/receive.sh", "/wal"]
    assert "./deploy/backup/receive.sh:/receive.sh:ro" in service["volumes"]
    environment = {
        "PGHOST": "127.0.0.1",
        "PGPORT": server.options["port"],
        "PGUSER": service["environment"]["PGUSER"],
        "PGAPPNAME": service["environment"]["PGAPPNAME"],
        "PGPASSWORD_FILE": str(place / "password"),
        "PATH": f"{server.programs.folder}:{os.environ['PATH']}",
    }
    (place / "password").write_text("known-to-compose\n")
    (place / "wal").mkdir(exist_ok=True)
    child = Child(
        "receiver",
        ["sh", str(ROOT / "deploy/backup/receive.sh"), str(place / "wal")],
        log=place / "receiver.log",
        env=environment,
    )
    yield child
    child.stop()


def test_the_receiver_of_the_containers_makes_commits_wait_for_it_and_catches_up_after_it_was_away(
    server: Cluster, receiver: Child, place: Path
) -> None:
    receiver.start()
    server.await_receiver("sync")
    desk = Desk(server)
    desk.open()
    desk.take(2)
    assert receiver.process is not None
    receiver.process.send_signal(signal.SIGKILL)
    receiver.stop()
    with server.engine().connect() as careless:  # what is written meanwhile goes through many files of the log
        careless.exec_driver_sql("SET synchronous_commit = local")
        for number in range(3):
            careless.exec_driver_sql(f"CREATE TABLE filler_{number} AS SELECT generate_series(1, 1000)")
            careless.exec_driver_sql("SELECT pg_switch_wal()")
        careless.exec_driver_sql("CHECKPOINT")
    receiver.start()
    server.await_receiver("sync")
    desk.take(2)
    received = "SELECT flush_lsn >= pg_current_wal_flush_lsn() FROM pg_stat_replication"
    wait_until("the receiver to have all", lambda: server.ask(received), seconds=30)
    assert len([path for path in (place / "wal").iterdir() if len(path.name) == 24]) >= 3


def test_the_containers_database_sorts_as_the_embedded_one_so_that_a_backup_opens_in_the_image(
    prepared: Cluster, place: Path
) -> None:
    cluster = Cluster(place / "fresh")
    cluster.create(*COMPOSE["postgres"]["environment"]["POSTGRES_INITDB_ARGS"].split())
    told = cluster.programs.run("pg_controldata", str(cluster.directory))
    assert "Data page checksum version:           1" in told
    cluster.start()
    with cluster.engine("postgres").connect() as connection:
        locale = connection.exec_driver_sql(
            "SELECT datlocprovider::text, datlocale FROM pg_database WHERE datname = 'postgres'"
        ).one()
    cluster.stop()
    assert tuple(locale) == ("b", "C.UTF-8")
