"""The bus's tables, the same in every service's schema; bus code addresses them by name in SQL."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, Identity, Index, SmallInteger, text
from sqlalchemy.orm import Mapped, declared_attr, mapped_column

from shared.ids import new_id


class OutboxRow:
    """A message on its way to one receiver; open until that receiver has acknowledged it.

    `send_at` is the database's own time (never the simulated clock): when the row is to be sent next.
    """

    __tablename__ = "outbox"

    message_id: Mapped[UUID] = mapped_column(primary_key=True)
    receiver: Mapped[str] = mapped_column(primary_key=True)
    sequence: Mapped[int] = mapped_column(BigInteger, Identity(), unique=True)
    type: Mapped[str]
    body: Mapped[dict]  # type: ignore[type-arg]
    traceparent: Mapped[str]
    published_at: Mapped[datetime] = mapped_column(server_default=text("clock_timestamp()"))
    send_at: Mapped[datetime] = mapped_column(server_default=text("clock_timestamp()"))
    sends: Mapped[int] = mapped_column(SmallInteger, server_default=text("0"))
    acknowledged_at: Mapped[datetime | None]

    @declared_attr.directive
    @classmethod
    def __table_args__(cls) -> tuple[Index, ...]:
        return (Index("ix_outbox_open", "send_at", postgresql_where=text("acknowledged_at IS NULL")),)


class InboxRow:
    """A message that reached us: handled once, waiting to be tried again, parked for an operator, or discarded.

    The body is kept only while it may still be needed. `attempts` counts tries that ended without effect, `unended`
    those since the last end that were begun and may have taken their process with them.
    """

    __tablename__ = "inbox"

    message_id: Mapped[UUID] = mapped_column(primary_key=True)
    sender: Mapped[str]
    type: Mapped[str]
    state: Mapped[str]
    traceparent: Mapped[str]
    received_at: Mapped[datetime] = mapped_column(server_default=text("clock_timestamp()"))
    handled_at: Mapped[datetime | None]
    ack_due: Mapped[bool] = mapped_column(server_default=text("true"))
    attempts: Mapped[int] = mapped_column(SmallInteger, server_default=text("0"))
    unended: Mapped[int] = mapped_column(SmallInteger, server_default=text("0"))
    retry_at: Mapped[datetime | None]
    reason: Mapped[str | None]
    body: Mapped[dict | None]  # type: ignore[type-arg]

    @declared_attr.directive
    @classmethod
    def __table_args__(cls) -> tuple[CheckConstraint | Index, ...]:
        return (
            CheckConstraint("state IN ('handled', 'waiting', 'parked', 'discarded')", name="state"),
            Index("ix_inbox_ack_due", "message_id", postgresql_where=text("ack_due")),
            Index("ix_inbox_waiting", "retry_at", postgresql_where=text("state = 'waiting'")),
            Index("ix_inbox_parked", "message_id", postgresql_where=text("state = 'parked'")),
        )


class UnreadableRow:
    """Something on our queue that is no message of this house: counted, by its digest, and never run.

    What it holds is not kept: a stranger's bytes may be anything, and anybody's.
    """

    __tablename__ = "unreadable"

    digest: Mapped[str] = mapped_column(primary_key=True)
    reason: Mapped[str]
    bytes: Mapped[int]
    times: Mapped[int] = mapped_column(server_default=text("1"))
    first_at: Mapped[datetime] = mapped_column(server_default=text("clock_timestamp()"))
    last_at: Mapped[datetime] = mapped_column(server_default=text("clock_timestamp()"))


class WorkerRow:
    """A worker process, as it says itself every few seconds (presence.py); gone is what has not been seen for a while.

    `idle_seconds`: how long it has made no progress although something waited. Moments are the database's own time.
    """

    __tablename__ = "workers"

    name: Mapped[str] = mapped_column(primary_key=True)
    started_at: Mapped[datetime]
    seen_at: Mapped[datetime]
    deliveries: Mapped[int]
    idle_seconds: Mapped[int]


class TickRunRow:
    """When a deadline's sweep last acted, and on how many rows it ever did."""

    __tablename__ = "tick_runs"

    kind: Mapped[str] = mapped_column(primary_key=True)
    ran_at: Mapped[datetime]
    acted: Mapped[int]


class OperatorActRow:
    """What an operator did with a parked message, and why; its entry in the audit log says who and when."""

    __tablename__ = "operator_acts"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    message_id: Mapped[UUID]
    act: Mapped[str]
    person_id: Mapped[UUID]
    reason: Mapped[str | None]
    at: Mapped[datetime] = mapped_column(server_default=text("clock_timestamp()"))

    @declared_attr.directive
    @classmethod
    def __table_args__(cls) -> tuple[CheckConstraint | dict[str, str], ...]:
        return (
            CheckConstraint("act IN ('retry', 'discard') AND (act = 'retry' OR reason IS NOT NULL)", name="act"),
            {"comment": "append-only"},
        )
