"""What a provider, or whoever speaks in its place, may say without anybody being signed in [promise 22]."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from shared.settings import settings
from tests.services.hr.front_door import Door, forget_tries
from tests.sign_on.world import CLIENT, KEY, OTHER_KEY, SECRET, Liar, go, moment, settings_of, stranger

SUBJECT = "subject-of-li"
PUBLIC = KEY.as_pem(private=False)
"""The provider's public key, taken for a shared secret."""


@pytest.fixture
def liar() -> Iterator[Liar]:
    with stranger() as server:
        yield Liar(server)


@pytest.fixture
def door(installation: str, liar: Liar, monkeypatch: pytest.MonkeyPatch) -> Door:
    monkeypatch.setenv("BIANMIN_SIGN_ON", settings_of(liar.server.issuer))
    settings.cache_clear()
    from services.hr.main import web  # noqa: PLC0415  # wiring reads the settings the fixture made

    forget_tries()
    door = Door(web, installation)
    body = {"issuer": liar.server.issuer, "subject": SUBJECT}
    post = {"name": "李四", "role": "clerk", "department": "front_desk", "site_ids": [door.site_id]}
    person_id = door.admin("/people", post).json()["id"]  # he has no password here, and needs none
    assert door.admin(f"/people/{person_id}/sign-on", body).status_code == 201
    return door


def tells(**claims: Any) -> Callable[[Liar], None]:
    return lambda liar: liar.claims.update(claims)


def signs(key: Any, **header: Any) -> Callable[[Liar], None]:
    def lie(liar: Liar) -> None:
        liar.key = key
        liar.header.update(header)

    return lie


def gives(token: Any) -> Callable[[Liar], None]:
    return lambda liar: setattr(liar, "token", token)


LIES: dict[str, Callable[[Liar], None]] = {
    "for another audience": tells(aud="another"),
    "for others, said to be made for us": tells(aud=["another", "a third"], azp=CLIENT),
    "for us among others, made for another": tells(aud=[CLIENT, "another"], azp="another"),
    "for us among others, made for nobody": tells(aud=[CLIENT, "another"]),
    "for nobody": tells(aud=None),
    "of another issuer": tells(iss="https://evil.example"),
    "of no issuer": tells(iss=None),
    "with another nonce": tells(nonce="another"),
    "with no nonce": tells(nonce=None),
    "with no nonce, and none known": tells(nonce=None, nonce_supported=False),
    "expired": tells(exp=moment(-31)),
    "that never expires": tells(exp=None),
    "that expires in words": tells(exp="never"),
    "of tomorrow": tells(iat=moment(86400)),
    "not valid yet": tells(nbf=moment(86400)),
    "of nobody": tells(sub=None),
    "of an empty subject": tells(sub=""),
    "of a subject that is no text": tells(sub=7),
    "of another access token": tells(at_hash="x" * 22),
    "signed by another key of the same name": signs(OTHER_KEY),
    "signed by a key of another name": signs(OTHER_KEY, kid="mine"),
    "signed by a key it brings with it": signs(OTHER_KEY, jwk=OTHER_KEY.as_dict(private=False)),
    "signed with the public key as a secret": signs(PUBLIC, alg="HS256"),
    "signed with the client's secret": signs(SECRET.encode(), alg="HS256"),
    "not signed": signs(b"", alg="none"),
    "of an algorithm it does not name": signs(KEY, alg="PS256"),
    "no token": gives("no token"),
    "nothing": gives(""),
    "three dots": gives("..."),
}


@pytest.mark.parametrize("lie", LIES)
def test_a_token_that_is_not_what_was_asked_for_signs_nobody_in(door: Door, liar: Liar, lie: str) -> None:
    browser = door.browser()
    assert liar.come_back(browser, SUBJECT).status_code == 303  # the truth, told the same way, is believed
    LIES[lie](liar)
    thief = door.browser()
    answer = liar.come_back(thief, SUBJECT)
    assert answer.status_code == 401, answer.text
    assert answer.json()["type"] in {f"urn:bianmin:problem:{code}" for code in ("bad_id_token", "no_subject")}
    assert thief.cookie == ""


@pytest.mark.parametrize("named", [[], ["none"], ["none", "HS256"], None, "RS256"])
def test_a_provider_that_names_no_algorithm_that_proves_anything_is_not_believed(
    door: Door, liar: Liar, named: Any
) -> None:
    liar.discovered["id_token_signing_alg_values_supported"] = named
    assert liar.come_back(door.browser(), SUBJECT).status_code == 503


@pytest.mark.parametrize(
    "discovered",
    [
        {"issuer": "https://evil.example"},
        {"issuer": None},
        {"token_endpoint": None},
        {"jwks_uri": 7},
        {"token_endpoint": "http://169.254.169.254/latest"},
        {"jwks_uri": "file:///etc/passwd"},
    ],
    ids=str,
)
def test_a_provider_that_describes_itself_badly_or_sends_us_elsewhere_is_not_asked_further(
    door: Door, liar: Liar, discovered: dict[str, Any]
) -> None:
    browser = door.browser()
    sent = go(browser)
    assert sent.status_code == 303
    liar.discovered |= discovered
    if "issuer" in discovered:
        assert go(browser).status_code == 503
    else:
        assert liar.come_back(browser, SUBJECT).status_code == 503


@pytest.mark.parametrize(
    "answer",
    [[], None, 7, {}, {"id_token": None}, {"error": "x" * 3000}, {"expires_in": []}],
    ids=lambda a: str(a)[:20],
)
def test_nonsense_at_the_token_endpoint_is_no_defect(door: Door, liar: Liar, answer: Any) -> None:
    liar.raw = answer
    assert liar.come_back(door.browser(), SUBJECT).status_code in {401, 503}


@pytest.mark.parametrize(
    "answer", [[], None, {}, {"keys": []}, {"keys": 7}, {"keys": [{}]}, {"keys": [{"kty": "oct"}]}]
)
def test_nonsense_for_keys_is_no_defect(door: Door, liar: Liar, answer: Any) -> None:
    liar.server.answers["/jwks"] = lambda _: answer
    assert liar.come_back(door.browser(), SUBJECT).status_code in {401, 503}


def test_a_login_name_is_asked_of_the_provider_and_believed_of_the_same_subject_alone(
    door: Door, liar: Liar, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BIANMIN_SIGN_ON", settings_of(liar.server.issuer, login_claim="preferred_username"))
    settings.cache_clear()
    door.hire("worker", "engineering")
    liar.discovered["userinfo_endpoint"] = f"{liar.server.issuer}/userinfo"
    liar.server.answers["/userinfo"] = lambda _: {"sub": "another", "preferred_username": "worker"}
    assert liar.come_back(door.browser(), "mine").status_code == 401
    liar.server.answers["/userinfo"] = lambda _: {"sub": "mine", "preferred_username": "worker"}
    assert liar.come_back(door.browser(), "mine").status_code == 303
    assert liar.server.asked[-1].headers["authorization"] == "Bearer a"


def test_the_client_shows_its_secret_and_verifier_at_the_token_endpoint_alone(door: Door, liar: Liar) -> None:
    liar.come_back(door.browser(), SUBJECT)
    telling = [
        asked for asked in liar.server.asked if b"code_verifier" in asked.body or "authorization" in asked.headers
    ]
    assert [asked.path for asked in telling] == ["/token"]
    assert "secret" not in json.dumps([[asked.path, asked.query] for asked in liar.server.asked])
