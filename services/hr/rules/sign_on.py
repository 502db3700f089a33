"""Signing in by a provider of identity 单点登录: who came, what is proved of him, where he goes on [promise 22]."""

import json
import re
import secrets
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta

from services.hr.rules.login import SignInPolicy
from shared.errors import Malformed, NotSignedIn, NotYourRole

PATIENCE = timedelta(minutes=10)
"""How long somebody may take at the provider."""

HOME = "/"
OWN_PATH = re.compile(r"/(?![/\\])[!-\[\]-~]{0,500}")
"""A path of this very host: neither `//host` nor `/\\host`, nor a control character, space or backslash anywhere."""

SYMMETRIC_OR_NONE = re.compile(r"none|HS\d+", re.IGNORECASE)


class SignOnRefused(NotSignedIn):
    """The provider, or what came from it, proves nothing (401)."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(code, detail, allowed=["start again", "sign in with a password"])


@dataclass(frozen=True)
class Begun:
    """What the browser keeps, sealed, while its person is at the provider; `until` in seconds since 1970."""

    provider: str
    state: str
    nonce: str
    verifier: str
    to: str
    until: int

    def written(self) -> str:
        """As it is sealed."""
        return json.dumps(asdict(self), separators=(",", ":"))

    @classmethod
    def read(cls, written: str) -> "Begun":
        """What was sealed."""
        return cls(**json.loads(written))


@dataclass(frozen=True)
class Identity:
    """Who came, as the provider proved: the subject, who speaks for it, the login name it claims, if it is asked.

    `second_factor` says whether the provider asked for one.
    """

    issuer: str
    subject: str
    login: str | None
    second_factor: bool


def begin(provider: str, *, to: str, now: datetime) -> Begun:
    """Random values that tie the return to this browser, to this request and to this token."""
    return Begun(
        provider,
        secrets.token_urlsafe(32),
        secrets.token_urlsafe(32),
        secrets.token_urlsafe(48),
        own_path(to),
        int((now + PATIENCE).timestamp()),
    )


def own_path(to: str) -> str:
    """Where a person goes on: a path of ours. Raises Malformed for any other place."""
    if OWN_PATH.fullmatch(to) is None:
        raise Malformed("not_our_path", "after signing in one goes on to a path of this host, as /hr/ready")
    return to


def signature_algorithms(named: Sequence[str]) -> list[str]:
    """Of the algorithms a provider names for its tokens, those that prove who signed: no `none`, no shared secret."""
    return [name for name in named if SYMMETRIC_OR_NONE.fullmatch(name) is None]


def has_second_factor(acr: object, amr: object, *, acr_accepted: Sequence[str], amr_accepted: Sequence[str]) -> bool:
    """Whether a token says, in words the company accepts, that a second factor was asked for."""
    return acr in acr_accepted or (isinstance(amr, list) and any(method in amr_accepted for method in amr))


def check_second_factor(role: str, identity: Identity, *, enrolled: bool, policy: SignInPolicy) -> None:
    """Raises NotYourRole when his role needs a second factor, or he has one here, and the provider asked for none."""
    if (role in policy.totp_roles or enrolled) and not identity.second_factor:
        raise NotYourRole(
            "second_factor_not_proved",
            "you need a second factor, and the provider does not say that it asked for one; "
            "sign in here with your password and its code",
            allowed=["POST /api/sessions"],
        )


def not_linked(identity: Identity) -> SignOnRefused:
    """The one answer for a subject nobody here is linked to, or whose person left."""
    return SignOnRefused(
        "not_linked",
        f"nobody who may sign in here is linked to the subject {identity.subject!r} of {identity.issuer}; "
        "an administrator can link it",
    )
