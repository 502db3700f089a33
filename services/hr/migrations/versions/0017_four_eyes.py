"""four eyes are kept by the database too, where both stand in one row"""

from collections.abc import Sequence

from shared.migrations import check

revision: str = '0017'
down_revision: str | None = '0016'
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    """Forward only: a mistake is mended by the next migration."""
    check('ck_hr_tasks_four_eyes', 'hr_tasks', 'done_by <> person_id')
    check('ck_posts_four_eyes', 'posts', 'given_by <> person_id')
