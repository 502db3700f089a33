"""The screens for whoever has no scripts, no mouse, many tabs, nothing to show, or no connection.

Everything happens in a company founded a moment ago, whose first calls come in here; what the API then holds is what
was done on the pages. The browsers reach it over a line that can be cut.
"""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from playwright.sync_api import Locator, Page, Route, ViewportSize, expect

from bianmin.children import wait_until
from bianmin.client import Person
from bianmin.month.cast import PRICES
from shared.ui.menu import menu_of
from tests.browser import DESK, PHONE, Visitor, axe
from tests.faults.proxy import Mode, Proxy
from tests.folders import reachable_folder
from tests.journeys.town import Town, local_time, number_of, open_town, send

pytestmark = pytest.mark.journey

BEGINS = datetime(2026, 4, 27, 1, tzinfo=UTC)
"""Nine in the morning of a Monday at the site."""

LOST: tuple[Mode, ...] = ("reset", "away")
"""How a line is when it is lost: nobody there, or a web server in front that says so."""

READERS = [("zh", DESK), ("zh", PHONE), ("en", DESK), ("en", PHONE)]
READER_NAMES = ["zh-desk", "zh-phone", "en-desk", "en-phone"]


@pytest.fixture(scope="module")
def line() -> Iterator[list[Proxy]]:
    """The line between the browsers and the installation, once there is one."""
    lines: list[Proxy] = []
    yield lines
    for one in lines:
        one.close()


@pytest.fixture(scope="module")
def town(line: list[Proxy]) -> Iterator[Town]:
    with reachable_folder() as folder, open_town(folder, BEGINS) as opened:
        line.append(Proxy(urlsplit(opened.base_url).port or 0))
        opened.base_url = f"http://127.0.0.1:{line[0].port}"
        yield opened


@contextmanager
def somebody(
    town: Town, person: Person, *, language: str = "zh", size: ViewportSize = DESK, scripts: bool = True
) -> Iterator[Visitor]:
    """This person, signed in at a browser of his own."""
    visitor = Visitor(town.browser, town.base_url, language=language, size=size, scripts=scripts)
    visitor.sign_in(town.session(person))
    try:
        yield visitor
    finally:
        visitor.close()


def register(town: Town, home: str, trade: str = "water") -> str:
    """A call taken by a clerk, through the API; returns the request's id."""
    made = town.world.client.post(
        town.team.clerks[0],
        "/intake/api/requests",
        site_id=town.team.site_id,
        channel="phone",
        owner_name="陈女士",
        phone=f"139{abs(hash(home)) % 10**8:08d}",
        address=home,
        description=f"{home} 水管漏水",
        trade=trade,
    )
    return str(made["id"])


def agree_and_issue(town: Town, request_id: str) -> None:
    """Time and fee agreed, the notice issued and received by the department, through the API."""
    clerk, path = town.team.clerks[0], f"/intake/api/requests/{request_id}"
    visit = town.world.now + timedelta(hours=5)
    town.world.client.post(
        clerk,
        f"{path}/agree",
        visit_from=visit.isoformat(),
        visit_to=(visit + timedelta(hours=2)).isoformat(),
        items=[{"price_code": "tap", "quantity": 1, "unit_fen": 8000}],
    )
    town.world.client.post(clerk, f"{path}/notice")
    town.settle()


def order_of(town: Town, request_id: str) -> Any:
    """The department's work order of a request."""
    head = town.team.heads["engineering"]
    [order] = [
        one for one in town.world.client.pages(head, "/dispatch/api/work-orders") if one["request_id"] == request_id
    ]
    return order


# --- nothing to show ------------------------------------------------------------------------------------------------


def empty_lists(town: Town) -> Iterator[tuple[Person, list[str]]]:
    """The pages of the menu that have nothing to show yet, each with somebody whose it is."""
    seen: set[str] = set()
    company = [town.team.clerks[0], *town.team.heads.values(), town.team.workers["engineering"][0], town.team.cashier]
    for person in (*company, town.cast.leader, town.cast.finance_lead, town.cast.hr):
        paths = [entry.path for entry in menu_of(person.role) if entry.path not in seen]  # type: ignore[arg-type]
        seen.update(paths)
        with httpx.Client(base_url=town.base_url, cookies=town.session(person), timeout=30) as reader:
            yield person, [path for path in paths if 'class="empty"' in reader.get(path).text]


@pytest.mark.parametrize("language", ["zh", "en"])
def test_a_list_with_nothing_on_it_says_so_and_has_no_fault(town: Town, language: str) -> None:
    wrong: list[str] = []
    seen = 0
    for person, paths in empty_lists(town):
        with somebody(town, person, language=language) as visitor:
            for path in paths:
                page = visitor.go(path)
                assert all(page.locator("main .empty").all_inner_texts()), path
                for size in (DESK, PHONE):
                    page.set_viewport_size(size)
                    wrong += [f"{path} at {size['width']}: {fault}" for fault in axe(page)]
                page.set_viewport_size(DESK)
                seen += 1
            wrong += visitor.problems
    assert not wrong, "\n".join(wrong)
    assert seen > 20


# --- no scripts -----------------------------------------------------------------------------------------------------


def test_without_scripts_a_clerk_registers_calls_back_agrees_and_issues(town: Town) -> None:
    clerk, client = town.team.clerks[0], town.world.client
    with somebody(town, clerk, scripts=False) as visitor:
        page = visitor.go("/intake/board")
        page.get_by_label("电话", exact=False).first.fill("13800138001")
        page.get_by_label("房号").fill("1-1-101")
        page.get_by_label("业主姓名").fill("欧阳建国")
        page.get_by_label("服务项目").select_option("water")
        page.get_by_label("情况说明").fill("厨房水龙头漏水")
        send(page.get_by_role("button", name="登记并开始计时"))
        request_id = number_of(page)
        path = f"/intake/api/requests/{request_id}"
        assert client.get(clerk, path)["address"] == "1-1-101"

        page.get_by_text("未接通", exact=True).click()
        page.locator("form[action$='/attempts'] [name=note]").fill("无人接听")
        send(page.get_by_role("button", name="记录未接通"))
        assert client.get(clerk, path)["failed_attempts"] == 1

        visit = town.world.now + timedelta(hours=4)
        page.locator("[name=visit_from]").fill(local_time(visit))
        page.locator("[name=visit_to]").fill(local_time(visit + timedelta(hours=2)))
        page.locator("[name='items.0.price_code']").select_option("tap")
        page.locator("[name='items.0.quantity']").fill("1")
        page.locator("[name='items.0.unit_fen']").fill("80")
        send(page.get_by_role("button", name="约定时间和费用"))
        agreed = client.get(clerk, path)
        assert (agreed["state"], agreed["fee_fen"], agreed["reached_at"] is not None) == ("agreed", 8000, True)

        send(page.get_by_role("button", name=re.compile("生成通知单")))
        assert client.get(clerk, path)["state"] == "noticed"


def test_without_scripts_a_wrong_form_comes_back_with_what_was_written(town: Town) -> None:
    with somebody(town, town.team.clerks[0], scripts=False) as visitor:
        page = visitor.go("/intake/board")
        page.get_by_label("房号").fill("1-1-102")
        send(page.get_by_role("button", name="登记并开始计时"))
        expect(page.get_by_role("alert")).to_contain_text("没有办成")
        expect(page.get_by_label("房号")).to_have_value("1-1-102")


def test_without_scripts_a_head_takes_a_notice_and_assigns_a_worker(town: Town) -> None:
    request_id = register(town, "1-1-103")
    agree_and_issue(town, request_id)
    order = order_of(town, request_id)
    with somebody(town, town.team.heads["engineering"], scripts=False) as visitor:
        page = visitor.go("/dispatch/board")
        send(page.locator(f"#r-{order['id']}").get_by_role("button", name="接单"))
        page = visitor.go("/dispatch/board")
        row = page.locator(f"#a-{order['id']}")
        chosen = row.get_by_label("派给").locator("option").nth(1)
        person_id = chosen.get_attribute("value")
        row.get_by_label("派给").select_option(person_id)
        send(row.get_by_role("button", name="派工"))
    assert [one["person_id"] for one in order_of(town, request_id)["workers"]] == [person_id]


def test_without_scripts_a_leader_approves(town: Town) -> None:
    client = town.world.client
    drafted = client.post(
        town.cast.finance_lead,
        "/finance/api/price-versions",
        effective_from=(BEGINS.date() + timedelta(days=30)).isoformat(),
        items=PRICES,
    )
    with somebody(town, town.cast.leader, scripts=False) as visitor:
        page = visitor.go("/finance/approvals")
        page.get_by_role("link", name="对比并批准").click()
        assert number_of(page) == drafted["id"]
        send(page.get_by_role("button", name="批准新版本"))
    versions = client.pages(town.cast.auditor, "/finance/api/price-versions")
    assert next(one for one in versions if one["id"] == drafted["id"])["state"] == "approved"


# --- no mouse -------------------------------------------------------------------------------------------------------


FOCUSED = """() => {
    const one = document.activeElement, box = one.getBoundingClientRect(), style = getComputedStyle(one);
    return {
        name: `${one.tagName} #${one.id} ${one.name ?? ""} ${one.innerText ?? ""}`,
        outlined: style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2,
        inView: box.bottom > 0 && box.top < innerHeight && box.width > 0,
    };
}"""
"""What has the focus, and whether one sees that."""


def tab_to(page: Page, wanted: Locator, *, most: int = 60) -> None:
    """Go on by Tab until it has the focus; wherever the focus comes to, it is seen."""
    for _ in range(most):
        page.keyboard.press("Tab")
        now = page.evaluate(FOCUSED)
        assert now["outlined"], f"the focus is not seen on {now['name']}"
        assert now["inView"], f"the focus is out of sight on {now['name']}"
        if wanted.evaluate("one => one === document.activeElement"):
            return
    raise AssertionError(f"{wanted} was not reached; the focus is on {now['name']}")


def mark(page: Page, row: str) -> None:
    """Go down the rows by J until it is the marked one."""
    for _ in range(40):
        page.keyboard.press("j")
        if page.locator(".marked").get_attribute("id") == row:
            return
    raise AssertionError(f"{row} was not reached")


def test_a_request_is_registered_by_keyboard_alone(town: Town) -> None:
    clerk = town.team.clerks[0]
    with somebody(town, clerk) as visitor:
        page = visitor.go("/intake/board")
        page.keyboard.press("Tab")
        skip = page.get_by_role("link", name="跳到正文")
        expect(skip).to_be_focused()
        expect(skip).to_be_in_viewport()
        page.keyboard.press("Enter")
        expect(page.locator("main")).to_be_focused()

        page.keyboard.press("n")
        expect(page.get_by_label("电话", exact=False).first).to_be_focused()
        page.keyboard.type("13800138004")
        for label, words in (("房号", "1-1-104"), ("业主姓名", "王芳")):
            tab_to(page, page.get_by_label(label))
            page.keyboard.type(words)
        trade = page.get_by_label("服务项目")
        tab_to(page, trade)
        for _ in range(20):
            if trade.input_value() == "water":
                break
            page.keyboard.press("ArrowDown")
        expect(trade).to_have_value("water")
        tab_to(page, page.get_by_label("情况说明"))
        page.keyboard.type("n j ? 浴室漏水")  # letters are words where one writes
        tab_to(page, page.get_by_role("button", name="登记并开始计时"))
        with page.expect_navigation():
            page.keyboard.press("Enter")
        made = town.world.client.get(clerk, f"/intake/api/requests/{number_of(page)}")
    assert (made["address"], made["description"], made["trade"]) == ("1-1-104", "n j ? 浴室漏水", "water")


def test_what_is_wrong_takes_the_focus_and_leads_to_its_field(town: Town) -> None:
    with somebody(town, town.team.clerks[0]) as visitor:
        page = visitor.go("/intake/board")
        page.keyboard.press("n")
        tab_to(page, page.get_by_role("button", name="登记并开始计时"))
        with page.expect_navigation():
            page.keyboard.press("Enter")
        expect(page.locator("[data-focus]")).to_be_focused()
        tab_to(page, page.locator("[data-focus] a").nth(1))
        page.keyboard.press("Enter")
        field = page.locator("[aria-invalid=true]").nth(1)
        page.keyboard.press("Tab")
        page.keyboard.press("Shift+Tab")
        expect(field).to_be_focused()


def test_a_worker_is_assigned_by_keyboard_alone(town: Town) -> None:
    request_id = register(town, "1-1-105")
    agree_and_issue(town, request_id)
    order = order_of(town, request_id)
    with somebody(town, town.team.heads["engineering"]) as visitor:
        page = visitor.go("/dispatch/board")
        mark(page, f"r-{order['id']}")
        with page.expect_navigation():
            page.keyboard.press("c")
        assert order_of(town, request_id)["state"] == "acknowledged"
        page = visitor.go("/dispatch/board")
        mark(page, f"a-{order['id']}")
        with page.expect_navigation():
            page.keyboard.press("Enter")
        assert number_of(page) == order["id"]
        name = page.locator("#do-assign [data-key='2'] strong").inner_text()
        with page.expect_navigation():
            page.keyboard.press("2")
    assert [one["name"] for one in order_of(town, request_id)["workers"]] == [name]


def test_a_worker_is_assigned_by_tab_and_enter_alone(town: Town) -> None:
    request_id = register(town, "1-1-106")
    agree_and_issue(town, request_id)
    order = order_of(town, request_id)
    town.world.client.post(town.team.heads["engineering"], f"/dispatch/api/work-orders/{order['id']}/acknowledge")
    with somebody(town, town.team.heads["engineering"]) as visitor:
        page = visitor.go("/dispatch/board")
        row = page.locator(f"#a-{order['id']}")
        tab_to(page, row.get_by_label("派给"))
        page.keyboard.press("ArrowDown")
        person_id = row.get_by_label("派给").input_value()
        tab_to(page, row.get_by_role("button", name="派工"))
        with page.expect_navigation():
            page.keyboard.press("Enter")
    assert [one["person_id"] for one in order_of(town, request_id)["workers"]] == [person_id]


def test_a_dialog_is_left_by_esc_and_gives_the_focus_back(town: Town) -> None:
    with somebody(town, town.team.clerks[0]) as visitor:
        page = visitor.go("/intake/board")
        opener = page.get_by_role("button", name="快捷键")
        tab_to(page, opener)
        page.keyboard.press("Enter")
        dialog = page.get_by_role("dialog")
        expect(dialog).to_be_visible()
        for _ in range(6):  # the focus stays within, or goes to the browser's own controls
            page.keyboard.press("Tab")
            assert page.evaluate(
                "document.activeElement === document.body || !!document.activeElement.closest('dialog')"
            )
        page.keyboard.press("Escape")
        expect(dialog).to_be_hidden()
        expect(opener).to_be_focused()
        page.keyboard.press("j")  # what is marked is opened by Enter, but not in place of what has the focus
        page.keyboard.press("Enter")
        expect(dialog).to_be_visible()
        page.keyboard.press("Escape")
        expect(dialog).to_be_hidden()
        expect(opener).to_be_focused()


def test_keys_that_are_letters_can_be_turned_off(town: Town) -> None:
    with somebody(town, town.team.clerks[0]) as visitor:
        page = visitor.go("/intake/board")
        page.keyboard.press("?")
        page.get_by_label("关闭单字母快捷键").focus()
        page.keyboard.press("Space")
        page.keyboard.press("Escape")
        page.keyboard.press("n")
        expect(page.get_by_label("电话", exact=False).first).not_to_be_focused()


# --- what changes while one works -----------------------------------------------------------------------------------


def test_the_focus_and_the_mark_stay_where_they_were_when_a_part_changes(town: Town) -> None:
    first, second = register(town, "2-1-101"), register(town, "2-1-102")
    with somebody(town, town.team.clerks[1]) as visitor:
        page = visitor.go("/intake/board")
        call = page.locator(f"#r-{second} a[data-key=c]")
        tab_to(page, call, most=90)
        page.keyboard.press("j")
        marked = page.locator(".marked").get_attribute("id")
        assert marked != f"r-{second}"
        register(town, "2-1-103")
        expect(page.get_by_text("2-1-103").first).to_be_visible()
        expect(call).to_be_focused()
        expect(page.locator(".marked")).to_have_id(marked or "")

        # somebody else takes the very row: the focus is on what stands in its place
        town.world.client.post(town.team.clerks[0], f"/intake/api/requests/{second}/cancel", reason="业主不需要了")
        expect(page.locator(f"#r-{second}")).to_have_count(0)
        assert page.evaluate("document.getElementById('waiting').contains(document.activeElement)"), page.evaluate(
            FOCUSED
        )
        town.world.client.post(town.team.clerks[0], f"/intake/api/requests/{first}/cancel", reason="业主不需要了")


def test_what_one_has_chosen_stays_chosen_when_a_part_changes(town: Town) -> None:
    head = town.team.heads["engineering"]
    request_id = register(town, "2-1-104")
    agree_and_issue(town, request_id)
    order = order_of(town, request_id)
    town.world.client.post(head, f"/dispatch/api/work-orders/{order['id']}/acknowledge")
    with somebody(town, head) as visitor:
        page = visitor.go("/dispatch/board")
        choice = page.locator(f"#a-{order['id']}").get_by_label("派给")
        first = choice.input_value()
        tab_to(page, choice)
        page.keyboard.press("ArrowDown")
        chosen = choice.input_value()
        assert chosen != first
        other = register(town, "2-1-105")
        agree_and_issue(town, other)
        page.keyboard.press("Tab")
        expect(page.get_by_text("2-1-105").first).to_be_visible()
        expect(choice).to_have_value(chosen)
        expect(page.locator(f"#a-{order['id']}").get_by_role("button", name="派工")).to_be_focused()


def test_ten_tabs_share_one_stream_and_all_show_a_change(town: Town) -> None:
    with somebody(town, town.team.clerks[1]) as visitor:
        tabs = [visitor.page, *(visitor.open() for _ in range(9))]
        for tab in tabs:
            tab.goto("/intake/board")
            expect(tab.locator("[data-pulse]")).not_to_have_class(re.compile("off"))
        targets = town.browser.new_browser_cdp_session().send("Target.getTargets")["targetInfos"]
        assert [one["type"] for one in targets].count("shared_worker") == 1
        register(town, "3-1-101")
        for tab in tabs:
            expect(tab.get_by_text("3-1-101").first).to_be_visible()
        assert not visitor.problems


# --- something is wrong ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("language", "size"), READERS, ids=READER_NAMES)
def test_a_page_that_refuses_has_no_fault(town: Town, language: str, size: ViewportSize) -> None:
    clerk = town.team.clerks[0]
    request_id = register(town, "4-1-101")
    wrong: list[str] = []
    with somebody(town, clerk, language=language, size=size) as visitor:
        page = visitor.page

        def look(what: str, status: int, go: Callable[[], Any]) -> None:
            with page.expect_response(lambda answer: answer.request.is_navigation_request()) as answer:
                go()
            page.wait_for_load_state()
            assert answer.value.status == status, what
            wrong.extend(f"{what}: {fault}" for fault in axe(page))

        look("nothing there", 404, lambda: page.goto("/intake/nothing"))
        look("not his", 403, lambda: page.goto("/finance/ledger"))
        visitor.go("/intake/board")
        look("an empty form", 422, lambda: page.locator("[data-new-form] button.primary").click())
        visitor.go(f"/intake/requests/{request_id}")
        visit = town.world.now + timedelta(hours=4)
        page.locator("[name=visit_from]").fill(local_time(visit))
        page.locator("[name=visit_to]").fill(local_time(visit + timedelta(hours=2)))
        page.locator("[name='items.0.price_code']").select_option("tap")
        page.locator("[name='items.0.quantity']").fill("1")
        page.locator("[name='items.0.unit_fen']").fill("9999")
        look("above the price book", 409, lambda: page.locator("form[action$='/agree'] button.primary").click())
        said = [problem for problem in visitor.problems if not re.search(r"status of 4\d\d", problem)]
    town.world.client.post(clerk, f"/intake/api/requests/{request_id}/cancel", reason="业主不需要了")
    assert not wrong + said, "\n".join(wrong + said)


@pytest.mark.parametrize(("language", "size"), READERS, ids=READER_NAMES)
def test_a_page_that_waits_for_an_answer_keeps_what_it_shows_and_has_no_fault(
    town: Town, language: str, size: ViewportSize
) -> None:
    with somebody(town, town.team.clerks[0], language=language, size=size) as visitor:
        page = visitor.go("/intake/board")
        held: list[Route] = []

        def hold(route: Route) -> None:
            held.append(route)

        page.route("**/intake/homes/part", hold)
        page.locator("[name=phone]").fill("13800138001")
        page.wait_for_selector(".htmx-request", state="attached")
        expect(page.locator("[name=phone]")).to_have_value("13800138001")
        wrong = axe(page)
        held[0].continue_()
        expect(page.locator(".htmx-request")).to_have_count(0)
        assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("shared", [True, False], ids=["one-stream-for-all-tabs", "a-stream-of-its-own"])
def test_a_lost_connection_is_told_and_what_changed_meanwhile_is_shown_when_it_is_back(
    town: Town, line: list[Proxy], shared: bool
) -> None:
    wrong: list[str] = []
    visitors: list[Visitor] = []
    for language, size in READERS:
        visitor = Visitor(town.browser, town.base_url, language=language, size=size)
        visitors.append(visitor)
        if not shared:
            visitor.context.add_init_script("delete window.SharedWorker")
        visitor.sign_in(town.session(town.team.clerks[1]))
        visitor.go("/intake/board")
    pulses = [visitor.page.locator("[data-pulse]") for visitor in visitors]
    homes = [f"5-{shared:d}-{number}" for number in (1, 2)]
    try:
        for mode, home in zip(LOST, homes, strict=True):
            for pulse in pulses:
                expect(pulse).not_to_have_class(re.compile("off"))
            line[0].become(mode)
            for visitor, pulse in zip(visitors, pulses, strict=True):
                expect(pulse).to_have_class(re.compile("off"))
                expect(pulse).to_have_text(
                    re.compile(r"^(连接中断 \d+:\d\d，正在重连|Connection lost for \d+:\d\d, reconnecting)$")
                )
                wrong += [f"{mode}: {fault}" for fault in axe(visitor.page)] if shared else []
            if mode == "away":
                wait_until("the browsers to be told 503", lambda: line[0].told_away > 0, seconds=30)
                line[0].told_away = 0
            register(town, home)  # meanwhile, by another line
            line[0].become("pass")
            for visitor, pulse in zip(visitors, pulses, strict=True):
                expect(visitor.page.get_by_text(home).first).to_be_visible(timeout=20_000)
                expect(pulse).not_to_have_class(re.compile("off"))
    finally:
        line[0].become("pass")
    errors = [said for visitor in visitors for said in visitor.problems if "Failed to load resource" not in said]
    for visitor in visitors:
        visitor.close()
    assert not wrong + errors, "\n".join(wrong + errors)
