"""What the auditor sees of a service's audit log: the same routes in all four."""

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass, fields
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query
from fastapi.responses import Response, StreamingResponse
from pydantic import BaseModel
from sqlalchemy import Uuid, bindparam, text
from sqlalchemy.orm import Session

from shared.access import COMMON
from shared.db import database
from shared.headers import attachment
from shared.people import Actor
from shared.spreadsheets import UTF_8, csv_lines
from shared.walls import act_as
from shared.web import Edge, Limit, Moment, permissions

AT_ONCE = 1000
"""Entries that are read at a time for a file."""


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


class WantedPage(Wanted):
    """Some of them, in the order they were written."""

    after: int = Query(default=0, ge=0, description="the last `id` of the page before")
    limit: Limit = 100


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
      AND (:everywhere OR l.site_id IN :sites)
    ORDER BY l.id LIMIT :limit
""").bindparams(
    bindparam("sites", type_=Uuid(), expanding=True)
)  # IN with one site is read in the order of its index, ANY is not


def entries(session: Session, actor: Actor, wanted: Wanted, *, after: int, limit: int) -> list[AuditEntryView]:
    """The entries at the sites of the person asking, in the order they were written.

    Those of no site, as a policy of the company, are shown to whoever sees every site.
    """
    sites = [] if actor.site_ids is None else list(actor.site_ids)
    asked = wanted.model_dump() | {"everywhere": actor.site_ids is None, "sites": sites, "after": after, "limit": limit}
    return [AuditEntryView(*row) for row in session.execute(_ENTRIES, asked)]


def make_audit(service: str) -> APIRouter:
    """The routes under /audit-log of a service."""
    may = permissions(service, COMMON)
    routes = APIRouter(prefix="/api/audit-log", tags=["audit"])

    @routes.get("", summary="Every change: who, when, from where, what before and after")
    def list_entries(
        edge: Annotated[Edge, may("read_audit_log")], wanted: Annotated[WantedPage, Query()]
    ) -> list[AuditEntryView]:
        return entries(edge.session, edge.actor, wanted, after=wanted.after, limit=wanted.limit)

    @routes.get(
        "/export.csv",
        summary="All of them as a file",
        response_class=Response,
        responses={200: {"content": {"text/csv": {}}, "description": "the entries, one a line"}},
    )
    def export(edge: Annotated[Edge, may("read_audit_log")], wanted: Annotated[Wanted, Query()]) -> StreamingResponse:
        return StreamingResponse(
            _written(service, edge, wanted),
            media_type="text/csv; charset=utf-8",
            headers=attachment(f"{service}-audit-log.csv"),
        )

    return routes


def _written(service: str, edge: Edge, wanted: Wanted) -> Iterator[str]:
    yield UTF_8 + csv_lines([[field.name for field in fields(AuditEntryView)]])
    last = 0
    # the request's transaction ends before the answer is sent; this one sees a single moment of the log
    with database(service).session() as session:
        session.connection(execution_options={"isolation_level": "REPEATABLE READ"})
        act_as(session, edge.session)
        while found := entries(session, edge.actor, wanted, after=last, limit=AT_ONCE):
            yield csv_lines([_cell(value) for value in asdict(entry).values()] for entry in found)
            last = found[-1].id


def _cell(value: Any) -> str:
    if value is None:
        return ""
    return json.dumps(value, ensure_ascii=False, sort_keys=True) if isinstance(value, dict) else str(value)
