"""workers and ticks as operators see them, and what operators do"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = '0019'
down_revision: str | None = '0018'
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    """Forward only: a mistake is mended by the next migration."""
    op.create_table('workers',
    sa.Column('name', sa.String(), nullable=False),
    sa.Column('started_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('seen_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('deliveries', sa.BigInteger(), nullable=False),
    sa.Column('idle_seconds', sa.BigInteger(), nullable=False),
    sa.PrimaryKeyConstraint('name', name=op.f('pk_workers')),
    if_not_exists=True,
    )
    op.create_table('tick_runs',
    sa.Column('kind', sa.String(), nullable=False),
    sa.Column('ran_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('acted', sa.BigInteger(), nullable=False),
    sa.PrimaryKeyConstraint('kind', name=op.f('pk_tick_runs')),
    if_not_exists=True,
    )
    op.create_table('operator_acts',
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('message_id', sa.Uuid(), nullable=False),
    sa.Column('act', sa.String(), nullable=False),
    sa.Column('person_id', sa.Uuid(), nullable=False),
    sa.Column('reason', sa.String(), nullable=True),
    sa.Column('at', sa.DateTime(timezone=True), server_default=sa.text('clock_timestamp()'), nullable=False),
    sa.CheckConstraint("act IN ('retry', 'discard') AND (act = 'retry' OR reason IS NOT NULL)", name=op.f('ck_operator_acts_act')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_operator_acts')),
    comment='append-only',
    if_not_exists=True,
    )
    op.execute("""
        CREATE OR REPLACE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON operator_acts
        FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()
    """)
