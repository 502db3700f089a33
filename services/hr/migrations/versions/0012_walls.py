"""walls: what is of one site is seen and written for that site alone"""

from collections.abc import Sequence

from shared.migrations import wall, wall_by

revision: str = '0012'
down_revision: str | None = '0011'
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

OF_A_SITE = (
    'alerts', 'cases', 'deliveries', 'hr_tasks', 'missed_callbacks', 'month_reports', 'overrides', 'payouts',
    'site_changes', 'site_holidays', 'site_leaders', 'webhook_endpoints',
)


def upgrade() -> None:
    """Forward only: a mistake is mended by the next migration."""
    wall('sites', of='id')
    for table in OF_A_SITE:
        wall(table)
    wall('policies', or_none=True)
    wall('audit_log')
    wall_by('case_evidence', 'cases', case_id='id')
    for table in ('delivery_acknowledgements', 'webhook_attempts', 'webhook_deliveries'):
        wall_by(table, 'deliveries', delivery_id='id')
    for table in ('payout_lines', 'payments', 'payment_failures'):
        wall_by(table, 'payouts', settlement_id='settlement_id')
