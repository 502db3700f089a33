"""Asking a provider of identity who came: OpenID Connect by Authlib, or step by step as the settings tell.

Whatever is asked of it goes through shared/outbound.py. Nothing here needs a transaction, and nothing is kept: keys and
endpoints are read anew each time, so that a provider's new key works at once.
"""

import json
from collections.abc import Mapping
from typing import Any, cast
from urllib.parse import urlencode

import structlog
from authlib.common.errors import AuthlibBaseError
from authlib.oauth2 import ClientAuth, OAuth2Client
from authlib.oidc.core import CodeIDToken
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet
from joserfc.jws import JWSRegistry

from services.hr.rules.sign_on import Begun, Identity, SignOnRefused, has_second_factor, signature_algorithms
from shared import outbound
from shared.errors import Problem
from shared.sign_on_settings import TOLD, OidcProvider, Step, StepsProvider

log = structlog.get_logger()

SECONDS = 10.0
"""How long one answer of a provider may take."""

LEEWAY_SECONDS = 30
"""How far a provider's clock may be from ours."""

LONGEST_CODE, LONGEST_NAME = 2048, 255


class ProviderAway(Problem):
    """The provider did not answer, or not as a provider does (503)."""

    status = 503

    def __init__(self, detail: str) -> None:
        super().__init__("provider_away", f"the provider of sign-ons cannot be asked now: {detail}")


def authorization_url(provider: OidcProvider | StepsProvider, begun: Begun) -> str:
    """Where the person signs in. Raises ProviderAway."""
    if isinstance(provider, StepsProvider):
        told = _told(provider, state=begun.state)
        return f"{provider.authorize_url}?{urlencode(_filled(provider.authorize_query, told))}"
    endpoint = _endpoint(_discovered(provider), "authorization_endpoint")
    asked = {"nonce": begun.nonce}
    if provider.second_factor_acr:
        asked["acr_values"] = " ".join(provider.second_factor_acr)
    url, _ = _client(provider).create_authorization_url(
        endpoint, state=begun.state, code_verifier=begun.verifier, **asked
    )
    return str(url)


def identity_of(provider: OidcProvider | StepsProvider, begun: Begun, answer: Mapping[str, str]) -> Identity:
    """Who came back with this answer. Raises SignOnRefused for what proves nothing, and ProviderAway."""
    if answer.get("error"):
        raise SignOnRefused("refused_by_provider", "the provider did not sign you in, or you went back")
    if isinstance(provider, StepsProvider):
        return _identity_by_steps(provider, _code_in(answer, provider.code_parameter))
    return _identity_by_token(provider, begun, answer)


def _code_in(answer: Mapping[str, str], name: str) -> str:
    code = answer.get(name, "")
    if not 0 < len(code) <= LONGEST_CODE:
        raise SignOnRefused("no_code", "the provider sent no code")
    return code


def _identity_by_token(provider: OidcProvider, begun: Begun, answer: Mapping[str, str]) -> Identity:
    discovered = _discovered(provider)
    issuer = answer.get("iss")  # RFC 9207: of two providers neither can pass for the other
    if issuer != provider.issuer and (
        issuer is not None or discovered.get("authorization_response_iss_parameter_supported") is True
    ):
        raise SignOnRefused("wrong_issuer", "this answer is not of the provider that was asked")
    try:
        token = _client(provider).fetch_token(
            _endpoint(discovered, "token_endpoint"),
            grant_type="authorization_code",
            code=_code_in(answer, "code"),
            code_verifier=begun.verifier,
        )
    except AuthlibBaseError:
        raise SignOnRefused("code_refused", "the provider does not take its code back") from None
    except (ValueError, TypeError):
        raise ProviderAway("it answered with no token") from None
    claims = _verified(provider, begun, discovered, token)
    return Identity(
        provider.issuer,
        _subject(claims, "sub"),
        _login_claimed(provider, discovered, token, claims),
        has_second_factor(
            claims.get("acr"),
            claims.get("amr"),
            acr_accepted=provider.second_factor_acr,
            amr_accepted=provider.second_factor_amr,
        ),
    )


def _verified(
    provider: OidcProvider, begun: Begun, discovered: Mapping[str, Any], token: Mapping[str, Any]
) -> Mapping[str, Any]:
    """What the ID token says, once it is known to be the provider's, for us, for this request, and of now."""
    named = discovered.get("id_token_signing_alg_values_supported")
    algorithms = signature_algorithms(named if isinstance(named, list) else [])
    if not algorithms:  # joserfc takes none allowed for those it recommends itself
        raise ProviderAway("it names no algorithm that proves who signed")
    keys = _json(provider, "GET", _endpoint(discovered, "jwks_uri"))
    expected = {
        "iss": {"essential": True, "value": provider.issuer},
        "aud": {"essential": True, "value": provider.client_id},
        "sub": {"essential": True},
    }
    params = {"nonce": begun.nonce, "client_id": provider.client_id, "access_token": token.get("access_token")}
    registry = JWSRegistry(algorithms=algorithms, strict_check_header=False)
    try:
        signed = jwt.decode(str(token.get("id_token", "")), KeySet.import_key_set(cast("Any", keys)), registry=registry)
        claims = CodeIDToken(signed.claims, signed.header, expected, params)
        claims.validate(leeway=LEEWAY_SECONDS)
    except (JoseError, ValueError, KeyError, TypeError) as error:  # the last three: of what is no token, or no key
        log.warning("id_token_refused", error=str(error)[:200])
        raise SignOnRefused("bad_id_token", "the provider's token is not what was asked for") from None
    return dict(claims)


def _login_claimed(
    provider: OidcProvider, discovered: Mapping[str, Any], token: Mapping[str, Any], claims: Mapping[str, Any]
) -> str | None:
    """The login name as the ID token has it, else as the provider tells it of the same subject."""
    if provider.login_claim is None:
        return None
    if provider.login_claim not in claims and "userinfo_endpoint" in discovered:
        bearer = {"Authorization": f"Bearer {token.get('access_token', '')}"}
        told = _json(provider, "GET", _endpoint(discovered, "userinfo_endpoint"), headers=bearer)
        if told.get("sub") != claims["sub"]:
            raise SignOnRefused("another_subject", "the provider speaks of somebody else")
        claims = told
    return _text_or_none(claims.get(provider.login_claim))


def _identity_by_steps(provider: StepsProvider, code: str) -> Identity:
    told = _told(provider, code=code)
    token = _step(provider, provider.token, told).get(provider.access_token)
    if not isinstance(token, str) or not token:
        raise SignOnRefused("code_refused", "the provider gave no token for its code")
    person = _step(provider, provider.userinfo, told | {"access_token": token})
    subject = _subject(person, provider.subject)
    login = None if provider.login_claim is None else _text_or_none(person.get(provider.login_claim))
    return Identity(provider.issuer, subject, login, second_factor=False)


def _subject(told: Mapping[str, Any], name: str) -> str:
    subject = _text_or_none(told.get(name))
    if subject is None:
        raise SignOnRefused("no_subject", "the provider does not say who you are in this company")
    return subject


def _text_or_none(value: object) -> str | None:
    return value if isinstance(value, str) and 0 < len(value) <= LONGEST_NAME and value.isprintable() else None


def _told(provider: StepsProvider, **more: str) -> dict[str, str]:
    return dict.fromkeys(TOLD, "") | {
        "client_id": provider.client_id,
        "client_secret": provider.client_secret.get_secret_value(),
        "redirect_uri": provider.redirect_uri,
        **more,
    }


def _filled(templates: Mapping[str, str], told: Mapping[str, str]) -> dict[str, str]:
    return {name: template.format_map(told) for name, template in templates.items()}


def _step(provider: StepsProvider, step: Step, told: Mapping[str, str]) -> dict[str, Any]:
    headers, body = _filled(step.headers, told), b""
    if step.json_body is not None:
        headers["Content-Type"], body = "application/json", json.dumps(_filled(step.json_body, told)).encode()
    elif step.form is not None:
        headers["Content-Type"] = "application/x-www-form-urlencoded"
        body = urlencode(_filled(step.form, told)).encode()
    return _json(provider, step.method, step.url, query=_filled(step.query, told), headers=headers, body=body)


def _discovered(provider: OidcProvider) -> dict[str, Any]:
    """What the provider tells of itself. Raises ProviderAway, also when it calls itself otherwise than the settings."""
    discovered = _json(provider, "GET", f"{provider.issuer.rstrip('/')}/.well-known/openid-configuration")
    if discovered.get("issuer") != provider.issuer:
        raise ProviderAway("it is not the issuer of the settings")
    return discovered


def _endpoint(discovered: Mapping[str, Any], name: str) -> str:
    endpoint = discovered.get(name)
    if not isinstance(endpoint, str):
        raise ProviderAway(f"it names no {name}")
    return endpoint


def _client(provider: OidcProvider) -> OAuth2Client:
    return OAuth2Client(
        _Guarded(provider),
        client_id=provider.client_id,
        client_secret=provider.client_secret.get_secret_value(),
        token_endpoint_auth_method=provider.token_auth,
        scope=provider.scope,
        redirect_uri=provider.redirect_uri,
        code_challenge_method="S256",
    )


def _json(provider: OidcProvider | StepsProvider, method: str, url: str, **asked: Any) -> dict[str, Any]:
    """The JSON object a provider answers with. Raises ProviderAway for anything else."""
    answer = _ask(provider, method, url, **asked)
    if answer.status != 200:
        raise ProviderAway(f"it answered {answer.status}")
    told = answer.json()
    if not isinstance(told, dict):
        raise ProviderAway("it answered with no JSON object")
    return told


class _Answered:
    """An answer as Authlib reads it."""

    def __init__(self, reply: outbound.Reply) -> None:
        self.status = self.status_code = reply.status
        self._body = reply.body

    def json(self) -> Any:
        """What it says; None for what is no JSON."""
        try:
            return json.loads(self._body)
        except ValueError:
            return None

    def raise_for_status(self) -> None:
        """Raises ProviderAway for an error."""
        if self.status >= 400:
            raise ProviderAway(f"it answered {self.status}")


def _ask(provider: OidcProvider | StepsProvider, method: str, url: str, **asked: Any) -> _Answered:
    headers = {"Accept": "application/json", **asked.pop("headers", {})}
    try:
        reply = outbound.ask(
            method, url, headers=headers, seconds=SECONDS, allow_private=provider.allow_private, **asked
        )
    except (outbound.Refused, outbound.Unreachable) as failure:
        raise ProviderAway(str(failure)) from None
    return _Answered(reply)


class _Guarded:
    """What Authlib sends its requests by."""

    def __init__(self, provider: OidcProvider) -> None:
        self._provider = provider

    def post(self, url: str, *, data: Mapping[str, str], headers: Mapping[str, str], auth: ClientAuth) -> _Answered:
        """Post a form, with the client's proof of who it is."""
        url, headers, body = auth.prepare("POST", url, dict(headers), urlencode(data))
        return _ask(self._provider, "POST", url, headers=headers, body=body.encode())
