"""What every service's migrations/env.py calls: run in the connection and schema that were prepared."""

from alembic import context
from sqlalchemy import MetaData


def is_ours(name: str | None, kind: str, _: object) -> bool:
    """Not the installation's own tables, which autogenerate sees behind us on the search path and would drop."""
    return not (kind == "table" and name in {"clock", "verifications", "audit_anchors"})


def run_migrations(metadata: MetaData) -> None:
    """Bring the schema first on the search path to the wanted version."""
    context.configure(
        connection=context.config.attributes["connection"],
        target_metadata=metadata,
        transaction_per_migration=False,
        include_name=is_ours,
    )
    with context.begin_transaction():
        context.run_migrations()
