"""The tables of service notices, their revisions and their three copies [R24-R28, D23, D27]."""

from datetime import datetime
from typing import TYPE_CHECKING
from uuid import UUID

from sqlalchemy import ForeignKey, ForeignKeyConstraint, Index, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from services.intake.models.base import Base
from services.intake.rules.notice import Copy
from shared.ids import new_id
from shared.messages import FieldDepartment

if TYPE_CHECKING:
    from services.intake.models.base import Person


class Notice(Base):
    """A service notice 有偿服务通知单, numbered per site and day without gaps [R24]."""

    __tablename__ = "notices"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    number: Mapped[str] = mapped_column(unique=True)
    request_id: Mapped[UUID] = mapped_column(ForeignKey("requests.id"), unique=True)
    site_id: Mapped[UUID] = mapped_column(ForeignKey("sites.id"))
    revision: Mapped[int] = mapped_column(default=0, server_default=text("0"))
    issued_by: Mapped[UUID]
    issued_at: Mapped[datetime]
    cancelled_at: Mapped[datetime | None]
    cancel_reason: Mapped[str | None]

    copies: Mapped[list["NoticeCopy"]] = relationship(lazy="raise", order_by="NoticeCopy.copy")
    revisions: Mapped[list["NoticeRevision"]] = relationship(lazy="raise", order_by="NoticeRevision.revision")


class NoticeRevision(Base):
    """A notice as issued (0) and each time it was revised: what was agreed then, what changed, and why [R24, D23]."""

    __tablename__ = "notice_revisions"
    __table_args__ = ({"comment": "append-only"},)

    notice_id: Mapped[UUID] = mapped_column(ForeignKey("notices.id"), primary_key=True)
    revision: Mapped[int] = mapped_column(primary_key=True)
    visit_from: Mapped[datetime]
    visit_to: Mapped[datetime]
    fee_fen: Mapped[int]
    items: Mapped[list]  # type: ignore[type-arg]  # FeeItem
    changed: Mapped[dict]  # type: ignore[type-arg]  # field: what stood there before; the phone masked
    reason: Mapped[str]
    made_by: Mapped[UUID]
    made_at: Mapped[datetime]


class NoticeCopy(Base):
    """One of the three copies 联 and who has it [R25-R28]."""

    __tablename__ = "notice_copies"

    notice_id: Mapped[UUID] = mapped_column(ForeignKey("notices.id"), primary_key=True)
    copy: Mapped[Copy] = mapped_column(primary_key=True)
    revision: Mapped[int] = mapped_column(default=0, server_default=text("0"))
    sent_at: Mapped[datetime]
    received_at: Mapped[datetime | None]
    received_by: Mapped[UUID | None]
    returned_at: Mapped[datetime | None]
    returned_by: Mapped[UUID | None]

    receiver: Mapped["Person | None"] = relationship(
        lazy="raise", viewonly=True, primaryjoin="foreign(NoticeCopy.received_by) == Person.id"
    )
    reprints: Mapped[list["Reprint"]] = relationship(lazy="raise", order_by="Reprint.id")


class Reprint(Base):
    """A copy that was printed once more, and why [R25, R28]."""

    __tablename__ = "reprints"
    __table_args__ = (
        ForeignKeyConstraint(["notice_id", "copy"], ["notice_copies.notice_id", "notice_copies.copy"]),
        Index("ix_reprints_notice_id", "notice_id", "copy"),
        {"comment": "append-only"},
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    notice_id: Mapped[UUID]
    copy: Mapped[Copy]
    revision: Mapped[int]
    reason: Mapped[str]
    printed_by: Mapped[UUID]
    printed_at: Mapped[datetime]


class Decline(Base):
    """The department declined a revision of a notice, with its reason [D27]; a later revision answers it."""

    __tablename__ = "declines"
    __table_args__ = (Index("ix_declines_declined_at", "site_id", "declined_at"), {"comment": "append-only"})

    request_id: Mapped[UUID] = mapped_column(ForeignKey("requests.id"), primary_key=True)
    revision: Mapped[int] = mapped_column(primary_key=True)
    site_id: Mapped[UUID] = mapped_column(ForeignKey("sites.id"))
    department: Mapped[FieldDepartment]
    reason: Mapped[str]
    declined_by: Mapped[UUID]
    declined_at: Mapped[datetime]
