"""三(二) 处理流程: from the notice to the month's statistics [R24-R43]."""

from datetime import timedelta

import pytest

from services.dispatch.actions import work_order
from services.dispatch.queries.work_orders import work_order_by_id, work_orders
from services.finance.queries.charges import charge_by_id
from services.finance.queries.daily_checks import cash_checks
from services.finance.queries.missing_cash import missing_cash
from services.finance.queries.receipts import receipts
from services.finance.tasks import chase_cash, check_cash
from services.hr.queries.reports import reports
from services.intake.actions import callback, revisit, statistics
from services.intake.queries.revisits import revisits_due
from services.intake.rules.notice import Copy
from services.intake.rules.statistics import SIGNERS, Item
from shared.errors import NotFound
from shared.people import Actor
from tests.people import employ
from tests.rulebook.company import Company, refused
from tests.services.dispatch.crew import NOW, Crew
from tests.services.finance.office import CLOSING, NEXT_MORNING, Office, sweep_all
from tests.services.finance.test_receipt import carry, void
from tests.services.intake.desk import Desk, minutes
from tests.services.intake.test_statistics import AFTER, ended, seen, sign

SECOND = timedelta(seconds=1)


def signers(desk: Desk) -> dict[str, Actor]:
    """Who signs for each of the four departments."""
    return {
        "front_desk": desk.head,
        "finance": employ(desk.session, "finance_lead", "finance", desk.site_id),
        "engineering": employ(desk.session, "head", "engineering", desk.site_id),
        "environment": employ(desk.session, "head", "environment", desk.site_id),
    }


def test_r024_the_notice_is_made_from_the_registration_form(desk: Desk) -> None:
    made = desk.noticed()
    (body,) = desk.messages("NoticeIssued")
    fields = ("owner_name", "address", "phone", "description", "trade", "department", "fee_fen", "items")
    assert {field: body[field] for field in fields} == {field: getattr(made, field) for field in fields}
    assert body["notice_number"] == "TZ-BK-20260401-0001"


def test_r025_a_notice_has_three_copies(desk: Desk) -> None:
    view = desk.view(desk.noticed())
    assert view.notice is not None
    assert set(view.notice.copies) == {"finance", "department", "archive"}


def test_r026_one_copy_goes_to_finance_which_knows_the_fee_by_it(company: Company) -> None:
    made = company.noticed()
    charge = charge_by_id(company.office.session, company.office.cashier, made.id)
    assert (charge.state, charge.notice_number, charge.fee_fen) == ("noticed", "TZ-BK-20260401-0001", 5000)


def test_r027_one_copy_goes_to_the_department_that_does_the_work(company: Company) -> None:
    crew, made = company.crew, company.noticed()
    order = work_order_by_id(crew.session, crew.head, crew.order(made.id).id)
    assert (order.notice_number, order.description) == ("TZ-BK-20260401-0001", "水龙头漏水")
    cleaners = employ(crew.session, "head", "environment", crew.site_id)
    assert work_orders(crew.session, cleaners, state=None, after=None, limit=10).items == []


def test_r028_one_copy_stays_in_the_desks_archive_for_ever(desk: Desk) -> None:
    made = desk.noticed()
    assert desk.view(made).notice.copies[Copy.ARCHIVE].received_at == NOW  # type: ignore[union-attr]
    desk.cancel(made)
    assert desk.view(made).notice.copies[Copy.ARCHIVE].received_at == NOW  # type: ignore[union-attr]


def test_r029_the_supervisor_has_the_notice_at_once_and_is_late_when_he_does_not_take_it_in_time(crew: Crew) -> None:
    order = crew.receive()
    (listed,) = work_orders(crew.session, crew.head, state="received", after=None, limit=10).items
    assert (listed.id, listed.received_at) == (order.id, NOW)
    assert work_order.note_unacknowledged(crew.session, now=listed.acknowledge_due_at) == 0
    assert work_order.note_unacknowledged(crew.session, now=listed.acknowledge_due_at + SECOND) == 1
    assert crew.order(order.request_id).acknowledge_late


def test_r030_the_workers_the_supervisor_sends_have_the_notice_with_them_and_come_at_the_agreed_time(
    crew: Crew,
) -> None:
    order = crew.assigned()
    carried = work_order_by_id(crew.session, crew.worker, order.id)
    assert (carried.notice_number, carried.address, carried.visit_from) == (
        "TZ-BK-20260401-0001",
        "3-2-1502",
        order.visit_from,
    )
    with pytest.raises(NotFound):
        work_order_by_id(crew.session, crew.mate, order.id)
    crew.do_duties()
    assert not crew.arrive(order, now=order.arrive_due_at).arrived_late
    assert crew.arrive(crew.assigned(), now=order.arrive_due_at + SECOND).arrived_late


def test_r031_owner_or_occupant_checks_the_finished_work(crew: Crew) -> None:
    for relation in ("owner", "occupant"):
        order = crew.started()
        with refused(crew.session, "R30", code="step_not_allowed"):
            crew.accept(order, relation=relation)
        crew.accept(crew.finish(order), relation=relation)
        assert work_order_by_id(crew.session, crew.head, order.id).relation == relation


def test_r032_who_is_content_signs_the_notice_and_what_he_signed_is_kept(crew: Crew) -> None:
    signed = crew.accept(crew.finish(crew.started()))
    dearer = crew.accept(crew.finish(crew.started(fee_fen=5001)))
    assert (signed.signer_name, signed.signature) == ("欧阳建国", "<svg/>")
    assert len(signed.signed_hash) == 64
    assert signed.signed_hash != dearer.signed_hash


def test_r033_the_desk_collects_exactly_the_agreed_fee_once_the_owner_has_signed(office: Office) -> None:
    with refused(office.session, "R33", code="step_not_allowed"):
        office.collect(office.notice())
    request_id = office.accepted(fee_fen=10000)
    for amount_fen in (9999, 10001):
        with refused(office.session, "R33", code="amount_differs"):
            office.collect(request_id, amount_fen=amount_fen)
    assert office.collect(request_id, amount_fen=10000).collected_by == office.clerk.person_id


def test_r034_every_fee_has_a_numbered_receipt(office: Office) -> None:
    assert [office.paid().number for _ in range(2)] == ["SJ-BK-000001", "SJ-BK-000002"]


def test_r035_a_receipt_may_be_written_before_and_carried_by_the_worker_and_none_is_lost(office: Office) -> None:
    used, unused = office.accepted(), office.accepted()
    with refused(office.session, "R35", code="no_receipt_carried"):
        office.collect(used, actor=office.worker)
    carried, other = carry(office, used), carry(office, unused)
    assert office.collect(used, actor=office.worker, receipt_id=carried.id).state == "used"
    assert (void(office, other.id).state, void_number(office, other.id)) == ("voided", "SJ-BK-000002")


def void_number(office: Office, receipt_id: object) -> str:
    """The number of a void receipt, which stays in the series."""
    page = receipts(office.session, office.cashier, state="voided", month=None, holder_id=None, after=None, limit=10)
    return next(view.number for view in page.items if view.id == receipt_id)


def test_r036_cash_not_with_finance_by_the_end_of_the_day_is_found_the_same_day(office: Office) -> None:
    office.paid(300)
    office.hand_over(office.clerk, office.cashier)
    office.paid(200)
    sweep_all(office.session, check_cash, now=CLOSING)
    assert cash_checks(office.session, office.cashier, month="2026-04")[0].checked_at is None
    sweep_all(office.session, check_cash, now=CLOSING + SECOND)
    today = cash_checks(office.session, office.cashier, month="2026-04")[0]
    assert [(found.holder_id, found.amount_fen) for found in today.findings] == [(office.clerk.person_id, 200)]
    sweep_all(office.session, chase_cash, now=NEXT_MORNING + SECOND)
    assert [
        missing.amount_fen for missing in missing_cash(office.session, office.cashier, after=None, limit=10).items
    ] == [200]


def test_r037_the_desk_calls_the_owner_soon_after_the_work(desk: Desk) -> None:
    made = desk.accepted()
    day_later = NOW + timedelta(hours=24)
    revisit.list_due(desk.session, now=day_later)
    assert revisits_due(desk.session, desk.clerk).items == []
    revisit.list_due(desk.session, now=day_later + SECOND)
    desk.session.expire_all()
    assert [due.request_id for due in revisits_due(desk.session, desk.clerk).items] == [made.id]


def test_r038_a_problem_found_at_the_revisit_is_told_to_the_department_at_once(company: Company) -> None:
    made = company.noticed()
    company.done(made)
    company.desk.problem(made)
    company.carry("ReworkOrdered")
    crew = company.crew
    (told,) = work_orders(crew.session, crew.head, state="received", after=None, limit=10).items
    assert (told.request_id, told.round, told.description, told.received_at) == (made.id, 1, "还在漏水", NOW)


def test_r039_rework_is_free_and_repeated_until_the_owner_is_satisfied(company: Company) -> None:
    desk, office, made = company.desk, company.office, company.noticed()
    company.done(made)
    office.collect(made.id, amount_fen=5000)
    for round_ in (1, 2):
        desk.problem(made)
        with refused(desk.session, "R37"):
            desk.satisfied(made)
        company.carry("ReworkOrdered")
        assert company.done(made, round_=round_).fee_fen == 0
        assert desk.view(made).state == "accepted"
    assert desk.satisfied(made).state == "closed"
    assert charge_by_id(office.session, office.cashier, made.id).state == "collected"
    assert office.balance("cash_in_hand") == 5000


def test_r040_the_desk_counts_each_month_what_was_done_and_what_came_in(desk: Desk) -> None:
    ended(desk)
    ours = {(line.department, line.item): line.ours for line in seen(desk).lines if line.ours}
    assert ours == {
        ("engineering", Item.ACCEPTED): 1,
        ("engineering", Item.RECEIPTS): 1,
        ("engineering", Item.RECEIVED_FEN): 5000,
    }


def test_r041_four_departments_compare_the_month_line_by_line_and_sign_only_what_agrees(desk: Desk) -> None:
    people = signers(desk)
    ended(desk)
    desk.figures(accepted=1, receipts=1, received_fen=4999, now=AFTER)
    with refused(desk.session, "R41", code="statistics_differ"):
        sign(desk, desk.head)
    desk.figures(accepted=1, receipts=1, received_fen=5000, now=AFTER)
    for department in SIGNERS:
        assert seen(desk).agreed_at is None
        sign(desk, people[department])
    assert seen(desk).signed == ["engineering", "environment", "finance", "front_desk"]
    assert seen(desk).agreed_at == AFTER


def agreed(desk: Desk) -> None:
    """All four have signed April, in which one phoning owner was not called back."""
    desk.register()
    callback.miss_due(desk.session, now=minutes(11))
    ended(desk)
    desk.figures(accepted=1, receipts=1, received_fen=5000, now=AFTER)
    for actor in signers(desk).values():
        statistics.sign(desk.session, site_id=desk.site_id, month="2026-04", actor=actor, now=AFTER)


def test_r042_the_agreed_result_reaches_the_administration_department(company: Company) -> None:
    agreed(company.desk)
    company.carry("MonthReported")
    session = company.discipline.session
    administration = employ(session, "administration", "administration", company.desk.site_id)
    (report,) = reports(session, administration, after=None, limit=10).items
    assert (report.month, report.report["engineering.received_fen"]) == ("2026-04", 5000)


def test_r043_the_result_holds_what_an_appraisal_stands_on(desk: Desk) -> None:
    agreed(desk)
    (reported,) = desk.messages("MonthReported")
    expected = {"callbacks": 2, "callbacks_missed": 1, "arrived_late": 0, "rework_rounds": 0, "engineering.accepted": 1}
    assert {name: reported["report"][name] for name in expected} == expected
