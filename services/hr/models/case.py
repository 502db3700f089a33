"""The tables of discipline cases, and the deadline of an appeal [R78-R88, D19]."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint, literal, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from services.hr.models.base import Base, Person
from services.hr.rules.case import CaseState
from services.hr.rules.ladder import Offence, PenaltyStep
from shared.ids import new_id
from shared.tasks import Deadline


class Case(Base):
    """A discipline case 违规案件 and what the leader decided [R78-R88].

    `override_id` is the override it cites, `source_id` that or the missing cash, neglect or report it was told by:
    nothing is charged twice. What follows is known only when it is final; `rung` counts only the final cases that
    climb a ladder, and `points` are what the fine became where the site takes no money [D19].
    """

    __tablename__ = "cases"
    __table_args__ = (
        UniqueConstraint("source_id"),
        UniqueConstraint("override_id"),
        CheckConstraint("(offence = 'withheld_cash') = (amount_fen IS NOT NULL)", name="amount_of_cash"),
        CheckConstraint("state <> 'heard' OR heard_at IS NOT NULL", name="heard_has_statement"),
        CheckConstraint("(heard_at IS NULL) = (statement IS NULL)", name="hearing_is_noted"),
        CheckConstraint("(state IN ('open', 'heard')) = (decided_at IS NULL)", name="undecided"),
        CheckConstraint("(state = 'final') = (step IS NOT NULL)", name="final_has_step"),
        CheckConstraint("(state = 'final') = (final_at IS NOT NULL)", name="final_has_moment"),
        CheckConstraint("state <> 'decided' OR appeal_due_at IS NOT NULL", name="decided_may_be_appealed"),
        CheckConstraint("state NOT IN ('appealed', 'lifted') OR appealed_at IS NOT NULL", name="appeal_is_noted"),
        CheckConstraint("points IS NULL OR fine_fen = 0", name="points_or_money"),
        CheckConstraint("decided_by <> opened_by AND decided_by <> person_id", name="four_eyes"),
        CheckConstraint(
            "appeal_decided_by <> decided_by AND appeal_decided_by <> person_id AND appeal_decided_by <> opened_by",
            name="appeal_four_eyes",
        ),
        Index("ix_cases_rungs", "person_id", "offence", postgresql_where=text("rung IS NOT NULL")),
        Index("ix_cases_appeal_due", "appeal_due_at", postgresql_where=text("state = 'decided'")),
        Index("ix_cases_points", "person_id", "month", postgresql_where=text("points IS NOT NULL")),
        Index("ix_cases_site_id", "site_id", "id"),
        Index("ix_cases_person_id", "person_id", "id"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    number: Mapped[str] = mapped_column(unique=True)
    offence: Mapped[Offence]
    site_id: Mapped[UUID] = mapped_column(ForeignKey("sites.id"))
    person_id: Mapped[UUID] = mapped_column(ForeignKey("people.id"))
    state: Mapped[CaseState]
    opened_by: Mapped[UUID | None]
    opened_at: Mapped[datetime]
    happened_at: Mapped[datetime]
    in_working_hours: Mapped[bool]
    evidence: Mapped[str]
    amount_fen: Mapped[int | None]
    source_id: Mapped[UUID | None]
    override_id: Mapped[UUID | None]
    cash_returned_at: Mapped[datetime | None]

    statement: Mapped[str | None]
    attended: Mapped[bool | None]
    heard_by: Mapped[UUID | None]
    heard_at: Mapped[datetime | None]

    decided_by: Mapped[UUID | None]
    decided_at: Mapped[datetime | None]
    reason: Mapped[str | None]
    appeal_due_at: Mapped[datetime | None]
    accepted_at: Mapped[datetime | None]

    appealed_at: Mapped[datetime | None]
    appeal: Mapped[str | None]
    appeal_decided_by: Mapped[UUID | None]
    appeal_decided_at: Mapped[datetime | None]
    appeal_reason: Mapped[str | None]

    final_at: Mapped[datetime | None]
    rung: Mapped[int | None]
    fine_fen: Mapped[int | None]
    step: Mapped[PenaltyStep | None]
    points: Mapped[int | None]
    month: Mapped[str | None]

    person: Mapped[Person] = relationship(lazy="raise")
    added: Mapped[list["CaseEvidence"]] = relationship(lazy="raise", order_by="CaseEvidence.id")


class CaseEvidence(Base):
    """What somebody added to a case after it was opened."""

    __tablename__ = "case_evidence"
    __table_args__ = (Index("ix_case_evidence_case_id", "case_id", "id"), {"comment": "append-only"})

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    case_id: Mapped[UUID] = mapped_column(ForeignKey("cases.id"))
    text: Mapped[str]
    added_by: Mapped[UUID]
    added_at: Mapped[datetime]


# written out in the SQL, not sent beside it, so that every plan may use the index `ix_cases_appeal_due`
_DECIDED = literal(CaseState.DECIDED, Case.state.type, literal_execute=True)


CASE_APPEAL = Deadline("case_appeal", Case.appeal_due_at, Case.state != _DECIDED)
