"""A report that somebody took a paid job privately: what it must be to be meant [R54]."""

from datetime import datetime
from uuid import UUID

from shared.errors import Malformed, RuleBroken


def check_report(*, about: UUID, by: UUID, happened_at: datetime, now: datetime) -> None:
    """Raises Malformed for what has not happened yet, RuleBroken for a report on oneself."""
    if happened_at > now:
        raise Malformed("not_happened_yet", "what is reported lies in the future", rule="R54")
    if about == by:
        raise RuleBroken("not_on_oneself", "nobody reports himself", rule="R54")
