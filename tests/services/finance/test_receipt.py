"""Receipts and the fee [R33-R35, R70-R72, D5, D12-D15]."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import IntegrityError

from services.finance.actions import charge, receipt
from services.finance.models import Receipt, ReceiptShare
from services.finance.rules.receipt import Method
from shared.errors import Malformed, NotFound, NotYourRole, RuleBroken
from shared.ids import new_id
from tests.people import published
from tests.services.finance.office import CLOSING, MORNING, Office, day


def carry(office: Office, request_id, worker=None) -> Receipt:
    carried = receipt.carry(
        office.session,
        request_id=request_id,
        worker_id=(worker or office.worker).person_id,
        actor=office.clerk,
        now=MORNING,
    )
    office.session.flush()
    return carried


def void(office: Office, receipt_id, actor=None) -> Receipt:
    voided = receipt.void(
        office.session, receipt_id=receipt_id, reason="业主不在家", actor=actor or office.clerk, now=MORNING
    )
    office.session.flush()
    return voided


def test_a_fee_taken_in_cash_is_split_shared_posted_and_told(office: Office) -> None:
    used = office.paid(99, workers={office.worker.person_id: 1, office.mate.person_id: 1})
    assert (used.state, used.number, used.amount_fen) == ("used", "SJ-BK-000001", 99)
    assert (used.company_fen, used.workers_fen, used.reserve_fen) == (49, 35, 15)
    assert (used.holder_id, used.received_at) == (office.clerk.person_id, None)
    assert (used.day, used.month) == (day(1), "2026-04")
    shares = office.session.scalars(select(ReceiptShare.share_fen).where(ReceiptShare.receipt_id == used.id)).all()
    assert sorted(shares) == [17, 18]
    assert office.balance("cash_in_hand", office.clerk) == 99
    assert office.balance("company_share") == -49
    assert office.balance("workers_share") == -35
    assert office.balance("reserve_fund") == -15
    office.books_balance()
    assert published(office.session) == [("FeeCollected", "intake")]


def test_money_that_is_not_cash_is_with_finance_at_once(office: Office) -> None:
    used = office.collect(office.accepted(), method=Method.WECHAT, reference="4200001")
    assert (used.holder_id, used.received_at, used.reference) == (None, MORNING, "4200001")
    assert office.balance("bank") == 10000
    with pytest.raises(Malformed, match="D12"):
        office.collect(office.accepted(), method=Method.BANK)


def test_receipts_are_numbered_without_gaps_for_each_site(office: Office) -> None:
    elsewhere = Office(office.session, code="LH")
    numbers = [office.paid().number, elsewhere.paid().number, office.paid().number]
    numbers.append(office.paid(now=MORNING + timedelta(days=1)).number)
    assert numbers == ["SJ-BK-000001", "SJ-LH-000001", "SJ-BK-000002", "SJ-BK-000003"]


def test_money_taken_from_closing_time_on_counts_for_the_next_day_and_month(office: Office) -> None:
    assert office.paid(now=CLOSING - timedelta(seconds=1)).day == day(1)
    assert office.paid(now=CLOSING).day == day(2)
    assert office.paid(now=datetime(2026, 4, 30, 10, tzinfo=UTC)).month == "2026-05"


@pytest.mark.parametrize("amount_fen", [9999, 10001])
def test_no_other_amount_than_the_fee_is_taken(office: Office, amount_fen: int) -> None:
    with pytest.raises(RuleBroken, match="R57") as refused:
        office.collect(office.accepted(), amount_fen=amount_fen)
    assert (refused.value.code, refused.value.allowed) == ("amount_differs", ("¥100.00",))


def test_nothing_is_taken_before_the_owner_signed_nor_twice(office: Office) -> None:
    with pytest.raises(RuleBroken, match="noticed"):
        office.collect(office.notice())
    request_id = office.accepted()
    office.collect(request_id)
    with pytest.raises(RuleBroken, match="collected"):
        office.collect(request_id)


def test_a_worker_collects_with_his_carried_receipt_and_holds_the_cash(office: Office) -> None:
    request_id = office.notice()
    carried = carry(office, request_id)
    assert (carried.state, carried.number, carried.carried_by) == (
        "carried",
        "SJ-BK-000001",
        office.worker.person_id,
    )
    charge.accepted(office.session, office.work_accepted(request_id))
    used = office.collect(request_id, actor=office.worker, receipt_id=carried.id)
    assert (used.id, used.state, used.number) == (carried.id, "used", "SJ-BK-000001")
    assert used.holder_id == office.worker.person_id
    assert office.balance("cash_in_hand", office.worker) == 10000


def test_a_worker_cannot_collect_without_a_receipt_nor_other_than_cash(office: Office) -> None:
    request_id = office.accepted()
    with pytest.raises(RuleBroken, match="R35"):
        office.collect(request_id, actor=office.worker)


def test_a_worker_takes_cash_only(office: Office) -> None:
    request_id = office.accepted()
    carried = carry(office, request_id)
    with pytest.raises(RuleBroken, match="D12"):
        office.collect(
            request_id, actor=office.worker, receipt_id=carried.id, method=Method.WECHAT, reference="4200001"
        )


def test_a_worker_cannot_collect_for_a_job_he_did_not_do(office: Office) -> None:
    with pytest.raises(NotYourRole):
        office.collect(office.accepted(), actor=office.mate)


def test_a_worker_cannot_use_a_receipt_another_carries(office: Office) -> None:
    both = {office.worker.person_id: 1, office.mate.person_id: 1}
    request_id = office.accepted(workers=both)
    carried = carry(office, request_id)
    with pytest.raises(RuleBroken, match="R35"):
        office.collect(request_id, actor=office.mate, receipt_id=carried.id)


def test_while_a_receipt_is_out_the_desk_uses_it_or_voids_it_first(office: Office) -> None:
    request_id = office.accepted()
    carried = carry(office, request_id)
    with pytest.raises(RuleBroken, match=carried.number):
        office.collect(request_id)


def test_the_desk_may_use_the_carried_receipt_itself(office: Office) -> None:
    request_id = office.accepted()
    carried = carry(office, request_id)
    assert office.collect(request_id, receipt_id=carried.id).holder_id == office.clerk.person_id


def test_a_voided_receipt_keeps_its_number_and_the_next_one_follows(office: Office) -> None:
    request_id = office.accepted()
    voided = void(office, carry(office, request_id).id)
    assert (voided.state, voided.void_reason) == ("voided", "业主不在家")
    assert office.collect(request_id).number == "SJ-BK-000002"


def test_a_voided_receipt_cannot_be_used(office: Office) -> None:
    request_id = office.accepted()
    voided = void(office, carry(office, request_id).id)
    with pytest.raises(NotFound):
        office.collect(request_id, receipt_id=voided.id)


def test_only_a_carried_receipt_is_voided(office: Office) -> None:
    with pytest.raises(RuleBroken, match="used"):
        void(office, office.paid().id)
    with pytest.raises(NotFound):
        void(office, new_id())
    with pytest.raises(NotFound):
        void(office, office.paid().id, actor=Office(office.session, code="LH").clerk)


def test_a_receipt_is_not_carried_for_a_job_that_will_not_be_paid(office: Office) -> None:
    request_id = office.notice()
    charge.terminated(office.session, office.work_terminated(request_id))
    with pytest.raises(RuleBroken, match="terminated"):
        carry(office, request_id)


def test_only_a_worker_of_the_job_carries_its_one_receipt(office: Office) -> None:
    request_id = office.accepted()
    with pytest.raises(RuleBroken, match="clerk"):
        carry(office, request_id, office.clerk)
    with pytest.raises(RuleBroken, match="did not do"):
        carry(office, request_id, office.mate)
    with pytest.raises(NotFound):
        carry(office, request_id, Office(office.session, code="LH").worker)
    carry(office, request_id)
    with pytest.raises(RuleBroken, match="is out"):
        carry(office, request_id)


def test_a_receipt_written_for_another_fee_than_was_signed_is_worthless(office: Office) -> None:
    request_id = office.notice(fee_fen=10000)
    carried = carry(office, request_id)
    charge.accepted(office.session, office.work_accepted(request_id, fee_fen=9000))
    with pytest.raises(RuleBroken, match="R57"):
        office.collect(request_id, actor=office.worker, receipt_id=carried.id, amount_fen=9000)


def test_the_database_refuses_a_second_receipt_of_a_charge_and_a_split_that_does_not_add_up(office: Office) -> None:
    used = office.paid()
    with pytest.raises(IntegrityError, match="ck_receipts_split"), office.session.begin_nested():
        office.session.execute(
            text("UPDATE receipts SET company_fen = company_fen + 1 WHERE id = :id"), {"id": used.id}
        )
    with pytest.raises(IntegrityError, match="uq_receipts_request_id"), office.session.begin_nested():
        office.session.execute(
            text("""INSERT INTO receipts (id, number, request_id, site_id, department, state, amount_fen, issued_by,
                                          issued_at)
                    SELECT gen_random_uuid(), 'SJ-X', request_id, site_id, department, 'carried', amount_fen, issued_by,
                           issued_at FROM receipts WHERE id = :id"""),
            {"id": used.id},
        )
