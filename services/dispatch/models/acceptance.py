"""The tables of the owner's signature and of the link by which he may sign [R32]."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from services.dispatch.models.base import Base
from services.dispatch.rules.acceptance import Relation
from shared.sealing import Sealed


class Signature(Base):
    """The owner's signature on the notice [R32], with the hash of what he signed; append-only."""

    __tablename__ = "signatures"
    __table_args__ = (
        CheckConstraint(
            "relation <> 'witnessed' OR (witness_name IS NOT NULL AND reason IS NOT NULL)", name="witnessed"
        ),
        {"comment": "append-only"},
    )

    work_order_id: Mapped[UUID] = mapped_column(ForeignKey("work_orders.id"), primary_key=True)
    signer_name: Mapped[str]
    relation: Mapped[Relation]
    witness_name: Mapped[str | None]
    reason: Mapped[str | None]
    signature_sealed: Mapped[str | None]
    signed_hash: Mapped[str]
    presented_by: Mapped[UUID | None]
    """The worker on whose phone it was signed; None: the owner's own, by his link."""
    signed_at: Mapped[datetime]

    signature = Sealed[str | None]("work_order_id")


class OwnerLink(Base):
    """By which link the owner of a request comes to sign: its SHA-256, as the desk says [R32]."""

    __tablename__ = "owner_links"

    request_id: Mapped[UUID] = mapped_column(primary_key=True)
    site_id: Mapped[UUID] = mapped_column(ForeignKey("sites.id"))
    link_hash: Mapped[str] = mapped_column(unique=True)
    given_at: Mapped[datetime]
