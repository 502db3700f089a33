"""What every service's migrations/env.py calls: run in the connection and schema that were prepared."""

from alembic import context
from sqlalchemy import MetaData


def run_migrations(metadata: MetaData) -> None:
    """Bring the schema first on the search path to the wanted version."""
    context.configure(
        connection=context.config.attributes["connection"],
        target_metadata=metadata,
        transaction_per_migration=False,
        # autogenerate also sees the installation's clock behind us on the search path, and would drop it
        include_name=lambda name, kind, _: not (kind == "table" and name == "clock"),
    )
    with context.begin_transaction():
        context.run_migrations()
