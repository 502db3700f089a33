"""The departments' part of the rulebook: who may go, what the owner is shown and told, and what is answered for."""

from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import text

from services.dispatch.actions import certificate, damage, duty, neglect, team, visit, work_order
from services.dispatch.models import Site, WorkOrder
from services.dispatch.queries.acceptances import settlement_list_by_id
from services.dispatch.queries.hours import hours
from services.dispatch.queries.work_orders import work_order_by_id
from services.dispatch.rules.team import Member
from tests.people import employ, published
from tests.rulebook.company import Company, refused
from tests.services.dispatch.crew import NOW, TAP, Crew, notice, revised, rework

SECOND = timedelta(seconds=1)
TODAY = date(2026, 4, 1)


def decline(crew: Crew, order: WorkOrder) -> WorkOrder:
    return work_order.decline(crew.session, work_order_id=order.id, reason="无人可派", actor=crew.head, now=NOW)


def find_neglect(crew: Crew, **changes: Any) -> Any:
    facts: dict[str, Any] = {"worker_id": crew.worker.person_id, "day": TODAY, "reason": "大堂未清洁"}
    desk_head = employ(crew.session, "desk_head", "front_desk", crew.site_id)
    return neglect.find(crew.session, actor=desk_head, now=NOW, **{**facts, "override_id": None} | changes)


def reworked(crew: Crew) -> WorkOrder:
    first = notice(crew.site_id)
    work_order.rework_ordered(crew.session, rework(first), now=NOW)
    return crew.order(first.request_id, round_=1)


def test_r027_the_department_holds_what_was_agreed_last_and_an_older_word_that_comes_late_changes_nothing(
    crew: Crew,
) -> None:
    order = crew.receive()
    assert order.items == [TAP]
    for revision, fee_fen in ((2, 7000), (1, 6000)):
        work_order.notice_revised(crew.session, revised(order, revision, fee_fen=fee_fen), now=NOW)
    kept = crew.order(order.request_id)
    assert (kept.fee_fen, kept.revision) == (7000, 2)


def test_r029_a_notice_nobody_acknowledged_in_time_is_told_to_the_head_and_to_the_desk_once(crew: Crew) -> None:
    order = crew.receive()
    for _ in range(2):
        work_order.note_unacknowledged(crew.session, now=order.acknowledge_due_at + SECOND)
    assert crew.told() == ["acknowledgement_missed"]
    assert published(crew.session) == [("AcknowledgementMissed", "intake")]


def test_r030_a_worker_who_comes_to_the_home_long_before_the_agreed_time_is_refused(crew: Crew) -> None:
    crew.do_duties()
    with refused(crew.session, "R30", code="too_early"):
        crew.arrive(crew.assigned(visit_from=NOW + timedelta(hours=1) + SECOND))
    assert crew.arrive(crew.assigned(visit_from=NOW + timedelta(hours=1))).state == "started"


def test_r032_the_owner_signs_the_list_he_was_shown_with_its_items_fee_and_price_version(crew: Crew) -> None:
    order = crew.finish(crew.started())
    shown = settlement_list_by_id(crew.session, crew.worker, order.id)
    assert ([item.model_dump() for item in shown.items], shown.fee_fen, shown.price_version) == ([TAP], 5000, 1)
    with refused(crew.session, "D23", code="notice_changed"):
        crew.accept(order, shown_hash="0" * 64)
    assert crew.accept(order, shown_hash=shown.hash).signer_name == "欧阳建国"


def test_r039_a_rework_cannot_be_declined(crew: Crew) -> None:
    with refused(crew.session, "R39", code="rework_not_declined"):
        decline(crew, reworked(crew))


def test_r045_a_worker_fetches_a_waiting_owner_at_the_desk_before_he_starts(crew: Crew) -> None:
    crew.do_duties()
    order = crew.assigned(channel="walk_in", owner_waits=True)
    with refused(crew.session, "R45", code="owner_waits"):
        crew.arrive(order)
    visit.check_in(crew.session, work_order_id=order.id, actor=crew.worker, now=NOW)
    assert crew.arrive(order).state == "started"


def test_r050_a_day_is_done_when_each_prescribed_duty_is_ticked_and_the_head_did_not_find_it_bad(crew: Crew) -> None:
    duties, order = [crew.prescribe("巡查泵房"), crew.prescribe("抄表")], crew.assigned()
    for one in duties:
        with refused(crew.session, "R50", code="duty_first"):
            crew.arrive(order)
        crew.tick(one)
    facts: dict[str, Any] = {"person_id": crew.worker.person_id, "day": TODAY, "actor": crew.head, "now": NOW}
    duty.check_day(crew.session, good=False, note="抄错了", **facts)
    with refused(crew.session, "R50", code="duty_first"):
        crew.arrive(order)
    duty.check_day(crew.session, good=True, note=None, **facts)
    assert crew.arrive(order).state == "started"


def test_r051_regular_work_left_undone_for_paid_work_is_recorded_once_and_told_to_hr(crew: Crew) -> None:
    assert find_neglect(crew).head_id == crew.head.person_id
    assert published(crew.session) == [("DutyNeglected", "hr")]
    with refused(crew.session, "R78", code="found_already"):
        find_neglect(crew)


def test_r058_work_is_done_only_with_materials_the_owner_has_bought(crew: Crew) -> None:
    order = crew.started()
    with refused(crew.session, "R58", code="materials_not_checked"):
        visit.finish(crew.session, work_order_id=order.id, actor=crew.worker, now=NOW)
    crew.check_materials(order)
    assert crew.finish(order).state == "finished"


def test_r059_what_is_missing_is_bought_by_nobody_but_the_owner_so_the_work_waits(crew: Crew) -> None:
    order = crew.check_materials(crew.started(), complete=False)
    with refused(crew.session, "R58", code="materials_missing"):
        visit.finish(crew.session, work_order_id=order.id, actor=crew.worker, now=NOW)
    assert "不得代购" in settlement_list_by_id(crew.session, crew.worker, order.id).materials


def test_r060_nobody_is_sent_to_a_trade_he_does_not_know(crew: Crew) -> None:
    cleaner = employ(crew.session, "worker", "environment", crew.site_id)
    crew.certify(crew.worker, None, skills=["electricity"])
    order = crew.acknowledge(crew.receive())
    with refused(crew.session, "R60", code="not_his_trade"):
        crew.assign(order)
    with refused(crew.session, "R30", code="not_a_worker_here"):
        crew.assign(order, Member(cleaner.person_id))
    assert crew.assign(order, Member(crew.mate.person_id)).state == "assigned"


def test_r061_a_hard_problem_is_told_to_the_owner_before_the_job_is_given_up(crew: Crew) -> None:
    order = crew.started()
    facts: dict[str, Any] = {"work_order_id": order.id, "cause": "unable", "reason": "管道在墙内", "now": NOW}
    with refused(crew.session, "R61", code="owner_not_told"):
        visit.terminate(crew.session, actor=crew.worker, **facts)
    crew.tell_owner(order)
    assert visit.terminate(crew.session, actor=crew.worker, **facts).state == "terminated"


def test_r062_a_job_beyond_us_ends_with_its_reason_and_what_the_owner_was_told(crew: Crew) -> None:
    order = crew.terminate(crew.started())
    view = work_order_by_id(crew.session, crew.head, order.id)
    assert (view.state, view.cause, view.reason) == ("terminated", "unable", "管道在墙内")
    assert [row.kind for row in view.tellings] == ["told"]


def test_r063_damage_is_reported_also_after_the_job_and_desk_finance_and_head_hear(crew: Crew) -> None:
    facts: dict[str, Any] = {"description": "碰倒花瓶", "estimate_fen": 12000, "actor": crew.worker, "now": NOW}
    with refused(crew.session, "R63", code="nobody_was_there"):
        damage.report(crew.session, work_order_id=crew.assigned().id, **facts)
    order = crew.finish(crew.started())
    crew.accept(order)
    damage.report(crew.session, work_order_id=order.id, **facts)
    assert published(crew.session)[-2:] == [("DamageReported", "intake"), ("DamageReported", "finance")]
    assert crew.told() == ["damage_reported"]


def test_r065_what_a_worker_did_not_know_he_asks_the_owner_and_the_answer_stays_with_the_order(crew: Crew) -> None:
    order = crew.tell_owner(crew.started(), kind="asked")
    (asked,) = work_order_by_id(crew.session, crew.head, order.id).tellings
    assert (asked.kind, asked.said_by, asked.said_at) == ("asked", crew.worker.person_id, NOW)


def test_r066_electrical_work_is_done_by_certified_electricians_alone_and_a_certificates_end_is_told_in_time(
    crew: Crew,
) -> None:
    order = crew.acknowledge(crew.receive(trade="electricity"))
    crew.certify(crew.worker, TODAY - timedelta(days=1))
    with refused(crew.session, "R66", code="no_certificate"):
        crew.assign(order)
    crew.certify(crew.worker, TODAY, version=3)
    assert crew.assign(order).state == "assigned"
    assert certificate.note_ending(crew.session, now=NOW) == 1
    assert crew.told() == crew.told(crew.worker) == ["certificate_ending"]
    crew.do_duties()
    crew.certify(crew.worker, None, version=4)
    crew.session.expire_all()
    with refused(crew.session, "R66", code="no_certificate"):
        crew.arrive(order)
    crew.certify(crew.worker, TODAY, version=5)
    crew.session.expire_all()
    assert crew.arrive(order).state == "started"


def test_r067_the_head_is_told_at_once_of_who_stopped_for_safety_or_asks_for_support(crew: Crew) -> None:
    order = crew.stop(crew.started(), for_safety=True)
    visit.resume(crew.session, work_order_id=order.id, actor=crew.head, now=NOW)
    crew.stop(order)
    assert crew.told() == ["stopped_for_safety", "support_requested"]


def test_r068_paid_hours_are_those_at_homes_and_the_head_is_told_before_the_months_limit(crew: Crew) -> None:
    crew.do_duties()
    for minutes, told in ((32 * 60, 0), (1, 1), (60, 1)):
        crew.finish(crew.arrive(crew.assigned()), now=NOW + timedelta(minutes=minutes))
        assert crew.told() == ["hours_near_limit"] * told
    (own,) = hours(crew.session, crew.worker, month="2026-04", now=NOW)
    assert (own.visits, own.minutes, own.near_limit, own.over_limit) == (3, 33 * 60 + 1, True, False)


def test_r078_who_let_a_worker_go_is_who_answers_for_what_he_left_undone(crew: Crew) -> None:
    deputy = employ(crew.session, "head", "engineering", crew.site_id, name="副主管")
    order = crew.assigned()
    override = team.override_duty(
        crew.session, work_order_id=order.id, worker_id=crew.worker.person_id, reason="爆管", actor=deputy, now=NOW
    )
    crew.session.flush()
    assert find_neglect(crew, override_id=override.id).head_id == deputy.person_id
    assert find_neglect(crew, day=TODAY - timedelta(days=1)).head_id == crew.head.person_id


def test_r101_after_the_job_the_notice_returns_to_the_desk_and_who_came_late_is_told_to_the_head(crew: Crew) -> None:
    order = crew.assigned()
    crew.do_duties()
    crew.arrive(order, now=order.arrive_due_at + SECOND)
    assert crew.told() == ["arrival_late"]
    with refused(crew.session, "D27", code="not_ended"):
        work_order.return_notice(crew.session, work_order_id=order.id, actor=crew.worker, now=NOW)
    crew.accept(crew.finish(order))
    work_order.return_notice(crew.session, work_order_id=order.id, actor=crew.worker, now=NOW)
    assert published(crew.session)[-1] == ("NoticeReturned", "intake")


def test_d04_a_rework_nobody_was_sent_to_in_time_is_told_to_the_head(crew: Crew) -> None:
    order = reworked(crew)
    assert team.note_unassigned(crew.session, now=NOW + timedelta(hours=2) + SECOND) == 1
    assert crew.told() == ["rework_not_assigned"]
    assert crew.alerts()[0].subject_id == order.id


@pytest.mark.parametrize("without_shift", [True, False])
def test_d08_who_has_no_shift_is_held_to_what_is_prescribed_and_a_public_holiday_holds_nobody(
    crew: Crew, without_shift: bool
) -> None:
    if without_shift:
        crew.work_from(crew.worker, None, None)
        assert crew.arrive(crew.assigned()).state == "started"
    crew.prescribe()
    with refused(crew.session, "R50", code="duty_first"):
        crew.arrive(crew.assigned())
    site = crew.session.get_one(Site, crew.site_id)
    site.holidays = [TODAY]
    assert crew.arrive(crew.assigned()).state == "started"


def test_d23_a_changed_fee_needs_a_new_signature_and_finance_hears_which_revision_was_signed(company: Company) -> None:
    crew, made = company.crew, company.noticed()
    order = crew.finish(company.started(made))
    before = settlement_list_by_id(crew.session, crew.worker, order.id).hash
    work_order.notice_revised(crew.session, revised(order, fee_fen=6000), now=NOW)
    with refused(crew.session, "D23", code="notice_changed"):
        crew.accept(order, shown_hash=before)
    crew.accept(order)
    said = crew.session.execute(text("SELECT body FROM outbox WHERE type = 'WorkAccepted'")).scalars().first()
    assert said is not None
    assert (said["fee_fen"], said["revision"]) == (6000, 1)


def test_d24_a_stop_for_safety_ends_by_the_heads_word_or_with_the_job(crew: Crew) -> None:
    order = crew.stop(crew.started(), for_safety=True)
    with refused(crew.session, "R30", code="step_not_allowed"):
        crew.finish(order)
    view = work_order_by_id(crew.session, crew.head, order.id)
    assert (view.stopped_for_safety, crew.told()) == (True, ["stopped_for_safety"])
    assert crew.terminate(order).state == "terminated"


def test_d27_a_department_that_refuses_says_why_and_what_is_agreed_anew_comes_back_to_it(company: Company) -> None:
    crew, made = company.crew, company.noticed()
    order = decline(crew, crew.acknowledge(crew.order(made.id)))
    assert (order.state, order.reason) == ("declined", "无人可派")
    assert published(crew.session)[-1] == ("WorkDeclined", "intake")
    later = NOW + timedelta(hours=1)
    work_order.notice_revised(crew.session, revised(order, visit_from=NOW + timedelta(days=2)), now=later)
    back = crew.order(made.id)
    assert (back.state, back.acknowledge_due_at) == ("received", later + timedelta(minutes=5))
