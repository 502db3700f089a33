"""The desk's papers: registration form, notice and report, issued once and checked by anybody [R20, R24-R28, R42]."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from hashlib import sha256
from pathlib import Path

import pytest
from httpx2 import Response
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from services.intake.actions import price
from tests.bad_input.house import House
from tests.conftest import START
from tests.papers.issued import checked, kept, printed, said, standing
from tests.papers.printing import codes, pdf_file, sheets
from tests.services.intake.desk import price_book
from tests.ui.reader import words_of

WINDOW = {
    "visit_from": (START + timedelta(hours=10)).isoformat(),
    "visit_to": (START + timedelta(hours=11)).isoformat(),
}
FORM = {
    "channel": "phone",
    "owner_name": '#read("/etc/passwd") *欧阳㛃*',
    "address": "3-2-1502",
    "phone": "13800138000",
    "description": "水龙头漏水 @14:30",
    "trade": "water",
}


@pytest.fixture
def desk(open_house: Callable[[str], House]) -> House:
    house = open_house("intake")
    with house.session() as session:
        price.published(session, price_book(effective_from=START))
    return house


def registered(desk: House) -> str:
    made = desk.did("clerk", "/requests", FORM | {"site_id": str(desk.site_id)})
    return f"/requests/{made['id']}"


def noticed(desk: House) -> str:
    path = registered(desk)
    desk.did("clerk", f"{path}/agree", WINDOW | {"items": [{"price_code": "tap", "quantity": 2, "unit_fen": 5000}]})
    desk.did("clerk", f"{path}/notice")
    return path


def test_a_registration_form_says_what_was_registered_and_then_what_was_agreed(desk: House, tmp_path: Path) -> None:
    path = registered(desk)
    form = f"{path}/registration-form.pdf"
    first = said(desk, "clerk", form, tmp_path)
    for words in (
        "有偿服务登记表",
        "DJ-BK-20260401-0001",
        '#read("/etc/passwd")*欧阳㛃*',
        "138****8000",
        "来电",
        "BK小区",
    ):
        assert words in first
    assert "13800138000" not in first
    assert "¥100.00" not in first
    desk.did("clerk", f"{path}/agree", WINDOW | {"items": [{"price_code": "tap", "quantity": 2, "unit_fen": 5000}]})
    second = said(desk, "clerk", form, tmp_path)
    assert "¥100.00" in second
    assert "壹佰元整" in second
    assert "2026-04-0110:00至11:00" in second
    assert [standing(desk, row.code) for row in kept(desk)] == ["superseded", "valid"]


def test_a_notice_is_issued_once_and_every_later_print_is_the_same_bytes(desk: House, tmp_path: Path) -> None:
    path = noticed(desk)
    first = printed(desk, "clerk", f"{path}/service-notice.pdf")
    assert sheets(pdf_file(tmp_path, first)) == (1, 210, 297)
    assert printed(desk, "desk_head", f"{path}/service-notice.pdf") == first
    (row,) = kept(desk)
    assert (row.sha256, row.content) == (sha256(first).hexdigest(), first)
    assert (row.kind, row.number, row.amount_fen) == ("service_notice", "TZ-BK-20260401-0001", 10000)
    other = printed(desk, "clerk", f"{path}/service-notice.pdf?size=continuous")
    assert sheets(pdf_file(tmp_path, other)) == (1, 241, 140)
    assert [row.size for row in kept(desk)] == ["a4", "continuous"]


def test_of_many_who_print_at_once_all_get_the_one_paper(desk: House) -> None:
    path = noticed(desk)
    with ThreadPoolExecutor(8) as people:
        papers = list(people.map(lambda _: printed(desk, "clerk", f"{path}/service-notice.pdf"), range(8)))
    assert len(set(papers)) == 1
    assert [row.content for row in kept(desk)] == papers[:1]


def test_a_revised_notice_is_another_paper_and_the_code_on_the_first_says_so(desk: House, tmp_path: Path) -> None:
    path = noticed(desk)
    printed(desk, "clerk", f"{path}/service-notice.pdf")
    (first,) = kept(desk)
    assert standing(desk, first.code) == "valid"
    desk.did("clerk", f"{path}/revise", {"address": "9-9-999", "reason": "记错了"})
    assert standing(desk, first.code) == "superseded"
    assert "9-9-999" in said(desk, "clerk", f"{path}/service-notice.pdf", tmp_path)
    _, second = kept(desk)
    assert (standing(desk, first.code), standing(desk, second.code)) == ("superseded", "valid")
    desk.did("clerk", f"{path}/cancel", {"reason": "业主不需要了"})
    assert {standing(desk, row.code) for row in (first, second)} == {"cancelled"}
    assert "作废" in said(desk, "clerk", f"{path}/service-notice.pdf", tmp_path)


def test_whoever_checks_a_paper_is_told_which_it_is_and_nothing_of_anybody(desk: House) -> None:
    path = noticed(desk)
    printed(desk, "clerk", f"{path}/service-notice.pdf")
    (row,) = kept(desk)
    answer = checked(desk, row.code)
    assert answer.json() == {
        "state": "valid",
        "kind": "service_notice",
        "kind_name": "有偿服务通知单",
        "number": "TZ-BK-20260401-0001",
        "site_name": "BK 小区",
        "day": "2026-04-01",
        "amount_fen": 10000,
        "issued_at": "2026-03-31T16:00:00Z",
    }
    assert checked(desk, "A" * 22).status_code == 404
    for no_code in ("short", "A" * 23, f"{row.code[:-1]}!"):
        assert checked(desk, no_code).status_code == 422


def test_the_slip_for_the_owner_alone_leads_to_his_page_and_is_kept_nowhere(desk: House, tmp_path: Path) -> None:
    path = noticed(desk)
    link = desk.get("clerk", f"{path}/owner-link").json()
    for size in ("a4", "continuous"):
        notice = pdf_file(tmp_path, printed(desk, "clerk", f"{path}/service-notice.pdf?size={size}"))
        assert all("/verify/" in code for code in codes(notice))  # finance, department and archive
    before = len(kept(desk))
    slip = printed(desk, "clerk", f"{path}/owner-slip.pdf")
    assert sheets(pdf_file(tmp_path, slip)) == (1, 105, 148)
    (code,) = codes(pdf_file(tmp_path, slip))
    assert code.endswith(f"/intake/o?c={link['code']}")
    stated = said(desk, "clerk", f"{path}/owner-slip.pdf", tmp_path)
    for said_ in ("预约单", "2026-04-0110:00至11:00", "¥100.00", "3-2-1502", "业主自购"):
        assert said_ in stated, said_
    assert len(kept(desk)) == before
    assert desk.get("auditor", f"{path}/owner-slip.pdf").status_code == 403
    with desk.session() as session:
        session.execute(text("UPDATE requests SET link_hash = NULL, link_sealed = NULL"))
    refused = desk.get("clerk", f"{path}/owner-slip.pdf")
    assert (refused.status_code, refused.json()["type"]) == (409, "urn:bianmin:problem:no_link")


def scanned(desk: House, code: str, language: str = "zh") -> Response:
    """What the browser of a phone gets that scanned a code."""
    return desk.client.get(f"/verify/{code}", headers={"Accept": "text/html", "Accept-Language": language})


def test_a_phone_that_scans_the_code_is_shown_a_page_in_both_languages(desk: House) -> None:
    path = noticed(desk)
    printed(desk, "clerk", f"{path}/service-notice.pdf")
    (first,) = kept(desk)
    page = words_of(scanned(desk, first.code))
    for said_ in ("有效", "有偿服务通知单", "TZ-BK-20260401-0001", "BK 小区", "2026-04-01", "¥100.00"):
        assert said_ in page, said_
    for nobody in ("欧阳", "3-2-1502", "138", "漏水"):
        assert nobody not in page, nobody
    english = words_of(scanned(desk, first.code, "en"))
    for said_ in ("Valid", "Service notice", "TZ-BK-20260401-0001", "¥100.00"):
        assert said_ in english, said_
    desk.did("clerk", f"{path}/revise", {"address": "9-9-999", "reason": "记错了"})
    assert "已变更" in words_of(scanned(desk, first.code))
    desk.did("clerk", f"{path}/cancel", {"reason": "业主不需要了"})
    assert "已作废" in words_of(scanned(desk, first.code))
    assert "Cancelled" in words_of(scanned(desk, first.code, "en"))


@pytest.mark.parametrize("code", ["A" * 22, "short", "A" * 23, "%3Cscript%3E", "%00" * 22, "码" * 22])
def test_a_code_on_no_paper_of_ours_is_told_so_on_a_page(desk: House, code: str) -> None:
    answer = scanned(desk, code)
    assert answer.status_code == 404
    assert "查不到这张单据" in words_of(answer)
    assert "<script>" not in answer.text


def test_an_erased_paper_says_that_it_was_ours(desk: House) -> None:
    path = noticed(desk)
    printed(desk, "clerk", f"{path}/service-notice.pdf")
    (row,) = kept(desk)
    with desk.session() as session:
        session.execute(
            text("SELECT erase_append_only(ARRAY[CAST(:id AS uuid)], '已删除')"), {"id": path.split("/")[2]}
        )
    assert "有记录" in words_of(scanned(desk, row.code))


def test_a_preview_is_the_paper_that_would_be_printed(desk: House) -> None:
    path = noticed(desk)
    answer = desk.get("clerk", f"{path}/service-notice.svg")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "image/svg+xml")
    assert answer.headers["x-pages"] == "1"
    assert answer.text.startswith("<svg")
    assert "content-disposition" not in answer.headers
    (row,) = kept(desk)
    assert standing(desk, row.code) == "valid"
    assert desk.get("clerk", f"{path}/service-notice.svg?page=2").status_code == 404
    assert desk.get("clerk", f"{path}/service-notice.png").status_code == 422


def test_a_request_without_a_notice_has_no_notice_to_print(desk: House) -> None:
    answer = desk.get("clerk", f"{registered(desk)}/service-notice.pdf")
    assert (answer.status_code, answer.json()["type"]) == (409, "urn:bianmin:problem:no_notice")
    assert kept(desk) == []


def test_what_is_erased_is_erased_of_its_papers_too_and_their_codes_say_so(desk: House, tmp_path: Path) -> None:
    path = noticed(desk)
    printed(desk, "clerk", f"{path}/registration-form.pdf")
    printed(desk, "clerk", f"{path}/service-notice.pdf")
    with desk.session() as session:  # ended otherwise than by being cancelled
        session.execute(text("UPDATE requests SET state = 'closed', ended_at = clock_now()"))
    before = kept(desk)
    desk.did("administrator", "/owners/erase", {"request_ids": [path.removeprefix("/requests/")], "reason": "业主要求"})
    after = kept(desk)
    assert [row.content for row in after] == [None, None]
    assert [row.facts_hash for row in after] == [row.code for row in after]
    assert [(row.number, row.sha256) for row in after] == [(row.number, row.sha256) for row in before]
    assert {standing(desk, row.code) for row in after} == {"erased"}
    assert "欧阳" not in said(desk, "clerk", f"{path}/registration-form.pdf", tmp_path)
    assert len(kept(desk)) == 3


def test_the_database_keeps_a_paper_as_it_was_issued(desk: House) -> None:
    printed(desk, "clerk", f"{noticed(desk)}/service-notice.pdf")
    forged = """
        INSERT INTO papers SELECT 'x', kind, size, 'other', facts_hash, site_id, number, day, amount_fen, sha256, 'x',
               issued_by, issued_at FROM papers
    """
    attacks = ("UPDATE papers SET content = 'x'", "UPDATE papers SET number = 'x'", "DELETE FROM papers", forged)
    for attack in attacks:
        with pytest.raises(DBAPIError, match=r"permission denied|addressed_by_hash"), desk.session() as session:
            session.execute(text(attack))


def test_the_log_of_changes_does_not_hold_what_stands_on_a_paper(desk: House) -> None:
    printed(desk, "clerk", f"{noticed(desk)}/service-notice.pdf")
    (row,) = kept(desk)
    with desk.session() as session:
        logged = session.execute(text("SELECT after FROM audit_log WHERE table_name = 'papers'")).scalar_one()
    assert (logged["content"], logged["facts_hash"]) == ("…", "…")
    assert logged["sha256"] == row.sha256


def test_a_report_that_is_not_agreed_is_a_draft_and_is_not_kept(desk: House, tmp_path: Path) -> None:
    with desk.session() as session:
        session.execute(
            text("INSERT INTO months (site_id, month, closes_at) VALUES (:site_id, '2026-04', clock_now())"),
            {"site_id": desk.site_id},
        )
    registered(desk)
    path = f"/months/2026-04/sites/{desk.site_id}/report.pdf"
    draft = said(desk, "auditor", path, tmp_path)
    for words in (
        "便民有偿服务月度报表",
        "2026年4月",
        "草稿",
        "尚未核对一致",
        "全小区",
        "登记（来电）",
        "登记（给排水）",
    ):
        assert words in draft
    assert kept(desk) == []
    assert printed(desk, "auditor", path) == printed(desk, "head", path)
