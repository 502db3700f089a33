"""four eyes are kept by the database too, where both stand in one row"""

from collections.abc import Sequence

from shared.migrations import check

revision: str = '0015'
down_revision: str | None = '0014'
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    """Forward only: a mistake is mended by the next migration."""
    check('ck_settlements_four_eyes', 'settlements', 'desk_agreed_by <> finance_agreed_by AND approved_by <> drafted_by AND approved_by <> desk_agreed_by AND approved_by <> finance_agreed_by')
    check('ck_proposals_four_eyes', 'proposals', 'decided_by <> proposed_by AND decided_by <> person_id AND proposed_by <> person_id')
    check('ck_cash_differences_four_eyes', 'cash_differences', 'giver_id <> receiver_id AND made_good_by <> giver_id')
