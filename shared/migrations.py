"""What every service's migrations/env.py calls: run in the connection and schema that were prepared."""

from collections.abc import Mapping, Sequence

from alembic import context, op
from sqlalchemy import MetaData, text


def is_ours(name: str | None, kind: str, _: object) -> bool:
    """Not the installation's own tables, which autogenerate sees behind us on the search path and would drop."""
    return not (kind == "table" and name in {"clock", "verifications", "audit_anchors"})


def run_migrations(metadata: MetaData) -> None:
    """Bring the schema first on the search path to the wanted version, each migration in a transaction of its own.

    So no lock outlasts the migration that needed it, and whoever was interrupted goes on behind the last whole one.
    """
    context.configure(
        connection=context.config.attributes["connection"],
        target_metadata=metadata,
        transaction_per_migration=True,
        include_name=is_ours,
    )
    with context.begin_transaction():
        context.run_migrations()


def index(
    name: str, table: str, columns: Sequence[str], *, unique: bool = False, where: str = "", include: Sequence[str] = ()
) -> None:
    """An index on a table that is in use: nobody who reads or writes there waits for it.

    What the migration did before it is kept from here on, so it must be harmless when it is done again: an index that
    was interrupted is begun anew, and so is the whole migration. One of the same name is replaced.
    """
    with op.get_context().autocommit_block():
        _wait_for_others()
        op.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {name}")
        op.create_index(
            name,
            table,
            list(columns),
            unique=unique,
            postgresql_concurrently=True,
            postgresql_where=text(where) if where else None,
            postgresql_include=list(include) or None,
        )


def check(name: str, table: str, condition: str) -> None:
    """A CHECK on a table that is in use: at once for what is written, then, holding up nobody, for what stands there.

    It replaces one of the same name. What was said of `index` holds for it too.
    """
    op.execute(
        f"ALTER TABLE {table} DROP CONSTRAINT IF EXISTS {name}, ADD CONSTRAINT {name} CHECK ({condition}) NOT VALID"
    )
    with op.get_context().autocommit_block():
        op.execute(f"ALTER TABLE {table} VALIDATE CONSTRAINT {name}")


def _wait_for_others() -> None:
    """For as long as it takes: it waits until older transactions have ended, and holds up none while it does."""
    op.execute("SET lock_timeout = 0")


def wall(table: str, *, of: str = "site_id", or_none: bool = False) -> None:
    """Let a transaction see and write of this table what is of the sites it acts for, and nothing else (walls.py).

    `of` is the column with the site. `or_none`: what is of no site is the whole company's, and everybody's.
    """
    ours = f"{of} = ANY ((SELECT installation.acting_sites())::uuid[])"
    _wall(table, f"{ours} OR {of} IS NULL" if or_none else ours)


def wall_by(table: str, parent: str, **keys: str) -> None:
    """The same for a table that has no site of its own: a row is where the row of `parent` is that it belongs to.

    `keys` are columns of the table, each with the parent's column of the same value; together they name one row.
    """
    _wall(table, _of_parent(table, parent, keys))


def wall_by_again(table: str, parent: str, **keys: str) -> None:
    """The policy of an earlier `wall_by`, as `wall_by` makes it today."""
    op.execute(f"ALTER POLICY sites ON {table} USING ({_policy(_of_parent(table, parent, keys))})")


def _of_parent(table: str, parent: str, keys: Mapping[str, str]) -> str:
    # not EXISTS: PostgreSQL may answer that by reading the whole parent once, however few rows are asked about
    same = " AND ".join(f"{parent}.{theirs} = {table}.{ours}" for ours, theirs in keys.items())
    return f"(SELECT true FROM {parent} WHERE {same})"  # noqa: S608  # names of our own migrations


def _wall(table: str, condition: str) -> None:
    op.execute(f"CREATE POLICY sites ON {table} USING ({_policy(condition)})")
    op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY")


def _policy(condition: str) -> str:
    # each SELECT that asks nothing of the row is an initial plan: asked once a statement, and the second only where
    # the first says no
    return f"(SELECT installation.acts_everywhere()) OR {condition}"
