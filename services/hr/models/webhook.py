"""The tables of webhooks, and the deadline of the next attempt [R92]."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, or_, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from services.hr.models.base import Base
from services.hr.models.delivery import Delivery
from services.hr.rules.webhook import WebhookState
from shared.ids import new_id
from shared.sealing import Sealed
from shared.tasks import Deadline


class WebhookEndpoint(Base):
    """Where deliveries of a site, or of the whole company, are pushed to, and the secret they are signed with.

    While `leased_until` (the database's own time) has not passed, one worker is sending to it: one message at a time.
    """

    __tablename__ = "webhook_endpoints"
    __table_args__ = (
        Index("uq_webhook_endpoints_url", "url", "site_id", unique=True, postgresql_nulls_not_distinct=True),
        CheckConstraint("(state = 'disabled') = (disabled_at IS NOT NULL)", name="disabled_since"),
        CheckConstraint("(old_secret_sealed IS NULL) = (old_until IS NULL)", name="old_secret_ends"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    url: Mapped[str]
    site_id: Mapped[UUID | None] = mapped_column(ForeignKey("sites.id"))
    state: Mapped[WebhookState]
    secret_sealed: Mapped[str]
    old_secret_sealed: Mapped[str | None]
    old_until: Mapped[datetime | None]
    created_by: Mapped[UUID]
    created_at: Mapped[datetime]
    disabled_at: Mapped[datetime | None]
    disabled_reason: Mapped[str | None]
    leased_until: Mapped[datetime | None]

    secret = Sealed[str]()
    old_secret = Sealed[str | None]()


class WebhookDelivery(Base):
    """A delivery on its way to an endpoint; without a next attempt while the endpoint is disabled."""

    __tablename__ = "webhook_deliveries"
    __table_args__ = (
        CheckConstraint("delivered_at IS NULL OR failed_at IS NULL", name="one_end"),
        Index(
            "ix_webhook_deliveries_due",
            "next_attempt_at",
            postgresql_where=text("delivered_at IS NULL AND failed_at IS NULL"),
        ),
    )

    endpoint_id: Mapped[UUID] = mapped_column(ForeignKey("webhook_endpoints.id"), primary_key=True)
    delivery_id: Mapped[UUID] = mapped_column(ForeignKey("deliveries.id"), primary_key=True)
    attempts: Mapped[int]
    next_attempt_at: Mapped[datetime | None]
    delivered_at: Mapped[datetime | None]
    failed_at: Mapped[datetime | None]


class WebhookAttempt(Base):
    """One attempt to push a delivery: the status it was answered with, or why there was no answer."""

    __tablename__ = "webhook_attempts"
    __table_args__ = (Index("ix_webhook_attempts_endpoint_id", "endpoint_id", "id"), {"comment": "append-only"})

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    endpoint_id: Mapped[UUID] = mapped_column(ForeignKey("webhook_endpoints.id"))
    delivery_id: Mapped[UUID] = mapped_column(ForeignKey("deliveries.id"))
    status: Mapped[int | None]
    error: Mapped[str | None]
    attempted_at: Mapped[datetime]

    delivery: Mapped[Delivery] = relationship(lazy="raise")


WEBHOOK_DELIVERY = Deadline(
    "webhook_delivery",
    WebhookDelivery.next_attempt_at,
    or_(WebhookDelivery.delivered_at.is_not(None), WebhookDelivery.failed_at.is_not(None)),
)
