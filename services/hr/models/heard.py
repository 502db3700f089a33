"""The tables of what other services tell and hr keeps."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from services.hr.models.base import Base
from shared.ids import new_id
from shared.messages import FieldDepartment


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


class LedgerAnchor(Base):
    """Where the chain of finance's ledger stood, as it said: out of reach of whoever rewrites that ledger."""

    __tablename__ = "ledger_anchors"
    __table_args__ = ({"comment": "append-only"},)

    seq: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    hash: Mapped[str]
    anchored_at: Mapped[datetime]
    heard_at: Mapped[datetime]
