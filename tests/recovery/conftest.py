"""Clusters that may be destroyed: copies of one that was prepared once for the run."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from shared.installation import prepare
from tests.conftest import START
from tests.folders import reachable_folder
from tests.recovery.cluster import Cluster
from tests.recovery.desk import Desk


@pytest.fixture(scope="session")
def prepared(template: str) -> Iterator[Cluster]:
    """A stopped cluster that holds an empty simulated installation.

    `template` has made the keys, which `prepare` and everything that runs on this cluster need.
    """
    with reachable_folder() as folder:
        cluster = Cluster(folder)
        cluster.create()
        cluster.start()
        with cluster.engine("postgres").connect() as connection:
            connection.exec_driver_sql("CREATE DATABASE bianmin")
        prepare(cluster.url, simulated_at=START.isoformat())
        cluster.stop()
        yield cluster


@pytest.fixture
def cluster(prepared: Cluster, place: Path) -> Iterator[Cluster]:
    """A running cluster with an empty installation."""
    cluster = Cluster(place / "main")
    cluster.copy_of(prepared)
    cluster.start()
    yield cluster
    cluster.stop()


@pytest.fixture
def desk(cluster: Cluster) -> Desk:
    """An open desk in it."""
    desk = Desk(cluster)
    desk.open()
    return desk
