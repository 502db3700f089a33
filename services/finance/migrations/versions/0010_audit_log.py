"""the audit log"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision: str = '0010'
down_revision: str | None = '0009'
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    """Forward only: a mistake is mended by the next migration."""
    op.create_table('audit_log',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=True), nullable=False),
    sa.Column('at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('recorded_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('actor_id', sa.Uuid(), nullable=True),
    sa.Column('cause', sa.String(), nullable=False),
    sa.Column('address', sa.String(), nullable=True),
    sa.Column('trace', sa.String(), nullable=True),
    sa.Column('login', sa.String(), nullable=False),
    sa.Column('table_name', sa.String(), nullable=False),
    sa.Column('row_key', sa.String(), nullable=False),
    sa.Column('operation', sa.String(), nullable=False),
    sa.Column('site_id', sa.Uuid(), nullable=True),
    sa.Column('before', postgresql.JSONB(astext_type=sa.Text()), nullable=True),
    sa.Column('after', postgresql.JSONB(astext_type=sa.Text()), nullable=True),
    sa.Column('place', sa.BigInteger(), nullable=True),
    sa.Column('hash', sa.String(), nullable=True),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_audit_log')),
    comment='written by triggers'
    )
    op.create_index('ix_audit_log_at', 'audit_log', ['at'], unique=False, postgresql_using='brin')
    op.create_index('ix_audit_log_place', 'audit_log', ['place'], unique=True)
    op.create_index('ix_audit_log_row', 'audit_log', ['table_name', 'row_key', 'id'], unique=False)
    op.create_index('ix_audit_log_unsealed', 'audit_log', ['id'], unique=False, postgresql_where=sa.text('place IS NULL'))
