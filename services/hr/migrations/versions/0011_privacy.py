"""secrets of webhooks sealed"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

from shared.sealing import seal

revision: str = '0011'
down_revision: str | None = '0010'
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    """Forward only: a mistake is mended by the next migration."""
    op.add_column('webhook_endpoints', sa.Column('secret_sealed', sa.String(), nullable=True))
    op.add_column('webhook_endpoints', sa.Column('old_secret_sealed', sa.String(), nullable=True))
    connection = op.get_bind()
    for id_, secret, old in connection.execute(sa.text("SELECT id, secret, old_secret FROM webhook_endpoints")).all():
        connection.execute(
            sa.text("UPDATE webhook_endpoints SET secret_sealed = :secret, old_secret_sealed = :old WHERE id = :id"),
            {
                "id": id_,
                "secret": seal(secret, place=f"hr.webhook_endpoints.secret:{id_}"),
                "old": None if old is None else seal(old, place=f"hr.webhook_endpoints.old_secret:{id_}"),
            },
        )
    op.drop_constraint(op.f('ck_webhook_endpoints_old_secret_ends'), 'webhook_endpoints', type_='check')
    op.drop_column('webhook_endpoints', 'secret')
    op.drop_column('webhook_endpoints', 'old_secret')
    op.alter_column('webhook_endpoints', 'secret_sealed', nullable=False)
    op.create_check_constraint(op.f('ck_webhook_endpoints_old_secret_ends'), 'webhook_endpoints', '(old_secret_sealed IS NULL) = (old_until IS NULL)')
