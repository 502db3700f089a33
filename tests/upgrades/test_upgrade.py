"""Half a month was lived by the first version; the one of today goes on with it."""

import json
import shutil
import tempfile
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import NullPool, create_engine, text

from bianmin.backup.programs import Programs, libpq
from bianmin.client import Person
from bianmin.engines import Engines
from bianmin.month.cast import cast_of
from bianmin.month.quiet import World
from bianmin.stack import SERVICES
from tests.conftest import START
from tests.recovery.contents import catalogue
from tests.stack import running
from tests.upgrades.half_month import FIRST, LAST_DAY, gone_on_with, leave_messages_under_way, play_of, unpacked
from tests.upgrades.revisions import FIRST as FIRST_REVISIONS

pytestmark = pytest.mark.journey

LOST = LAST_DAY + timedelta(days=2)
"""In the evening of this day everything burns down."""


@pytest.fixture
def left(template: str, place: Path) -> Path:
    """The data folder of the first version, half a month lived, as it was stopped; its engines are not running.

    `template` has made the keys of this process.
    """
    data = place / "data"
    engines = Engines(data, durable=False)
    engines.start()
    try:
        restore(engines.database_url)
    finally:
        engines.stop()
    give_secrets(data)
    return data


def give_secrets(data: Path) -> None:
    """What no backup holds: the keys of personal data, and who may act."""
    for name in ("data-keys", "people.json"):
        shutil.copy(FIRST / name, data)
        (data / name).chmod(0o600)


def restore(url: str) -> None:
    """What the first version left, in an empty database."""
    programs, (there, _) = Programs(), libpq(url)
    with tempfile.NamedTemporaryFile(suffix=".sql") as file:
        file.write(unpacked("database.sql.xz").encode())
        file.flush()
        programs.run("psql", "--quiet", "--no-psqlrc", f"--file={file.name}", there)  # the owner is there already


def catalogue_of(url: str) -> dict[str, list[str]]:
    with create_engine(url, poolclass=NullPool).connect() as connection:
        return catalogue(connection)


def test_what_the_first_version_left_is_of_its_schema_with_messages_under_way_and_deadlines_passed(left: Path) -> None:
    engines = Engines(left, durable=False)
    engines.start()
    try:
        with create_engine(engines.database_url, poolclass=NullPool).connect() as connection:

            def ask(question: str) -> object:
                return connection.execute(text(question)).scalar()

            held = {service: ask(f"SELECT version_num FROM {service}.alembic_version") for service in SERVICES}
            assert held == FIRST_REVISIONS
            assert ask("SELECT count(*) FROM hr.outbox WHERE acknowledged_at IS NULL") > 0
            assert str(ask("SELECT installation.clock_now()")) == "2026-04-16 01:00:01+00:00"
    finally:
        engines.stop()


def test_the_month_begun_by_the_first_version_is_lost_under_this_one_restored_elsewhere_and_lived_to_its_end(
    left: Path, template: str
) -> None:
    held = json.loads(unpacked("play.json.xz"))
    people = [Person(**one) for one in json.loads((FIRST / "people.json").read_text(encoding="utf-8"))]
    backups, elsewhere = left.parent / "backups", left.parent / "elsewhere"
    with running(left, "--simulate", START.isoformat()) as stack, stack.client() as client:
        world = World(client, Engines(left).database_url)
        cast = cast_of(client, people)
        world.watcher = cast.auditor
        world.settle()  # what was under way arrives, and what was due meanwhile is done
        play = play_of(world, cast)
        gone_on_with(play, held)
        for day in (LAST_DAY + timedelta(days=1), LOST):
            play._day(day)
        leave_messages_under_way(client, cast)
        said = stack.bianmin("backup", "run", "--to", str(backups))
        assert said.returncode == 0, said.stdout + said.stderr
        stack.destroy()  # the database, the broker and every process
    said = stack.bianmin("backup", "restore", str(backups), data=elsewhere)
    assert said.returncode == 0, said.stdout + said.stderr
    give_secrets(elsewhere)
    with running(elsewhere, "--simulate", START.isoformat()) as stack, stack.client() as client:
        play.stage.client = client
        play.stage.world = World(client, Engines(elsewhere).database_url)
        play.stage.world.watcher = cast.auditor
        play.stage.world.settle()
        play.live(since=LOST)
        for command in (("audit", "2026-04"), ("verify", "--settled"), ("audit-log", "verify")):
            said = stack.bianmin(*command)
            assert said.returncode == 0, said.stdout + said.stderr
        here, fresh = catalogue_of(Engines(elsewhere).database_url), catalogue_of(template)
    for part in fresh.keys() - {"sequences"}:
        assert here[part] == fresh[part], part  # as if it had begun with this version
