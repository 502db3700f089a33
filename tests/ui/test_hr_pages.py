"""hr's pages: who may opens them in both languages, and a posted form does what the API does, once."""

import re
from collections.abc import Callable, Iterator
from typing import Any, get_args

import pyotp
import pytest
from fastapi.testclient import TestClient
from httpx2 import Response
from sqlalchemy import Engine, text

from shared import clock
from shared.ids import new_id
from shared.messages import Role
from shared.spreadsheets import as_xlsx
from tests.bad_input.house import House, house_of
from tests.bad_input.of_hr_delivery import URL, delivered
from tests.bad_input.of_hr_people import a_charge, a_decision, a_task, an_acceptance, an_appeal_decision, owed
from tests.conftest import START
from tests.security.routes import OPEN, routes_of, table_of

BROWSER = {"Accept": "text/html", "Sec-Fetch-Site": "same-origin", "Origin": "http://testserver"}
LOCAL = BROWSER | {"Origin": "http://localhost"}


@pytest.fixture
def house(installation: str) -> Iterator[House]:
    with house_of("hr") as opened:
        yield opened


def opened(house: House, who: str, path: str, *, language: str = "zh") -> Response:
    headers = {"Authorization": f"Bearer {who}", "Accept-Language": language, **BROWSER}
    return house.client.get(path, headers=headers, follow_redirects=False)


def posted(house: House, who: str, path: str, form: dict[str, Any], *, key: str = "", **more: Any) -> Response:
    headers = {"Authorization": f"Bearer {who}", **BROWSER}
    data = {"key": key or str(new_id()), **form}
    return house.client.post(path, data=data, headers=headers, follow_redirects=False, **more)


def went_on(answer: Response) -> str:
    """Where a form that did what it should goes on to."""
    assert answer.status_code == 303, re.sub(r"\s+", " ", answer.text)[:3000]
    return str(answer.headers["location"])


def said(answer: Response) -> str:
    """What a page says, without its tags."""
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", answer.text))


def state_of(house: House, case_path: str) -> str:
    case_id = case_path.rsplit("/", 1)[-1]
    with house.session() as session:
        return str(session.execute(text("SELECT state FROM cases WHERE id = :id"), {"id": case_id}).scalar_one())


def case_in(path: str) -> str:
    """The page of the case an API path is about: '/cases/ID/hear' -> '/cases/ID'."""
    return "/".join(path.split("/")[:3])


# --- every page -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("language", ["zh", "en"])
def test_every_page_without_an_id_opens_for_every_role_that_may_and_for_no_other(house: House, language: str) -> None:
    pages = [
        route
        for route in routes_of("hr")
        if route.method == "GET" and "/api/" not in route.path and route.action and "{" not in route.path
        if route.path not in ("/changes", "/metrics")
    ]
    assert len(pages) > 20
    delivered(house)
    for route in pages:
        allowed = table_of("hr")[route.action].roles
        for role in get_args(Role):
            answer = opened(house, role, route.path, language=language)
            expected = {200, 303} if role in allowed else {403}
            assert answer.status_code in expected, (route.path, role, answer.status_code)
            if answer.status_code == 200 and language == "en":
                kept = {"中文", "便民"}
                assert not [one for one in re.findall(r"<h1>[^<]*[\u3400-\u9fff]+", answer.text) if one not in kept]


def test_whoever_has_not_signed_in_is_shown_the_doors_and_nothing_else(house: House) -> None:
    for method, path in OPEN:
        if method == "GET" and path in ("/login", "/invitation", "/password", "/second-factor"):
            assert house.client.get(path, headers=BROWSER).status_code == 200
    assert (
        house.client.get("/cases", headers=BROWSER, follow_redirects=False).headers["location"].startswith("/hr/login")
    )


# --- cases ------------------------------------------------------------------------------------------------------


def test_a_case_is_opened_heard_decided_and_accepted_on_pages(house: House) -> None:
    charge = a_charge(house).body
    form = {k: str(v) for k, v in dict(charge).items() if v is not None}  # type: ignore[call-overload]
    form["happened_at"] = "2026-03-31T10:00"
    key = str(new_id())
    assert went_on(posted(house, "clerk", "/opened-cases", form, key=key)) == "/hr/opened-cases"
    went_on(posted(house, "clerk", "/opened-cases", form, key=key))
    with house.session() as session:
        ids = session.execute(text("SELECT id FROM cases")).scalars().all()
    assert len(ids) == 1, "the same form twice"
    case = f"/cases/{ids[0]}"
    assert "若认定，将如何处理" in said(opened(house, "hr", case))
    went_on(posted(house, "hr", f"{case}/hear", {"statement": "他承认", "attended": "true"}))
    assert "他承认" in said(opened(house, "leader", "/approvals"))
    refused = posted(house, "leader", f"{case}/decide", {"confirm": "true"})
    assert refused.status_code == 422
    assert "原因： 请填写" in said(refused) or "请填写" in said(refused)
    assert went_on(posted(house, "leader", f"{case}/decide", {"confirm": "true", "reason": "属实"})) == f"/hr{case}"
    assert state_of(house, case) == "decided"
    again = posted(house, "leader", f"{case}/decide", {"confirm": "true", "reason": "属实"})
    assert again.status_code == 409
    assert "以现在的状态不能这样办理" in said(again)
    mine = f"/my-cases/{ids[0]}"
    assert "接受处理" in said(opened(house, "worker", mine))
    assert opened(house, "cashier", mine).status_code == 404
    assert went_on(posted(house, "worker", f"{case}/accept", {})) == f"/hr{mine}"
    assert state_of(house, case) == "final"
    assert "已生效" in said(opened(house, "worker", "/my-cases"))


def test_what_a_case_costs_is_said_before_and_after_it_is_final(house: House) -> None:
    call = an_acceptance(house)
    case = case_in(call.path)
    expected = re.search(r"若认定，将如何处理(.*?)经过", said(opened(house, "leader", case)))
    assert expected is not None
    house.did("worker", call.path, call.body)
    with house.session() as session:
        fine = session.execute(text("SELECT fine_fen FROM cases")).scalar_one()
    assert f"¥{fine // 100}" in expected[1]
    assert "处理结果" in said(opened(house, "leader", case))


def test_an_appeal_is_offered_to_another_leader_than_him_who_decided(house: House) -> None:
    call = an_appeal_decision(house)
    case = case_in(call.path)
    with house.session() as session:
        decided = session.execute(text("SELECT p.name FROM cases c JOIN people p ON p.id = c.decided_by")).scalar_one()
    assert decided != "leader"
    assert "复核申诉" in said(opened(house, "leader", case))
    went_on(posted(house, "leader", f"{case}/decide-appeal", {"uphold": "false", "reason": "证据不足"}))
    assert state_of(house, case) == "lifted"


def test_whoever_decided_a_case_is_told_that_another_must_go_on(house: House) -> None:
    call = a_decision(house)
    case = case_in(call.path)
    went_on(posted(house, "leader", f"{case}/decide", {"confirm": "true", "reason": "属实"}))
    went_on(posted(house, "worker", f"{case}/appeal", {"reason": "当时已下班"}))
    page = said(opened(house, "leader", case))
    assert "须由另一位领导办理" in page
    refused = posted(house, "leader", f"{case}/decide-appeal", {"uphold": "true", "reason": "维持"})
    assert refused.status_code == 409
    assert "须由另一人办理" in said(refused)


def test_a_step_is_carried_out_with_evidence(house: House) -> None:
    call = a_task(house)
    assert "办结" in said(opened(house, "hr", "/tasks"))
    assert posted(house, "hr", call.path, {"evidence": ""}).status_code == 422
    assert went_on(posted(house, "hr", call.path, {"evidence": "调令 2026-04"})) == "/hr/tasks"
    assert "调令 2026-04" in said(opened(house, "hr", "/tasks"))


# --- payouts ----------------------------------------------------------------------------------------------------


def payments(house: House) -> list[tuple[str, str | None]]:
    with house.session() as session:
        return [tuple(row) for row in session.execute(text("SELECT state, reference FROM payments"))]


def test_a_line_is_paid_on_its_page_once(house: House) -> None:
    line = owed(house)
    page, person = line.split("/lines/")
    assert "确认发放" in said(opened(house, "hr", f"{page}?line={person}"))
    assert posted(house, "hr", f"{line}/paid", {"reference": " "}).status_code == 422
    key = str(new_id())
    for _ in range(2):
        assert went_on(posted(house, "hr", f"{line}/paid", {"reference": "GZ-1"}, key=key)) == f"/hr{page}"
    assert payments(house) == [("paid", "GZ-1")]
    assert "¥35.00" in said(opened(house, "worker", "/income"))


def test_a_payment_that_failed_is_told_with_its_cause(house: House) -> None:
    line = owed(house)
    went_on(posted(house, "hr", f"{line}/failed", {"cause": "account_closed", "reason": "已销户"}))
    assert payments(house) == [("failed", None)]
    assert "账户已销" in said(opened(house, "worker", "/income"))


def xlsx(*rows: tuple[str, ...]) -> bytes:
    return as_xlsx({"results": rows}, made_at=START)


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
def test_a_file_of_results_is_taken_whole_or_not_at_all(house: House, kind: str) -> None:
    line = owed(house)
    page, person = line.split("/lines/")

    def send(*rows: tuple[str, ...]) -> Response:
        table = (("人员编号", "凭证号", "失败原因", "说明"), *rows)
        content = "\n".join(",".join(row) for row in table).encode() if kind == "csv" else xlsx(*table)
        return posted(house, "hr", f"{page}/results", {}, files={"file": (f"results.{kind}", content)})

    bad = send((person, "GZ-1", "", ""), (str(new_id()), "GZ-2", "", ""), ("张师傅", "GZ-3", "", ""))
    assert bad.status_code == 422
    assert "4 请从列表中选择" in said(bad)
    assert payments(house) == [("due", None)]
    unknown = send((person, "GZ-1", "", ""), (str(new_id()), "GZ-2", "", ""), (person, "", "", ""))
    assert unknown.status_code == 409
    assert re.search(r"3 找不到.* 4 每行填凭证号", said(unknown))
    assert payments(house) == [("due", None)]
    assert went_on(send((person, "GZ-1", "", ""))) == f"/hr{page}"
    assert payments(house) == [("paid", "GZ-1")]


def test_what_is_no_table_is_refused_in_words(house: House) -> None:
    page = owed(house).split("/lines/")[0]
    for content, words in ((b"", "不是能读的表格"), (b"a,b\n1,2", "表头不全")):
        answer = posted(house, "hr", f"{page}/results", {}, files={"file": ("x.csv", content)})
        assert answer.status_code == 422
        assert words in said(answer)
    assert "请选择要导入的文件" in said(posted(house, "hr", f"{page}/results", {}))


def test_a_delivery_is_acknowledged_and_a_webhook_tells_its_secret_once(house: House) -> None:
    delivery = delivered(house)
    assert (
        went_on(posted(house, "hr", f"/deliveries/{delivery}/acknowledge", {"reference": "HR-9"})) == "/hr/deliveries"
    )
    assert "HR-9" in said(opened(house, "hr", "/deliveries"))
    made = posted(house, "administrator", "/webhooks", {"url": URL, "site_id": str(house.site_id)})
    assert made.status_code == 200
    assert "whsec_" in made.text
    (webhook,) = re.findall(r"/hr(/webhooks/[0-9a-f-]{36})", made.text)
    page = opened(house, "administrator", webhook)
    assert "whsec_" not in page.text
    went_on(posted(house, "administrator", f"{webhook}/disable", {"reason": "对方维护"}))
    assert "对方维护" in said(opened(house, "hr", webhook))
    went_on(posted(house, "administrator", f"{webhook}/enable", {}))
    went_on(posted(house, "hr", f"{webhook}/replay", {"delivery_id": str(delivery)}))


# --- people and sites -------------------------------------------------------------------------------------------


def test_somebody_is_hired_moved_taught_paid_and_let_go(house: House) -> None:
    form = {"name": "李雷", "role": "worker", "department": "engineering", "site_ids": str(house.site_id)}
    person = went_on(posted(house, "hr", "/people", form)).removeprefix("/hr")
    assert posted(house, "hr", "/people", {**form, "department": "finance"}).status_code == 422
    move = {**form, "department": "environment", "reason": "人手不足"}
    del move["name"]
    went_on(posted(house, "hr", f"{person}/move", move))
    went_on(posted(house, "hr", f"{person}/skills", {"skills": "cleaning\ngreening"}))
    certificate = {"kind": "low_voltage_electrician", "number": "T1", "valid_until": "2029-01-01"}
    went_on(posted(house, "hr", f"{person}/certificates", certificate))
    went_on(posted(house, "hr", f"{person}/wage", {"monthly_wage_fen": "4,500.50"}))
    page = said(opened(house, "hr", person))
    assert all(words in page for words in ("环境部", "人手不足", "低压电工证", "¥4,500.50"))
    assert "¥4,500.50" not in said(opened(house, "administrator", person)), "nobody else needs to know"
    went_on(posted(house, "hr", f"{person}/leave", {}))
    assert "已离职" in said(opened(house, "hr", person))
    assert "调动岗位" not in said(opened(house, "hr", person))


def test_a_site_is_opened_and_changed(house: House) -> None:
    with house.session() as session:
        everywhere = session.execute(
            text("UPDATE people SET all_sites = true WHERE name = 'administrator' RETURNING id")
        ).all()
    assert len(everywhere) == 1
    opening = {"code": "XH", "name": "西河里", "zone": "Asia/Shanghai", "closing": "18:00"}
    site = went_on(posted(house, "administrator", "/sites", opening)).removeprefix("/hr")
    went_on(posted(house, "administrator", f"{site}/change", {"closing": "19:00", "reason": "夏令时间"}))
    went_on(posted(house, "administrator", f"{site}/holidays", {"day": "2026-07-01", "name": "店庆"}))
    went_on(posted(house, "administrator", f"{site}/holidays/remove", {"day": "2026-07-01", "reason": "改期"}))
    page = said(opened(house, "administrator", site))
    assert all(words in page for words in ("西河里", "19:00", "夏令时间", "改期"))
    assert posted(house, "administrator", f"{site}/change", {"closing": "19:00", "reason": "再来"}).status_code == 409


# --- signing in -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/login", "/password", "/second-factor"])
def test_a_field_of_a_password_hides_it_and_names_what_a_password_manager_fills_in(house: House, path: str) -> None:
    fields = re.findall(r"<input [^>]*name=\"[a-z_]*password\"[^>]*>", house.client.get(path, headers=BROWSER).text)
    assert fields
    for field in fields:
        assert 'type="password"' in field
        assert re.search(r'autocomplete="(current|new)-password"', field)
        assert "readonly" not in field


def test_somebody_is_invited_sets_his_password_enrols_a_factor_and_signs_in(house: House) -> None:
    person = f"/people/{house.people['clerk'].person_id}"
    invited = posted(house, "administrator", f"{person}/invitation", {"login": "zhang.wei"})
    (secret,) = re.findall(r"/hr/invitation#([\w-]+)", invited.text)
    assert "邀请有效到" in said(opened(house, "administrator", person))
    assert secret not in opened(house, "administrator", person).text
    short = house.client.post("/invitation", data={"secret": secret, "password": "short"}, headers=BROWSER)
    assert short.status_code == 422
    assert "密码须为 12 到 128 个字符" in said(short)
    password = "stille wasser gründen tief"
    made = house.client.post("/invitation", data={"secret": secret, "password": password}, headers=BROWSER)
    assert "zhang.wei" in said(made)
    who = {"login": "zhang.wei", "password": password}
    enrolled = house.client.post("/second-factor", data=who, headers=BROWSER)
    assert 'src="data:image/svg+xml' in enrolled.text
    (key,) = re.findall(r"<code>([A-Z2-7]{32})</code>", enrolled.text)
    wrong = house.client.post("/second-factor/confirm", data={**who, "code": "000000"}, headers=BROWSER)
    assert wrong.status_code == 409
    with house.session() as session:
        now = clock.now(session)
    code = pyotp.TOTP(key).at(now)
    confirmed = house.client.post("/second-factor/confirm", data={**who, "code": code}, headers=BROWSER)
    codes = re.findall(r"<li><code>([a-z2-7]{16})</code>", confirmed.text)
    assert len(codes) == 10
    held = TestClient(house.client.app, base_url="http://localhost")
    came = held.post("/login", data={**who, "totp": codes[0]}, headers=LOCAL, follow_redirects=False)
    assert went_on(came) == "/hr/"
    account = held.get("/account", headers=LOCAL)
    assert "zhang.wei" in said(account)
    (csrf,) = set(re.findall(r'name="csrf" value="([^"]+)"', account.text))
    chosen = held.post("/language", data={"language": "en", "csrf": csrf}, headers=LOCAL, follow_redirects=False)
    went_on(chosen)
    elsewhere = TestClient(house.client.app, base_url="http://localhost")
    came = elsewhere.post("/login", data={**who, "totp": codes[1]}, headers=LOCAL, follow_redirects=False)
    assert "bianmin_language=en" in came.headers["set-cookie"]
    (session_path,) = set(re.findall(r"/hr(/account/sessions/[0-9a-f-]{36}/end)", account.text))
    ended = held.post(session_path, data={"csrf": csrf}, headers=LOCAL, follow_redirects=False)
    went_on(ended)
    assert held.get("/account", headers=LOCAL, follow_redirects=False).headers["location"].startswith("/hr/login")


def test_in_a_simulation_anybody_is_offered_and_in_a_real_installation_nobody(
    house: House, real: Callable[[], None]
) -> None:
    people = re.findall(r'name="person_id" value="([0-9a-f-]{36})"', house.client.get("/login", headers=BROWSER).text)
    assert people
    assert "新登记" in house.client.get("/login", headers=BROWSER).text
    come = {"person_id": people[0], "next": "/hr/account"}
    came = house.client.post("/demo/sessions", data=come, headers=BROWSER, follow_redirects=False)
    assert went_on(came) == "/hr/account"
    assert "bianmin=" in came.headers["set-cookie"]
    real()
    assert "person_id" not in house.client.get("/login", headers=BROWSER).text
    gone = house.client.post("/demo/sessions", data=come, headers=BROWSER, follow_redirects=False)
    assert gone.status_code == 404
    assert "set-cookie" not in gone.headers


@pytest.fixture
def real(committing: Engine) -> Iterator[Callable[[], None]]:
    """Makes the installation a real one for the rest of the test."""
    with committing.begin() as owner:
        held = owner.execute(text("SELECT simulated_at FROM installation.clock")).scalar_one()

    def become() -> None:
        with committing.begin() as owner:
            owner.execute(text("UPDATE installation.clock SET simulated = false, simulated_at = NULL"))

    yield become
    with committing.begin() as owner:
        owner.execute(text("UPDATE installation.clock SET simulated = true, simulated_at = :at"), {"at": held})


def test_a_token_is_shown_once_and_revoked(house: House) -> None:
    form = {"name": "报表", "expires_at": "2026-06-01T00:00", "scopes": "hr:read_cases"}
    made = posted(house, "hr", "/account/tokens", form)
    assert made.status_code == 200, said(made)
    (token,) = re.findall(r"<p><code>(\S+)</code></p>", made.text)
    page = opened(house, "hr", "/account")
    assert token not in page.text
    (path,) = set(re.findall(r"/hr(/account/tokens/[0-9a-f-]{36}/revoke)", page.text))
    went_on(posted(house, "hr", path, {}))
    assert "已作废" in said(opened(house, "hr", "/account"))
    assert posted(house, "hr", "/account/tokens", {**form, "scopes": "hr:issue_token"}).status_code == 422


# --- whoever must sign in anew --------------------------------------------------------------------------------------


def test_a_form_sent_after_the_session_ended_leads_by_the_sign_in_back_to_its_page(house: House) -> None:
    came = {**LOCAL, "Referer": "http://localhost/hr/people?role=clerk"}
    with TestClient(house.client.app, base_url="http://localhost", follow_redirects=False) as nobody:
        answer = nobody.post("/people", headers=came)
        assert went_on(answer) == "/hr/login?next=/hr/people%3Frole%3Dclerk"
        elsewhere = nobody.post("/people", headers=came | {"Referer": "http://evil.example/hr/people"})
        assert went_on(elsewhere) == "/hr/login"


def test_a_form_opened_before_its_reader_signed_in_anew_says_so_and_leads_back_to_its_page(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(clock, "is_simulated", lambda _: True)
    with house.session() as session:
        hr = session.execute(text("SELECT id FROM people WHERE role = 'hr'")).scalars().first()
    with TestClient(house.client.app, base_url="http://localhost", follow_redirects=False) as browser:
        browser.post("/demo/sessions", data={"person_id": str(hr), "next": "/hr/"}, headers=LOCAL)
        came = {**LOCAL, "Referer": "http://localhost/hr/account"}
        answer = browser.post("/logout", data={"csrf": "of another session"}, headers=came)
    assert answer.status_code == 403
    assert "这一页已经过期" in said(answer)
    assert 'href="/hr/account">重新打开刚才的页面' in answer.text
    assert "没有权限" not in answer.text
