"""lists behind the walls: found by index however many rows other sites have"""

from collections.abc import Sequence

from shared.migrations import index, wall_by_again

revision: str = '0015'
down_revision: str | None = '0014'
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    """Forward only: a mistake is mended by the next migration."""
    index('ix_audit_log_site_id', 'audit_log', ['site_id', 'at', 'id'])
    index('ix_alerts_person_id', 'alerts', ['person_id', 'id'])
    index('ix_alerts_role', 'alerts', ['role', 'site_id', 'id'])
    wall_by_again('photos', 'work_orders', work_order_id='id')
    for table in ('assignments', 'damages', 'declines', 'duty_overrides', 'signatures', 'stops', 'tellings'):
        wall_by_again(table, 'work_orders', work_order_id='id')
    wall_by_again('duty_ticks', 'prescribed_duties', duty_id='id')
