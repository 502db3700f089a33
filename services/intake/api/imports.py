"""Rows of another system's list [D2]."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter
from pydantic import Field, ValidationError

from services.intake.actions import importing, request
from services.intake.actions.importing import ImportedRow
from services.intake.api.may import may
from services.intake.api.requests import RequestForm
from shared.web import Body, Edge, Moment, Short, explain

routes = APIRouter(tags=["imports"])


class ImportRow(RequestForm):
    """One row of another system's list, with its key there."""

    source_key: Short
    asked_at: Moment | None = None


class ImportRequests(Body):
    """Rows of one site, each checked by itself: `rows` maps the row number to the fields of ImportRow."""

    source: Short
    site_id: UUID
    rows: dict[int, dict[str, Any]] = Field(max_length=500)


@routes.post("/imports", summary="Register rows of another system's list; known rows change nothing [D2]")
def import_requests(body: ImportRequests, edge: Annotated[Edge, may("import_requests")]) -> list[ImportedRow]:
    forms: dict[int, request.RegistrationForm] = {}
    told: list[ImportedRow] = []
    for number, fields in body.rows.items():
        try:
            row = ImportRow.model_validate(fields)
            forms[number] = row.form(source=body.source, source_key=row.source_key, asked_at=row.asked_at)
        except ValidationError as bad:
            told.append(ImportedRow(number, "malformed", None, explain(bad.errors())))
    told += importing.import_rows(
        edge.session, site_id=body.site_id, source=body.source, forms=forms, actor=edge.actor, now=edge.now
    )
    return sorted(told, key=lambda row: row.row)
