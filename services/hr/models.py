"""The tables of hr; its sites and people are the masters of everybody's copies."""

from datetime import date, datetime, time
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    CheckConstraint,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    String,
    UniqueConstraint,
    Uuid,
    literal,
    or_,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship

from services.hr.rules.case import CaseState
from services.hr.rules.ladder import Offence, PenaltyStep
from services.hr.rules.payout import PaymentState
from services.hr.rules.webhook import WebhookState
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
    """The tables of hr."""

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


class Company(Base):
    """The company 公司: founded once, one row for ever."""

    __tablename__ = "company"
    __table_args__ = (CheckConstraint("only_row", name="only_row"),)

    only_row: Mapped[bool] = mapped_column(primary_key=True, default=True)
    name: Mapped[str]
    founded_at: Mapped[datetime]


class PolicyChange(PolicyRow, Base):
    """Changes of our policies; append-only."""


class PrivacyActDone(PrivacyActRow, Base):
    """What was done with owners' personal data; append-only."""


class Alert(AlertRow, Base):
    """What we told people."""


class Site(SiteRow, Base):
    """Sites, the masters; service hours are by the clock on the site's wall."""

    opens: Mapped[time | None]
    closes_service: Mapped[time | None]


class Person(PersonRow, Base):
    """People, the masters; a service account 服务账号 is a program of the company's, which has API tokens alone."""

    service_account: Mapped[bool] = mapped_column(default=False, server_default=text("false"))


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


class LoginSession(Base):
    """A session of somebody who signed in; the cookie's id is kept as its SHA-256."""

    __tablename__ = "login_sessions"
    __table_args__ = (Index("ix_login_sessions_person_id", "person_id", "id"),)

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    id_hash: Mapped[str] = mapped_column(unique=True)
    person_id: Mapped[UUID] = mapped_column(ForeignKey("people.id"))
    agent: Mapped[str]
    begun_at: Mapped[datetime]
    idle_until: Mapped[datetime]
    absolute_until: Mapped[datetime]
    ended_at: Mapped[datetime | None]


class EndedSession(EndedSessionRow, Base):
    """Sessions that ended before their time."""


class ApiToken(ApiTokenRow, Base):
    """API tokens, the masters."""

    __table_args__ = (
        Index("ix_api_tokens_token_hash", "token_hash", unique=True),
        Index("ix_api_tokens_person_id", "person_id", "id"),
    )

    name: Mapped[str]
    issued_by: Mapped[UUID]
    issued_at: Mapped[datetime]


class IssuedPaper(PaperRow, Base):
    """Papers we issued."""


class PaperCount(PaperCountRow, Base):
    """Papers numbered per site and year: cases."""


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


class HrTask(Base):
    """A step other than money that HR carries out for a case that is final, with evidence [D19]."""

    __tablename__ = "hr_tasks"
    __table_args__ = (
        Index("ix_hr_tasks_due", "due_at", postgresql_where=text("late_at IS NULL AND done_at IS NULL")),
        CheckConstraint("(done_at IS NULL) = (evidence IS NULL)", name="done_has_evidence"),
        CheckConstraint("done_by <> person_id", name="four_eyes"),
        Index("ix_hr_tasks_site_id", "site_id", "id"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    kind: Mapped[PenaltyStep]
    case_id: Mapped[UUID] = mapped_column(ForeignKey("cases.id"), unique=True)
    site_id: Mapped[UUID] = mapped_column(ForeignKey("sites.id"))
    person_id: Mapped[UUID] = mapped_column(ForeignKey("people.id"))
    due_at: Mapped[datetime]
    late_at: Mapped[datetime | None]
    done_at: Mapped[datetime | None]
    done_by: Mapped[UUID | None]
    evidence: Mapped[str | None]

    case: Mapped[Case] = relationship(lazy="raise")
    person: Mapped[Person] = relationship(lazy="raise")


class Override(Base):
    """A head sent a worker whose duties were not done [D8]; kept as heard."""

    __tablename__ = "overrides"
    __table_args__ = (Index("ix_overrides_site_id", "site_id", "id"), {"comment": "append-only"})

    id: Mapped[UUID] = mapped_column(primary_key=True)
    request_id: Mapped[UUID]
    site_id: Mapped[UUID] = mapped_column(ForeignKey("sites.id"))
    department: Mapped[FieldDepartment]
    worker_id: Mapped[UUID]
    head_id: Mapped[UUID]
    reason: Mapped[str]
    overridden_at: Mapped[datetime]


class MissedCallback(Base):
    """An owner who was not called back in time [R48, D3]; kept as heard, and for ever."""

    __tablename__ = "missed_callbacks"
    __table_args__ = (Index("ix_missed_callbacks_site_id", "site_id", "request_id"), {"comment": "append-only"})

    request_id: Mapped[UUID] = mapped_column(primary_key=True)
    request_number: Mapped[str]
    site_id: Mapped[UUID] = mapped_column(ForeignKey("sites.id"))
    clerk_id: Mapped[UUID]
    due_at: Mapped[datetime]


class Payout(Base):
    """A site's approved settlement of a month, to be paid to the individual [R92]; kept as heard."""

    __tablename__ = "payouts"
    __table_args__ = (
        UniqueConstraint("site_id", "month"),
        Index("ix_payouts_site_id", "site_id", "settlement_id"),
        {"comment": "append-only"},
    )

    settlement_id: Mapped[UUID] = mapped_column(primary_key=True)
    site_id: Mapped[UUID] = mapped_column(ForeignKey("sites.id"))
    month: Mapped[str]
    net_fen: Mapped[int]
    from_wage_fen: Mapped[int]
    approved_by: Mapped[UUID]
    approved_at: Mapped[datetime]
    received_at: Mapped[datetime]

    lines: Mapped[list["PayoutLine"]] = relationship(lazy="raise", order_by="PayoutLine.person_id")


class PayoutLine(Base):
    """What one person is paid, and what his wage bears of his fines [R93, R94]; perhaps nobody we know."""

    __tablename__ = "payout_lines"
    __table_args__ = (
        CheckConstraint("net_fen = share_fen + reward_fen - from_bonus_fen", name="net"),
        CheckConstraint("fine_fen = from_bonus_fen + from_wage_fen + carried_fen", name="fine"),
        Index("ix_payout_lines_person_id", "person_id", "settlement_id"),
        {"comment": "append-only"},
    )

    settlement_id: Mapped[UUID] = mapped_column(ForeignKey("payouts.settlement_id"), primary_key=True)
    person_id: Mapped[UUID] = mapped_column(primary_key=True)
    name: Mapped[str]
    share_fen: Mapped[int]
    reward_fen: Mapped[int]
    fine_fen: Mapped[int]
    from_bonus_fen: Mapped[int]
    from_wage_fen: Mapped[int]
    net_fen: Mapped[int]
    case_numbers: Mapped[list[str]] = mapped_column(ARRAY(String))
    carried_fen: Mapped[int] = mapped_column(default=0, server_default=text("0"))
    guard: Mapped[str] = mapped_column(default="", server_default=text("''"))
    jobs: Mapped[list[dict[str, Any]]] = mapped_column(JSONB, default=list, server_default=text("'[]'"))

    payment: Mapped["Payment"] = relationship(lazy="raise")


class Payment(Base):
    """Whether a person was paid his line [R92]: each line has one from the moment the payout is received."""

    __tablename__ = "payments"
    __table_args__ = (
        ForeignKeyConstraint(["settlement_id", "person_id"], ["payout_lines.settlement_id", "payout_lines.person_id"]),
        CheckConstraint(
            "(state = 'paid') = (paid_at IS NOT NULL AND reference IS NOT NULL)", name="paid_has_reference"
        ),
        CheckConstraint("paid_by <> person_id", name="four_eyes"),
        CheckConstraint("state <> 'failed' OR attempts > 0", name="failed_was_tried"),
    )

    settlement_id: Mapped[UUID] = mapped_column(primary_key=True)
    person_id: Mapped[UUID] = mapped_column(primary_key=True)
    state: Mapped[PaymentState]
    attempts: Mapped[int] = mapped_column(default=0, server_default=text("0"))
    reference: Mapped[str | None]
    paid_by: Mapped[UUID | None]
    paid_at: Mapped[datetime | None]

    failures: Mapped[list["PaymentFailure"]] = relationship(lazy="raise", order_by="PaymentFailure.attempt")


class PaymentFailure(Base):
    """An attempt to pay a person that failed, and why; `told_by` None was found by us on receipt."""

    __tablename__ = "payment_failures"
    __table_args__ = (
        ForeignKeyConstraint(["settlement_id", "person_id"], ["payments.settlement_id", "payments.person_id"]),
        {"comment": "append-only"},
    )

    settlement_id: Mapped[UUID] = mapped_column(primary_key=True)
    person_id: Mapped[UUID] = mapped_column(primary_key=True)
    attempt: Mapped[int] = mapped_column(primary_key=True)
    cause: Mapped[str]
    reason: Mapped[str]
    told_by: Mapped[UUID | None]
    failed_at: Mapped[datetime]


class MonthReport(Base):
    """A site's agreed statistics of a month, as the administration department 行政部 received them [R42, R43]."""

    __tablename__ = "month_reports"
    __table_args__ = (
        UniqueConstraint("site_id", "month"),
        Index("ix_month_reports_site_id", "site_id", "id"),
        {"comment": "append-only"},
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    site_id: Mapped[UUID] = mapped_column(ForeignKey("sites.id"))
    month: Mapped[str]
    report: Mapped[dict[str, int]] = mapped_column(JSONB)
    reported_at: Mapped[datetime]
    lines: Mapped[list[dict[str, Any]]] = mapped_column(JSONB, server_default=text("'[]'"))


class SiteChange(Base):
    """What was changed of a site, by whom, when and why: field -> [before, after]."""

    __tablename__ = "site_changes"
    __table_args__ = (UniqueConstraint("site_id", "version"), {"comment": "append-only"})

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    site_id: Mapped[UUID] = mapped_column(ForeignKey("sites.id"))
    version: Mapped[int]
    changes: Mapped[dict[str, Any]] = mapped_column(JSONB)
    changed_by: Mapped[UUID]
    changed_at: Mapped[datetime]
    reason: Mapped[str]


class SiteHoliday(Base):
    """A public holiday 法定节假日 of a site."""

    __tablename__ = "site_holidays"

    site_id: Mapped[UUID] = mapped_column(ForeignKey("sites.id"), primary_key=True)
    day: Mapped[date] = mapped_column(primary_key=True)
    name: Mapped[str]


class SiteLeader(Base):
    """The leader in charge 分管领导 of a department at a site, since when and until when [R77, R92]."""

    __tablename__ = "site_leaders"
    __table_args__ = (
        Index("uq_site_leaders_now", "site_id", "department", unique=True, postgresql_where=text("until IS NULL")),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    site_id: Mapped[UUID] = mapped_column(ForeignKey("sites.id"))
    department: Mapped[str]
    leader_id: Mapped[UUID] = mapped_column(ForeignKey("people.id"))
    named_by: Mapped[UUID]
    since: Mapped[datetime]
    until: Mapped[datetime | None]


class Post(Base):
    """A post 岗位 a person has or had: what he was at which sites, from when to when, given by whom and why."""

    __tablename__ = "posts"
    __table_args__ = (
        Index("uq_posts_now", "person_id", unique=True, postgresql_where=text("until IS NULL")),
        CheckConstraint("given_by <> person_id", name="four_eyes"),
        Index("ix_posts_person_id", "person_id", "since"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    person_id: Mapped[UUID] = mapped_column(ForeignKey("people.id"))
    role: Mapped[str]
    department: Mapped[str]
    site_ids: Mapped[list[UUID]] = mapped_column(ARRAY(Uuid))
    all_sites: Mapped[bool]
    shift_start: Mapped[time | None]
    shift_end: Mapped[time | None]
    since: Mapped[datetime]
    until: Mapped[datetime | None]
    given_by: Mapped[UUID | None]
    reason: Mapped[str]


class Wage(Base):
    """A person's monthly wage (fen) from a moment on, which the guard on deductions needs [D22]."""

    __tablename__ = "wages"
    __table_args__ = (
        CheckConstraint("changed_by <> person_id", name="four_eyes"),
        CheckConstraint("monthly_wage_fen > 0", name="positive"),
        {"comment": "append-only"},
    )

    person_id: Mapped[UUID] = mapped_column(ForeignKey("people.id"), primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True)
    monthly_wage_fen: Mapped[int]
    changed_by: Mapped[UUID]
    changed_at: Mapped[datetime]


class Delivery(Base):
    """A payout as the company's HR system gets it 投递: numbered without gaps, its JSON kept as it is sent [R92]."""

    __tablename__ = "deliveries"
    __table_args__ = (Index("ix_deliveries_site_id", "site_id", "sequence"), {"comment": "append-only"})

    id: Mapped[UUID] = mapped_column(ForeignKey("payouts.settlement_id"), primary_key=True)
    sequence: Mapped[int] = mapped_column(unique=True)
    site_id: Mapped[UUID] = mapped_column(ForeignKey("sites.id"))
    month: Mapped[str]
    line_count: Mapped[int]
    net_fen: Mapped[int]
    from_wage_fen: Mapped[int]
    body: Mapped[str]
    made_at: Mapped[datetime]

    acknowledgement: Mapped["DeliveryAcknowledgement | None"] = relationship(lazy="raise")
    site: Mapped[Site] = relationship(lazy="raise")


class DeliveryAcknowledgement(Base):
    """The HR system has taken a delivery, under a reference of its own."""

    __tablename__ = "delivery_acknowledgements"
    __table_args__ = ({"comment": "append-only"},)

    delivery_id: Mapped[UUID] = mapped_column(ForeignKey("deliveries.id"), primary_key=True)
    acknowledged_by: Mapped[UUID]
    acknowledged_at: Mapped[datetime]
    reference: Mapped[str | None]


class LedgerAnchor(Base):
    """Where the chain of finance's ledger stood, as it said: out of reach of whoever rewrites that ledger."""

    __tablename__ = "ledger_anchors"
    __table_args__ = ({"comment": "append-only"},)

    seq: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    hash: Mapped[str]
    anchored_at: Mapped[datetime]
    heard_at: Mapped[datetime]


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


HR_TASK = Deadline("hr_task", HrTask.due_at, or_(HrTask.late_at.is_not(None), HrTask.done_at.is_not(None)))
# written out in the SQL, not sent beside it, so that every plan may use the index `ix_cases_appeal_due`
_DECIDED = literal(CaseState.DECIDED, Case.state.type, literal_execute=True)
CASE_APPEAL = Deadline("case_appeal", Case.appeal_due_at, Case.state != _DECIDED)
WEBHOOK_DELIVERY = Deadline(
    "webhook_delivery",
    WebhookDelivery.next_attempt_at,
    or_(WebhookDelivery.delivered_at.is_not(None), WebhookDelivery.failed_at.is_not(None)),
)
