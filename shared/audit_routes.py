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
    """One change; `actor` is nobody's name when a message, a deadline or somebody at the database made it.

    `behalf_of` is for whom he acted; of a message, the person whose act in another service it comes from.
    `policies` were asked before, each as `name@id` (`GET /api/policies` shows what that says) or `name@default`.
    """

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
    behalf_of_id: UUID | None
    behalf_of: str | None
    policies: list[str] | None


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
    """Some of them, by their moment."""

    after: int = Query(default=0, ge=0, description="the last `id` of the page before")
    limit: Limit = 100


_CONDITIONS = {
    "table": "l.table_name = :table",
    "row": "l.row_key = :row",
    "actor_id": "l.actor_id = :actor_id",
    "cause": "l.cause = :cause",
    "since": "l.at >= :since",
    "until": "l.at < :until",
    "after": "(l.at, l.id) > (SELECT at, id FROM audit_log WHERE id = :after)",
    "sites": "l.site_id IN :sites",  # with one site it is read in the order of its index, ANY is not
}
"""What is asked -> its condition; what is not asked is not in the statement, so that an index serves what is."""

_ENTRIES = """
    SELECT l.id, l.at, l.actor_id, p.name AS actor, l.cause, l.address, l.trace, l.login, l.table_name AS "table",
           l.row_key AS "row", l.operation, l.site_id, l.before, l.after, l.place, l.hash,
           l.behalf_of AS behalf_of_id, b.name AS behalf_of, l.policies
    FROM (SELECT * FROM audit_log l WHERE {conditions} ORDER BY l.at, l.id LIMIT :limit) l
    LEFT JOIN people p ON p.id = l.actor_id LEFT JOIN people b ON b.id = l.behalf_of
    ORDER BY l.at, l.id
"""


def entries(session: Session, actor: Actor, wanted: Wanted, *, after: int, limit: int) -> list[AuditEntryView]:
    """The entries at the sites of the person asking, by their moment, those of one in the order they were written.

    Those of no site, as a policy of the company, are shown to whoever sees every site. `after` is the `id` of an entry,
    0 for the first page.
    """
    sites = None if actor.site_ids is None else list(actor.site_ids)
    asked = wanted.model_dump() | {"sites": sites, "after": after or None}
    given = {name: value for name, value in asked.items() if name in _CONDITIONS and value is not None}
    conditions = " AND ".join(_CONDITIONS[name] for name in given) or "true"
    statement = text(_ENTRIES.format(conditions=conditions))
    if sites is not None:
        statement = statement.bindparams(bindparam("sites", type_=Uuid(), expanding=True))
    rows = session.execute(statement, given | {"limit": limit})
    return [AuditEntryView(*row) for row in rows]


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
    return json.dumps(value, ensure_ascii=False, sort_keys=True) if isinstance(value, dict | list) else str(value)
