"""nothing to pay, leaders who are gone, and indexes of lists"""

from collections.abc import Sequence

from alembic import op

revision: str = '0006'
down_revision: str | None = '0005'
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    """Forward only: a mistake is mended by the next migration."""
    op.create_index('ix_payout_lines_person_id', 'payout_lines', ['person_id', 'settlement_id'], unique=False)
    op.create_index('ix_payouts_site_id', 'payouts', ['site_id', 'settlement_id'], unique=False)
    op.create_index('ix_month_reports_site_id', 'month_reports', ['site_id', 'id'], unique=False)
    op.execute("""
        UPDATE payments SET state = 'nothing_to_pay'
        FROM payout_lines l
        WHERE l.settlement_id = payments.settlement_id AND l.person_id = payments.person_id
          AND l.net_fen <= 0 AND payments.state IN ('due', 'failed')
    """)
    # leaders who left or have another post now are in charge no longer
    op.execute("""
        UPDATE site_leaders SET until = installation.clock_now()
        FROM people p
        WHERE p.id = site_leaders.leader_id AND site_leaders.until IS NULL
          AND NOT (p.active AND p.role = 'leader' AND (p.all_sites OR site_leaders.site_id = ANY(p.site_ids)))
    """)
