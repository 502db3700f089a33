"""What every service has: the bus, policies, alerts, sites, people and papers."""

from sqlalchemy.orm import DeclarativeBase

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


class PaperCount(PaperCountRow, Base):
    """Papers numbered per site and day: registration forms and notices."""
