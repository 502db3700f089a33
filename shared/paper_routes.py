"""Handing out papers, and the route /verify/{code} that says of one whether it holds; the same in all services."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Annotated, Any, Literal
from urllib.parse import quote

from fastapi import APIRouter, Path, Query, Request, Response
from fastapi.responses import JSONResponse
from pydantic_core import to_jsonable_python
from sqlalchemy.orm import Session

from shared.errors import Malformed, NotFound
from shared.headers import attachment
from shared.ui.papers.archive import NAMES, Paper, Rebuild, Standing, draft, issue, page_of, standing
from shared.ui.problem_page import wants_page
from shared.ui.verify_page import verify_page
from shared.walls import across_sites
from shared.web import Edge, transaction

FileType = Literal["pdf", "svg"]
"""What a paper is asked for as: to print and keep, or to look at."""

PageNumber = Annotated[int, Query(ge=1, le=1000, description="of the preview; a PDF is always whole")]

CODE = r"^[A-Za-z0-9_-]{22}$"
"""A paper's own: 128 random bits."""

Code = Annotated[str, Path(max_length=100, json_schema_extra={"pattern": CODE})]

DRAWN: dict[str, Any] = {
    "response_class": Response,
    "responses": {
        200: {
            "content": {
                "application/pdf": {"schema": {"type": "string", "format": "binary"}},
                "image/svg+xml": {"schema": {"type": "string"}},
            },
            "description": "the paper, whole as PDF or one page as SVG; X-Pages says how many it has",
        }
    },
}
"""What every route of a paper says of its answers."""


def hand_out(
    edge: Edge, service: str, paper: Paper, file_type: FileType, *, size: str = "a4", page: int = 1
) -> Response:
    """A paper as a download, or one page of it for the screen; issued by the first who asks. Raises NotFound."""
    unkept = paper.draft or paper.leads_to
    issued = None if unkept else issue(edge.session, service, paper, size=size, actor=edge.actor, now=edge.now)
    private = {"Cache-Control": "private, no-store"}
    if file_type == "pdf":
        content = draft(paper, service, size=size) if issued is None else issued.content
        return Response(content, media_type="application/pdf", headers=attachment(f"{paper.title}.pdf") | private)
    drawn = page_of(paper, service, size=size, code=issued.code if issued else "", page=page)
    if drawn is None:
        raise NotFound("page", page)
    return Response(drawn.content, media_type="image/svg+xml", headers=private | {"X-Pages": str(drawn.pages)})


@dataclass(frozen=True)
class VerifiedView:
    """What anybody is told of a paper whose code he has: which it is and whether it holds, and nothing of anybody."""

    state: Standing
    kind: str
    kind_name: str
    number: str
    site_name: str | None
    day: date
    amount_fen: int | None
    issued_at: datetime


def make_verify(service: str, rebuild: Mapping[str, Rebuild]) -> APIRouter:
    """The route the codes on a service's papers lead to; who asks is nobody, and the limits of addresses hold."""
    router = APIRouter(tags=["papers"])

    @router.get(
        "/verify/{code}",
        summary="Whether a paper holds, for anybody who has it; a page for a browser",
        response_model=VerifiedView,
    )
    async def verify(code: Code, request: Request) -> Response:
        def look(session: Session) -> tuple[VerifiedView, str] | None:
            with across_sites(session):
                found = standing(session, code, rebuild)
            if found is None:
                return None
            row, state = found
            view = VerifiedView(
                state=state,
                kind=row.kind,
                kind_name=NAMES[row.kind],
                number=row.number,
                site_name=row.site_name,
                day=row.day,
                amount_fen=row.amount_fen,
                issued_at=row.issued_at,
            )
            return view, row.zone or ""

        known = re.fullmatch(CODE, code) is not None
        found = await transaction(service, request, look) if known else None
        if wants_page(request):
            paper, zone = found or (None, "")
            return verify_page(request, service, code, paper, zone=zone)
        if not known:
            raise Malformed("wrong_code", "a paper's code has 22 letters, digits, - and _")
        if found is None:
            raise NotFound("paper", quote(code))
        return JSONResponse(to_jsonable_python(found[0]), headers={"Vary": "Accept"})

    return router
