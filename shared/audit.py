"""The audit log: every change of a service's tables, who or what made it, for whom, and what stood there before.

Triggers write it, so no code can forget to; a service's role may read it and nothing else. Once a second the entries
are sealed into a chain of hashes, so that whoever stands above the database's rules cannot change one unseen. Journals
are not in it: the ledger is append-only, and a chain of its own.
"""

import json
from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, Identity, Index, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, Session, declared_attr, mapped_column

from shared.db import Database
from shared.log import current_traceparent, trace_of

SEALED_AT_ONCE = 1000

ACTING = "acting"
"""Under this name a session's `info` holds whose act its transaction is, or comes from: his messages say so."""


class AuditRow:
    """One change of one row.

    `at` is business time, `recorded_at` the database's own. `actor_id` is None when no person but a message, a deadline
    or somebody at the database itself (`cause` 'by hand') made it. `behalf_of` is whom he acted for; of a message, the
    person whose act in another service it comes from. `policies` are those the transaction had asked before the change,
    each as `name@id of its row` or `name@default`; of a row of a site, those asked for that site or for none. `before`
    and `after` hold the columns that changed.
    """

    __tablename__ = "audit_log"

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    at: Mapped[datetime]
    recorded_at: Mapped[datetime]
    actor_id: Mapped[UUID | None]
    cause: Mapped[str]
    address: Mapped[str | None]
    trace: Mapped[str | None]
    login: Mapped[str]
    table_name: Mapped[str]
    row_key: Mapped[str]
    operation: Mapped[str]
    site_id: Mapped[UUID | None]
    before: Mapped[dict | None]  # type: ignore[type-arg]  # column: what it held
    after: Mapped[dict | None]  # type: ignore[type-arg]  # column: what it held
    place: Mapped[int | None] = mapped_column(BigInteger)
    hash: Mapped[str | None]
    behalf_of: Mapped[UUID | None]
    policies: Mapped[list[str] | None] = mapped_column(JSONB)

    @declared_attr.directive
    @classmethod
    def __table_args__(cls) -> tuple[Index | dict[str, str], ...]:
        return (
            Index("ix_audit_log_place", "place", unique=True),
            Index("ix_audit_log_unsealed", "id", postgresql_where=text("place IS NULL")),
            # each filter of /api/audit-log is one scan in its order, from where the page before ended
            Index("ix_audit_log_at", "at", "id"),
            Index("ix_audit_log_actor", "actor_id", "at", "id", postgresql_where=text("actor_id IS NOT NULL")),
            Index("ix_audit_log_cause", "cause", "at", "id"),
            Index("ix_audit_log_row", "row_key", "at", "id"),
            Index("ix_audit_log_table", "table_name", "at", "id"),
            Index("ix_audit_log_site_id", "site_id", "at", "id"),
            {"comment": "written by triggers"},
        )


def cause_of(cause: str, *, address: str | None = None, behalf_of: UUID | None = None) -> str:
    """What the triggers are told of whoever changes something in this transaction (the setting `app.audit`)."""
    said = {"cause": cause, "address": address, "trace": trace_of(current_traceparent())}
    if behalf_of is not None:
        said["behalf_of"] = str(behalf_of)
    return json.dumps(said, ensure_ascii=False)


_BECAUSE = text("SELECT set_config('app.audit', :said, true)")


def because(session: Session, said: str) -> None:
    """What is changed in this transaction has this cause, as `cause_of` says it."""
    session.execute(_BECAUSE, {"said": said})


_ON_BEHALF = text("""
    SELECT set_config('app.audit', CAST(jsonb_set(
        CAST(coalesce(nullif(current_setting('app.audit', true), ''), '{}') AS jsonb),
        '{behalf_of}', to_jsonb(CAST(:person_id AS uuid))) AS text), true)
""")


def on_behalf_of(session: Session, person_id: UUID) -> None:
    """What is changed from here on in this transaction is done for this person, who does not do it himself."""
    session.flush()
    session.execute(_ON_BEHALF, {"person_id": person_id})


def seal(database: Database) -> int:
    """Append what is not in the chain yet, until nothing is left or another does it; returns how many entries."""
    sealed = 0
    while True:
        with database.session() as session:
            count: int = session.execute(text("SELECT seal_audit_log(:most)"), {"most": SEALED_AT_ONCE}).scalar_one()
        sealed += count
        if count < SEALED_AT_ONCE:
            return sealed
