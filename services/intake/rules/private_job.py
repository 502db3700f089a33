"""A report that somebody took a paid job privately: what it must be to be meant [R54]."""

from datetime import datetime

from shared.errors import Malformed


def check_report(*, happened_at: datetime, now: datetime) -> None:
    """Raises Malformed for what has not happened yet."""
    if happened_at > now:
        raise Malformed("not_happened_yet", "what is reported lies in the future", rule="R54")
