"""requests of a day: the list by day, and the callbacks kept today"""

from collections.abc import Sequence

from shared.migrations import index

revision: str = '0018'
down_revision: str | None = '0017'
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    """Forward only: a mistake is mended by the next migration."""
    index('ix_requests_recorded_at', 'requests', ['site_id', 'recorded_at'])
