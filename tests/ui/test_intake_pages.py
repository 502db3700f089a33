"""The front desk's pages: what each shows whom, and that a form of a page does what the API does, once."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text

from shared.ids import new_id
from tests.bad_input.acts import Act
from tests.bad_input.house import House, house_of
from tests.bad_input.of_intake_desk import ACTS as DESK_ACTS
from tests.bad_input.of_intake_desk import FORM, ITEMS, WINDOW, agreed, noticed, recorded
from tests.bad_input.of_intake_followup import ACTS as FOLLOW_UP_ACTS
from tests.bad_input.of_intake_followup import MONTH, a_line, a_month, a_revisit, an_unreachable_owner
from tests.conftest import START
from tests.security.routes import routes_of
from tests.ui.reader import Reader, filled, words_of

ELSEWHERE = {
    "/requests": "/board",
    "/homes/find": "/homes",
    "/owners/find": "/owners",
}
"""Actions whose page has another path than their route."""

WITH_A_FILE = {"/imports": "a page takes the file itself"}
SHARED = ("/alerts", "/policies", "/parked")
"""Actions of every service, with pages of their own."""

ACTS = [act for act in DESK_ACTS + FOLLOW_UP_ACTS if act.route not in WITH_A_FILE]


@pytest.fixture
def house(open_house: Callable[[str], House]) -> House:
    return open_house("intake")


def page_of(route: str) -> str:
    return ELSEWHERE.get(route, route)


def test_every_action_of_the_desk_can_be_taken_on_a_page(template: str) -> None:
    posts = [route for route in routes_of("intake") if route.method == "POST"]
    asked = {
        route.action for route in posts if route.path.startswith("/api/") and not route.path[4:].startswith(SHARED)
    }
    offered = {route.action for route in posts if not route.path.startswith("/api/")}
    assert asked <= offered


LISTS = [
    ("/board", "clerk", "待回电", "Waiting for a call"),
    ("/board", "head", "待回电", "Waiting for a call"),
    ("/board/trade?trade=water", "clerk", "收费标准", "Price book"),
    ("/homes", "clerk", "业主与房号查找", "Find a home"),
    ("/requests", "clerk", "没有这样的登记", "No such request"),
    ("/requests?q=3-2&state=recorded&day=2026-04-01&trade=water", "auditor", "没有这样的登记", "No such request"),
    ("/notices?copy=out&q=TZ", "clerk", "没有这样的通知单", "No such notice"),
    ("/consultations", "clerk", "没有业主在等答复", "No owner waits"),
    ("/consultations?show=all", "auditor", "没有业主在等答复", "No owner waits"),
    ("/revisits", "clerk", "没有到期的回访", "No revisit is due"),
    ("/revisits?show=unreachable", "desk_head", "没有联系不上的业主", "No owner is unreachable"),
    ("/prices?q=水&trade=water", "clerk", "没有这样的收费项目", "No such item"),
    ("/trades", "head", "家电维修暂不列入有偿服务范围", "Appliance repair is not among the paid services"),
    ("/private-job-reports", "clerk", "没有人反映过私下接活", "Nobody has told of a private job"),
    ("/cash-alerts", "cashier", "所有现金都已按日上交", "All cash was handed over"),
    ("/months?month=2026-04", "finance_lead", "这个月没有统计", "There are no statistics"),
    ("/figures?month=2026-04", "administration", "还没有数据", "No data yet"),
    ("/imports", "clerk", "第一行写表头", "Row 1 has the headings"),
    ("/owners", "administrator", "业主个人信息", "Owners' data"),
    ("/privacy", "leader", "没有人查看、导出或删除过", "Nobody has looked at"),
]


@pytest.mark.parametrize(("path", "who", "chinese", "english"), LISTS)
def test_an_empty_list_says_what_that_means_in_both_languages(
    house: House, path: str, who: str, chinese: str, english: str
) -> None:
    for language, words in (("zh", chinese), ("en", english)):
        answer = Reader(house, who, language).opens(path)
        assert answer.status_code == 200
        assert words in words_of(answer)


THINGS: list[tuple[str, Callable[[House], str], str, str, str]] = [
    ("recorded", lambda house: f"/requests/{recorded(house)}", "clerk", "回电约定", "Call and agree"),
    ("agreed", lambda house: f"/requests/{agreed(house)}", "clerk", "生成通知单", "Issue the notice"),
    ("noticed", lambda house: f"/requests/{noticed(house)}", "clerk", "撤回通知单并取消", "Withdraw the notice"),
    ("its notice", lambda house: f"/requests/{noticed(house)}/notice", "clerk", "打印三联", "Print three copies"),
    ("its revisit", lambda house: a_revisit(house).path, "clerk", "满意，结束", "Satisfied: close"),
    (
        "unreachable",
        lambda house: an_unreachable_owner(house).path.replace("close-unreachable", "revisit"),
        "desk_head",
        "联系不上，结束",
        "Unreachable: end",
    ),
    (
        "a month",
        lambda house: a_month(house, "ask").path.removesuffix("/ask"),
        "desk_head",
        "本部门签字",
        "Sign for my department",
    ),
    (
        "a line",
        lambda house: a_line(house, "accept", "dispute", "settle").path.removesuffix("accept") + "engineering/accepted",
        "head",
        "确认议定数 1",
        "Accept the figure 1",
    ),
    (
        "a report",
        lambda house: a_month(house, "report").path,
        "administration",
        "草稿，尚未核对一致",
        "Draft, not agreed yet",
    ),
]


@pytest.mark.parametrize(
    ("prepare", "who", "chinese", "english"), [thing[1:] for thing in THINGS], ids=[thing[0] for thing in THINGS]
)
def test_a_thing_shows_where_it_stands_and_what_can_be_done(
    house: House, prepare: Callable[[House], str], who: str, chinese: str, english: str
) -> None:
    path = prepare(house)
    for language, words in (("zh", chinese), ("en", english)):
        answer = Reader(house, who, language).opens(path)
        assert answer.status_code == 200
        assert words in words_of(answer)


@pytest.mark.parametrize("act", ACTS, ids=str)
def test_a_form_does_what_the_api_does_and_the_same_form_twice_takes_effect_once(house: House, act: Act) -> None:
    ready = act.prepare(house)
    assert not isinstance(ready.body, bytes)
    reader, path, form, key = Reader(house, act.who), page_of(ready.path), filled(ready.body), str(new_id())
    before = house.messages_said(), _rows(house)
    first = reader.sends(path, form, key=key)
    shown_here = act.route in {"/homes/find", "/owners/find", "/owners/export", "/requests/{request_id}/phone/reveal"}
    assert first.status_code == (200 if shown_here else 303), words_of(first)
    done = house.messages_said(), _rows(house)
    assert done != before or act.route in {"/homes/find", "/owners/find", "/private-job-reports"}
    if not shown_here:
        assert reader.opens(first.headers["location"]).status_code == 200
        again = reader.sends(path, form, key=key)
        assert again.status_code in {303, 409}
        assert (house.messages_said(), _rows(house)) == done


def _rows(house: House) -> int:
    """How much the audit log knows: every change of a row is there."""
    with house.session() as session:
        return int(session.execute(text("SELECT count(*) FROM audit_log")).scalar_one())


ASK_NOTHING = ("/homes/find", "/lines/accept", "/ask", "/sign", "/notice", "/reply", "/retire", "/owner-link", "/offer")
"""Buttons, and forms that can do without every word."""


@pytest.mark.parametrize("act", [act for act in ACTS if not act.route.endswith(ASK_NOTHING)], ids=str)
def test_a_form_that_says_nothing_is_shown_again_with_what_is_missing(house: House, act: Act) -> None:
    ready = act.prepare(house)
    fixed = {name: value for name, value in filled(ready.body).items() if name in {"department", "item", "outcome"}}
    before = house.messages_said()
    answer = Reader(house, act.who).sends(page_of(ready.path), fixed)
    assert answer.status_code == 422
    assert "没有办成" in words_of(answer)
    assert house.messages_said() == before


def test_a_refused_form_keeps_what_was_written_and_says_why(house: House) -> None:
    path = f"/requests/{recorded(house)}/agree"
    wrong = filled({**WINDOW, "visit_to": WINDOW["visit_from"], "items": ITEMS})
    answer = Reader(house, "clerk").sends(path, wrong)
    assert answer.status_code == 409
    assert "上门结束时间须晚于开始时间。" in words_of(answer)
    assert answer.text.count('value="2026-04-01T14:00"') == 2
    assert 'value="50.00"' in answer.text
    outside = filled({**WINDOW, "items": [{**ITEMS[0], "unit_fen": 100}]})
    assert "不在批准的收费标准之内" in words_of(Reader(house, "clerk").sends(path, outside))
    assert "outside the approved price" in words_of(Reader(house, "clerk", "en").sends(path, outside))


def test_who_comes_too_late_is_told_so(house: House) -> None:
    made = agreed(house)
    reader = Reader(house, "clerk")
    assert reader.sends(f"/requests/{made}/notice", {}).status_code == 303
    late = reader.sends(f"/requests/{made}/notice", {})
    assert late.status_code == 409
    assert "以现在的状态不能这样办理" in words_of(late)


def test_registering_goes_to_the_request_and_points_out_what_it_may_repeat(house: House) -> None:
    reader, form = Reader(house, "clerk"), filled(FORM)
    first = reader.opens(reader.sends("/board", form).headers["location"])
    assert "可能重复" not in words_of(first)
    second = words_of(reader.opens(reader.sends("/board", form).headers["location"]))
    assert "可能重复" in second
    assert "138****8000" in second
    assert FORM["phone"] not in second


def test_what_is_out_of_scope_is_refused_with_the_reason_at_once(house: House) -> None:
    reader = Reader(house, "clerk")
    assert "家电维修暂不列入有偿服务范围" in words_of(reader.opens("/board/trade?trade=appliance"))
    made = reader.sends("/board", filled({**FORM, "trade": "appliance"}))
    shown = words_of(reader.opens(made.headers["location"]))
    assert "不受理" in shown
    assert "家电维修暂不列入有偿服务范围" in shown


def test_of_an_owner_at_the_desk_the_head_is_named(house: House) -> None:
    reader = Reader(house, "clerk")
    said = "业主在前台：立即联系工程部主管"
    assert f"{said} head" in words_of(reader.opens("/board/trade?trade=water&channel=walk_in"))
    made = reader.sends("/board", filled({**FORM, "channel": "walk_in"}))
    assert said in words_of(reader.opens(made.headers["location"]))
    assert "业主在前台，立即接待" in words_of(reader.opens("/board"))


def test_a_home_is_found_while_somebody_writes_and_by_no_address_of_a_page(house: House) -> None:
    recorded(house)
    reader = Reader(house, "clerk")
    for form in ({"phone": "138 0013 8000"}, {"address": "3-2-15"}):
        assert "欧阳建国" in words_of(reader.sends("/homes/part", form))
    for form in ({"phone": "138001"}, {"address": "3-"}, {}):
        assert words_of(reader.sends("/homes/part", form)) == ""
    assert "没有登记过的住户" in words_of(reader.sends("/homes", {"phone": "13900000000"}))


def test_a_number_is_shown_once_to_who_says_why_and_that_is_kept(house: House) -> None:
    made = recorded(house)
    reader = Reader(house, "clerk")
    shown = reader.sends(f"/requests/{made}/phone/reveal", {"reason": "回电"})
    assert "13800138000" in words_of(shown)
    assert not shown.cookies
    assert "13800138000" not in words_of(reader.opens(f"/requests/{made}"))
    log = words_of(Reader(house, "auditor").opens("/privacy"))
    assert "查看电话" in log
    assert "回电" in log


def test_a_head_sees_his_department_and_no_request_he_may_not_open(house: House) -> None:
    house.did("clerk", "/requests", FORM | {"site_id": str(house.site_id)})
    house.did("clerk", "/requests", FORM | {"site_id": str(house.site_id), "trade": "cleaning", "address": "九栋-909"})
    board = Reader(house, "head").opens("/board")
    assert "3-2-1502" in board.text
    assert "九栋-909" not in board.text
    assert "/intake/requests/" not in board.text
    assert "新登记" not in words_of(board)


def test_the_rate_of_today_counts_what_was_decided(house: House) -> None:
    made = recorded(house)
    recorded(house)
    reader = Reader(house, "clerk")
    assert "今日按时回电率 —" in words_of(reader.opens("/board"))
    house.did("clerk", f"/requests/{made}/agree", WINDOW | {"items": ITEMS})
    assert "今日按时回电率 100.0% 1 / 1" in words_of(reader.opens("/board"))


def test_lists_find_sort_and_export_what_they_show(house: House) -> None:
    made = noticed(house)
    reader = Reader(house, "clerk")
    with house.session() as session:
        number = session.execute(text("SELECT number FROM notices")).scalar_one()
    for words in ("3-2", "欧阳", "13800138000", number[-8:], ""):
        assert str(made) in reader.opens(f"/requests?q={words}&sort=-recorded_at").text
        assert str(made) in reader.opens(f"/requests?q={words}&day=2026-04-01&trade=water&state=noticed").text
    for asked in ("q=9-9", "day=2026-03-31", "state=closed", "trade=cleaning"):
        assert str(made) not in reader.opens(f"/requests?{asked}").text
    assert str(made) in reader.opens(f"/notices?copy=out&q={number}").text
    sheet = reader.opens("/requests?export=xlsx")
    assert sheet.content.startswith(b"PK")
    assert "attachment" in sheet.headers["content-disposition"]


def test_another_sites_request_is_not_there(house: House) -> None:
    made = noticed(house)
    other = Reader(house, "clerk@other")
    for path in (f"/requests/{made}", f"/requests/{made}/notice", f"/requests/{made}/revisit"):
        assert other.opens(path).status_code == 404
    assert str(made) not in other.opens("/requests").text + other.opens("/notices").text
    assert other.sends(f"/requests/{made}/cancel", {"reason": "不要了"}).status_code == 404


def test_an_owner_with_a_problem_gets_a_free_rework(house: House) -> None:
    path = a_revisit(house).path
    form = {
        "outcome": "problem",
        "note": "还在漏水",
        "survey.quality": "2",
        "survey.attitude": "4",
        "survey.price_as_agreed": "false",
    }
    reader = Reader(house, "clerk")
    asked = reader.sends(path, form)
    assert asked.status_code == 422
    assert "安排返修须填上门时间" in words_of(asked)
    tomorrow = START + timedelta(days=2)
    times = filled({"visit_from": tomorrow.isoformat(), "visit_to": (tomorrow + timedelta(hours=1)).isoformat()})
    assert reader.sends(path, form | times).status_code == 303
    assert "第 1 次返修（免费）" in words_of(reader.opens(path.removesuffix("/revisit")))
    with house.session() as session:
        assert session.execute(text("SELECT price_as_agreed FROM revisits")).scalar_one() is False


def test_four_departments_agree_line_by_line(house: House) -> None:
    here = a_month(house, "sign").path.removesuffix("/sign")
    head, desk = Reader(house, "head"), Reader(house, "desk_head")
    about = {"department": "engineering", "item": "received_fen"}
    assert head.sends(f"{here}/lines/dispute", {**about, "reason": "少一单"}).status_code == 303
    assert "有不一致或有异议的项目" in words_of(desk.opens(here))
    assert "本部门签字" not in words_of(desk.opens(here))
    settled = desk.sends(f"{here}/lines/settle", {**about, "figure": "12.50", "note": "逐单核对"})
    assert settled.status_code == 303
    line = f"{here}/lines/engineering/received_fen"
    assert "¥12.50" in words_of(desk.opens(line))
    assert Reader(house, "head").sends(f"{here}/lines/accept", {**about, "note": "同意"}).status_code == 403
    assert Reader(house, "cashier").sends(f"{here}/lines/accept", {**about, "note": "同意"}).status_code == 303
    assert "已议定" in words_of(desk.opens(here))
    assert desk.sends(f"{here}/sign", {}).status_code == 303
    assert "1/4" in words_of(desk.opens(here))


SHEET = """编号,姓名,电话,房号,服务项目,情况说明,来源
1,赵一,13811112222,1-1-101,给排水,漏水,来电
2,钱二,x,1-1-102,water,漏水,
3,孙三,13811112224,1-1-103,appliance,冰箱,网上
"""


def test_a_list_is_imported_row_by_row_and_once(house: House) -> None:
    reader = Reader(house, "clerk")
    form: dict[str, Any] = {"site_id": str(house.site_id), "source": "旧系统"}
    first = words_of(reader.sends("/imports", form, file=("a.csv", SHEET.encode("gb18030"))))
    assert "已登记 1 不受理 1 以前导入过 0 有错，没有导入 1" in first
    again = words_of(reader.sends("/imports", form, file=("a.csv", SHEET.encode())))
    assert "已登记 0 不受理 0 以前导入过 2 有错，没有导入 1" in again


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "这个文件不是能读的表格"),
        (b"PK\x03\x04broken", "这个文件不是能读的表格"),
        ("编号,姓名\n1,赵一\n".encode(), "表头不全"),
        (
            (SHEET.splitlines()[0] + "\n" + "\n".join(f"{n},a,b,c,d,e,f" for n in range(501))).encode(),
            "一次最多导入 500 行",
        ),
    ],
)
def test_a_file_that_is_no_such_list_is_refused_whole(house: House, content: bytes, said: str) -> None:
    form = {"site_id": str(house.site_id), "source": "旧系统"}
    answer = Reader(house, "clerk").sends("/imports", form, file=("a.xlsx", content))
    assert answer.status_code == 422
    assert said in words_of(answer)


def test_what_is_held_of_an_owner_is_taken_out_whole(house: House) -> None:
    made = recorded(house)
    reader = Reader(house, "administrator")
    assert "DJ-BK" in words_of(reader.sends("/owners", {"phone": "13800138000"}))
    out = reader.sends("/owners/export", {"request_ids": [str(made)], "reason": "业主要求"})
    assert out.content.startswith(b"PK")
    open_yet = reader.sends("/owners/erase", {"request_ids": [str(made)], "reason": "业主要求"})
    assert open_yet.status_code == 409
    assert "还有未结束的登记" in words_of(open_yet)


@pytest.mark.usefixtures("installation")
def test_the_month_is_asked_for_in_one_place() -> None:
    with house_of("intake") as house:
        path = a_month(house, "ask").path
        assert MONTH in path
        assert Reader(house, "desk_head").sends(path, {}).status_code == 303
