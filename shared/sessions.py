"""Sessions 会话: who has signed in at hr is known to every service from a signed cookie, without a call to hr.

The cookie says which session, whose, and until when; it is good as long as the service's own copy of the person is
active, his sessions were not all ended since (`session_epoch`), and this one is not among the ended ones [promise 21].
"""

import json
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any
from uuid import UUID

from sqlalchemy import Index, text
from sqlalchemy.orm import Mapped, Session, declared_attr, mapped_column
from starlette.requests import Request
from starlette.responses import Response

from shared import session_keys
from shared.errors import Problem
from shared.messages import SessionEnded
from shared.people import KNOWN, Actor, actor_of
from shared.settings import settings

LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})


class EndedSessionRow:
    """A session that ended before its time, kept until it would have ended anyhow."""

    __tablename__ = "ended_sessions"

    id_hash: Mapped[str] = mapped_column(primary_key=True)
    until: Mapped[datetime]

    @declared_attr.directive
    @classmethod
    def __table_args__(cls) -> tuple[Index, ...]:
        return (Index("ix_ended_sessions_until", "until"),)


class NoKey(Problem):
    """The installation has no key to sign sessions with (503)."""

    status = 503


@dataclass(frozen=True)
class Claims:
    """What the cookie says; moments as whole seconds since 1970, `epoch` is the person's `session_epoch` at login."""

    session_id: str
    person_id: UUID
    epoch: int
    issued: int
    idle_until: int
    absolute_until: int

    def signed(self) -> str:
        """As hr signs it. Raises NoKey where hr has none."""
        folder = settings().session_keys
        if folder is None or not (folder / session_keys.PRIVATE).exists():
            raise NoKey("no_session_key", "nobody can sign in before `bianmin prepare` made the key of sessions")
        payload = {
            "sid": self.session_id,
            "sub": str(self.person_id),
            "ep": self.epoch,
            "iat": self.issued,
            "idle": self.idle_until,
            "exp": self.absolute_until,
        }
        return session_keys.sign(folder, json.dumps(payload, separators=(",", ":")).encode())


def hash_session(session_id: str) -> str:
    """What is stored of a session's id: its SHA-256. It has 256 random bits, so that is enough."""
    return sha256(session_id.encode()).hexdigest()


def claims_in(signed: str) -> Claims | None:
    """What a cookie says, when hr signed it; whether it still holds is for the database to say."""
    folder = settings().session_keys
    payload = session_keys.verified(folder, signed) if folder is not None else None
    if payload is None:
        return None
    said: dict[str, Any] = json.loads(payload)
    return Claims(said["sid"], UUID(said["sub"]), said["ep"], said["iat"], said["idle"], said["exp"])


def is_plain(request: Request) -> bool:
    """Whether the request came without TLS from this very machine, the one case of a cookie that is not Secure."""
    return request.url.scheme == "http" and request.url.hostname in LOOPBACK


def cookie_name(request: Request) -> str:
    """`__Host-` binds a cookie to this host and to TLS; browsers refuse the prefix without TLS."""
    return "bianmin" if is_plain(request) else "__Host-bianmin"


def set_cookie(request: Request, response: Response, claims: Claims) -> None:
    """Give the browser the session; it forgets it when it is closed."""
    response.set_cookie(
        cookie_name(request), claims.signed(), path="/", secure=not is_plain(request), httponly=True, samesite="lax"
    )


def clear_cookie(request: Request, response: Response) -> None:
    """Take the session from the browser."""
    response.delete_cookie(cookie_name(request), path="/", secure=not is_plain(request), httponly=True, samesite="lax")


_IDENTIFY = text(f"""
    SELECT {KNOWN} FROM people p
    WHERE p.id = :person_id AND p.active AND p.session_epoch <= :epoch AND clock_now() < to_timestamp(:until)
      AND NOT EXISTS (SELECT 1 FROM ended_sessions WHERE id_hash = :id_hash)
""")  # noqa: S608  # our own SQL


def identify_session(session: Session, claims: Claims, *, said: str) -> tuple[Actor, datetime] | None:
    """Whose session this is, and the moment it is, in one round trip; None when it has ended."""
    asked = {
        "person_id": claims.person_id,
        "epoch": claims.epoch,
        "until": min(claims.idle_until, claims.absolute_until),
        "id_hash": hash_session(claims.session_id),
        "said": said,
    }
    row = session.execute(_IDENTIFY, asked).one_or_none()
    return None if row is None else actor_of(session, row)


_END = text("""
    WITH over AS (DELETE FROM ended_sessions WHERE until < clock_now())
    INSERT INTO ended_sessions (id_hash, until) VALUES (:session_hash, :until) ON CONFLICT DO NOTHING
""")


def session_ended(session: Session, message: SessionEnded) -> None:
    """The session is worth nothing from here on; those that would be over anyhow are forgotten."""
    session.execute(_END, message.model_dump())
