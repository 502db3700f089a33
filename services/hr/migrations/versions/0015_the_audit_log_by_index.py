"""each filter of the audit log has an index in its order"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = '0015'
down_revision: str | None = '0014'
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    """Forward only: a mistake is mended by the next migration."""
    op.drop_index('ix_audit_log_at', table_name='audit_log', postgresql_using='brin')
    op.drop_index('ix_audit_log_row', table_name='audit_log')
    op.create_index('ix_audit_log_at', 'audit_log', ['at', 'id'])
    op.create_index('ix_audit_log_actor', 'audit_log', ['actor_id', 'at', 'id'], postgresql_where=sa.text('actor_id IS NOT NULL'))
    op.create_index('ix_audit_log_cause', 'audit_log', ['cause', 'at', 'id'])
    op.create_index('ix_audit_log_row', 'audit_log', ['row_key', 'at', 'id'])
    op.create_index('ix_audit_log_table', 'audit_log', ['table_name', 'at', 'id'])
