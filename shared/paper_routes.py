"""Handing out papers, and the route /verify/{code} that says of one whether it holds; the same in all services."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Annotated, Any, Literal
from urllib.parse import quote

from fastapi import APIRouter, Query, Request, Response
from pydantic import StringConstraints
from sqlalchemy.orm import Session

from shared.errors import NotFound
from shared.headers import attachment
from shared.ui.papers.archive import NAMES, Paper, Rebuild, Standing, draft, issue, page_of, standing
from shared.walls import across_sites
from shared.web import Edge, transaction

FileType = Literal["pdf", "svg"]
"""What a paper is asked for as: to print and keep, or to look at."""

PageNumber = Annotated[int, Query(ge=1, le=1000, description="of the preview; a PDF is always whole")]

Code = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{22}$")]
"""A paper's own: 128 random bits."""

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
    issued = None if paper.draft else issue(edge.session, service, paper, size=size, actor=edge.actor, now=edge.now)
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

    @router.get("/verify/{code}", summary="Whether a paper holds, for anybody who has it")
    async def verify(code: Code, request: Request) -> VerifiedView:
        def look(session: Session) -> VerifiedView:
            with across_sites(session):
                found = standing(session, code, rebuild)
            if found is None:
                raise NotFound("paper", quote(code))
            row, state = found
            return VerifiedView(
                state=state,
                kind=row.kind,
                kind_name=NAMES[row.kind],
                number=row.number,
                site_name=row.site_name,
                day=row.day,
                amount_fen=row.amount_fen,
                issued_at=row.issued_at,
            )

        return await transaction(service, request, look)

    return router
