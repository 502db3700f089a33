"""an entry of the audit log says for whom, and by which policies"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision: str = '0012'
down_revision: str | None = '0011'
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    """Forward only: a mistake is mended by the next migration."""
    op.add_column('audit_log', sa.Column('behalf_of', sa.Uuid(), nullable=True))
    op.add_column('audit_log', sa.Column('policies', postgresql.JSONB(astext_type=sa.Text()), nullable=True))
