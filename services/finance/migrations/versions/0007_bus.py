"""traceparents, deliveries counted before the work, what nobody could read"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = '0007'
down_revision: str | None = '0006'
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    """Forward only: a mistake is mended by the next migration."""
    for table in ('inbox', 'outbox'):  # a trace id becomes the whole traceparent
        op.add_column(table, sa.Column('traceparent', sa.String(), nullable=True))
        op.execute(f"UPDATE {table} SET traceparent = '00-' || trace || '-' || left(trace, 16) || '-01'")  # noqa: S608  # our own SQL
        op.alter_column(table, 'traceparent', nullable=False)
        op.drop_column(table, 'trace')
    op.add_column('inbox', sa.Column('unended', sa.SmallInteger(), server_default=sa.text('0'), nullable=False))
    op.alter_column('inbox', 'attempts', server_default=sa.text('0'))
    op.create_table('unreadable',
    sa.Column('digest', sa.String(), nullable=False),
    sa.Column('reason', sa.String(), nullable=False),
    sa.Column('bytes', sa.BigInteger(), nullable=False),
    sa.Column('times', sa.BigInteger(), server_default=sa.text('1'), nullable=False),
    sa.Column('first_at', sa.DateTime(timezone=True), server_default=sa.text('clock_timestamp()'), nullable=False),
    sa.Column('last_at', sa.DateTime(timezone=True), server_default=sa.text('clock_timestamp()'), nullable=False),
    sa.PrimaryKeyConstraint('digest', name=op.f('pk_unreadable'))
    )
    op.create_index('ix_idempotency_keys_created_at', 'idempotency_keys', ['created_at'], unique=False, postgresql_using='brin')
