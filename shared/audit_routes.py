"""What the auditor sees of a service's audit log: the same routes in all four."""

import csv
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, fields
from datetime import datetime
from io import StringIO
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query
from fastapi.responses import Response, StreamingResponse
from pydantic import BaseModel
from sqlalchemy import text
from sqlalchemy.orm import Session

from shared.access import COMMON
from shared.people import Actor
from shared.spreadsheets import Cell, defused
from shared.web import Edge, Moment, permissions

MOST = 10_000
"""Entries of one page or file; more are asked for by `after`."""


@dataclass(frozen=True)
class AuditEntryView:
    """One change; `actor` is nobody's name when a message, a deadline or somebody at the database made it."""

    id: int
    at: datetime
    actor_id: UUID | None
    actor: str | None
    cause: str
    address: str | None
    trace: str | None
    login: str
    table: str
    row: str
    operation: str
    site_id: UUID | None
    before: dict[str, Any] | None
    after: dict[str, Any] | None
    place: int | None
    hash: str | None


class Wanted(BaseModel):
    """Which entries: all conditions that are given must hold."""

    model_config = {"extra": "forbid"}

    table: str | None = None
    row: str | None = Query(default=None, description="the key of the row, as an entry shows it")
    actor_id: UUID | None = None
    cause: str | None = Query(default=None, description="a route, a message or a deadline, as an entry shows it")
    since: Moment | None = None
    until: Moment | None = None
    after: int = Query(default=0, ge=0, description="the last `id` of the page before")
    limit: int = Query(default=100, ge=1, le=MOST)


_ENTRIES = text("""
    SELECT l.id, l.at, l.actor_id, p.name AS actor, l.cause, l.address, l.trace, l.login, l.table_name AS "table",
           l.row_key AS "row", l.operation, l.site_id, l.before, l.after, l.place, l.hash
    FROM audit_log l LEFT JOIN people p ON p.id = l.actor_id
    WHERE l.id > :after
      AND (CAST(:table AS text) IS NULL OR l.table_name = :table)
      AND (CAST(:row AS text) IS NULL OR l.row_key = :row)
      AND (CAST(:actor_id AS uuid) IS NULL OR l.actor_id = :actor_id)
      AND (CAST(:cause AS text) IS NULL OR l.cause = :cause)
      AND (CAST(:since AS timestamptz) IS NULL OR l.at >= :since)
      AND (CAST(:until AS timestamptz) IS NULL OR l.at < :until)
      AND (:everywhere OR l.site_id = ANY(:sites))
    ORDER BY l.id LIMIT :limit
""")


def entries(session: Session, actor: Actor, wanted: Wanted) -> list[AuditEntryView]:
    """The entries at the sites of the person asking, in the order they were written.

    Those of no site, as a policy of the company, are shown to whoever sees every site.
    """
    sites = [] if actor.site_ids is None else list(actor.site_ids)
    asked = wanted.model_dump() | {"everywhere": actor.site_ids is None, "sites": sites}
    return [AuditEntryView(*row) for row in session.execute(_ENTRIES, asked)]


def make_audit(service: str) -> APIRouter:
    """The routes under /audit-log of a service."""
    may = permissions(service, COMMON)
    routes = APIRouter(prefix="/api/audit-log", tags=["audit"])

    @routes.get("", summary="Every change: who, when, from where, what before and after")
    def list_entries(
        edge: Annotated[Edge, may("read_audit_log")], wanted: Annotated[Wanted, Query()]
    ) -> list[AuditEntryView]:
        return entries(edge.session, edge.actor, wanted)

    @routes.get(
        "/export.csv",
        summary="The same as a file",
        response_class=Response,
        responses={200: {"content": {"text/csv": {}}, "description": "the entries, one a line"}},
    )
    def export(edge: Annotated[Edge, may("read_audit_log")], wanted: Annotated[Wanted, Query()]) -> StreamingResponse:
        found = entries(edge.session, edge.actor, wanted)
        return StreamingResponse(
            _written(found),
            media_type="text/csv; charset=utf-8",
            headers={"Content-Disposition": f'attachment; filename="{service}-audit-log.csv"'},
        )

    return routes


def _written(found: Iterable[AuditEntryView]) -> Iterator[str]:
    names = [field.name for field in fields(AuditEntryView)]
    yield _line(names)
    for entry in found:
        yield _line([defused(_cell(value)) for value in asdict(entry).values()])


def _cell(value: Any) -> str:
    if value is None:
        return ""
    return json.dumps(value, ensure_ascii=False, sort_keys=True) if isinstance(value, dict) else str(value)


def _line(cells: Sequence[Cell]) -> str:
    line = StringIO()
    csv.writer(line).writerow(cells)
    return line.getvalue()
