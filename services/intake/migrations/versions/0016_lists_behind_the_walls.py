"""lists behind the walls: found by index however many rows other sites have"""

from collections.abc import Sequence

from shared.migrations import index, wall_by_again

revision: str = '0016'
down_revision: str | None = '0015'
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    """Forward only: a mistake is mended by the next migration."""
    index('ix_audit_log_site_id', 'audit_log', ['site_id', 'at', 'id'])
    index('ix_alerts_person_id', 'alerts', ['person_id', 'id'])
    index('ix_alerts_role', 'alerts', ['role', 'site_id', 'id'])
    wall_by_again('callback_attempts', 'requests', request_id='id')
    for table in ('notice_copies', 'notice_revisions', 'reprints'):
        wall_by_again(table, 'notices', notice_id='id')
    wall_by_again('revisit_attempts', 'revisits', request_id='request_id', round='round')
    # with the site, so that what still waits is counted behind the wall from the index alone
    index('ix_requests_erase_due_at', 'requests', ['erase_due_at'], include=['site_id'],
          where='erased_at IS NULL AND erase_due_at IS NOT NULL')
