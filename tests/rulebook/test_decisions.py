"""What was decided where the rules are silent or disagree [D1-D27]."""

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import select

from services.dispatch.actions import privacy as crew_privacy
from services.dispatch.actions import team, visit, work_order
from services.dispatch.queries.work_orders import work_order_by_id
from services.dispatch.rules.acceptance import Relation
from services.dispatch.rules.team import Member
from services.finance.actions import reserve
from services.finance.models import ReceiptShare
from services.finance.queries.cash import cash
from services.finance.queries.charges import charge_by_id
from services.finance.queries.daily_checks import cash_checks
from services.finance.queries.reserves import reserve_fen
from services.finance.rules.receipt import Method
from services.finance.tasks import chase_cash, check_cash, close_months
from services.hr.actions import post, task
from services.hr.models import HrTask
from services.hr.rules.ladder import Offence
from services.intake.actions import callback, request
from services.intake.actions import privacy as desk_privacy
from shared.errors import Malformed, NotFound
from shared.privacy_rows import privacy_acts
from tests.people import employ, published
from tests.rulebook.company import Company, Discipline, refused
from tests.rulebook.test_rewards import line_of, morning_after
from tests.services.dispatch.crew import NOW, Crew, notice, rework
from tests.services.finance.office import CLOSING, MONTH_END, MORNING, NEXT_MORNING, Office, sweep_all
from tests.services.finance.test_hand_over import paid_to_worker
from tests.services.finance.test_reserve import decide, propose
from tests.services.finance.test_settlement import agree, approve, compute, fined
from tests.services.intake.desk import Desk, minutes, price_book
from tests.services.intake.test_consultation import ask

SECOND = timedelta(seconds=1)


@pytest.mark.parametrize("trade", ["cleaning", "greening"])
def test_d01_cleaning_and_greening_are_one_department(desk: Desk, discipline: Discipline, trade: str) -> None:
    assert desk.register(trade=trade).department == "environment"
    cleaner = post.employ(
        discipline.session,
        name="保洁",
        role="worker",
        department="environment",
        site_ids=[discipline.site_id],
        all_sites=False,
        shift_start=None,
        shift_end=None,
        actor=employ(discipline.session, "hr", "hr"),
        now=NOW,
    )
    assert cleaner.department == "environment"


def test_d02_a_trade_is_in_scope_or_refused_for_a_reason_and_one_that_is_unknown_is_neither(desk: Desk) -> None:
    for trade, state in (("water", "recorded"), ("appliance", "refused"), ("other", "refused")):
        made = desk.register(trade=trade)
        assert (made.state, made.refusal is not None) == (state, state == "refused")
    with refused(desk.session, "D2", code="unknown_trade"):
        desk.register(trade="magic")


def test_d03_a_call_that_reaches_nobody_stops_no_clock_and_a_promised_reply_does(desk: Desk) -> None:
    tried, promised = desk.register(), desk.register()
    request.log_attempt(desk.session, request_id=tried.id, note="无人接听", actor=desk.clerk, now=minutes(3))
    ask(desk, promised, now=minutes(7))
    assert callback.warn_due(desk.session, now=minutes(8)) == 0
    assert callback.warn_due(desk.session, now=minutes(8) + SECOND) == 1
    assert callback.miss_due(desk.session, now=minutes(10) + SECOND) == 1
    desk.session.expire_all()
    desk.agree(tried, now=minutes(12))
    assert (tried.callback_missed, promised.callback_missed) == (True, False)


def test_d04_in_time_is_five_minutes_fifteen_minutes_a_day_and_two_hours(crew: Crew, desk: Desk) -> None:
    first = notice(crew.site_id)
    work_order.notice_issued(crew.session, first, now=NOW)
    order = crew.order(first.request_id)
    assert order.acknowledge_due_at == NOW + timedelta(minutes=5)
    assert order.arrive_due_at == first.visit_from + timedelta(minutes=15)
    made = desk.accepted()
    assert desk.view(made).revisits[0].due_at == minutes(24 * 60)
    desk.problem(made)
    (ordered,) = desk.messages("ReworkOrdered")
    again = rework(first).model_validate({**rework(first).model_dump(), "assign_due_at": ordered["assign_due_at"]})
    work_order.rework_ordered(crew.session, again, now=NOW)
    assert team.note_unassigned(crew.session, now=NOW + timedelta(hours=2)) == 0
    assert team.note_unassigned(crew.session, now=NOW + timedelta(hours=2, seconds=1)) == 1


def test_d05_cash_goes_from_worker_to_clerk_to_cashier_and_is_always_in_one_persons_hands(office: Office) -> None:
    paid_to_worker(office)
    hands = [office.worker, office.clerk]
    for holder, receiver in zip(hands, [office.clerk, office.cashier], strict=True):
        (held,) = cash(office.session, office.cashier)
        assert (held.holder_id, held.amount_fen) == (holder.person_id, 10000)
        office.hand_over(holder, receiver)
    assert cash(office.session, office.cashier) == []
    assert office.balance("cash_at_finance") == 10000


def test_d06_cash_is_listed_at_closing_time_and_chased_at_nine_the_next_morning(office: Office) -> None:
    office.paid(10000)
    assert sweep_all(office.session, check_cash, now=CLOSING) == 0
    assert sweep_all(office.session, check_cash, now=CLOSING + SECOND) == 1
    assert cash_checks(office.session, office.cashier, month="2026-04")[0].held_fen == 10000
    assert sweep_all(office.session, chase_cash, now=NEXT_MORNING) == 0
    assert sweep_all(office.session, chase_cash, now=NEXT_MORNING + SECOND) == 1
    assert ("CashNotHandedOver", "hr") in published(office.session)


def test_d07_withheld_cash_is_returned_and_fined_as_well(company: Company) -> None:
    opened, later = morning_after(company), NEXT_MORNING + timedelta(hours=1)
    company.office.hand_over(company.office.clerk, company.office.cashier, now=later)
    company.carry("CashReturned", now=later)
    assert (opened.cash_returned_at, opened.state) == (later, "open")
    assert company.discipline.confirm(opened, now=later).fine_fen == 10000


def test_d08_the_head_may_let_a_worker_go_before_his_duties_are_done_for_one_job_and_a_reason(crew: Crew) -> None:
    order, other = crew.assigned(), crew.assigned()
    facts = {"worker_id": crew.worker.person_id, "reason": "爆管", "actor": crew.head, "now": NOW}
    team.override_duty(crew.session, work_order_id=order.id, **facts)
    assert ("DutyOverridden", "hr") in published(crew.session)
    assert crew.arrive(order).state == "started"
    with refused(crew.session, "R50", code="duty_first"):
        crew.arrive(other)


def test_d09_nobody_gives_himself_a_job_nor_takes_one_he_was_not_given(crew: Crew) -> None:
    order = crew.acknowledge(crew.receive())
    with refused(crew.session, "R30", code="not_a_worker_here"):
        crew.assign(order, Member(crew.head.person_id))
    with pytest.raises(NotFound):
        team.assign(
            crew.session,
            work_order_id=order.id,
            members=[Member(crew.worker.person_id)],
            actor=crew.worker,
            now=NOW,
        )
    crew.assign(order)
    with pytest.raises(NotFound):
        visit.check_in(crew.session, work_order_id=order.id, actor=crew.mate, now=NOW)


def test_d10_the_price_version_of_the_day_is_frozen_on_the_job(desk: Desk) -> None:
    made = desk.agree(desk.register(), fee_fen=8000)
    desk.handle(price_book(2, max_fen=4000))
    with refused(desk.session, "R57", code="fee_outside_price"):
        desk.agree(desk.register(), fee_fen=8000)
    desk.issue(made)
    (body,) = desk.messages("NoticeIssued")
    assert (body["price_version"], body["fee_fen"]) == (1, 8000)


def test_d11_no_step_takes_a_material_line_and_the_notice_states_that_the_owner_buys(desk: Desk) -> None:
    made = desk.noticed()
    notice = desk.view(made).notice
    assert notice is not None
    assert notice.materials == "材料、配件由业主自行购买（业主自购），服务人员不得代购"
    assert not [column for column in made.__table__.columns if "material" in column.name]


def test_d12_only_cash_is_in_somebodys_hands_and_any_other_payment_has_a_reference(office: Office) -> None:
    for method in (Method.WECHAT, Method.ALIPAY, Method.BANK):
        request_id = office.accepted()
        with refused(office.session, "D12", code="reference_needed"):
            office.collect(request_id, method=method)
        used = office.collect(request_id, method=method, reference="4200001")
        assert (used.holder_id, used.received_at) == (None, MORNING)
    assert office.paid().holder_id == office.clerk.person_id


def test_d13_money_counts_in_the_month_it_was_received_in_whenever_the_work_was_done(office: Office) -> None:
    done_in_april = office.accepted()
    office.paid(5000)
    assert office.collect(done_in_april, now=MONTH_END).month == "2026-05"
    office.end_month()
    assert compute(office).received_fen == 5000


@pytest.mark.parametrize(
    ("fee_fen", "parts"), [(99, (49, 35, 15)), (1, (1, 0, 0)), (10, (5, 4, 1)), (30, (15, 11, 4)), (100, (50, 35, 15))]
)
def test_d14_each_fee_is_split_to_the_fen_by_the_largest_remainder(
    office: Office, fee_fen: int, parts: tuple[int, int, int]
) -> None:
    used = office.paid(fee_fen)
    assert (used.company_fen, used.workers_fen, used.reserve_fen) == parts


def test_d15_workers_share_by_the_weights_the_head_has_set(company: Company) -> None:
    crew, office, made = company.crew, company.office, company.noticed()
    order = crew.acknowledge(crew.order(made.id))
    crew.assign(order, Member(crew.worker.person_id, 3), Member(crew.mate.person_id))
    for actor in (crew.worker, crew.mate):
        crew.do_duties(actor)
    crew.accept(crew.finish(crew.arrive(order)))
    company.carry("WorkAccepted")
    used = office.collect(made.id, amount_fen=5000)
    shares = office.session.execute(
        select(ReceiptShare.person_id, ReceiptShare.share_fen).where(ReceiptShare.receipt_id == used.id)
    )
    # 1750 fen, 3 : 1, is 1312.5 and 437.5: the fen left over goes to the smaller id
    parts = {row.person_id: row.share_fen for row in shares}
    first = min(crew.worker.person_id, crew.mate.person_id)
    assert parts[crew.worker.person_id] == 1312 + (first == crew.worker.person_id)
    assert sum(parts.values()) == 1750


def test_d17_the_fund_of_a_site_is_its_own_and_is_never_overdrawn(office: Office) -> None:
    elsewhere = Office(office.session, code="LH")
    elsewhere.paid(10000)
    office.paid(10000)
    with refused(office.session, "D17", code="reserve_too_small"):
        decide(office, propose(office, amount_fen=1501))
    decide(office, propose(office, amount_fen=1500))
    assert reserve_fen(office.session, office.site_id) == 0
    assert reserve_fen(office.session, elsewhere.site_id) == 1500
    with pytest.raises(NotFound):
        decide(elsewhere, propose(office), actor=elsewhere.leader)
    with pytest.raises(Malformed, match="R73"):
        reserve.propose(
            office.session,
            site_id=office.site_id,
            use=reserve.Use.LOSS,
            person_id=office.clerk.person_id,
            amount_fen=1,
            reason="x",
            actor=office.clerk,
            now=MORNING,
        )


def test_d18_statistics_and_daily_checks_come_first_then_accounts_then_the_computing_by_another(office: Office) -> None:
    sweep_all(office.session, close_months, now=MONTH_END)
    with refused(office.session, "R90", code="step_not_allowed"):
        agree(office, office.desk_head)
    sweep_all(office.session, close_months, now=MONTH_END + SECOND)
    sweep_all(office.session, check_cash, now=MONTH_END + SECOND)
    with refused(office.session, "R90", code="accounts_not_ready"):
        agree(office, office.desk_head)
    office.statistics_agreed()
    for actor in (office.desk_head, office.lead):
        agree(office, actor)
    compute(office)
    with refused(office.session, "R92", code="not_four_eyes"):
        approve(office, replace(office.lead, role="leader"))
    assert approve(office).state == "approved"


def test_d19_the_count_never_expires_and_steps_other_than_money_are_done_by_hr_with_evidence(
    discipline: Discipline,
) -> None:
    session, years_later = discipline.session, NOW + timedelta(days=3650)
    discipline.penalties(Offence.PRIVATE_JOB, discipline.worker, 1)
    second = discipline.confirm(discipline.charge(Offence.PRIVATE_JOB, discipline.worker), now=years_later)
    assert (second.rung, second.step) == (2, "transfer")
    assert discipline.penalties(Offence.NEGLECT, discipline.head, 1) == [("fine", 200_00)]
    to_do = session.query(HrTask).one()
    assert (to_do.due_at, to_do.done_at) == (years_later + timedelta(days=30), None)
    hr = employ(session, "hr", "hr", discipline.site_id)
    task.finish(session, task_id=to_do.id, evidence="调岗通知已签收", actor=hr, now=years_later)
    assert (to_do.done_by, to_do.evidence) == (hr.person_id, "调岗通知已签收")


def test_d20_a_private_job_outside_working_hours_is_a_warning_that_climbs_no_ladder(discipline: Discipline) -> None:
    warned = discipline.confirm(discipline.charge(Offence.PRIVATE_JOB, discipline.worker, in_working_hours=False))
    assert (warned.step, warned.fine_fen, warned.rung) == ("warning", 0, None)
    assert discipline.fines_told() == []
    assert discipline.penalties(Offence.PRIVATE_JOB, discipline.worker, 1) == [("fine", 200_00)]


def test_d21_the_bonus_that_bears_a_fine_is_share_and_reward_together(office: Office) -> None:
    head = office.employ("head", "engineering")  # who lent a hand himself
    office.paid(10000, workers={head.person_id: 1})
    decide(office, propose(office, amount_fen=500, person=head))
    fined(office, head, 5000)
    office.end_month()
    line = line_of(compute(office), head)
    assert (line.from_bonus_fen, line.from_wage_fen, line.net_fen) == (4000, 1000, 0)


def test_d23_where_nobody_can_sign_a_reason_and_a_second_person_are_needed(crew: Crew) -> None:
    order = crew.finish(crew.started())
    witnessed = {"relation": Relation.WITNESSED, "signer_name": "张师傅"}
    for facts in ({}, {"reason": "业主外出"}, {"witness_name": "王保安"}):
        with refused(crew.session, "D23", code="witness_needed"):
            crew.accept(order, **witnessed, **facts)
    with refused(crew.session, "D23", code="witness_is_signer"):
        crew.accept(order, **witnessed, reason="业主外出", witness_name="张师傅")
    signed = crew.accept(order, **witnessed, reason="业主外出", witness_name="王保安")
    assert (signed.signer_name, signed.witness_name, signed.reason) == ("张师傅", "王保安", "业主外出")


def test_d24_a_job_ended_undone_bills_nothing_and_a_call_for_support_is_seen_at_once(company: Company) -> None:
    crew, made = company.crew, company.noticed()
    order = company.started(made)
    visit.stop(crew.session, work_order_id=order.id, reason="电线裸露", for_safety=True, actor=crew.worker, now=NOW)
    seen = work_order_by_id(crew.session, crew.head, order.id)
    assert (seen.state, seen.stopped_reason) == ("stopped", "电线裸露")
    crew.terminate(order)
    company.carry("WorkTerminated")
    office = company.office
    assert charge_by_id(office.session, office.cashier, made.id).state == "terminated"
    with refused(office.session, "R33", code="step_not_allowed"):
        office.collect(made.id, amount_fen=5000)


def test_d25_rework_is_linked_to_the_first_job_which_stays_open_until_the_owner_is_satisfied(desk: Desk) -> None:
    made = desk.accepted()
    for round_ in (1, 2):
        desk.problem(made)
        ordered = desk.messages("ReworkOrdered")[-1]
        assert (ordered["request_id"], ordered["round"]) == (str(made.id), round_)
        assert ordered["notice_number"] == "TZ-BK-20260401-0001"
        desk.hear("WorkAccepted", made, round=round_, fee_fen=0)
        assert desk.view(made).ended_at is None
    desk.satisfied(made)
    assert desk.view(made).ended_at == NOW
    with refused(desk.session, "R37"):
        desk.not_reached(made)


def test_d26_a_phone_number_is_masked_and_shown_to_who_says_why_until_the_job_ends(company: Company) -> None:
    desk, crew, made = company.desk, company.crew, company.noticed()
    order = company.started(made)

    def asked_by_clerk() -> str | None:
        asked = desk_privacy.reveal(desk.session, request_id=made.id, reason="回电", actor=desk.clerk, now=NOW)
        return asked.phone

    def asked_by_worker() -> str | None:
        asked = crew_privacy.reveal(
            crew.session, work_order_id=order.id, reason="到门口无人", actor=crew.worker, now=NOW
        )
        return asked.phone

    shown = desk.view(made).phone, work_order_by_id(crew.session, crew.worker, order.id).phone
    assert shown == ("138****8000", "138****8000")
    assert (asked_by_clerk(), asked_by_worker()) == ("13800138000", "13800138000")
    acts = privacy_acts(desk.session, desk.clerk, request_id=made.id, after=None, limit=9).items
    assert [(act.act, act.by, act.reason) for act in acts] == [("reveal", desk.clerk.person_id, "回电")]
    crew.accept(crew.finish(order))
    company.carry("WorkAccepted")
    desk.satisfied(made)
    with refused(desk.session, "D26"):
        asked_by_clerk()
    with refused(crew.session, "D26"):
        asked_by_worker()
