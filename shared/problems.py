"""An RFC 9457 problem: what every refusal looks like, whoever refuses."""

from collections.abc import Mapping

from fastapi.responses import JSONResponse
from pydantic import BaseModel

PROBLEM = "application/problem+json"
"""The media type of every refusal."""


class ProblemView(BaseModel):
    """An RFC 9457 problem (application/problem+json)."""

    type: str
    title: str
    status: int
    detail: str
    rule: str = ""
    allowed: list[str] = []


def problem(
    status: int,
    code: str,
    detail: str,
    *,
    rule: str = "",
    allowed: tuple[str, ...] = (),
    headers: Mapping[str, str] | None = None,
) -> JSONResponse:
    """An RFC 9457 answer."""
    view = ProblemView(
        type=f"urn:bianmin:problem:{code}",
        title=code.replace("_", " "),
        status=status,
        detail=detail,
        rule=rule,
        allowed=list(allowed),
    )
    return JSONResponse(view.model_dump(), status, headers, media_type=PROBLEM)
