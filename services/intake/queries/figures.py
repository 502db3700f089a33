"""Figures of a month for charts: callbacks day by day, reworks by site, trade and person [R43]."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from shared.people import Actor


@dataclass(frozen=True)
class DayCallbacks:
    """Of the callbacks owed for requests recorded on a day ('01' to '31'), those kept and those missed."""

    day: str
    kept: int
    missed: int


@dataclass(frozen=True)
class Reworks:
    """Of the owners asked for the first time, how many had a problem; `key` is a site's id, a trade or a name."""

    key: str
    asked: int
    problems: int

    @property
    def percent(self) -> float:
        """Problems of a hundred asked."""
        return 100 * self.problems / self.asked if self.asked else 0


_CALLBACKS = text("""
    SELECT to_char(r.recorded_at AT TIME ZONE s.zone, 'DD') AS day,
           count(*) FILTER (WHERE reached_at <= callback_due_at) AS kept,
           count(*) FILTER (WHERE callback_missed) AS missed
    FROM requests r JOIN sites s ON s.id = r.site_id
    WHERE r.month = :month AND (CAST(:sites AS uuid[]) IS NULL OR r.site_id = ANY(:sites))
      AND callback_due_at IS NOT NULL
    GROUP BY day ORDER BY day
""")

# of the first visit, whoever does the rework, and by what the owner said before any
_REWORKS = """
    SELECT {key} AS key, count(*) AS asked, count(*) FILTER (WHERE NOT r.satisfied) AS problems
    FROM revisits r JOIN requests q ON q.id = r.request_id {more}
    WHERE r.done_month = :month AND (CAST(:sites AS uuid[]) IS NULL OR r.site_id = ANY(:sites))
      AND r.round = 0 AND r.satisfied IS NOT NULL
    GROUP BY {by} ORDER BY problems DESC, asked DESC, key LIMIT 40
"""
_WORKERS = """
    JOIN visits v ON v.request_id = r.request_id AND v.round = 0
    CROSS JOIN LATERAL jsonb_to_recordset(coalesce(nullif(v.workers, 'null'), '[]')) AS w (person_id uuid, name text)
"""
REWORKS: Mapping[str, Any] = {
    "site": text(_REWORKS.format(key="CAST(r.site_id AS text)", by="r.site_id", more="")),
    "trade": text(_REWORKS.format(key="q.trade", by="q.trade", more="")),
    "person": text(_REWORKS.format(key="max(w.name)", by="w.person_id", more=_WORKERS)),
}
"""By what reworks are counted -> the statement that does."""


def callbacks_by_day(session: Session, actor: Actor, *, month: str, site_id: UUID | None) -> list[DayCallbacks]:
    """The callbacks of a month, at one of the person's sites or at all [R48]."""
    asked = {"month": month, "sites": _sites(actor, site_id)}
    return [DayCallbacks(row.day, row.kept, row.missed) for row in session.execute(_CALLBACKS, asked)]


def reworks_by(session: Session, actor: Actor, by: str, *, month: str, site_id: UUID | None) -> list[Reworks]:
    """The first revisits of a month by site, trade or person, the most problems first [R39, R43]."""
    asked = {"month": month, "sites": _sites(actor, site_id)}
    return [Reworks(row.key, row.asked, row.problems) for row in session.execute(REWORKS[by], asked)]


def _sites(actor: Actor, site_id: UUID | None) -> list[UUID] | None:
    if site_id is not None:
        return [site_id] if actor.sees(site_id) else []
    return None if actor.site_ids is None else list(actor.site_ids)
