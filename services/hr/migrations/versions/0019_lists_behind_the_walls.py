"""lists behind the walls: found by index however many rows other sites have"""

from collections.abc import Sequence

from shared.migrations import index, wall_by_again

revision: str = '0019'
down_revision: str | None = '0018'
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    """Forward only: a mistake is mended by the next migration."""
    index('ix_audit_log_site_id', 'audit_log', ['site_id', 'at', 'id'])
    index('ix_alerts_person_id', 'alerts', ['person_id', 'id'])
    index('ix_alerts_role', 'alerts', ['role', 'site_id', 'id'])
    wall_by_again('case_evidence', 'cases', case_id='id')
    for table in ('delivery_acknowledgements', 'webhook_attempts', 'webhook_deliveries'):
        wall_by_again(table, 'deliveries', delivery_id='id')
    for table in ('payout_lines', 'payments', 'payment_failures'):
        wall_by_again(table, 'payouts', settlement_id='settlement_id')
