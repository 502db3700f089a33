"""The tables of requests and of the calls to their owners, and their deadlines [R13-R20, R48]."""

from datetime import datetime
from typing import TYPE_CHECKING
from uuid import UUID

from sqlalchemy import Computed, ForeignKey, Index, UniqueConstraint, or_, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from services.intake.models.base import Base
from services.intake.rules.request import Channel, RequestState
from shared.ids import new_id
from shared.messages import FieldDepartment
from shared.sealing import Sealed
from shared.tasks import Deadline

if TYPE_CHECKING:
    from services.intake.models.notice import Decline, Notice
    from services.intake.models.owner import OwnerActDone
    from services.intake.models.refund import FeeRefund
    from services.intake.models.revisit import Revisit
    from services.intake.models.visit import Damage, Visit


class Request(Base):
    """A request as the registration form 有偿服务登记表 has it [R13-R20], and how far it has come."""

    __tablename__ = "requests"
    __table_args__ = (
        UniqueConstraint("source", "source_key"),
        Index(
            "ix_requests_warn", "warn_due_at", postgresql_where=text("warned_at IS NULL AND callback_ended_at IS NULL")
        ),
        Index("ix_requests_callback", "callback_due_at", postgresql_where=text("callback_ended_at IS NULL")),
        Index("ix_requests_site_id", "site_id", "id"),
        Index("ix_requests_state", "state", "id"),
        Index("ix_requests_recorded_at", "site_id", "recorded_at"),
        Index("ix_requests_month", "site_id", "month"),
        Index("ix_requests_phone_hash", "site_id", "phone_hash"),
        Index(
            "ix_requests_erase_due_at",
            "erase_due_at",
            postgresql_include=["site_id"],
            postgresql_where=text("erased_at IS NULL AND erase_due_at IS NOT NULL"),
        ),
        Index("ix_requests_link_hash", "link_hash", unique=True),
        Index("ix_requests_address_key", "site_id", "address_key", postgresql_ops={"address_key": "text_pattern_ops"}),
        Index(
            "ix_requests_received_month",
            "site_id",
            "received_month",
            postgresql_where=text("received_month IS NOT NULL"),
        ),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    number: Mapped[str] = mapped_column(unique=True)
    site_id: Mapped[UUID] = mapped_column(ForeignKey("sites.id"))
    state: Mapped[RequestState]
    channel: Mapped[Channel]
    trade: Mapped[str]
    department: Mapped[FieldDepartment | None]
    refusal: Mapped[str | None]
    owner_name: Mapped[str]
    address: Mapped[str]
    phone_sealed: Mapped[str | None]
    phone_hash: Mapped[str | None]
    address_key: Mapped[str] = mapped_column(Computed(r"lower(regexp_replace(address, '\s', '', 'g'))", persisted=True))
    description: Mapped[str]
    windows: Mapped[list]  # type: ignore[type-arg]  # [[from, to], …] as RFC 3339
    source: Mapped[str | None]
    source_key: Mapped[str | None]
    asked_at: Mapped[datetime | None]
    recorded_by: Mapped[UUID]
    recorded_at: Mapped[datetime]
    month: Mapped[str]

    warn_due_at: Mapped[datetime | None]
    warned_at: Mapped[datetime | None]
    callback_due_at: Mapped[datetime | None]
    callback_ended_at: Mapped[datetime | None]
    callback_missed: Mapped[bool] = mapped_column(default=False)
    reached_at: Mapped[datetime | None]

    visit_from: Mapped[datetime | None]
    visit_to: Mapped[datetime | None]
    fee_fen: Mapped[int | None]
    items: Mapped[list] = mapped_column(default=list, server_default=text("'[]'"))  # type: ignore[type-arg]  # FeeItem
    price_version: Mapped[int | None]
    owner_waits: Mapped[bool] = mapped_column(default=False, server_default=text("false"))
    offered: Mapped[list] = mapped_column(default=list, server_default=text("'[]'"))  # type: ignore[type-arg]  # [[from, to], …] as RFC 3339
    offered_by: Mapped[UUID | None]
    offered_at: Mapped[datetime | None]

    receipt_number: Mapped[str | None]
    received_fen: Mapped[int | None]
    received_month: Mapped[str | None]
    ended_at: Mapped[datetime | None]
    ending: Mapped[str | None]
    erase_due_at: Mapped[datetime | None]
    erased_at: Mapped[datetime | None]

    link_sealed: Mapped[str | None]
    link_hash: Mapped[str | None]

    phone = Sealed[str | None]()
    link = Sealed[str | None]()
    """The secret in the address of the owner's own page; found by its hash, and shown again to the desk."""

    notice: Mapped["Notice | None"] = relationship(lazy="raise")
    visits: Mapped[list["Visit"]] = relationship(lazy="raise", order_by="Visit.round")
    revisits: Mapped[list["Revisit"]] = relationship(lazy="raise", order_by="Revisit.round")
    attempts: Mapped[list["CallbackAttempt"]] = relationship(lazy="raise", order_by="CallbackAttempt.id")
    refunds: Mapped[list["FeeRefund"]] = relationship(lazy="raise", order_by="FeeRefund.refund_id")
    declines: Mapped[list["Decline"]] = relationship(lazy="raise", order_by="Decline.revision")
    damages: Mapped[list["Damage"]] = relationship(lazy="raise", order_by="Damage.reported_at")
    owner_acts: Mapped[list["OwnerActDone"]] = relationship(lazy="raise", order_by="OwnerActDone.done_at")


class CallbackAttempt(Base):
    """A call to the owner; those that did not reach him stop no clock [D3]."""

    __tablename__ = "callback_attempts"
    __table_args__ = (Index("ix_callback_attempts_request_id", "request_id"),)

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    request_id: Mapped[UUID] = mapped_column(ForeignKey("requests.id"))
    at: Mapped[datetime]
    by: Mapped[UUID]
    reached: Mapped[bool]
    note: Mapped[str]


WARN = Deadline(
    "callback_warning", Request.warn_due_at, or_(Request.warned_at.is_not(None), Request.callback_ended_at.is_not(None))
)


CALLBACK = Deadline("callback", Request.callback_due_at, Request.callback_ended_at.is_not(None))


ERASE = Deadline("erase_owner", Request.erase_due_at, Request.erased_at.is_not(None))
