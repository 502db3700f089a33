"""Against requests another site makes a browser send: whoever is known by a cookie shows two things more.

The browser's own word that the request came from our pages (Fetch Metadata and Origin), and a token that only a page
of ours could read. Whoever sends a bearer token needs neither: no other site can make a browser send one [promise 21].
"""

import hmac
import secrets
from urllib.parse import urlsplit

from starlette.requests import Request

from shared.errors import Problem

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
HEADER = "X-CSRF-Token"

TOKEN_BYTES = 32

FIELD = "bianmin.csrf"
"""Where the token lies that came as a field of a posted form (shared/ui/views.py)."""


class CrossSite(Problem):
    """The request does not come from a page of ours (403)."""

    status = 403


def csrf_token(session_id: str) -> str:
    """What a page of the session sends with whatever changes something; it tells nothing of the session's id."""
    return hmac.new(session_id.encode(), b"bianmin csrf", "sha256").hexdigest()


def masked(token: str) -> str:
    """The token as a page holds it, another each time: a zipped page's length would tell of one that stays the same."""
    pad = secrets.token_bytes(len(token) // 2)
    return pad.hex() + _both(pad, bytes.fromhex(token)).hex()


def _unmasked(shown: str) -> str:
    """The token of what was shown, which is as a page holds it, or the token itself."""
    try:
        told = bytes.fromhex(shown)
    except ValueError:
        return ""
    half = len(told) // 2
    return _both(told[:half], told[half:]).hex() if len(told) == 2 * TOKEN_BYTES else shown


def _both(one: bytes, other: bytes) -> bytes:
    return bytes(a ^ b for a, b in zip(one, other, strict=True))


def same_token(shown: str, token: str) -> bool:
    """Whether what a page sent is this token, masked or not."""
    return hmac.compare_digest(_unmasked(shown).encode(), token.encode())


def check_same_origin(request: Request) -> None:
    """Raises CrossSite unless the browser says that a page of this very host sent the request."""
    origin, site = request.headers.get("origin", ""), request.headers.get("sec-fetch-site")
    if site not in {"same-origin", "none"} or urlsplit(origin).netloc != request.headers.get("host"):
        raise CrossSite("cross_site", "a page of another site, or none, sent this", allowed=["same-origin"])


def check_own_page(request: Request, session_id: str) -> None:
    """Raises CrossSite when a request that may change something was not sent by a page of this session."""
    if request.method in SAFE_METHODS:
        return
    check_same_origin(request)
    shown = request.headers.get(HEADER) or request.scope.get(FIELD, "")
    if not same_token(shown, csrf_token(session_id)):
        raise CrossSite("wrong_csrf_token", f"send the session's {HEADER} with it", allowed=[HEADER])
