"""walls: what is of one site is seen and written for that site alone"""

from collections.abc import Sequence

from shared.migrations import wall, wall_by

revision: str = '0011'
down_revision: str | None = '0010'
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

OF_A_SITE = (
    'alerts', 'consultations', 'neglects', 'prescribed_duties', 'work_orders',
)


def upgrade() -> None:
    """Forward only: a mistake is mended by the next migration."""
    wall('sites', of='id')
    for table in OF_A_SITE:
        wall(table)
    wall('policies', or_none=True)
    wall('audit_log')
    wall('privacy_acts')
    wall_by('photos', 'work_orders', work_order_id='id')
    for table in ('assignments', 'damages', 'declines', 'duty_overrides', 'signatures', 'stops', 'tellings'):
        wall_by(table, 'work_orders', work_order_id='id')
    wall_by('duty_ticks', 'prescribed_duties', duty_id='id')
