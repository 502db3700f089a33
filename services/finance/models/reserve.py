"""The table of uses of the reserve fund [R73-R77]."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from services.finance.models.base import Base
from services.finance.rules.reserve import ProposalState, Use
from shared.ids import new_id


class Proposal(Base):
    """A use of the reserve fund 公积金 proposed by the desk [R73-R77, D17].

    `settlement_id` is the settlement that computed a reward; it is `settled_at` that one's approval.
    """

    __tablename__ = "proposals"
    __table_args__ = (
        CheckConstraint("amount_fen > 0", name="amount"),
        CheckConstraint("(use = 'reward') = (person_id IS NOT NULL)", name="person"),
        CheckConstraint(
            "decided_by <> proposed_by AND decided_by <> person_id AND proposed_by <> person_id", name="four_eyes"
        ),
        CheckConstraint("(state = 'approved') = (month IS NOT NULL)", name="month"),
        CheckConstraint("damage_id IS NULL OR use = 'loss'", name="damage"),
        CheckConstraint("request_id IS NULL OR use = 'rework'", name="request"),
        Index("ix_proposals_site_id", "site_id", "id"),
        Index("ix_proposals_settlement_id", "settlement_id"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    site_id: Mapped[UUID] = mapped_column(ForeignKey("sites.id"))
    use: Mapped[Use]
    person_id: Mapped[UUID | None]
    amount_fen: Mapped[int]
    reason: Mapped[str]
    state: Mapped[ProposalState]
    proposed_by: Mapped[UUID]
    proposed_at: Mapped[datetime]
    decided_by: Mapped[UUID | None]
    decided_at: Mapped[datetime | None]
    decision: Mapped[str | None]
    month: Mapped[str | None]
    settlement_id: Mapped[UUID | None] = mapped_column(ForeignKey("settlements.id"))
    settled_at: Mapped[datetime | None]
    damage_id: Mapped[UUID | None]
    request_id: Mapped[UUID | None] = mapped_column(ForeignKey("charges.request_id"))
