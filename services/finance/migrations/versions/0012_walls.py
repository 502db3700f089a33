"""walls: what is of one site is seen and written for that site alone"""

from collections.abc import Sequence

from alembic import op

from shared.migrations import wall, wall_by

revision: str = '0012'
down_revision: str | None = '0011'
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

OF_A_SITE = (
    'alerts', 'balances', 'carried_findings', 'carryovers', 'cash_differences', 'cash_findings', 'charges',
    'damages', 'deposits', 'fines', 'hand_overs', 'journal_lines', 'journals', 'missing_cash', 'proposals',
    'receipt_books', 'receipts', 'refunds', 'settlements', 'site_days',
)


def upgrade() -> None:
    """Forward only: a mistake is mended by the next migration."""
    wall('sites', of='id')
    for table in OF_A_SITE:
        wall(table)
    wall('policies', or_none=True)
    wall('audit_log')
    wall_by('charge_workers', 'charges', request_id='request_id')
    wall_by('hand_over_receipts', 'hand_overs', hand_over_id='id')
    for table in ('invoices', 'receipt_shares'):
        wall_by(table, 'receipts', receipt_id='id')
    wall_by('missing_cash_receipts', 'missing_cash', missing_id='id')
    wall_by('refund_shares', 'refunds', refund_id='id')
    for table in ('reopenings', 'settlement_lines', 'payout_failures'):
        wall_by(table, 'settlements', settlement_id='id')
    # the chain and the balances are of all sites, whoever's journal it is that closes
    op.execute("ALTER FUNCTION close_journal() SET app.sites = '*'")
    op.execute("ALTER FUNCTION seal_journals() SET app.sites = '*'")
    # a view acts as its owner, whom no wall may stop
    op.execute("ALTER VIEW holdings SET (security_invoker = true)")
