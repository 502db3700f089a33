"""owners sign on their own phone: by which link each comes, and nobody of ours who presented it"""

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
    op.create_table('owner_links',
    sa.Column('request_id', sa.Uuid(), nullable=False),
    sa.Column('site_id', sa.Uuid(), nullable=False),
    sa.Column('link_hash', sa.String(), nullable=False),
    sa.Column('given_at', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['site_id'], ['sites.id'], name=op.f('fk_owner_links_site_id')),
    sa.PrimaryKeyConstraint('request_id', name=op.f('pk_owner_links')),
    sa.UniqueConstraint('link_hash', name=op.f('uq_owner_links_link_hash')),
    )
    wall('owner_links')
    op.alter_column('signatures', 'presented_by', nullable=True)
