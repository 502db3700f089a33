"""Finance's pages: whoever may opens them in both languages, and their forms do what the API does, once."""

import re
from collections.abc import Iterator
from html import unescape
from html.parser import HTMLParser
from typing import Any, get_args

import pytest
from httpx2 import Response

from shared.messages import Role
from shared.ui.forms import yuan_of
from tests.bad_input import of_finance_books, of_finance_cash
from tests.bad_input.acts import UUID, Act, Call
from tests.bad_input.house import House, house_of
from tests.security.routes import routes_of, table_of
from tests.ui.catalogue import CHINESE

pytestmark = pytest.mark.usefixtures("installation")

SITE = "BK 小区"
"""The site's name is the company's, in either language."""

BY_INTAKE = "/owners/export"
"""What the administrator does from intake's page of an owner."""

ACTS: list[Act] = [act for act in (*of_finance_cash.ACTS, *of_finance_books.ACTS) if act.route != BY_INTAKE]


class Page(HTMLParser):
    """The forms of a page by the path they go to, its links, and what it says in headings, buttons and labels."""

    def __init__(self, answer: Response) -> None:
        super().__init__()
        self.forms: dict[str, dict[str, str]] = {}
        self.links: list[str] = []
        self.said: list[str] = []
        self._form: dict[str, str] = {}
        self._select = ""
        self._within: list[str] = []
        self.feed(answer.text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        has = {name: value or "" for name, value in attrs}
        if tag == "form":
            self._form = {}
            if has.get("method") == "post":
                self.forms[has["action"]] = self._form
        elif tag == "input" and has.get("type") != "checkbox" and "name" in has:
            self._form[has["name"]] = has.get("value", "")
        elif tag == "select":
            self._select = has.get("name", "")
            self._form[self._select] = ""
        elif tag == "option" and "selected" in has:
            self._form[self._select] = has["value"]
        elif tag == "a" and has.get("href", "").startswith("/finance/"):
            self.links.append(has["href"])
        if tag in SPOKEN and has.get("scope") != "row":
            self._within.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag in SPOKEN and self._within:
            self._within.pop()

    def handle_data(self, data: str) -> None:
        if self._within and data.strip():
            self.said.append(data.strip())


SPOKEN = {"h1", "h2", "h3", "th", "label", "legend", "summary", "dt", "button"}
"""Elements that hold words of the page and none of its data."""


def look(house: House, who: str, path: str, language: str = "zh") -> Response:
    headers = {"Authorization": f"Bearer {who}", "Cookie": f"bianmin_language={language}", "Accept": "text/html"}
    return house.client.get(path, headers=headers, follow_redirects=False)


def send(house: House, who: str, path: str, form: dict[str, str]) -> Response:
    headers = {"Authorization": f"Bearer {who}", "Accept": "text/html"}
    return house.client.post(path, data=form, headers=headers, follow_redirects=False)


def written(body: Any, prefix: str = "") -> Iterator[tuple[str, str]]:
    """A body of the API as somebody writes it into a form: yuan for fen, a field for each part."""
    for name, value in body.items():
        whole = prefix + name
        if isinstance(value, list) and value and isinstance(value[0], dict):
            for number, row in enumerate(value):
                yield from written(row, f"{whole}.{number}.")
        elif isinstance(value, list):
            yield whole, "\n".join(value)
        elif isinstance(value, dict):
            yield from written(value, f"{whole}.")
        elif name.endswith("_fen"):
            yield whole, yuan_of(value)
        else:
            yield whole, str(value).lower() if isinstance(value, bool) else str(value)


def on_page(call: Call) -> tuple[str, str]:
    """The page that offers an action of the API, and the path its form goes to."""
    path = call.path
    if path == "/refunds":
        receipt = f"/receipts/{call.body['receipt_id']}"  # type: ignore[index,call-overload]  # its own body
        return receipt, f"{receipt}/refund"
    if path.startswith("/cash-differences/"):
        return "/differences", path.replace("/cash-differences/", "/differences/")
    if path == "/price-versions":
        return "/prices/draft", "/prices"
    if path.startswith("/price-versions/"):
        path = path.replace("/price-versions/", "/prices/")
        return path.rsplit("/", 1)[0], path
    if path.startswith(("/refunds/", "/reserve/proposals/")):
        return "/approvals", path
    if path == "/hand-overs/on-behalf":
        body: dict[str, Any] = call.body  # type: ignore[assignment]  # its own body
        return f"{path}?site={body['site_id']}&person={body['from_person_id']}", path
    offered = {
        "/charges/receive": "/charges",
        "/hand-overs": "/my-cash",
        "/reserve/proposals": "/reserve/propose",
        "/receipt-books": "/receipt-books",
        "/deposits": "/deposits",
    }
    if path in offered:
        return offered[path], path
    end = path.removesuffix("/decide") if path.endswith("/reopen/decide") else path
    return end.rsplit("/", 1)[0], path


def filled(house: House, act: Act, call: Call) -> tuple[str, dict[str, str]]:
    """The form as the page offers it, filled in with what the API would be sent, and where it goes."""
    page, to = on_page(call)
    answer = look(house, act.who, page)
    assert answer.status_code == 200, answer.text
    forms = Page(answer).forms
    assert f"/finance{to}" in forms, (page, sorted(forms))
    body = call.body if isinstance(call.body, dict) else {}
    return to, forms[f"/finance{to}"] | {name: value for name, value in written(body) if name != "receipt_ids"}


def audited(house: House) -> int:
    from sqlalchemy import text  # noqa: PLC0415

    with house.session() as session:
        return int(session.execute(text("SELECT count(*) FROM audit_log")).scalar_one())


@pytest.mark.parametrize("act", ACTS, ids=str)
def test_a_form_does_what_the_api_does_and_once(act: Act) -> None:
    with house_of("finance") as house:
        to, form = filled(house, act, act.prepare(house))
        before = audited(house)
        done = send(house, act.who, to, form)
        assert done.status_code == 303, re.sub(r"<[^>]+>", " ", done.text)
        after = audited(house)
        assert after > before
        next_page = look(house, act.who, done.headers["location"].removeprefix("/finance"))
        assert next_page.status_code == 200
        again = send(house, act.who, to, form)
        if "compute" not in to:  # which is computed again until it is approved
            assert again.status_code in (303, 409)
            assert audited(house) == after


@pytest.mark.parametrize("act", [act for act in ACTS if not act.again], ids=str)
def test_what_is_done_already_is_refused_in_chinese_on_the_page_itself(act: Act) -> None:
    with house_of("finance") as house:
        to, form = filled(house, act, act.prepare(house))
        assert send(house, act.who, to, form).status_code == 303
        refused = send(house, act.who, to, form | {"key": "another key"})
        assert refused.status_code in (404, 409), refused.status_code
        alert = re.search(r'role="alert".*?</div>', refused.text, re.DOTALL)
        sentence = re.sub(r"<[^>]+>", " ", alert[0] if alert else refused.text)
        assert CHINESE.search(sentence)
        assert not re.search(r"[a-z]{4,} [a-z]{2,} [a-z]{2,}", sentence), sentence


@pytest.mark.parametrize(
    ("who", "page", "to", "wrong", "kept"),
    [
        ("finance_lead", "/prices/draft", "/prices", {"effective_from": "", "items.0.name": "换门锁"}, "换门锁"),
        ("cashier", "/deposits", "/deposits", {"amount_fen": "十元", "reference": "ICBC-7"}, "ICBC-7"),
        ("cashier", "/receipt-books", "/receipt-books", {"first": "9", "last": "12a"}, "12a"),
        (
            "clerk",
            "/reserve/propose",
            "/reserve/proposals",
            {"use": "reward", "amount_fen": "1", "reason": "抢修"},
            "抢修",
        ),
    ],
)
def test_a_wrong_form_is_shown_again_with_what_was_written(
    who: str, page: str, to: str, wrong: dict[str, str], kept: str
) -> None:
    with house_of("finance") as house:
        form = Page(look(house, who, page)).forms[f"/finance{to}"]
        before = audited(house)
        answer = send(house, who, to, form | wrong)
        assert answer.status_code == 422
        assert "没有办成" in answer.text
        assert kept in unescape(answer.text)
        assert audited(house) == before


def test_notes_are_counted_one_by_one_and_the_sum_is_seen_afterwards() -> None:
    with house_of("finance") as house:
        hand_over = f"/hand-overs/{of_finance_cash.offered(house)}"
        blind = look(house, "cashier", hand_over)
        assert "¥50.00" not in blind.text
        assert "清点后揭示" in blind.text
        form = Page(blind).forms[f"/finance{hand_over}/count"]
        assert (
            send(house, "cashier", f"{hand_over}/count", form | {"notes.2000": "2", "notes.500": "1"}).status_code
            == 303
        )
        seen = look(house, "cashier", hand_over)
        assert "短款 ¥5.00" in seen.text
        assert "× 2" in seen.text


def test_whoever_proposed_is_not_offered_his_own_proposal() -> None:
    with house_of("finance") as house:
        refund = of_finance_cash.refund(house)
        to = f"/finance/refunds/{refund}/decide"
        assert to in Page(look(house, "leader", "/approvals")).forms
        assert to not in Page(look(house, "cashier", "/approvals")).forms


def lived_in(house: House) -> None:
    """Something of every kind."""
    of_finance_cash.stated(house)
    of_finance_cash.refund(house)
    of_finance_cash.carried(house)
    of_finance_books.drafted(house)
    of_finance_books.a_reward(house)
    of_finance_books.a_computed_month(house)


@pytest.mark.parametrize("role", get_args(Role))
def test_every_page_opens_for_whoever_may_and_leads_nowhere_he_may_not(role: Role) -> None:
    with house_of("finance") as house:
        lived_in(house)
        table = table_of("finance")
        first = [r for r in routes_of("finance") if r.method == "GET" and "{" not in r.path and is_page(r.path)]
        assert len(first) > 20
        waiting, seen = [], set()
        for route in first:
            status = look(house, role, route.path).status_code
            needs_more = route.path == "/hand-overs/on-behalf"
            allowed = role in table[route.action].roles
            assert status == (403 if not allowed else 404 if needs_more else 200), route.path
            if status == 200:
                waiting.append(route.path)
        while waiting:
            path = waiting.pop()
            kind = UUID.sub("*", path)
            if kind in seen or "export" in path or "sort=" in path:
                continue
            seen.add(kind)
            if path.startswith("/api/"):
                (route,) = [r for r in routes_of("finance") if r.method == "GET" and r.matches(path.split("?")[0])]
                assert role in table[route.action].roles, path
                continue
            answer = look(house, role, path)
            assert answer.status_code == 200, path
            english = look(house, role, path, "en")
            assert english.status_code == 200, path
            said = [one.replace(SITE, "") for one in Page(english).said if one != "中文"]
            assert not [one for one in said if CHINESE.search(one)], path
            waiting += [unescape(link).removeprefix("/finance") for link in Page(answer).links]


def is_page(path: str) -> bool:
    return not path.startswith(("/api", "/live", "/ready", "/openapi", "/metrics", "/changes", "/docs"))


def test_a_list_is_given_to_a_spreadsheet() -> None:
    with house_of("finance") as house:
        lived_in(house)
        for path in ("/receipts", "/ledger/journals", "/settlements?month=2026-04", "/refunds"):
            export = look(house, "finance_lead", f"{path}{'&' if '?' in path else '?'}export=xlsx")
            assert export.content.startswith(b"PK"), path
