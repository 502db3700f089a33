"""lists behind the walls: found by index however many rows other sites have"""

from collections.abc import Sequence

from shared.migrations import index, wall_by_again

revision: str = '0017'
down_revision: str | None = '0016'
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    """Forward only: a mistake is mended by the next migration."""
    index('ix_audit_log_site_id', 'audit_log', ['site_id', 'at', 'id'])
    index('ix_alerts_person_id', 'alerts', ['person_id', 'id'])
    index('ix_alerts_role', 'alerts', ['role', 'site_id', 'id'])
    wall_by_again('charge_workers', 'charges', request_id='request_id')
    wall_by_again('hand_over_receipts', 'hand_overs', hand_over_id='id')
    for table in ('invoices', 'receipt_shares'):
        wall_by_again(table, 'receipts', receipt_id='id')
    wall_by_again('missing_cash_receipts', 'missing_cash', missing_id='id')
    wall_by_again('refund_shares', 'refunds', refund_id='id')
    for table in ('reopenings', 'settlement_lines', 'payout_failures'):
        wall_by_again(table, 'settlements', settlement_id='id')
