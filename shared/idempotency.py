"""A POST that creates or moves money takes effect once for each Idempotency-Key, however often it is sent."""

from datetime import datetime
from hashlib import sha256
from typing import Any
from uuid import UUID

from sqlalchemy import Index, bindparam, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, Session, declared_attr, mapped_column

from shared.errors import Malformed

LONGEST_KEY = 255


class IdempotencyRow:
    """The answer given to one key of one person; written in the transaction of its effect."""

    __tablename__ = "idempotency_keys"

    person_id: Mapped[UUID] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(primary_key=True)
    fingerprint: Mapped[str]
    answer: Mapped[dict | None]  # type: ignore[type-arg]
    created_at: Mapped[datetime] = mapped_column(server_default=text("clock_timestamp()"))

    @declared_attr.directive
    @classmethod
    def __table_args__(cls) -> tuple[Index, ...]:
        return (Index("ix_idempotency_keys_created_at", "created_at", postgresql_using="brin"),)


_CLAIM = text("""
    INSERT INTO idempotency_keys (person_id, key, fingerprint) VALUES (:person_id, :key, :fingerprint)
    ON CONFLICT DO NOTHING RETURNING 1
""")
_EARLIER = text("SELECT fingerprint, answer FROM idempotency_keys WHERE person_id = :person_id AND key = :key")
_ANSWER = text("UPDATE idempotency_keys SET answer = :answer WHERE person_id = :person_id AND key = :key").bindparams(
    bindparam("answer", type_=JSONB)
)


def fingerprint(*parts: str) -> str:
    """What makes two requests the same: method, path and body."""
    return sha256("\n".join(parts).encode()).hexdigest()


def earlier_answer(session: Session, person_id: UUID, key: str | None, print_: str) -> Any:
    """The stored answer when this key was used before, else None and the key is ours.

    A request with the same key that is still under way is waited for. Raises Malformed when there is no
    usable key, or when it was used for a different request.
    """
    if not key or len(key) > LONGEST_KEY:
        raise Malformed(
            "idempotency_key_needed",
            f"send an Idempotency-Key header of 1 to {LONGEST_KEY} characters, a new one for each new act",
        )
    ours = {"person_id": person_id, "key": key, "fingerprint": print_}
    if session.execute(_CLAIM, ours).one_or_none():
        return None
    earlier = session.execute(_EARLIER, {"person_id": person_id, "key": key}).one()
    if earlier.fingerprint != print_:
        raise Malformed("idempotency_key_reused", "this Idempotency-Key was used for a different request")
    return earlier.answer


def keep_answer(session: Session, person_id: UUID, key: str, answer: Any) -> None:
    """Store the answer, to be given again."""
    session.execute(_ANSWER, {"answer": answer, "person_id": person_id, "key": key})
