"""four eyes are kept by the database too, where both stand in one row"""

from collections.abc import Sequence

from shared.migrations import check, index

revision: str = '0014'
down_revision: str | None = '0013'
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    """Forward only: a mistake is mended by the next migration."""
    check('ck_private_job_reports_four_eyes', 'private_job_reports', 'reported_by <> person_id')
    index('uq_month_signatures_four_eyes', 'month_signatures', ['site_id', 'month', 'signed_by'], unique=True)
