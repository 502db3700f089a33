"""The table of certificates, and the deadline before one ends [R66]."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from services.dispatch.models.base import Base
from shared.ids import new_id
from shared.tasks import Deadline


class HeldCertificate(Base):
    """A certificate an active person holds, as hr says, and when its end is told to him and his head [R66]."""

    __tablename__ = "certificates"
    __table_args__ = (
        UniqueConstraint("person_id", "kind", "number", "valid_until"),
        Index("ix_certificates_warn", "warn_at", postgresql_where=text("warned_at IS NULL")),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    person_id: Mapped[UUID] = mapped_column(ForeignKey("people.id"))
    kind: Mapped[str]
    number: Mapped[str]
    valid_until: Mapped[date]
    warn_at: Mapped[datetime]
    warned_at: Mapped[datetime | None]


CERTIFICATE = Deadline("certificate", HeldCertificate.warn_at, HeldCertificate.warned_at.is_not(None))
