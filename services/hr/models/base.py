"""What every service has: the bus, policies, alerts, sites, people and papers; of sites and people the masters."""

from datetime import datetime, time
from uuid import UUID

from sqlalchemy import Index, text
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from shared.alerts import AlertRow
from shared.api_tokens import ApiTokenRow
from shared.audit import AuditRow
from shared.bus.tables import InboxRow, OperatorActRow, OutboxRow, TickRunRow, UnreadableRow, WorkerRow
from shared.db import TYPES, service_metadata
from shared.idempotency import IdempotencyRow
from shared.papers import PaperCountRow, PaperRow
from shared.people import PersonRow, SiteRow
from shared.policy_rows import PolicyRow
from shared.privacy_rows import PrivacyActRow
from shared.sessions import EndedSessionRow


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
