"""walls: what is of one site is seen and written for that site alone"""

from collections.abc import Sequence

from shared.migrations import wall, wall_by

revision: str = '0011'
down_revision: str | None = '0010'
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

OF_A_SITE = (
    'alerts', 'cash_alerts', 'consultations', 'damages', 'declines', 'fee_refunds', 'line_entries', 'month_figures',
    'month_signatures', 'months', 'notices', 'private_job_reports', 'requests', 'revisits', 'visits',
)


def upgrade() -> None:
    """Forward only: a mistake is mended by the next migration."""
    wall('sites', of='id')
    for table in OF_A_SITE:
        wall(table)
    wall('answers', or_none=True)
    wall('policies', or_none=True)
    wall('audit_log')
    wall('privacy_acts')
    wall_by('callback_attempts', 'requests', request_id='id')
    for table in ('notice_copies', 'notice_revisions', 'reprints'):
        wall_by(table, 'notices', notice_id='id')
    wall_by('revisit_attempts', 'revisits', request_id='request_id', round='round')
