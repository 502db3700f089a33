"""A page as it is sent: zipped for whoever takes that, with the policy of pages.

What a page holds of secrets is the token of its forms, which looks another every time (shared/csrf.py), and an owner's
page his link, which shows nothing of the address. So the length of a zipped page tells nothing of either.
"""

import gzip

from starlette.requests import Request
from starlette.responses import HTMLResponse

from shared.headers import PAGE

LEVEL = 5
"""Of gzip: a millisecond for the longest list."""


def page_answer(request: Request, page: str, status: int = 200) -> HTMLResponse:
    """The answer with this page."""
    headers = {"Content-Security-Policy": PAGE, "Vary": "Accept, Accept-Encoding, Accept-Language, Cookie"}
    if "gzip" not in request.headers.get("accept-encoding", ""):
        return HTMLResponse(page, status, headers)
    zipped = gzip.compress(page.encode(), LEVEL, mtime=0)
    return HTMLResponse(zipped, status, headers | {"Content-Encoding": "gzip"})
