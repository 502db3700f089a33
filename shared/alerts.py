"""Alerts 提醒: what somebody is told at once and confirms having seen [D3, D4, D6, D24]; the same in all services.

An alert is addressed to one person, or to everybody of a role (and department) at its site. Raising it again for
the same subject changes nothing, so a sweep or a repeated message may.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Index, bindparam, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, Session, declared_attr, mapped_column

from shared.errors import NotFound
from shared.ids import new_id
from shared.messages import Department, Role
from shared.paging import Page
from shared.people import Actor


class AlertRow:
    """One alert and whether it was seen."""

    __tablename__ = "alerts"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    kind: Mapped[str]
    site_id: Mapped[UUID]
    subject_id: Mapped[UUID]
    person_id: Mapped[UUID | None]
    role: Mapped[str | None]
    department: Mapped[str | None]
    facts: Mapped[dict] = mapped_column(JSONB)  # type: ignore[type-arg]
    raised_at: Mapped[datetime]
    seen_at: Mapped[datetime | None]
    seen_by: Mapped[UUID | None]

    @declared_attr.directive
    @classmethod
    def __table_args__(cls) -> tuple[Index, ...]:
        return (
            Index(
                "uq_alerts_told",
                "kind",
                "subject_id",
                "person_id",
                "role",
                "department",
                unique=True,
                postgresql_nulls_not_distinct=True,
            ),
            Index("ix_alerts_unseen", "site_id", "id", postgresql_where=text("seen_at IS NULL")),
            Index("ix_alerts_site_id", "site_id", "id"),
            Index("ix_alerts_person_id", "person_id", "id"),
            Index("ix_alerts_role", "role", "site_id", "id"),
        )


@dataclass(frozen=True)
class Alert:
    """What is told: its static kind ('callback_missed'), whom it is about, to whom, and facts to show beside it."""

    kind: str
    site_id: UUID
    subject_id: UUID
    person_id: UUID | None = None
    role: Role | None = None
    department: Department | None = None
    facts: dict[str, str | int] = field(default_factory=dict)


_RAISE = text("""
    INSERT INTO alerts (id, kind, site_id, subject_id, person_id, role, department, facts, raised_at)
    VALUES (:id, :kind, :site_id, :subject_id, :person_id, :role, :department, :facts, :raised_at)
    ON CONFLICT (kind, subject_id, person_id, role, department) DO NOTHING
""").bindparams(bindparam("facts", type_=JSONB))


def raise_alerts(session: Session, alerts: Sequence[Alert], *, now: datetime) -> None:
    """Tell these; what was told before of the same subject to the same people is not told again."""
    if alerts:
        session.execute(_RAISE, [{"id": new_id(), "raised_at": now, **vars(alert)} for alert in alerts])


@dataclass(frozen=True)
class AlertView:
    """An alert as its reader sees it."""

    id: UUID
    kind: str
    site_id: UUID
    subject_id: UUID
    person_id: UUID | None
    role: str | None
    department: str | None
    facts: dict[str, Any]
    raised_at: datetime
    seen_at: datetime | None
    seen_by: UUID | None


_COLUMNS = "id, kind, site_id, subject_id, person_id, role, department, facts, raised_at, seen_at, seen_by"

# whoever watches reads all of them; everybody else his own, and those of his role and department
_HIS = """
    (CAST(:sites AS uuid[]) IS NULL OR site_id = ANY(:sites))
    AND (:watches OR person_id = :person_id
         OR role = :role AND coalesce(department, :department) = :department)
"""

_LIST = text(f"""
    SELECT {_COLUMNS} FROM alerts
    WHERE {_HIS} AND (NOT :unseen OR seen_at IS NULL) AND (CAST(:after AS uuid) IS NULL OR id > :after)
    ORDER BY id LIMIT :limit
""")  # noqa: S608  # our own column names

_SEE = text(f"""
    UPDATE alerts SET seen_at = coalesce(seen_at, :now), seen_by = coalesce(seen_by, :person_id)
    WHERE id = :id AND {_HIS} RETURNING {_COLUMNS}
""")  # noqa: S608  # our own column names


def _reader(actor: Actor, *, watches: bool) -> dict[str, Any]:
    return {
        "sites": None if actor.site_ids is None else list(actor.site_ids),
        "watches": watches,
        "person_id": actor.person_id,
        "role": actor.role,
        "department": actor.department,
    }


def alerts_of(
    session: Session, actor: Actor, *, unseen: bool, after: UUID | None, limit: int, watches: bool = False
) -> Page[AlertView]:
    """Alerts for the person asking, in the order they were raised; all of his sites for one who watches."""
    asked = {**_reader(actor, watches=watches), "unseen": unseen, "after": after, "limit": limit + 1}
    rows = [AlertView(**row) for row in session.execute(_LIST, asked).mappings()]
    shown = rows[:limit]
    return Page(shown, shown[-1].id if len(rows) > limit else None)


def see(session: Session, *, alert_id: UUID, actor: Actor, now: datetime) -> AlertView:
    """The reader confirms having seen it; the first one to do so is kept. Raises NotFound for alerts of others."""
    row = session.execute(_SEE, {**_reader(actor, watches=False), "id": alert_id, "now": now}).mappings().one_or_none()
    if row is None:
        raise NotFound("alert", alert_id)
    return AlertView(**row)
