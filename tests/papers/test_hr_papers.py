"""HR's papers: pay statement and decision letter, everybody's own and those of a site [R78-R94, D19]."""

from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from uuid import UUID

import pytest
from sqlalchemy.orm import Session

from services.hr.actions import appeal, case
from services.hr.models import Case
from services.hr.rules.case import Charge
from services.hr.rules.ladder import Offence
from services.hr.tasks import hear_payout_approved
from shared.messages import JobShare
from shared.people import Actor
from tests.bad_input.house import House
from tests.papers.issued import kept, printed, said, standing
from tests.people import employ
from tests.services.hr.conftest import NOW
from tests.services.hr.court import decide, finish
from tests.services.hr.test_payout import line, payout


@pytest.fixture
def hr(open_house: Callable[[str], House]) -> House:
    return open_house("hr")


def opened(session: Session, hr: House, site_id: UUID | None = None) -> Case:
    charge = Charge(
        offence=Offence.PRIVATE_JOB,
        site_id=site_id or hr.site_id,
        person_id=hr.people["worker"].person_id,
        happened_at=NOW - timedelta(hours=1),
        evidence="业主来电反映 *收了钱*",
        in_working_hours=True,
    )
    return case.open_(session, charge=charge, actor=hr.people["clerk"], now=NOW)


@pytest.fixture
def leaders(hr: House) -> list[Actor]:
    with hr.session() as session:
        return [employ(session, "leader", "management", hr.site_id, name=name) for name in ("陈总", "林总")]


def test_a_letter_is_written_when_a_case_is_decided_and_says_what_follows_when_it_is_final(
    hr: House, leaders: list[Actor], tmp_path: Path
) -> None:
    with hr.session() as session:
        made = opened(session, hr)
    path = f"/cases/{made.id}/decision-letter.pdf"
    answer = hr.get("hr", path)
    assert (answer.status_code, answer.json()["type"]) == (409, "urn:bianmin:problem:not_decided")
    with hr.session() as session:
        decide(session, session.get_one(Case, made.id), leaders[0], NOW)
    decided = said(hr, "hr", path, tmp_path)
    for word in (
        "违规处理决定书",
        made.number,
        "worker：",
        "私自接收有偿服务项目",
        "业主来电反映*收了钱*",
        "情况属实,愿意改正",
        "第五条第3款",
        "属实",
        "陈总",
        "提出申诉",
    ):
        assert word in decided, word
    with hr.session() as session:
        appeal.accept(session, case_id=made.id, actor=hr.people["worker"], now=NOW)
    final = said(hr, "hr", path, tmp_path)
    assert "第1次：罚款¥200.00（人民币贰佰元整）" in final
    assert [(row.size, standing(hr, row.code)) for row in kept(hr)] == [("a4 decided", "valid"), ("a4 final", "valid")]


def test_a_letter_whose_decision_was_lifted_holds_no_more(hr: House, leaders: list[Actor], tmp_path: Path) -> None:
    first, second = leaders
    with hr.session() as session:
        made = decide(session, opened(session, hr), first, NOW)
    path = f"/cases/{made.id}/decision-letter.pdf"
    printed(hr, "hr", path)
    with hr.session() as session:
        appeal.open_(session, case_id=made.id, reason="没有收钱", actor=hr.people["worker"], now=NOW)
        appeal.decide(session, case_id=made.id, uphold=False, reason="证据不足", actor=second, now=NOW)
    lifted = said(hr, "hr", path, tmp_path)
    for word in ("原决定予以撤销", "证据不足", "不予处理"):
        assert word in lifted
    assert [standing(hr, row.code) for row in kept(hr)] == ["superseded", "valid"]


def test_everybody_prints_the_letter_of_his_own_case_wherever_it_is_and_of_no_other(
    hr: House, leaders: list[Actor], tmp_path: Path
) -> None:
    with hr.session() as session:
        made = finish(session, opened(session, hr), leaders[0], NOW)
    own = f"/cases/mine/{made.id}/decision-letter.pdf"
    assert made.number in said(hr, "worker", own, tmp_path)
    for who in ("clerk", "hr", "leader", "worker@other", "auditor"):
        assert hr.get(who, own).status_code == 404, who
    assert hr.get("worker", f"/cases/{made.id}/decision-letter.pdf").status_code == 403
    assert printed(hr, "worker", own) == printed(hr, "hr", f"/cases/{made.id}/decision-letter.pdf")


@pytest.fixture
def paid(hr: House) -> tuple[str, str]:
    """A payout with the worker's line: its settlement, and he."""
    worker = hr.people["worker"].person_id
    jobs = [JobShare(receipt_number=f"SJ-BK-{n:06d}", share_fen=3500) for n in (1, 2)]
    his = line(worker, 7000, 500, 6000, 14000).model_copy(update={"jobs": jobs})
    told = payout(hr.site_id, his)
    with hr.session() as session:
        hear_payout_approved(session, told, now=datetime.fromisoformat("2026-04-01T02:00:00Z"))
    return str(told.settlement_id), str(worker)


def test_a_pay_statement_says_each_fen_of_a_persons_month(hr: House, paid: tuple[str, str], tmp_path: Path) -> None:
    settlement, worker = paid
    words = said(hr, "worker", f"/payouts/mine/{settlement}/pay-statement.pdf", tmp_path)
    for word in (
        "有偿服务报酬单",
        "李雷",
        "2026年3月",
        "服务分成¥70.00",
        "-¥60.00",
        "实发有偿服务报酬¥15.00",
        "壹拾伍元整",
        "¥140.00",
        "SJ-BK-000001¥35.00",
    ):
        assert word in words, word
    of_hr = printed(hr, "hr", f"/payouts/{settlement}/people/{worker}/pay-statement.pdf")
    assert of_hr == printed(hr, "worker", f"/payouts/mine/{settlement}/pay-statement.pdf")
    (row,) = kept(hr)
    assert (row.amount_fen, standing(hr, row.code)) == (1500, "valid")


def test_nobody_prints_what_another_is_paid_but_who_sees_the_payouts_of_his_site(
    hr: House, paid: tuple[str, str]
) -> None:
    settlement, worker = paid
    for who in ("clerk", "hr", "leader", "worker@other"):
        assert hr.get(who, f"/payouts/mine/{settlement}/pay-statement.pdf").status_code == 404, who
    somebodys = f"/payouts/{settlement}/people/{worker}/pay-statement.pdf"
    assert hr.get("worker", somebodys).status_code == 403
    assert hr.get("hr@other", somebodys).status_code == 404
    assert hr.get("auditor", somebodys).status_code == 200
