"""四、注意事项: what everybody has to mind [R44-R67]."""

from dataclasses import replace
from datetime import timedelta

import pytest

from services.dispatch.actions import team, visit
from services.dispatch.models import WorkOrder
from services.finance.actions import price
from services.hr.queries.missed_callbacks import missed_callbacks
from services.hr.rules.ladder import Offence
from services.intake.actions import callback
from services.intake.queries.callbacks import callbacks
from services.intake.rules.request import Channel
from tests.people import employ, published
from tests.rulebook.company import Company, Discipline, introduce, refused
from tests.services.dispatch.crew import NOW, Crew
from tests.services.finance.office import MORNING
from tests.services.finance.test_api import ITEM
from tests.services.finance.test_api import House as FinanceHouse
from tests.services.finance.test_price import draft
from tests.services.finance.test_receipt import carry
from tests.services.intake.desk import Desk, minutes
from tests.services.intake.test_api import AGREED, FORM, House, problem

SECOND = timedelta(seconds=1)


def seen_by_head(desk: Desk) -> list[tuple[str, object]]:
    """Which requests the head of a department has before him: (channel, when the owner must have been reached)."""
    head = employ(desk.session, "head", "engineering", desk.site_id)
    return [(str(row.channel), row.callback_due_at) for row in callbacks(desk.session, head)]


def stop(crew: Crew, order: WorkOrder, *, reason: str = "需要电工", for_safety: bool = False) -> WorkOrder:
    return visit.stop(
        crew.session, work_order_id=order.id, reason=reason, for_safety=for_safety, actor=crew.worker, now=NOW
    )


def test_r044_the_head_of_the_department_sees_a_visitors_request_as_soon_as_it_is_recorded(desk: Desk) -> None:
    desk.register(Channel.WALK_IN)
    assert seen_by_head(desk) == [("walk_in", None)]


def test_r045_who_is_free_at_once_comes_to_the_desk_and_goes_with_the_waiting_owner(crew: Crew) -> None:
    order = crew.assigned(channel="walk_in")
    visit.check_in(crew.session, work_order_id=order.id, actor=crew.worker, now=NOW)
    assert (order.state, order.checked_in_at, order.arrived_at) == ("checked_in", NOW, None)
    crew.do_duties()
    assert crew.arrive(order, now=NOW + timedelta(minutes=10)).state == "started"


def test_r046_where_nobody_is_free_a_visitor_is_given_an_appointment(desk: Desk) -> None:
    made = desk.register(Channel.WALK_IN)
    desk.agree(made, visit_from=minutes(1440), visit_to=minutes(1500))
    view = desk.view(made)
    assert (view.state, view.visit_from, view.callback_missed) == ("agreed", minutes(1440), False)
    assert seen_by_head(desk) == []


def test_r047_the_head_of_the_department_sees_a_callers_request_as_soon_as_it_is_recorded(desk: Desk) -> None:
    desk.register(Channel.PHONE)
    assert seen_by_head(desk) == [("phone", minutes(10))]


def test_r048_phone_request_is_answered_within_ten_minutes(company: Company) -> None:
    desk, session = company.desk, company.discipline.session
    reached, forgotten, _ = desk.register(), desk.register(), desk.register(Channel.WALK_IN)
    desk.agree(reached, now=minutes(10))
    assert callback.miss_due(desk.session, now=minutes(10)) == 0
    assert callback.miss_due(desk.session, now=minutes(10) + SECOND) == 1
    company.carry("CallbackMissed")
    missed = missed_callbacks(session, company.discipline.leader, after=None, limit=10).items
    assert [(one.request_id, one.due_at) for one in missed] == [(forgotten.id, minutes(10))]


def test_r049_an_appointment_is_a_time_that_is_still_to_come(desk: Desk) -> None:
    made = desk.register()
    for start, end in ((20, 10), (10, 10), (-20, 0)):
        with refused(desk.session, "R49"):
            desk.agree(made, visit_from=minutes(start), visit_to=minutes(end))
    assert desk.agree(made, visit_from=minutes(10), visit_to=minutes(20)).visit_to == minutes(20)


def test_r050_nobody_goes_to_a_paid_job_before_his_duties_of_the_day_are_done(crew: Crew) -> None:
    order = crew.assigned()
    with refused(crew.session, "R50", code="duty_first"):
        crew.arrive(order)
    crew.do_duties()
    assert crew.arrive(order).state == "started"


def test_r051_a_supervisor_who_sends_a_man_from_his_regular_work_answers_for_it(company: Company) -> None:
    crew, discipline = company.crew, company.discipline
    order = crew.assigned()
    override = team.override_duty(
        crew.session,
        work_order_id=order.id,
        worker_id=crew.worker.person_id,
        reason="爆管",
        actor=crew.head,
        now=NOW,
    )
    assert crew.arrive(order).state == "started"
    company.carry("DutyOverridden")
    introduce(discipline.session, crew.head)
    with refused(discipline.session, "D8", code="not_his_override"):
        discipline.charge(Offence.NEGLECT, discipline.head, override_id=override.id)
    assert discipline.charge(Offence.NEGLECT, crew.head, override_id=override.id).source_id == override.id


def test_r052_jobs_are_arranged_by_the_front_desk_and_nobody_else(desk_api: House) -> None:
    made = desk_api.register().json()["id"]
    for step, body in (("agree", AGREED), ("notice", None), ("cancel", {"reason": "x"})):
        for who in ("worker", "head", "finance_lead"):
            assert problem(desk_api.post(who, f"/requests/{made}/{step}", body)) == (403, "role_not_allowed")
    assert desk_api.post("clerk", f"/requests/{made}/agree", AGREED).json()["state"] == "agreed"
    assert desk_api.post("clerk", f"/requests/{made}/notice").json()["state"] == "noticed"


def test_r053_no_other_department_takes_a_job_not_even_as_a_list(desk_api: House) -> None:
    for who in ("head", "finance_lead"):
        assert problem(desk_api.post(who, "/requests", FORM | {"site_id": desk_api.site_id}))[0] == 403
        rows = {"source": "x", "site_id": desk_api.site_id, "rows": {"2": FORM | {"source_key": "a"}}}
        assert problem(desk_api.post(who, "/imports", rows))[0] == 403
    assert desk_api.get("clerk", "/requests").json()["items"] == []


def test_r054_who_takes_a_job_for_himself_is_charged_at_whatever_hour_he_did(discipline: Discipline) -> None:
    for in_working_hours, step in ((True, "fine"), (False, "warning")):
        opened = discipline.charge(Offence.PRIVATE_JOB, discipline.worker, in_working_hours=in_working_hours)
        assert discipline.confirm(opened).step == step


def test_r055_there_is_one_price_book_which_finance_drafts_for_the_whole_company(finance_api: FinanceHouse) -> None:
    book = {"effective_from": "2026-04-01", "items": [ITEM]}
    for who in ("clerk", "desk_head", "worker", "leader"):
        assert finance_api.post(who, "/price-versions", book).status_code == 403
    assert finance_api.post("finance_lead", "/price-versions", book).json()["number"] == 1
    of_a_site = book | {"site_id": str(finance_api.site_id)}
    assert finance_api.post("finance_lead", "/price-versions", of_a_site).status_code == 422


def test_r056_prices_mean_nothing_before_the_leader_approved_them(company: Company) -> None:
    desk, office = company.desk, company.office
    made, _, version = desk.register(trade="electricity"), draft(office), draft(office)
    assert published(office.session) == []
    with refused(desk.session, "R57", code="no_approved_price"):
        desk.agree(made, price_code="lamp", fee_fen=2000)
    with refused(office.session, "R56", code="not_four_eyes"):
        price.approve(office.session, version_id=version.id, actor=replace(office.lead, role="leader"), now=MORNING)
    price.approve(office.session, version_id=version.id, actor=office.leader, now=MORNING)
    company.carry("PricePublished")
    assert desk.agree(made, price_code="lamp", fee_fen=2000).price_version == version.number


def test_r057_nobody_asks_for_more_or_less_than_the_approved_price(desk: Desk) -> None:
    made = desk.register()
    for fee_fen in (2999, 8001):
        with refused(desk.session, "R57", code="fee_outside_price"):
            desk.agree(made, fee_fen=fee_fen)
    for fee_fen in (3000, 8000):
        assert desk.agree(made, fee_fen=fee_fen).fee_fen == fee_fen


def test_r058_every_notice_states_that_the_owner_buys_materials_himself(company: Company) -> None:
    notice = company.desk.view(company.noticed()).notice
    assert notice is not None
    assert "业主自购" in notice.materials


def test_r059_nothing_bought_for_the_owner_can_be_charged_to_him(desk_api: House) -> None:
    made = desk_api.register().json()["id"]
    bought = AGREED | {"materials": [{"name": "水龙头", "amount_fen": 3000}]}
    assert desk_api.post("clerk", f"/requests/{made}/agree", bought).status_code == 422
    dear = AGREED | {"items": [{"price_code": "tap", "quantity": 1, "unit_fen": 8001}]}
    assert problem(desk_api.post("clerk", f"/requests/{made}/agree", dear))[0] == 409
    assert desk_api.post("clerk", f"/requests/{made}/agree", AGREED).json()["fee_fen"] == 5000


def test_r061_a_difficulty_at_the_home_is_told_to_the_desk_for_the_owner(company: Company) -> None:
    made = company.noticed()
    stop(company.crew, company.started(made), reason="不熟悉的设备")
    company.carry("SupportRequested")
    assert company.desk.view(made).visits[0].support_reason == "不熟悉的设备"


def test_r062_what_cannot_be_done_is_ended_with_its_reason_and_costs_nothing(company: Company) -> None:
    made = company.noticed()
    company.crew.terminate(company.started(made))
    company.carry("WorkTerminated")
    view = company.desk.view(made)
    assert (view.state, view.ending, view.visits[0].cause) == ("terminated", "管道在墙内", "unable")
    with refused(company.office.session, "R35", code="nothing_to_pay"):
        carry(company.office, made.id)
    with refused(company.office.session, "R33", code="step_not_allowed"):
        company.office.collect(made.id, amount_fen=5000)


def test_r064_a_job_that_is_not_safe_is_ended_for_safety_and_told_so(company: Company) -> None:
    crew, made = company.crew, company.noticed()
    order = company.started(made)
    visit.terminate(crew.session, work_order_id=order.id, cause="safety", reason="电线裸露", actor=crew.worker, now=NOW)
    company.carry("WorkTerminated")
    assert company.desk.view(made).visits[0].cause == "safety"


def test_r066_work_that_is_not_safe_stops_and_does_not_go_on_by_the_workers_will(crew: Crew) -> None:
    order = stop(crew, crew.started(), for_safety=True)
    assert order.state == "stopped"
    with refused(crew.session, "R30", code="step_not_allowed"):
        crew.finish(order)
    with refused(crew.session, "R30", code="step_not_allowed"):
        crew.arrive(order)


@pytest.mark.parametrize("ending", ["support", "termination"])
def test_r067_who_cannot_go_on_gets_support_or_stops_for_good(crew: Crew, ending: str) -> None:
    order = stop(crew, crew.started())
    assert published(crew.session)[-1] == ("SupportRequested", "intake")
    if ending == "support":
        visit.resume(crew.session, work_order_id=order.id, actor=crew.head, now=NOW)
        assert crew.finish(order).state == "finished"
    else:
        assert crew.terminate(order).state == "terminated"
