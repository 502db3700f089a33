"""lists by index: a worker's orders, the open questions of a site, and the duties of its workers"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = '0005'
down_revision: str | None = '0004'
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    """Forward only: a mistake is mended by the next migration."""
    op.drop_index("ix_assignments_person_id", "assignments")
    op.create_index("ix_assignments_person_id", "assignments", ["person_id", "work_order_id"])
    op.create_index("ix_prescribed_duties_site_id", "prescribed_duties", ["site_id", "department"])
    op.create_index(
        "ix_consultations_open", "consultations", ["site_id", "id"], postgresql_where=sa.text("answer IS NULL")
    )
