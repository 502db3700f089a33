"""The tables of how people sign in: logins, recovery codes, invitations, lost second factors [D18]."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from services.hr.models.base import Base
from shared.ids import new_id
from shared.sealing import Sealed


class Login(Base):
    """How a person signs in: his login name, his password's Argon2id hash, and his second factor (TOTP).

    The second factor counts once a code confirmed it; `totp_step` is the last 30 seconds a code was used for.
    `language` is the one he reads; none where he never chose.
    """

    __tablename__ = "logins"
    __table_args__ = (
        CheckConstraint("totp_confirmed_at IS NULL OR totp_secret_sealed IS NOT NULL", name="factor_has_secret"),
        CheckConstraint("language IN ('zh', 'en')", name="language"),
    )

    person_id: Mapped[UUID] = mapped_column(ForeignKey("people.id"), primary_key=True)
    name: Mapped[str] = mapped_column(unique=True)
    password_hash: Mapped[str]
    password_set_at: Mapped[datetime]
    totp_secret_sealed: Mapped[str | None]
    totp_confirmed_at: Mapped[datetime | None]
    totp_step: Mapped[int | None]
    language: Mapped[str | None]

    totp_secret = Sealed[str | None]("person_id")


class RecoveryCode(Base):
    """A code that stands in for the second factor, once; only its SHA-256 is kept."""

    __tablename__ = "recovery_codes"

    person_id: Mapped[UUID] = mapped_column(ForeignKey("people.id"), primary_key=True)
    code_hash: Mapped[str] = mapped_column(primary_key=True)
    used_at: Mapped[datetime | None]


class Invitation(Base):
    """A person was asked to set his password: whoever shows its secret before it expires may, once."""

    __tablename__ = "invitations"

    person_id: Mapped[UUID] = mapped_column(ForeignKey("people.id"), primary_key=True)
    secret_hash: Mapped[str] = mapped_column(unique=True)
    login: Mapped[str]
    invited_by: Mapped[UUID]
    invited_at: Mapped[datetime]
    expires_at: Mapped[datetime]


class FactorReset(Base):
    """A second factor that was lost: one proposed to take it away, another confirmed it before it expired [D18]."""

    __tablename__ = "factor_resets"
    __table_args__ = (
        Index("uq_factor_resets_open", "person_id", unique=True, postgresql_where=text("confirmed_at IS NULL")),
        CheckConstraint("(confirmed_by IS NULL) = (confirmed_at IS NULL)", name="confirmed"),
        CheckConstraint(
            "proposed_by <> person_id AND confirmed_by <> person_id AND confirmed_by <> proposed_by", name="four_eyes"
        ),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    person_id: Mapped[UUID] = mapped_column(ForeignKey("people.id"))
    reason: Mapped[str]
    proposed_by: Mapped[UUID]
    proposed_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    confirmed_by: Mapped[UUID | None]
    confirmed_at: Mapped[datetime | None]
