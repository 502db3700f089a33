"""each filter of the audit log has an index in its order"""

from collections.abc import Sequence

from shared.migrations import index

revision: str = '0014'
down_revision: str | None = '0013'
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    """Forward only: a mistake is mended by the next migration."""
    index('ix_audit_log_at', 'audit_log', ['at', 'id'])
    index('ix_audit_log_actor', 'audit_log', ['actor_id', 'at', 'id'], where='actor_id IS NOT NULL')
    index('ix_audit_log_cause', 'audit_log', ['cause', 'at', 'id'])
    index('ix_audit_log_row', 'audit_log', ['row_key', 'at', 'id'])
    index('ix_audit_log_table', 'audit_log', ['table_name', 'at', 'id'])
