"""answers of the company, phone numbers that are the same, lines in the order they were said, indexes"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = '0006'
down_revision: str | None = '0005'
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

DIGITS = "regexp_replace(regexp_replace(phone, '[^0-9]', '', 'g'), '^((00)?86(?=[0-9]{10}))?0?', '')"


def upgrade() -> None:
    """Forward only: a mistake is mended by the next migration."""
    op.alter_column('answers', 'site_id', existing_type=sa.Uuid(), nullable=True)
    op.drop_index('ix_answers_question', table_name='answers', postgresql_where=sa.text('retired_at IS NULL'))
    op.create_index('ix_answers_question', 'answers', ['site_id', 'question'], unique=True, postgresql_where=sa.text('retired_at IS NULL'), postgresql_nulls_not_distinct=True)
    # a generated column cannot be told another expression before PostgreSQL 17; its index goes with it
    op.drop_column('requests', 'phone_digits')
    op.add_column('requests', sa.Column('phone_digits', sa.String(), sa.Computed(DIGITS, persisted=True), nullable=False))
    op.create_index('ix_requests_phone_digits', 'requests', ['site_id', 'phone_digits'], unique=False)
    op.drop_index('ix_line_entries_month', table_name='line_entries')
    op.add_column('line_entries', sa.Column('sequence', sa.BigInteger(), sa.Identity(always=False), nullable=False))
    op.create_index('ix_line_entries_month', 'line_entries', ['site_id', 'month', 'sequence'], unique=False)
    op.create_index('ix_cash_alerts_site_id', 'cash_alerts', ['site_id', 'id'], unique=False)
    op.create_index('ix_declines_declined_at', 'declines', ['site_id', 'declined_at'], unique=False)
    op.create_index('ix_price_items_effective_from', 'price_items', ['effective_from', 'version'], unique=False)
