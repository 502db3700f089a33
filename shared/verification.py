"""What `bianmin verify` saw last, as every service may read it."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import text
from sqlalchemy.orm import Session

_LAST = text("""
    SELECT DISTINCT ON (invariant) invariant, violations, at, seconds, clock_now() AS now
    FROM verifications ORDER BY invariant, id DESC
""")


@dataclass(frozen=True)
class VerificationView:
    """The last verification: when (UTC), how long it took, how long ago, and the violations of each invariant."""

    at: datetime
    seconds: float
    age_seconds: float
    violations: dict[str, int]


def last_verification(session: Session) -> VerificationView | None:
    """What was seen of each invariant the last time it was looked at; None before the first time."""
    rows = session.execute(_LAST).all()
    if not rows:
        return None
    newest = max(rows, key=lambda row: row.at)
    age = (newest.now - newest.at).total_seconds()
    return VerificationView(newest.at, newest.seconds, age, {row.invariant: row.violations for row in rows})
