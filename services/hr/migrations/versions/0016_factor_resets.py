"""a lost second factor is taken away by two"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = '0016'
down_revision: str | None = '0015'
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    """Forward only: a mistake is mended by the next migration."""
    op.create_table('factor_resets',
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('person_id', sa.Uuid(), nullable=False),
    sa.Column('reason', sa.String(), nullable=False),
    sa.Column('proposed_by', sa.Uuid(), nullable=False),
    sa.Column('proposed_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('expires_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('confirmed_by', sa.Uuid(), nullable=True),
    sa.Column('confirmed_at', sa.DateTime(timezone=True), nullable=True),
    sa.CheckConstraint('(confirmed_by IS NULL) = (confirmed_at IS NULL)', name=op.f('ck_factor_resets_confirmed')),
    sa.CheckConstraint('proposed_by <> person_id AND confirmed_by <> person_id AND confirmed_by <> proposed_by', name=op.f('ck_factor_resets_four_eyes')),
    sa.ForeignKeyConstraint(['person_id'], ['people.id'], name=op.f('fk_factor_resets_person_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_factor_resets'))
    )
    op.create_index('uq_factor_resets_open', 'factor_resets', ['person_id'], unique=True, postgresql_where=sa.text('confirmed_at IS NULL'))
