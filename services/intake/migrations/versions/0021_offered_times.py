"""other times that the desk offers to an owner, who takes one on his own page"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision: str = '0021'
down_revision: str | None = '0020'
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    """Forward only: a mistake is mended by the next migration."""
    op.add_column('requests', sa.Column('offered', postgresql.JSONB(), server_default=sa.text("'[]'"), nullable=False))
    op.add_column('requests', sa.Column('offered_by', sa.Uuid(), nullable=True))
    op.add_column('requests', sa.Column('offered_at', sa.DateTime(timezone=True), nullable=True))
