"""What a phone shows that scanned the code on a paper: which paper it is, and whether it holds; nothing of anybody."""

from collections.abc import Mapping
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from shared.settings import settings
from shared.ui import language
from shared.ui.papers.archive import Standing
from shared.ui.public import show_public
from shared.ui.words import Words

SAID: Mapping[Standing, tuple[str, str, str]] = {
    Standing.VALID: ("good", "有效", "本单据由我方出具，现在有效。"),
    Standing.CANCELLED: ("bad", "已作废", "本单据已作废，请不要凭它付款或办事。"),
    Standing.SUPERSEDED: ("warn", "已变更", "出具之后内容有变更，以最新的一份为准，请向小区客服索取。"),
    Standing.ERASED: ("", "有记录", "本单据由我方出具；业主的个人信息已按规定删除，内容不能再核对。"),
}
"""Standing -> colour, word and sentence."""

WORDS = Words()


def verify_page(request: Request, service: str, code: str, paper: Any, *, zone: str = "") -> Response:
    """The page of a paper as `paper_routes.VerifiedView` has it, or of a code that is on no paper of ours (None)."""
    here = f"/{service}/verify/{code}"
    facts: dict[str, Any] = {"paper": paper, "home": here, "path": here, "issuer": settings().letterhead}
    if paper is None:
        return show_public(request, service, WORDS, "verify.html", status=404, **facts)
    tone, word, sentence = SAID[paper.state]
    facts |= {"tone": tone, "word": word, "sentence": sentence}
    facts["issued"] = language.moment(paper.issued_at, zone) if zone else None
    return show_public(request, service, WORDS, "verify.html", **facts)
