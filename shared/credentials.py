"""What a request shows to say who asks: a bearer token, an API token, or the cookie of a session."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session
from starlette.requests import Request

from shared.api_tokens import PREFIX, identify_api_token
from shared.csrf import check_own_page
from shared.errors import NotSignedIn
from shared.people import Actor, identify
from shared.sessions import Claims, claims_in, cookie_name, identify_session


def _nobody() -> NotSignedIn:
    return NotSignedIn("no_valid_token", "sign in, or send Authorization: Bearer with a valid token")


@dataclass(frozen=True)
class Credential:
    """One of the two: a token, or what the session's cookie says."""

    token: str = ""
    claims: Claims | None = None

    def identify(self, session: Session, *, said: str = "{}") -> tuple[Actor, datetime]:
        """Whose it is, and the moment it is, in one round trip. Raises NotSignedIn when it is nobody's.

        `said` is what the audit log will say of what he changes (shared/audit.py).
        """
        if self.claims is not None:
            known = identify_session(session, self.claims, said=said)
        elif self.token.startswith(PREFIX):
            known = identify_api_token(session, self.token, said=said)
        else:
            known = identify(session, self.token, said=said)
        if known is None:
            raise _nobody()
        return known


def credential_of(request: Request, authorization: str) -> Credential:
    """What the request shows; a token goes before a cookie. Raises NotSignedIn, and CrossSite for a forged one."""
    if authorization:
        return Credential(token=authorization.removeprefix("Bearer ").strip())
    claims = claims_in(request.cookies.get(cookie_name(request), ""))
    if claims is None:
        raise _nobody()
    check_own_page(request, claims.session_id)
    return Credential(claims=claims)
