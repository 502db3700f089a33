"""API tokens 接口令牌: for programs of a person or of the company's HR system, limited to some actions and in time."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import Index, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, Session, declared_attr, mapped_column

from shared.messages import TokenChanged
from shared.people import KNOWN, Actor, actor_of, hash_token

PREFIX = "bianmin_"
"""What a token begins with, so that scanners of code and logs recognise one."""


class ApiTokenRow:
    """A token: whose it is, what it may be used for (`service:action`), until when, and when it was used here last."""

    __tablename__ = "api_tokens"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    version: Mapped[int]
    person_id: Mapped[UUID]
    token_hash: Mapped[str]
    scopes: Mapped[list[str]] = mapped_column(JSONB)
    expires_at: Mapped[datetime]
    revoked: Mapped[bool]
    last_used_at: Mapped[datetime | None]

    @declared_attr.directive
    @classmethod
    def __table_args__(cls) -> tuple[Index, ...]:
        return (Index("ix_api_tokens_token_hash", "token_hash", unique=True),)


# the use is noted once a minute, and by one of several requests at a time: the others do not wait for it
_IDENTIFY = text(f"""
    WITH good AS (
        SELECT id, person_id, scopes, last_used_at FROM api_tokens
        WHERE token_hash = :token_hash AND NOT revoked AND clock_now() < expires_at
    ), unnoted AS (
        SELECT id FROM api_tokens WHERE id = (SELECT id FROM good)
          AND (last_used_at IS NULL OR last_used_at < clock_now() - interval '1 minute')
        FOR UPDATE SKIP LOCKED
    ), noted AS (
        UPDATE api_tokens SET last_used_at = clock_now() WHERE id = (SELECT id FROM unnoted)
    )
    SELECT {KNOWN}, good.scopes FROM good JOIN people p ON p.id = good.person_id AND p.active
""")  # noqa: S608  # our own SQL


def identify_api_token(session: Session, token: str, *, said: str) -> tuple[Actor, datetime] | None:
    """Whose API token this is, limited to its scopes, and the moment it is; None when it is nobody's or over."""
    row = session.execute(_IDENTIFY, {"token_hash": hash_token(token), "said": said}).one_or_none()
    return None if row is None else actor_of(session, row, frozenset(row.scopes))


_PUT = text("""
    INSERT INTO api_tokens (id, version, person_id, token_hash, scopes, expires_at, revoked)
    VALUES (:token_id, :version, :person_id, :token_hash, to_jsonb(CAST(:scopes AS text[])), :expires_at, :revoked)
    ON CONFLICT (id) DO UPDATE SET version = excluded.version, scopes = excluded.scopes,
        expires_at = excluded.expires_at, revoked = excluded.revoked
    WHERE api_tokens.version < excluded.version
""")


def token_changed(session: Session, message: TokenChanged) -> None:
    """Keep what hr says of a token, unless we hold something newer."""
    session.execute(_PUT, message.model_dump())
