"""The disk of an engine is full: what was answered stays, and once there is space all goes on by itself."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path

import pytest
import redis

from bianmin.children import Child, wait_until
from bianmin.engines import ROOT_HOME, Engines, _broker_program
from tests.faults.house import open_house

pytestmark = [
    pytest.mark.fault(full=True),
    pytest.mark.skipif(os.geteuid() != 0, reason="only root can mount a file system of a given size"),
]

RESUMED_SECONDS = 60
BROKER_SECONDS = 15


@contextmanager
def small_disk(folder: Path, size: str) -> Iterator[Path]:
    """A file system of that size."""
    folder.mkdir(parents=True, exist_ok=True)
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size},mode=755", "tmpfs", str(folder)], check=True)
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


def resize(folder: Path, size: int) -> None:
    """Give the file system another size, in bytes."""
    subprocess.run(["mount", "-o", f"remount,size={size}", str(folder)], check=True)


def test_a_database_whose_disk_is_full_loses_nothing_and_goes_on_when_there_is_space(seed: int, orders: int) -> None:
    with tempfile.TemporaryDirectory(prefix="bm-disk-") as folder:
        mark = sha256(str((Path(folder) / "data").resolve()).encode()).hexdigest()[:12]
        with small_disk(ROOT_HOME / mark, "1g") as disk, open_house(Path(folder)) as house:

            def fill_and_make_space() -> None:
                used = shutil.disk_usage(disk).used
                resize(disk, used + 1_000_000)
                wait_until("the people to be told", lambda: house.ledger.answers["503"] >= 10, seconds=60)
                resize(disk, 4 * used)
                house.await_database()

            house.endure("disk of PostgreSQL full", seed, fill_and_make_space, bound=RESUMED_SECONDS, orders=orders)


def test_a_broker_whose_disk_is_full_loses_nothing_and_goes_on_when_there_is_space(seed: int, orders: int) -> None:
    """A broker that keeps a log of each command ends when it cannot; its keeper starts it again."""
    with (
        tempfile.TemporaryDirectory(prefix="bm-disk-") as folder,
        small_disk(Path(folder) / "broker", "20m") as disk,
    ):
        Path(folder).chmod(0o755)
        engines = Engines(Path(folder) / "engines")
        engines.start()
        broker_socket = Path(folder) / "broker.sock"
        keeping_all = ("--appendonly", "yes", "--appendfsync", "always", "--save", "", "--dir", str(disk))
        broker = Child(
            "broker",
            [_broker_program(), "--port", "0", "--unixsocket", str(broker_socket), *keeping_all],
            log=Path(folder) / "broker.log",
        )

        def answers() -> bool:
            try:
                with redis.Redis(unix_socket_path=str(broker_socket)) as client:
                    return bool(client.ping())
            except redis.exceptions.RedisError:
                return False

        broker.start()
        try:
            wait_until("the broker to answer", answers, seconds=30)
            urls = {
                "BIANMIN_BROKER_URL": f"redis+socket://{broker_socket}",
                "BIANMIN_DATABASE_URL": engines.database_url,
            }
            with open_house(Path(folder), urls) as house:

                def fill_and_make_space() -> None:
                    resize(disk, shutil.disk_usage(disk).used + 4096)
                    wait_until("the broker to end", lambda: not broker.alive, seconds=60)
                    resize(disk, 200_000_000)
                    broker.start()
                    wait_until("the broker to answer", answers, seconds=30)

                house.endure("disk of the broker full", seed, fill_and_make_space, bound=BROKER_SECONDS, orders=orders)
        finally:
            broker.stop()
            engines.stop()
