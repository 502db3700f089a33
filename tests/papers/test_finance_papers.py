"""Finance's papers: receipt, hand-over slip, price list, reserve statement [R33-R36, R55-R57, R72-R77, R85]."""

from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path

import pytest

from services.finance.actions import cash_difference, hand_over, price, receipt
from services.finance.rules.receipt import InvoiceState
from shared.messages import PriceItem
from tests.bad_input.house import House
from tests.papers.issued import kept, printed, said, standing
from tests.papers.printing import pdf_file, sheets
from tests.people import employ
from tests.services.finance.office import MORNING, Office


@pytest.fixture
def finance(open_house: Callable[[str], House]) -> House:
    return open_house("finance")


@pytest.fixture
def office(finance: House) -> Office:
    """An office, whose transaction has committed; its people go on in one of their own."""
    with finance.session() as session:
        office = Office(session, code="PX")
        for role, department in (("clerk", "front_desk"), ("cashier", "finance"), ("finance_lead", "finance")):
            employ(session, role, department, office.site_id, name=f"打印{role}", token=f"px-{role}")  # type: ignore[arg-type]
        employ(session, "auditor", "management", token="px-auditor")
    return office


def test_a_receipt_says_the_fee_in_figures_and_capitals_on_a_sheet_or_a_roll(
    finance: House, office: Office, tmp_path: Path
) -> None:
    with finance.session() as office.session:
        used = office.paid(123450)
    path = f"/receipts/{used.id}/receipt.pdf"
    sheet = printed(finance, "px-clerk", path)
    assert sheets(pdf_file(tmp_path, sheet)) == (1, 210, 148)
    assert sheets(pdf_file(tmp_path, printed(finance, "px-clerk", f"{path}?size=roll")))[:2] == (1, 80)
    for size in ("a5", "roll"):
        words = said(finance, "px-clerk", f"{path}?size={size}", tmp_path)
        for word in (
            "收款收据",
            used.number,
            "¥1,234.50",
            "壹仟贰佰叁拾肆元伍角整",
            "现金",
            "clerk-PX",
            "2026年4月1日",
        ):
            assert word in words, size
    assert printed(finance, "px-cashier", path) == sheet
    assert [(row.size, row.amount_fen) for row in kept(finance)] == [("a5 used", 123450), ("roll used", 123450)]


def test_a_receipt_a_worker_carries_stays_valid_once_it_is_used(finance: House, office: Office, tmp_path: Path) -> None:
    with finance.session() as office.session:
        request_id = office.accepted(workers={office.worker.person_id: 1})
        carried = receipt.carry(
            office.session, request_id=request_id, worker_id=office.worker.person_id, actor=office.clerk, now=MORNING
        )
    path = f"/receipts/{carried.id}/receipt.pdf"
    taken_along = said(finance, "px-clerk", path, tmp_path)
    assert "年月日" in taken_along
    with finance.session() as office.session:
        office.collect(request_id, actor=office.worker, receipt_id=carried.id)
    assert "2026年4月1日" in said(finance, "px-clerk", path, tmp_path)
    assert [(row.size, standing(finance, row.code)) for row in kept(finance)] == [
        ("a5 carried", "valid"),
        ("a5 used", "valid"),
    ]


def test_a_refund_or_a_number_brought_back_supersedes_a_receipt_and_a_void_cancels_it(
    finance: House, office: Office, tmp_path: Path
) -> None:
    with finance.session() as office.session:
        used = office.paid()
        office.hand_over(office.clerk, office.cashier)
        request_id = office.accepted(workers={office.worker.person_id: 1})
        void = receipt.carry(
            office.session, request_id=request_id, worker_id=office.worker.person_id, actor=office.clerk, now=MORNING
        )
    for one in (used, void):
        printed(finance, "px-clerk", f"/receipts/{one.id}/receipt.pdf")
    with finance.session() as office.session:
        receipt.void(office.session, receipt_id=void.id, reason="写错", actor=office.clerk, now=MORNING)
        receipt.record_invoice(
            office.session,
            receipt_id=used.id,
            number="FP-1",
            state=InvoiceState.ISSUED,
            actor=office.cashier,
            now=MORNING,
        )
    assert [standing(finance, row.code) for row in kept(finance)] == ["valid", "cancelled"]
    with finance.session() as office.session:
        request_id = office.accepted(workers={office.worker.person_id: 1})
        facts = {"request_id": request_id, "worker_id": office.worker.person_id, "actor": office.clerk, "now": MORNING}
        brought_back = receipt.carry(office.session, **facts)  # type: ignore[arg-type]
    printed(finance, "px-clerk", f"/receipts/{brought_back.id}/receipt.pdf")
    with finance.session() as office.session:
        receipt.bring_back(office.session, receipt_id=brought_back.id, actor=office.clerk, now=MORNING)
    assert [standing(finance, row.code) for row in kept(finance)] == ["valid", "cancelled", "superseded"]
    assert "FP-1" in said(finance, "px-clerk", f"/receipts/{used.id}/receipt.pdf", tmp_path)
    with finance.session() as office.session:
        office.refunded(used, 3000)
    words = said(finance, "px-clerk", f"/receipts/{used.id}/receipt.pdf", tmp_path)
    assert "已退款¥30.00" in words
    assert "余额¥70.00" in words
    states = [standing(finance, row.code) for row in kept(finance) if row.number == used.number]
    assert states == ["superseded", "superseded", "valid"]


def test_a_blank_number_is_no_receipt(finance: House, office: Office) -> None:
    with finance.session() as office.session:
        office.paid()
    blank = next(one for one in finance.get("px-clerk", "/receipts?state=on_hand").json()["items"])
    answer = finance.get("px-clerk", f"/receipts/{blank['id']}/receipt.pdf")
    assert (answer.status_code, answer.json()["type"]) == (409, "urn:bianmin:problem:receipt_is_blank")


def test_a_slip_names_no_sum_to_anybody_until_the_cash_is_counted(
    finance: House, office: Office, tmp_path: Path
) -> None:
    with finance.session() as office.session:
        used = office.paid(18600)
        offered = office.offer(office.clerk, office.cashier)
    path = f"/hand-overs/{offered.id}/slip.pdf"
    for who in ("px-cashier", "px-clerk", "px-auditor"):
        sheet = said(finance, who, path, tmp_path)
        assert "186.00" not in sheet
        assert used.number not in sheet
        assert "清点表" in sheet
    assert kept(finance) == []
    with finance.session() as office.session:
        hand_over.count(
            office.session,
            hand_over_id=offered.id,
            counted_fen=None,
            notes={10000: 1, 5000: 1, 2000: 1, 1000: 1, 500: 1},
            actor=office.cashier,
            now=MORNING,
        )
        cash_difference.settle_difference(
            office.session, hand_over_id=offered.id, reason="少找零", actor=office.cashier, now=MORNING
        )
        cash_difference.confirm_difference(office.session, hand_over_id=offered.id, actor=office.clerk, now=MORNING)
    slip = said(finance, "px-cashier", path, tmp_path)
    for word in (
        "¥185.00",
        "壹佰捌拾伍元整",
        "应交金额¥186.00",
        "-¥1.00",
        "少找零",
        used.number,
        "clerk-PX",
        "¥50.001¥50.00",
    ):
        assert word in slip, word
    (row,) = kept(finance)
    assert (row.amount_fen, standing(finance, row.code)) == (18500, "valid")


def test_a_price_list_is_a_draft_until_it_is_approved_and_says_until_when_it_holds(
    finance: House, office: Office, tmp_path: Path
) -> None:
    tap = PriceItem(code="tap", trade="water", name="换水龙头", unit="个", min_fen=3000, max_fen=8000)

    def version(since: date) -> str:
        with finance.session() as office.session:
            made = price.draft(office.session, effective_from=since, items=[tap], actor=office.lead, now=MORNING)
        return str(made.id)

    def approve(version_id: str) -> None:
        with finance.session() as office.session:
            price.approve(office.session, version_id=version_id, actor=office.leader, now=MORNING)  # type: ignore[arg-type]

    first = version(date(2026, 4, 1))
    path = f"/price-versions/{first}/price-list.pdf"
    assert "草稿" in said(finance, "px-clerk", path, tmp_path)
    assert kept(finance) == []
    approve(first)
    listed = said(finance, "px-clerk", path, tmp_path)
    for word in ("收费标准", "自2026年4月1日起执行", "换水龙头", "¥30.00–¥80.00", "水", "leader-PX", "finance_lead-PX"):
        assert word in listed
    assert "草稿" not in listed
    approve(version(date(2026, 4, 1) + timedelta(days=30)))
    (row,) = kept(finance)
    assert (row.site_id, standing(finance, row.code)) == (None, "superseded")
    assert "至2026年4月30日止" in said(finance, "px-clerk", path, tmp_path)


def test_a_reserve_statement_moves_from_the_opening_to_the_closing_balance(
    finance: House, office: Office, tmp_path: Path
) -> None:
    with finance.session() as office.session:
        office.paid(10000)
    path = f"/reserve/{office.site_id}/statement.pdf?month=2026-04"
    words = said(finance, "px-cashier", path, tmp_path)
    for word in ("公积金对账单", "2026年4月", "月初余额¥0.00", "收入计提", "月末余额¥15.00", "壹拾伍元整"):
        assert word in words
    with finance.session() as office.session:
        office.paid(10000)
    assert "月末余额¥30.00" in said(finance, "px-cashier", path, tmp_path)
    assert [(row.amount_fen, standing(finance, row.code)) for row in kept(finance)] == [
        (1500, "superseded"),
        (3000, "valid"),
    ]


def test_a_worker_prints_what_went_through_his_hands_and_nothing_else(finance: House, office: Office) -> None:
    with finance.session() as office.session:
        own, other = office.paid(), office.paid()
        worker = employ(office.session, "worker", "engineering", office.site_id, token="px-worker")
        receipt.carry(
            office.session,
            request_id=(job := office.accepted(workers={worker.person_id: 1})),
            worker_id=worker.person_id,
            actor=office.clerk,
            now=MORNING,
        )
        assert job
    mine = finance.get("px-worker", "/receipts").json()["items"][0]["id"]
    assert finance.get("px-worker", f"/receipts/{mine}/receipt.pdf").status_code == 200
    for one in (own, other):
        assert finance.get("px-worker", f"/receipts/{one.id}/receipt.pdf").status_code == 404
