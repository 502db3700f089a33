"""Providers of a dialect of OAuth 2: the settings of docs/sign-on.md, against servers that speak as those two do.

The servers are written from what WeCom and DingTalk publish; nobody has tried these settings at the real ones.
"""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from shared.settings import Settings, settings
from tests.services.hr.front_door import Door, forget_tries
from tests.sign_on.world import RETURN, Asked, Stranger, asked_in, come_back, go, settings_of, stranger

PAGE = Path(__file__).parents[2] / "docs/sign-on.md"


def of_the_page(name: str) -> dict[str, Any]:
    """The example of that name, as it stands in the document."""
    blocks = [json.loads(block) for block in re.findall(r"```json\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.S)]
    (example,) = [block[name] for block in blocks if name in block]
    return dict(example)


def at(server: Stranger, example: dict[str, Any]) -> str:
    """The example as BIANMIN_SIGN_ON, its servers' names replaced by this machine's, its own name by `company`."""
    text = re.sub(r"https://(qyapi\.weixin\.qq\.com|api\.dingtalk\.com)", server.issuer, json.dumps(example))
    return json.dumps({"company": json.loads(text) | {"redirect_uri": RETURN, "allow_private": True}})


def wecom(server: Stranger) -> None:
    def token(asked: Asked) -> dict[str, Any]:
        assert asked.query == {"corpid": "ww0123456789abcdef", "corpsecret": "…"}
        return {"errcode": 0, "errmsg": "ok", "access_token": "t" * 512, "expires_in": 7200}

    def who(asked: Asked) -> dict[str, Any]:
        assert asked.query["access_token"] == "t" * 512
        people = {"of-li": {"userid": "LiSi"}, "of-a-stranger": {"openid": "o123", "external_userid": "w1"}}
        told = people.get(asked.query["code"].strip("c"))
        return {"errcode": 0, "errmsg": "ok", **told} if told else {"errcode": 40029, "errmsg": "invalid code"}

    server.answers |= {"/cgi-bin/gettoken": token, "/cgi-bin/auth/getuserinfo": who}


def dingtalk(server: Stranger) -> None:
    def token(asked: Asked) -> dict[str, Any]:
        assert asked.headers["content-type"] == "application/json"
        form = json.loads(asked.body)
        assert form.pop("code").strip("c") in {"of-li", "of-a-stranger"}
        assert form == {"clientId": "dingoa0123456789", "clientSecret": "…", "grantType": "authorization_code"}
        return {"accessToken": json.loads(asked.body)["code"], "refreshToken": "r", "expireIn": 7200, "corpId": "d"}

    def who(asked: Asked) -> dict[str, Any]:
        of_li = asked.headers["x-acs-dingtalk-access-token"].strip("c") == "of-li"
        return {"nick": "李四", "openId": "o1", "unionId": "LiSi" if of_li else "Fremd", "mobile": "13900000000"}

    server.answers |= {"/v1.0/oauth2/userAccessToken": token, "/v1.0/contact/users/me": who}


SPEAKERS = {
    "wecom": (wecom, "code", "https://login.work.weixin.qq.com/wwlogin/sso/login"),
    "dingtalk": (dingtalk, "authCode", "https://login.dingtalk.com/oauth2/auth"),
}


@pytest.fixture
def server() -> Iterator[Stranger]:
    with stranger() as server:
        yield server


@pytest.fixture(params=SPEAKERS)
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def door(installation: str, server: Stranger, name: str, monkeypatch: pytest.MonkeyPatch) -> Door:
    SPEAKERS[name][0](server)
    monkeypatch.setenv("BIANMIN_SIGN_ON", at(server, of_the_page(name)))
    settings.cache_clear()
    from services.hr.main import web  # noqa: PLC0415  # wiring reads the settings the fixture made

    forget_tries()
    return Door(web, installation)


def sign_on_with(door: Door, name: str, code: str) -> Any:
    browser = door.browser()
    gone = go(browser, "/hr/ready")
    assert gone.headers["location"].startswith(SPEAKERS[name][2] + "?")
    sent = asked_in(gone.headers["location"])
    assert sent["redirect_uri"] == RETURN
    return come_back(browser, f"{RETURN}?{SPEAKERS[name][1]}={code}&state={sent['state']}")


def employ(door: Door, role: str, department: str) -> None:
    post = {"name": "李四", "role": role, "department": department, "site_ids": [door.site_id]}
    person_id = door.admin("/people", post).json()["id"]
    body = {"issuer": settings().sign_on["company"].issuer, "subject": "LiSi"}
    assert door.admin(f"/people/{person_id}/sign-on", body).status_code == 201


def test_who_is_linked_signs_in_and_a_stranger_does_not(door: Door, name: str) -> None:
    employ(door, "clerk", "front_desk")
    answer = sign_on_with(door, name, "of-li" + "c" * 506)  # as long a code as they may send
    assert (answer.status_code, answer.headers["location"]) == (303, "/hr/ready"), answer.text
    assert sign_on_with(door, name, "of-a-stranger").status_code == 401


def test_a_code_they_do_not_know_or_none_is_a_refusal_and_no_defect(door: Door, name: str, server: Stranger) -> None:
    for path in list(server.answers):
        server.answers[path] = lambda _: {"errcode": 40029, "errmsg": "invalid code"}
    assert sign_on_with(door, name, "x").status_code == 401
    assert sign_on_with(door, name, "").status_code == 401
    for path in list(server.answers):
        server.answers[path] = lambda _: ["no object"]
    assert sign_on_with(door, name, "x").status_code == 503


def test_they_say_nothing_of_a_second_factor_so_whoever_needs_one_signs_in_otherwise(door: Door, name: str) -> None:
    employ(door, "cashier", "finance")
    answer = sign_on_with(door, name, "of-li")
    assert (answer.status_code, answer.json()["type"]) == (403, "urn:bianmin:problem:second_factor_not_proved")


def test_every_example_of_the_page_is_a_setting(monkeypatch: pytest.MonkeyPatch, template: str) -> None:
    for example in re.findall(r"```json\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.S):
        monkeypatch.setenv("BIANMIN_SIGN_ON", example)
        assert Settings().sign_on.keys() == json.loads(example).keys()  # type: ignore[call-arg]


@pytest.mark.parametrize(
    ("facts", "said"),
    [
        ({"redirect_uri": "https://bianmin.example/hr/sign-on/other/return"}, "redirect_uri must end in"),
        ({"protocol": "saml"}, "protocol"),
        ({"issuer": "id.example"}, "issuer"),
        ({"client_secret": None}, "client_secret"),
        ({"scopes": "openid"}, "scopes"),
    ],
)
def test_a_wrong_setting_ends_the_process_with_its_reason_and_without_the_secret(
    facts: dict[str, Any], said: str, monkeypatch: pytest.MonkeyPatch, template: str
) -> None:
    monkeypatch.setenv("BIANMIN_SIGN_ON", settings_of("https://id.example", **facts))
    with pytest.raises(ValidationError, match=said) as refused:
        Settings()  # type: ignore[call-arg]
    assert "a secret of the tests" not in str(refused.value)


def test_a_step_speaks_of_nothing_it_is_not_told(monkeypatch: pytest.MonkeyPatch, template: str) -> None:
    example = of_the_page("wecom")
    example["userinfo"]["query"]["code"] = "{code.__class__}"
    monkeypatch.setenv("BIANMIN_SIGN_ON", json.dumps({"wecom": example}))
    with pytest.raises(ValidationError, match="may stand in braces"):
        Settings()  # type: ignore[call-arg]


def test_the_setting_may_be_a_file_of_secrets(tmp_path: Path, template: str) -> None:
    (tmp_path / "BIANMIN_SIGN_ON").write_text(settings_of("https://id.example"))
    found = Settings(_secrets_dir=tmp_path)  # type: ignore[call-arg]
    assert found.sign_on["company"].issuer == "https://id.example"
    assert "a secret of the tests" not in repr(found)
