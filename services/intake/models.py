"""The front desk's tables."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import (
    CheckConstraint,
    Computed,
    ForeignKey,
    ForeignKeyConstraint,
    Identity,
    Index,
    UniqueConstraint,
    or_,
    text,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship

from services.intake.rules.notice import Copy
from services.intake.rules.owner import OwnerAct
from services.intake.rules.request import Channel, RequestState
from services.intake.rules.statistics import Item, LineStep
from shared.alerts import AlertRow
from shared.api_tokens import ApiTokenRow
from shared.audit import AuditRow
from shared.bus.tables import InboxRow, OperatorActRow, OutboxRow, TickRunRow, UnreadableRow, WorkerRow
from shared.db import TYPES, service_metadata
from shared.idempotency import IdempotencyRow
from shared.ids import new_id
from shared.messages import FieldDepartment
from shared.papers import PaperCountRow, PaperRow
from shared.people import PersonRow, SiteRow
from shared.policy_rows import PolicyRow
from shared.privacy_rows import PrivacyActRow
from shared.sealing import Sealed
from shared.sessions import EndedSessionRow
from shared.tasks import Deadline


class Base(DeclarativeBase):
    """The tables of intake."""

    metadata = service_metadata()
    type_annotation_map = TYPES


class Outbox(OutboxRow, Base):
    """Messages we send."""


class Inbox(InboxRow, Base):
    """Messages we received."""


class Unreadable(UnreadableRow, Base):
    """What came to our queue and was no message."""


class Worker(WorkerRow, Base):
    """Our worker processes, as they said last."""


class TickRun(TickRunRow, Base):
    """When the sweeps of our deadlines last acted."""


class OperatorAct(OperatorActRow, Base):
    """What operators did with parked messages; append-only."""


class IdempotencyKey(IdempotencyRow, Base):
    """Answers given to keys."""


class AuditEntry(AuditRow, Base):
    """Every change of our tables."""


class PolicyChange(PolicyRow, Base):
    """Changes of our policies; append-only."""


class PrivacyActDone(PrivacyActRow, Base):
    """What was done with owners' personal data; append-only."""


class Alert(AlertRow, Base):
    """What we told people."""


class Site(SiteRow, Base):
    """Sites, as hr says."""


class Person(PersonRow, Base):
    """People, as hr says."""


class EndedSession(EndedSessionRow, Base):
    """Sessions that ended before their time, as hr says."""


class ApiToken(ApiTokenRow, Base):
    """API tokens, as hr says."""


class IssuedPaper(PaperRow, Base):
    """Papers we issued."""


class PriceItem(Base):
    """An item of an approved version of the price book, as finance published it [R55]."""

    __tablename__ = "price_items"
    __table_args__ = (Index("ix_price_items_effective_from", "effective_from", "version"),)

    version: Mapped[int] = mapped_column(primary_key=True)
    code: Mapped[str] = mapped_column(primary_key=True)
    effective_from: Mapped[date]
    trade: Mapped[str]
    name: Mapped[str]
    unit: Mapped[str]
    min_fen: Mapped[int]
    max_fen: Mapped[int]


class PaperCount(PaperCountRow, Base):
    """Papers numbered per site and day: registration forms and notices."""


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


class Consultation(Base):
    """A question to a department, with the time by which the owner was promised a reply [R19, R23]."""

    __tablename__ = "consultations"
    __table_args__ = (
        Index("ix_consultations_reply", "reply_due_at", postgresql_where=text("reply_ended_at IS NULL")),
        Index("ix_consultations_request_id", "request_id"),
        Index("ix_consultations_site_id", "site_id", "id"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    request_id: Mapped[UUID] = mapped_column(ForeignKey("requests.id"))
    site_id: Mapped[UUID] = mapped_column(ForeignKey("sites.id"))
    department: Mapped[FieldDepartment]
    question: Mapped[str]
    asked_by: Mapped[UUID]
    asked_at: Mapped[datetime]
    reply_due_at: Mapped[datetime]
    answer: Mapped[str | None]
    answered_at: Mapped[datetime | None]
    replied_at: Mapped[datetime | None]
    reply_ended_at: Mapped[datetime | None]
    reply_missed: Mapped[bool] = mapped_column(default=False)


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


class Damage(Base):
    """Something of the owner's that was damaged on a visit, as the department reports it [R63, D24]."""

    __tablename__ = "damages"
    __table_args__ = (Index("ix_damages_request_id", "request_id"), {"comment": "append-only"})

    id: Mapped[UUID] = mapped_column(primary_key=True)
    request_id: Mapped[UUID] = mapped_column(ForeignKey("requests.id"))
    round: Mapped[int]
    site_id: Mapped[UUID] = mapped_column(ForeignKey("sites.id"))
    department: Mapped[FieldDepartment]
    description: Mapped[str]
    estimate_fen: Mapped[int | None]
    reported_by: Mapped[UUID]
    reported_at: Mapped[datetime]


class Visit(Base):
    """One visit to the home as the department reports it: round 0 for the fee, then free rework [R30-R32, R39]."""

    __tablename__ = "visits"
    __table_args__ = (
        Index("ix_visits_accepted_month", "accepted_month", "site_id"),
        Index("ix_visits_terminated_month", "terminated_month", "site_id"),
    )

    request_id: Mapped[UUID] = mapped_column(ForeignKey("requests.id"), primary_key=True)
    round: Mapped[int] = mapped_column(primary_key=True)
    site_id: Mapped[UUID] = mapped_column(ForeignKey("sites.id"))
    department: Mapped[FieldDepartment]
    ordered_at: Mapped[datetime]
    acknowledged_at: Mapped[datetime | None]
    assigned_at: Mapped[datetime | None]
    workers: Mapped[list | None]  # type: ignore[type-arg]  # [{person_id, name, weight}, …]
    support_requested_at: Mapped[datetime | None]
    support_reason: Mapped[str | None]
    arrived_late: Mapped[bool | None]
    signer_name: Mapped[str | None]
    accepted_at: Mapped[datetime | None]
    accepted_month: Mapped[str | None]
    terminated_at: Mapped[datetime | None]
    terminated_month: Mapped[str | None]
    cause: Mapped[str | None]
    reason: Mapped[str | None]


class OwnerActDone(Base):
    """What an owner did by his link: nobody of ours, so it names nobody; `round` is that of the last visit."""

    __tablename__ = "owner_acts"
    __table_args__ = (
        Index("ix_owner_acts_request_id", "request_id"),
        Index("uq_owner_acts_rated_once", "request_id", "round", unique=True, postgresql_where=text("act = 'rate'")),
        CheckConstraint("(act = 'rate') = (stars IS NOT NULL) AND stars BETWEEN 1 AND 5", name="one_to_five"),
        {"comment": "append-only"},
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    request_id: Mapped[UUID] = mapped_column(ForeignKey("requests.id"))
    site_id: Mapped[UUID] = mapped_column(ForeignKey("sites.id"))
    act: Mapped[OwnerAct]
    round: Mapped[int]
    visit_from: Mapped[datetime | None]
    visit_to: Mapped[datetime | None]
    stars: Mapped[int | None]
    words: Mapped[str | None]
    done_at: Mapped[datetime]


class Revisit(Base):
    """A call to the owner after a visit was accepted [R37]: satisfied, a problem that means rework, or unreachable."""

    __tablename__ = "revisits"
    __table_args__ = (
        Index("ix_revisits_due", "due_at", postgresql_where=text("listed_at IS NULL AND done_at IS NULL")),
        Index(
            "ix_revisits_listed",
            "due_at",
            "request_id",
            postgresql_where=text("listed_at IS NOT NULL AND done_at IS NULL"),
        ),
        Index(
            "ix_revisits_unreachable",
            "due_at",
            "request_id",
            postgresql_where=text("unreachable_at IS NOT NULL AND done_at IS NULL"),
        ),
        Index("ix_revisits_done_month", "done_month", "site_id"),
        CheckConstraint(
            "(done_at IS NULL) = (satisfied IS NULL) OR (satisfied IS NULL AND unreachable_at IS NOT NULL)",
            name="done_has_answer",
        ),
        CheckConstraint("quality BETWEEN 1 AND 5 AND attitude BETWEEN 1 AND 5", name="one_to_five"),
    )

    request_id: Mapped[UUID] = mapped_column(ForeignKey("requests.id"), primary_key=True)
    round: Mapped[int] = mapped_column(primary_key=True)
    site_id: Mapped[UUID] = mapped_column(ForeignKey("sites.id"))
    due_at: Mapped[datetime]
    listed_at: Mapped[datetime | None]
    failed_attempts: Mapped[int] = mapped_column(default=0)
    unreachable_at: Mapped[datetime | None]
    done_at: Mapped[datetime | None]
    done_by: Mapped[UUID | None]
    done_month: Mapped[str | None]
    satisfied: Mapped[bool | None]
    note: Mapped[str | None]
    quality: Mapped[int | None]
    attitude: Mapped[int | None]
    price_as_agreed: Mapped[bool | None]

    request: Mapped[Request] = relationship(lazy="raise", viewonly=True)
    attempts: Mapped[list["RevisitAttempt"]] = relationship(lazy="raise", order_by="RevisitAttempt.id")


class RevisitAttempt(Base):
    """A call after the work that did not reach the owner [R37]; append-only."""

    __tablename__ = "revisit_attempts"
    __table_args__ = (
        ForeignKeyConstraint(["request_id", "round"], ["revisits.request_id", "revisits.round"]),
        Index("ix_revisit_attempts_request_id", "request_id", "round"),
        {"comment": "append-only"},
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    request_id: Mapped[UUID]
    round: Mapped[int]
    at: Mapped[datetime]
    by: Mapped[UUID]
    note: Mapped[str]


class FeeRefund(Base):
    """Money of a fee that finance gave back, in the month it lessens [D13, D16]; append-only."""

    __tablename__ = "fee_refunds"
    __table_args__ = (
        Index("ix_fee_refunds_request_id", "request_id"),
        Index("ix_fee_refunds_month", "site_id", "month"),
        {"comment": "append-only"},
    )

    refund_id: Mapped[UUID] = mapped_column(primary_key=True)
    request_id: Mapped[UUID] = mapped_column(ForeignKey("requests.id"))
    site_id: Mapped[UUID] = mapped_column(ForeignKey("sites.id"))
    department: Mapped[FieldDepartment]
    receipt_number: Mapped[str]
    amount_fen: Mapped[int]
    reason: Mapped[str]
    month: Mapped[str]
    refunded_at: Mapped[datetime]


class CashAlert(Base):
    """Cash that finance says is not handed over, for the desk head to chase [D6]."""

    __tablename__ = "cash_alerts"
    __table_args__ = (Index("ix_cash_alerts_site_id", "site_id", "id"),)

    id: Mapped[UUID] = mapped_column(primary_key=True)
    site_id: Mapped[UUID] = mapped_column(ForeignKey("sites.id"))
    day: Mapped[date]
    holder_id: Mapped[UUID]
    amount_fen: Mapped[int]
    found_at: Mapped[datetime]
    returned_at: Mapped[datetime | None]


class Answer(Base):
    """An answer the desk gives to a question asked often 常见问题; without a site it is the company's [R22]."""

    __tablename__ = "answers"
    __table_args__ = (
        Index(
            "ix_answers_question",
            "site_id",
            "question",
            unique=True,
            postgresql_where=text("retired_at IS NULL"),
            postgresql_nulls_not_distinct=True,
        ),
        Index("ix_answers_site_id", "site_id", "id"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    site_id: Mapped[UUID | None] = mapped_column(ForeignKey("sites.id"))
    trade: Mapped[str | None]
    question: Mapped[str]
    answer: Mapped[str]
    made_by: Mapped[UUID]
    made_at: Mapped[datetime]
    retired_at: Mapped[datetime | None]
    retired_by: Mapped[UUID | None]


class PrivateJobReport(Base):
    """What somebody told the desk of a paid job taken privately [R54]."""

    __tablename__ = "private_job_reports"
    __table_args__ = (
        UniqueConstraint("site_id", "person_id", "happened_at"),
        CheckConstraint("reported_by <> person_id", name="four_eyes"),
        Index("ix_private_job_reports_site_id", "site_id", "id"),
        {"comment": "append-only"},
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    site_id: Mapped[UUID] = mapped_column(ForeignKey("sites.id"))
    person_id: Mapped[UUID] = mapped_column(ForeignKey("people.id"))
    happened_at: Mapped[datetime]
    evidence: Mapped[str]
    reported_by: Mapped[UUID]
    reported_at: Mapped[datetime]


class Month(Base):
    """A site's month of statistics: asked at its end, signed by four departments, then reported [R40-R43]."""

    __tablename__ = "months"
    __table_args__ = (Index("ix_months_close", "closes_at", postgresql_where=text("asked_at IS NULL")),)

    site_id: Mapped[UUID] = mapped_column(ForeignKey("sites.id"), primary_key=True)
    month: Mapped[str] = mapped_column(primary_key=True)
    closes_at: Mapped[datetime]
    asked_at: Mapped[datetime | None]
    agreed_at: Mapped[datetime | None]
    report: Mapped[dict | None]  # type: ignore[type-arg]
    report_lines: Mapped[list | None]  # type: ignore[type-arg]


class MonthFigure(Base):
    """A figure of the month given by the department that counted it."""

    __tablename__ = "month_figures"

    site_id: Mapped[UUID] = mapped_column(primary_key=True)
    month: Mapped[str] = mapped_column(primary_key=True)
    department: Mapped[str] = mapped_column(primary_key=True)
    item: Mapped[str] = mapped_column(primary_key=True)
    value: Mapped[int]
    asked_at: Mapped[datetime]


class MonthSignature(Base):
    """A department agrees with the month's statistics; nobody for two [R41, D18]."""

    __tablename__ = "month_signatures"
    __table_args__ = (Index("uq_month_signatures_four_eyes", "site_id", "month", "signed_by", unique=True),)

    site_id: Mapped[UUID] = mapped_column(primary_key=True)
    month: Mapped[str] = mapped_column(primary_key=True)
    department: Mapped[str] = mapped_column(primary_key=True)
    signed_by: Mapped[UUID]
    signed_at: Mapped[datetime]


class LineEntry(Base):
    """What was said of a line of the month's statistics: disputed, a figure proposed, accepted [R41]; append-only."""

    __tablename__ = "line_entries"
    __table_args__ = (
        ForeignKeyConstraint(["site_id", "month"], ["months.site_id", "months.month"]),
        Index("ix_line_entries_month", "site_id", "month", "sequence"),
        {"comment": "append-only"},
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    sequence: Mapped[int] = mapped_column(
        Identity()
    )  # the order in which it was said, whatever host's clock made the id
    site_id: Mapped[UUID]
    month: Mapped[str]
    department: Mapped[FieldDepartment]
    item: Mapped[Item]
    step: Mapped[LineStep]
    figure: Mapped[int | None]
    note: Mapped[str]
    by: Mapped[UUID]
    by_department: Mapped[str]
    at: Mapped[datetime]


WARN = Deadline(
    "callback_warning", Request.warn_due_at, or_(Request.warned_at.is_not(None), Request.callback_ended_at.is_not(None))
)
CALLBACK = Deadline("callback", Request.callback_due_at, Request.callback_ended_at.is_not(None))
REPLY = Deadline("consultation_reply", Consultation.reply_due_at, Consultation.reply_ended_at.is_not(None))
REVISIT = Deadline("revisit", Revisit.due_at, or_(Revisit.listed_at.is_not(None), Revisit.done_at.is_not(None)))
ERASE = Deadline("erase_owner", Request.erase_due_at, Request.erased_at.is_not(None))
MONTH_END = Deadline("month_statistics", Month.closes_at, Month.asked_at.is_not(None))
