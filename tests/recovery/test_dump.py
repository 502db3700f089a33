"""A logical copy: for another version of PostgreSQL, or one table by hand [promise 30]."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy.exc import DBAPIError

from bianmin.backup.programs import BackupFailed, Programs, libpq
from bianmin.backup.taking import take
from tests.debian import needs
from tests.recovery.cluster import Cluster
from tests.recovery.contents import contents
from tests.recovery.desk import Desk


@pytest.fixture
def other(place: Path) -> Iterator[Cluster]:
    """A new, empty cluster."""
    cluster = Cluster(place / "other")
    cluster.create()
    cluster.start()
    yield cluster
    cluster.stop()


def test_a_dump_restored_elsewhere_is_the_same_to_the_last_trigger_grant_and_row(
    cluster: Cluster, desk: Desk, other: Cluster, place: Path
) -> None:
    desk.take(12)
    (here, _), (there, _) = libpq(cluster.url), libpq(other.url_of("postgres"))
    programs = cluster.programs
    programs.run("pg_dumpall", "--roles-only", "--no-role-passwords", f"--file={place / 'roles.sql'}", "-d", here)
    programs.run("pg_dump", "--format=custom", f"--file={place / 'bianmin.dump'}", here)
    programs.run("psql", "--quiet", "--no-psqlrc", f"--file={place / 'roles.sql'}", there)  # the owner is there already
    programs.run(
        "pg_restore", "--create", "--exit-on-error", "--jobs=2", "--dbname", there, str(place / "bianmin.dump")
    )
    before, after = contents(cluster), contents(other)
    for part in before:
        assert after[part] == before[part], part
    assert len(before["triggers"]) > 10
    assert before["finance.receipts"][0] > 12
    assert other.violated() == cluster.violated()
    _is_guarded(other)


def _is_guarded(cluster: Cluster) -> None:
    """The triggers do not only exist: they refuse."""
    with pytest.raises(DBAPIError, match="append-only"):
        cluster.do("UPDATE finance.journal_lines SET amount_fen = amount_fen + 1")


def test_programs_of_another_version_than_the_server_are_refused_and_leave_nothing_that_looks_like_a_backup(
    cluster: Cluster, place: Path
) -> None:
    pg_dump = Path(needs("pg_dump", "postgresql-client"))
    older = sorted(Path("/usr/lib/postgresql").glob("*/bin/pg_dump"))
    if not older or os.path.samefile(older[0].parent, cluster.programs.folder):
        pytest.skip(f"{pg_dump} is of no older version")
    programs = Programs(older[0].parent)
    with pytest.raises(BackupFailed, match="version mismatch"):
        programs.run("pg_dump", "--format=custom", f"--file={place / 'old.dump'}", libpq(cluster.url)[0])
    with pytest.raises(BackupFailed, match=r"the server is PostgreSQL 18 and the programs in .* are 1[0-7]"):
        take(cluster.url, place / "backups", programs)
    assert not list((place / "backups").iterdir())
