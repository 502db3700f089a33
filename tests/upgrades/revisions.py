"""Which version is the first that upgrades are supported from, and what each migration since then says."""

import io
from collections.abc import Iterator
from pathlib import Path

from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.operations import Operations
from alembic.script import ScriptDirectory

ROOT = Path(__file__).parents[2]

FIRST_COMMIT = "4b1a6af"
FIRST = {"intake": "0011", "dispatch": "0011", "finance": "0012", "hr": "0012"}
"""Each service's newest migration in it; see docs/upgrading.md."""


def since_first(service: str) -> Iterator[tuple[str, str]]:
    """Each migration a service got since: its file, and its SQL."""
    config = Config()
    config.set_main_option("script_location", str(ROOT / "services" / service / "migrations"))
    known = list(ScriptDirectory.from_config(config).walk_revisions("base", "head"))
    for revision in reversed(known):
        if revision.revision > FIRST[service]:
            yield Path(revision.path).name, sql_of(revision.module.upgrade)


def sql_of(upgrade: object) -> str:
    """What an `upgrade()` would say, in the transactions it would say it in."""
    said = io.StringIO()
    options = {"as_sql": True, "output_buffer": said, "transactional_ddl": True, "transaction_per_migration": True}
    context = MigrationContext.configure(dialect_name="postgresql", opts=options)
    assert callable(upgrade)
    with context.begin_transaction(_per_migration=True), Operations.context(context):
        upgrade()
    return said.getvalue()
