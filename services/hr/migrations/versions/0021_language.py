"""the language a person reads, kept for his next sign-in"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

from shared.migrations import check

revision: str = '0021'
down_revision: str | None = '0020'
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    """Forward only: a mistake is mended by the next migration."""
    op.add_column('logins', sa.Column('language', sa.String(), nullable=True), if_not_exists=True)
    check('ck_logins_language', 'logins', "language IN ('zh', 'en')")
