"""the language a person reads, kept for his next sign-in"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = '0021'
down_revision: str | None = '0020'
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    """Forward only: a mistake is mended by the next migration."""
    op.add_column('logins', sa.Column('language', sa.String(), nullable=True))
    op.create_check_constraint(op.f('ck_logins_language'), 'logins', "language IN ('zh', 'en')")
