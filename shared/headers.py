"""What every answer tells a browser it may do with it: nothing that a page of ours does not need [promise 21].

The headers are set outside everything else, so an error, a download and a printed paper carry them like any other
answer. An answer may say less strictly only what it may load (its Content-Security-Policy) and how long it may be
kept (its Cache-Control).
"""

import re
from urllib.parse import quote

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

NOTHING = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; object-src 'none'"
"""The Content-Security-Policy of what is no page: it loads nothing, runs nothing and is shown in no frame."""

PAGE = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "worker-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'; object-src 'none'"
)
"""The Content-Security-Policy of a page: our own files, our own addresses, and nothing inline."""

ALWAYS = {
    "Strict-Transport-Security": "max-age=63072000; includeSubDomains",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
"""What every answer says; nothing may say otherwise.

A browser that tells no referrer at all tells no origin with a posted form either, and shared/csrf.py asks for it.
"""

UNLESS_SAID = {"Content-Security-Policy": NOTHING, "Cache-Control": "no-store"}
"""What an answer says when it says nothing of its own."""


class SecurityHeaders:
    """Sets the headers of every HTTP answer of the application inside it."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        async def send_secured(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers.update(ALWAYS)
                for name, value in UNLESS_SAID.items():
                    headers.setdefault(name, value)
            await send(message)

        await self.app(scope, receive, send_secured)


def attachment(name: str) -> dict[str, str]:
    """The header of a download of this name [RFC 6266]: no path, no control character, none that turns the direction.

    A name of ASCII letters, digits and -._ is told as it is; any other in its encoded form too.
    """
    printed = "".join(letter for letter in name if letter.isprintable()).replace("/", "_").replace("\\", "_")
    plain = re.sub(r"[^A-Za-z0-9._-]", "_", printed).lstrip(".") or "file"
    encoded = f"; filename*=UTF-8''{quote(printed, safe='')}" if printed not in {"", plain} else ""
    return {"Content-Disposition": f'attachment; filename="{plain}"{encoded}'}
