"""The tables, and a transaction."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from functools import cache
from typing import Any, ClassVar
from uuid import UUID, uuid4

from sqlalchemy import DateTime, Engine, create_engine, func
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column


class Base(DeclarativeBase):
    """The tables."""

    type_annotation_map: ClassVar[dict[Any, Any]] = {datetime: DateTime(timezone=True)}


class Person(Base):
    """Who may act."""

    __tablename__ = "people"

    token: Mapped[str] = mapped_column(primary_key=True)
    id: Mapped[UUID]
    role: Mapped[str]


class Request(Base):
    """The desk's registration form, and what it hears of the job."""

    __tablename__ = "requests"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    owner_name: Mapped[str]
    address: Mapped[str]
    phone: Mapped[str]
    description: Mapped[str]
    trade: Mapped[str]
    state: Mapped[str] = mapped_column(default="recorded")
    recorded_at: Mapped[datetime] = mapped_column(server_default=func.now())
    reached_at: Mapped[datetime | None]
    callback_missed: Mapped[bool] = mapped_column(default=False)
    fee_fen: Mapped[int | None]
    acknowledged_at: Mapped[datetime | None]
    assigned_at: Mapped[datetime | None]
    accepted_at: Mapped[datetime | None]
    returned_at: Mapped[datetime | None]
    received_fen: Mapped[int | None]


class Revisit(Base):
    """An owner to be called after the work."""

    __tablename__ = "revisits"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    request_id: Mapped[UUID] = mapped_column(index=True)
    outcome: Mapped[str | None]


class WorkOrder(Base):
    """The department's job."""

    __tablename__ = "work_orders"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    request_id: Mapped[UUID] = mapped_column(unique=True)
    fee_fen: Mapped[int]
    state: Mapped[str] = mapped_column(default="received")
    worker_id: Mapped[UUID | None]
    signer_name: Mapped[str | None]


class Charge(Base):
    """What the owner owes."""

    __tablename__ = "charges"

    request_id: Mapped[UUID] = mapped_column(primary_key=True)
    fee_fen: Mapped[int]
    state: Mapped[str] = mapped_column(default="noticed")
    worker_id: Mapped[UUID | None]


class Receipt(Base):
    """What he paid, divided."""

    __tablename__ = "receipts"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    request_id: Mapped[UUID] = mapped_column(unique=True)
    amount_fen: Mapped[int]
    company_fen: Mapped[int]
    workers_fen: Mapped[int]
    reserve_fen: Mapped[int]


class MissedCallback(Base):
    """An owner who was not called back in time."""

    __tablename__ = "missed_callbacks"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    request_id: Mapped[UUID] = mapped_column(index=True)


@cache
def _engine() -> Engine:
    return create_engine(os.environ["NAIVE_DATABASE_URL"], pool_size=8, max_overflow=0, pool_pre_ping=True)


@contextmanager
def transaction() -> Iterator[Session]:
    """Committed when the block ends well."""
    with Session(_engine(), expire_on_commit=False) as session, session.begin():
        yield session
