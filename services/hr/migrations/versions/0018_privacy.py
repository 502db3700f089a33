"""acts on owners' data written down"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

from shared.migrations import wall

revision: str = '0018'
down_revision: str | None = '0017'
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    """Forward only: a mistake is mended by the next migration."""
    op.create_table('privacy_acts',
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('act', sa.String(), nullable=False),
    sa.Column('request_id', sa.Uuid(), nullable=False),
    sa.Column('site_id', sa.Uuid(), nullable=False),
    sa.Column('by', sa.Uuid(), nullable=True),
    sa.Column('reason', sa.String(), nullable=False),
    sa.Column('at', sa.DateTime(timezone=True), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_privacy_acts')),
    comment='append-only'
    )
    op.create_index('ix_privacy_acts_request_id', 'privacy_acts', ['request_id'], unique=False)
    op.create_index('ix_privacy_acts_site_id', 'privacy_acts', ['site_id', 'id'], unique=False)
    op.execute("""
        CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON privacy_acts
        FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()
    """)
    wall('privacy_acts')
