"""deposits and days of journals"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = '0006'
down_revision: str | None = '0005'
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    """Forward only: a mistake is mended by the next migration."""
    op.create_table('deposits',
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('site_id', sa.Uuid(), nullable=False),
    sa.Column('amount_fen', sa.BigInteger(), nullable=False),
    sa.Column('reference', sa.String(), nullable=False),
    sa.Column('deposited_by', sa.Uuid(), nullable=False),
    sa.Column('deposited_at', sa.DateTime(timezone=True), nullable=False),
    sa.CheckConstraint('amount_fen > 0', name=op.f('ck_deposits_amount')),
    sa.ForeignKeyConstraint(['site_id'], ['sites.id'], name=op.f('fk_deposits_site_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_deposits')),
    sa.UniqueConstraint('site_id', 'reference', name=op.f('uq_deposits_site_id')),
    comment='append-only'
    )
    op.create_index('ix_deposits_site_id', 'deposits', ['site_id', 'id'], unique=False)
    op.execute("""
        CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON deposits
        FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()
    """)
    op.create_index('ix_receipts_site_id', 'receipts', ['site_id', 'id'], unique=False)
    op.create_index('ix_receipt_books_site_id', 'receipt_books', ['site_id', 'id'], unique=False)
    op.create_index('ix_fines_site_id', 'fines', ['site_id', 'case_id'], unique=False)

    # each journal keeps the day it counted in; those there are had it computed from the site's closing time
    op.add_column('journals', sa.Column('day', sa.Date(), nullable=True))
    op.execute("ALTER TABLE journals DISABLE TRIGGER append_only")
    op.execute("""
        UPDATE journals j
        SET day = CAST(j.at AT TIME ZONE s.zone + (interval '24 hours' - CAST(s.closing AS interval)) AS date)
        FROM sites s WHERE s.id = j.site_id
    """)
    op.execute("ALTER TABLE journals ENABLE TRIGGER append_only")
    op.alter_column('journals', 'day', nullable=False)
