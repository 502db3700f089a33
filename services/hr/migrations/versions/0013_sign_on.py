"""signing in by a provider of identity"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = '0013'
down_revision: str | None = '0012'
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    """Forward only: a mistake is mended by the next migration."""
    op.create_table('sign_on_links',
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('person_id', sa.Uuid(), nullable=False),
    sa.Column('issuer', sa.String(), nullable=False),
    sa.Column('subject', sa.String(), nullable=False),
    sa.Column('linked_by', sa.Uuid(), nullable=True),
    sa.Column('linked_at', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['person_id'], ['people.id'], name=op.f('fk_sign_on_links_person_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_sign_on_links')),
    sa.UniqueConstraint('issuer', 'subject', name=op.f('uq_sign_on_links_issuer')),
    sa.UniqueConstraint('person_id', 'issuer', name=op.f('uq_sign_on_links_person_id'))
    )
    op.create_table('used_sign_ons',
    sa.Column('id_hash', sa.String(), nullable=False),
    sa.Column('until', sa.DateTime(timezone=True), nullable=False),
    sa.PrimaryKeyConstraint('id_hash', name=op.f('pk_used_sign_ons'))
    )
