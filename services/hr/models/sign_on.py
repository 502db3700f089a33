"""The tables of signing in by a provider of identity."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from services.hr.models.base import Base
from shared.ids import new_id


class SignOnLink(Base):
    """A person signs in as this subject of this issuer, a provider of identity; `linked_by` None: by his login name."""

    __tablename__ = "sign_on_links"
    __table_args__ = (UniqueConstraint("issuer", "subject"), UniqueConstraint("person_id", "issuer"))

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    person_id: Mapped[UUID] = mapped_column(ForeignKey("people.id"))
    issuer: Mapped[str]
    subject: Mapped[str]
    linked_by: Mapped[UUID | None]
    linked_at: Mapped[datetime]


class UsedSignOn(Base):
    """A return from a provider, by the SHA-256 of its state: it is good once, and kept as long as it could be good."""

    __tablename__ = "used_sign_ons"

    id_hash: Mapped[str] = mapped_column(primary_key=True)
    until: Mapped[datetime]
