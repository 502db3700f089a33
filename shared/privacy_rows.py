"""What was done with an owner's personal data: shown in full, taken out, erased; by whom, when and why [D26]."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import Index, text
from sqlalchemy.orm import Mapped, Session, declared_attr, mapped_column

from shared.errors import NotFound
from shared.ids import new_id
from shared.paging import Page
from shared.people import Actor


class PrivacyAct(StrEnum):
    """What can be done with it."""

    REVEAL = "reveal"
    EXPORT = "export"
    ERASE = "erase"


class PrivacyActRow:
    """One act on the data of one request's owner; rows are only ever added. By nobody: the retention policy did it."""

    __tablename__ = "privacy_acts"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    act: Mapped[str]
    request_id: Mapped[UUID]
    site_id: Mapped[UUID]
    by: Mapped[UUID | None]
    reason: Mapped[str]
    at: Mapped[datetime]

    @declared_attr.directive
    @classmethod
    def __table_args__(cls) -> tuple[Index | dict[str, str], ...]:
        return (
            Index("ix_privacy_acts_site_id", "site_id", "id"),
            Index("ix_privacy_acts_request_id", "request_id"),
            {"comment": "append-only"},
        )


@dataclass(frozen=True)
class PrivacyActView:
    """An act as the auditor sees it; `by` is null when the retention policy did it."""

    id: UUID
    act: str
    request_id: UUID
    site_id: UUID
    by: UUID | None
    reason: str
    at: datetime


_ADD = text("""
    INSERT INTO privacy_acts (id, act, request_id, site_id, by, reason, at)
    VALUES (:id, :act, :request_id, :site_id, :by, :reason, :at)
""")

_LIST = text("""
    SELECT id, act, request_id, site_id, by, reason, at FROM privacy_acts
    WHERE (CAST(:sites AS uuid[]) IS NULL OR site_id = ANY(:sites))
      AND (CAST(:request_id AS uuid) IS NULL OR request_id = :request_id)
      AND (CAST(:after AS uuid) IS NULL OR id > :after)
    ORDER BY id LIMIT :limit
""")


def note_acts(
    session: Session,
    act: PrivacyAct,
    owners: Sequence[tuple[UUID, UUID]],
    *,
    by: UUID | None,
    reason: str,
    now: datetime,
) -> None:
    """Write down what is done with the data of these requests' owners (request, site), in the same transaction."""
    if owners:
        done = {"act": act, "by": by, "reason": reason, "at": now}
        session.execute(
            _ADD, [{"id": new_id(), "request_id": request, "site_id": site, **done} for request, site in owners]
        )


def privacy_acts(
    session: Session, actor: Actor, *, request_id: UUID | None, after: UUID | None, limit: int
) -> Page[PrivacyActView]:
    """The acts at the person's sites, in order."""
    asked = {
        "sites": None if actor.site_ids is None else list(actor.site_ids),
        "request_id": request_id,
        "after": after,
        "limit": limit + 1,
    }
    found = [PrivacyActView(*row) for row in session.execute(_LIST, asked)]
    return Page(found[:limit], found[limit - 1].id if len(found) > limit else None)


def check_all_found(asked: Sequence[UUID], found: Sequence[UUID]) -> None:
    """Raises NotFound for a request that is not there, or at no site of the person's."""
    for missing in sorted(set(asked) - set(found)):
        raise NotFound("request", missing)
