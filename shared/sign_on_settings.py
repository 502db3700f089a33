"""Where people may sign in besides here 单点登录: the providers of identity as BIANMIN_SIGN_ON names them.

The setting is JSON, `{"NAME": {…}}`; NAME stands in the addresses `/hr/sign-on/NAME`. A provider speaks OpenID Connect
(`"protocol": "oidc"`), or a dialect of OAuth 2 that is told step by step (`"protocol": "steps"`), as
企业微信 WeCom and 钉钉 DingTalk do; docs/sign-on.md has an example of each.
"""

import re
from string import Formatter
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, Field, SecretStr, StringConstraints

PROVIDER_NAME = r"^[a-z0-9][a-z0-9-]{0,30}$"

Url = Annotated[str, StringConstraints(pattern=r"^https?://[!-\[\]-~]+$", max_length=1000)]
"""Plain http is for a provider on this very machine alone: shared/outbound.py refuses it elsewhere."""

TOLD = frozenset({"client_id", "client_secret", "redirect_uri", "code", "state", "access_token"})
"""What a step may speak of, in braces; what is not known yet is empty."""


def _tells(template: str) -> str:
    named = {name for _, name, _, _ in Formatter().parse(template) if name is not None}
    if not named <= TOLD:
        raise ValueError(f"only {', '.join(sorted(TOLD))} may stand in braces")
    return template


Template = Annotated[str, AfterValidator(_tells)]
"""A text with `{code}` and the like in it."""


class _Provider(BaseModel):
    """What is told of every provider."""

    model_config = {"extra": "forbid", "frozen": True}

    issuer: Url
    """Who speaks for the people's subjects; links of people to subjects are kept under it."""
    client_id: str = Field(min_length=1)
    client_secret: SecretStr
    redirect_uri: Url
    """`https://HOST/hr/sign-on/NAME/return`, exactly as it was registered with the provider."""
    login_claim: str | None = None
    """The claim that holds the login name people have here; the first sign-in then links them. None: only an
    administrator links."""
    allow_private: bool = False
    """Whether the provider may be in the company's own network, or without TLS on this very machine."""


class OidcProvider(_Provider):
    """A provider that speaks OpenID Connect and tells of itself at `ISSUER/.well-known/openid-configuration`."""

    protocol: Literal["oidc"]
    scope: str = "openid profile"
    token_auth: Literal["client_secret_basic", "client_secret_post"] = "client_secret_basic"  # noqa: S105  # a way of the standard
    """How the client shows its secret."""
    second_factor_acr: tuple[str, ...] = ()
    """Values of `acr` that say a second factor was asked for; they are requested, too."""
    second_factor_amr: tuple[str, ...] = ()
    """Values of `amr` one of which says so."""


class Step(BaseModel):
    """One request to a provider that is told step by step; its answer is a JSON object."""

    model_config = {"extra": "forbid", "frozen": True}

    method: Literal["GET", "POST"] = "GET"
    url: Url
    query: dict[str, Template] = {}
    headers: dict[str, Template] = {}
    json_body: dict[str, Template] | None = None
    form: dict[str, Template] | None = None


class StepsProvider(_Provider):
    """A provider without discovery and ID tokens: where to send people, how to get a token, how to ask who it is.

    There is no PKCE, no nonce and no word of a second factor: whoever needs one signs in otherwise.
    """

    protocol: Literal["steps"]
    authorize_url: Url
    authorize_query: dict[str, Template]
    code_parameter: str = "code"
    """What the code is called when the person comes back."""
    token: Step
    access_token: str = "access_token"  # noqa: S105  # a field's name
    """What the token is called in the answer of `token`."""
    userinfo: Step
    subject: str = Field(min_length=1)
    """The field of the answer of `userinfo` that says who it is, for ever."""


Provider = Annotated[OidcProvider | StepsProvider, Field(discriminator="protocol")]


def named_well(providers: dict[str, OidcProvider | StepsProvider]) -> dict[str, OidcProvider | StepsProvider]:
    """The providers. Raises ValueError for a name that can stand in no address, and for one issuer named twice."""
    for name, provider in providers.items():
        if not re.fullmatch(PROVIDER_NAME, name):
            raise ValueError(f"{name!r}: a provider's name has a-z, 0-9 and hyphens")
        if not provider.redirect_uri.endswith(f"/hr/sign-on/{name}/return"):
            raise ValueError(f"{name}: redirect_uri must end in /hr/sign-on/{name}/return")
    if len({provider.issuer for provider in providers.values()}) < len(providers):
        raise ValueError("two providers have the same issuer")
    return providers
