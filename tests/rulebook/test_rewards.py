"""五、奖惩: what is shared, what is fined, and how it is paid [R68-R94]."""

from dataclasses import replace
from datetime import timedelta

from sqlalchemy import select

from services.finance.actions import reserve
from services.finance.models import ReceiptShare
from services.finance.queries.daily_checks import cash_checks
from services.finance.queries.ledger import journals
from services.finance.queries.missing_cash import missing_cash
from services.finance.queries.reserves import reserve_fen
from services.finance.queries.settlements import SettlementView
from services.finance.rules.reserve import Use
from services.finance.tasks import chase_cash, check_cash, close_months
from services.hr.models import Case
from services.hr.queries.payouts import payouts
from services.hr.rules.ladder import Offence
from services.intake.queries.cash_alerts import cash_alerts
from shared.people import Actor
from tests.rulebook.company import Company, Discipline, introduce, refused
from tests.services.dispatch.crew import EVENING, Crew
from tests.services.finance.office import CLOSING, MAY_FIRST, MONTH_END, MORNING, NEXT_MORNING, Office, sweep_all
from tests.services.finance.test_api import House
from tests.services.finance.test_hand_over import count, paid_to_worker
from tests.services.finance.test_reserve import decide, propose
from tests.services.finance.test_settlement import agree, approve, april, compute, fined

SECOND = timedelta(seconds=1)
FINE = ("fine", 200_00)


def line_of(view: SettlementView, person: Actor):
    """What a person gets by a settlement."""
    return next(line for line in view.lines if line.person_id == person.person_id)


def test_r068_paid_work_is_done_outside_working_hours(crew: Crew) -> None:
    with refused(crew.session, "R50", code="duty_first"):
        crew.arrive(crew.assigned())
    assert crew.arrive(crew.assigned(), now=EVENING).state == "started"


def test_r069_the_reward_is_a_share_of_the_income_and_without_income_there_is_none(office: Office) -> None:
    office.paid(10000)
    office.accepted(fee_fen=10000, workers={office.mate.person_id: 1})
    office.end_month()
    assert [(line.person_id, line.share_fen) for line in compute(office).lines] == [(office.worker.person_id, 3500)]


def test_r070_the_company_keeps_fifty_percent(office: Office) -> None:
    assert office.paid(10000).company_fen == 5000
    assert office.balance("company_share") == -5000


def test_r071_the_workers_of_the_job_get_thirty_five_percent(office: Office) -> None:
    used = office.paid(10000, workers={office.worker.person_id: 1, office.mate.person_id: 1})
    shares = office.session.scalars(select(ReceiptShare.share_fen).where(ReceiptShare.receipt_id == used.id)).all()
    assert (used.workers_fen, list(shares)) == (3500, [1750, 1750])
    assert office.balance("workers_share", office.mate) == -1750


def test_r072_fifteen_percent_go_to_the_reserve_fund(office: Office) -> None:
    assert office.paid(10000).reserve_fen == 1500
    assert reserve_fen(office.session, office.site_id) == 1500


def test_r073_the_fund_rewards_others_who_took_part_each_by_name(office: Office) -> None:
    office.paid(10000)
    decide(office, propose(office, Use.REWARD, amount_fen=500, person=office.cashier))
    office.end_month()
    line = line_of(compute(office), office.cashier)
    assert (line.share_fen, line.reward_fen, line.net_fen) == (0, 500, 500)
    with refused(office.session, "R73", code="person_and_use"):
        reserve.propose(
            office.session,
            site_id=office.site_id,
            use=Use.REWARD,
            person_id=None,
            amount_fen=1,
            reason="x",
            actor=office.clerk,
            now=MORNING,
        )


def spent_on(office: Office, use: Use) -> tuple[int, int]:
    """What the fund holds and the company has after ten yuan of the fund went to this use (fen)."""
    office.paid(10000)
    decide(office, propose(office, use, amount_fen=1000))
    office.books_balance()
    written = journals(office.session, office.lead, after=None, limit=10).items
    assert [journal.kind for journal in written] == ["receipt", use]
    return reserve_fen(office.session, office.site_id), -office.balance("company_share")


def test_r074_the_fund_makes_good_a_loss(office: Office) -> None:
    assert spent_on(office, Use.LOSS) == (500, 6000)


def test_r075_the_fund_bears_the_cost_of_rework(office: Office) -> None:
    assert spent_on(office, Use.REWORK) == (500, 6000)


def test_r076_what_the_fund_is_used_for_is_proposed_by_the_front_desk(finance_api: House) -> None:
    proposal = {"site_id": str(finance_api.site_id), "use": "loss", "amount_fen": 100, "reason": "报损"}
    for who in ("worker", "cashier", "finance_lead", "leader"):
        assert finance_api.post(who, "/reserve/proposals", proposal).status_code == 403
    assert finance_api.post("clerk", "/reserve/proposals", proposal).json()["state"] == "proposed"


def test_r077_the_leader_in_charge_decides_and_never_on_his_own_proposal(finance_api: House, office: Office) -> None:
    finance_api.paid(10000)
    body = {"site_id": str(finance_api.site_id), "use": "loss", "amount_fen": 100, "reason": "报损"}
    made = finance_api.post("clerk", "/reserve/proposals", body).json()["id"]
    path, yes = f"/reserve/proposals/{made}/decide", {"approve": True, "reason": "同意"}
    for who in ("clerk", "desk_head", "finance_lead"):
        assert finance_api.post(who, path, yes).status_code == 403
    assert finance_api.get("leader", "/reserve").json()[0]["balance_fen"] == 1500
    assert finance_api.post("leader", path, yes).json()["state"] == "approved"
    assert finance_api.get("leader", "/reserve").json()[0]["balance_fen"] == 1400
    office.paid(10000)
    with refused(office.session, "R77", code="not_four_eyes"):
        decide(office, propose(office), actor=replace(office.clerk, role="leader"))


def test_r078_for_duties_neglected_the_head_of_the_department_is_fined_200_yuan(discipline: Discipline) -> None:
    with refused(discipline.session, "R78", code="not_a_department_head"):
        discipline.charge(Offence.NEGLECT, discipline.worker)
    assert discipline.penalties(Offence.NEGLECT, discipline.head, 1) == [FINE]
    assert discipline.fines_told() == [200_00]


def test_r079_the_second_time_he_is_removed_from_his_post(discipline: Discipline) -> None:
    assert discipline.penalties(Offence.NEGLECT, discipline.head, 2)[1] == ("removal_from_post", 0)
    assert discipline.steps_for_hr() == ["removal_from_post"]


def test_r080_the_third_time_he_is_urged_to_resign_or_struck_off(discipline: Discipline) -> None:
    assert discipline.penalties(Offence.NEGLECT, discipline.head, 3)[2] == ("urged_to_resign", 0)
    assert discipline.steps_for_hr() == ["removal_from_post", "urged_to_resign"]


def test_r081_for_a_private_job_in_working_hours_the_person_is_fined_200_yuan(discipline: Discipline) -> None:
    assert discipline.penalties(Offence.PRIVATE_JOB, discipline.worker, 1) == [FINE]
    assert (discipline.fines_told(), discipline.steps_for_hr()) == ([200_00], [])


def test_r082_the_second_time_he_is_fined_200_yuan_and_transferred(discipline: Discipline) -> None:
    assert discipline.penalties(Offence.PRIVATE_JOB, discipline.worker, 2)[1] == ("transfer", 200_00)
    assert (discipline.fines_told(), discipline.steps_for_hr()) == ([200_00, 200_00], ["transfer"])


def test_r083_the_third_time_he_is_dismissed(discipline: Discipline) -> None:
    assert discipline.penalties(Offence.PRIVATE_JOB, discipline.worker, 3)[2] == ("dismissal", 0)
    assert discipline.steps_for_hr() == ["transfer", "dismissal"]


def test_r084_all_cash_goes_through_the_front_desk(office: Office, finance_api: House) -> None:
    fee = {"method": "cash", "amount_fen": 10000}
    for who in ("cashier", "finance_lead", "leader"):
        assert finance_api.post(who, f"/charges/{finance_api.accepted()}/collect", fee).status_code == 403
    with refused(office.session, "R35", code="no_receipt_carried"):
        office.collect(office.accepted(), actor=office.worker)
    paid_to_worker(office)
    for receiver in (office.cashier, office.lead, office.mate):
        with refused(office.session, "R84", code="not_next_in_chain"):
            office.offer(office.worker, receiver)
    assert office.hand_over(office.worker, office.clerk).to_id == office.clerk.person_id


def test_r085_the_desk_hands_all_cash_of_the_day_to_finance_before_it_closes(office: Office) -> None:
    office.paid(100)
    office.paid(200)
    pooled = office.hand_over(office.clerk, office.cashier, now=CLOSING - SECOND)
    assert (pooled.amount_fen, office.balance("cash_at_finance")) == (300, 300)
    office.paid(400, now=CLOSING - SECOND)
    sweep_all(office.session, check_cash, now=CLOSING + SECOND)
    assert cash_checks(office.session, office.cashier, month="2026-04")[0].held_fen == 400


def morning_after(company: Company) -> Case:
    """The clerk has kept 100 yuan overnight: the case that opened by itself."""
    office, session = company.office, company.discipline.session
    introduce(session, office.clerk)
    office.paid(10000)
    sweep_all(office.session, check_cash, now=CLOSING + SECOND)
    sweep_all(office.session, chase_cash, now=NEXT_MORNING + SECOND)
    company.carry("CashNotHandedOver", now=NEXT_MORNING + SECOND)
    return session.query(Case).one()


def test_r086_cash_somebody_withholds_is_found_and_opens_a_case_against_him(company: Company) -> None:
    opened = morning_after(company)
    assert (opened.offence, opened.person_id, opened.amount_fen, opened.opened_by) == (
        "withheld_cash",
        company.office.clerk.person_id,
        10000,
        None,
    )
    (alert,) = cash_alerts(company.desk.session, company.desk.head, after=None, limit=10).items
    assert alert.holder_id == company.office.clerk.person_id


def test_r087_cash_that_was_spent_is_still_owed_in_full(office: Office) -> None:
    office.paid(10000)
    offered = office.offer(office.clerk, office.cashier)
    assert count(office, offered, office.cashier, 9000).state == "differs"
    sweep_all(office.session, check_cash, now=CLOSING + SECOND)
    sweep_all(office.session, chase_cash, now=NEXT_MORNING + SECOND)
    (missing,) = missing_cash(office.session, office.cashier, after=None, limit=10).items
    assert (missing.holder_id, missing.amount_fen) == (office.clerk.person_id, 10000)


def test_r088_the_fine_for_withheld_cash_is_the_amount_of_it(discipline: Discipline) -> None:
    for amount_fen in (12345, 1):
        opened = discipline.charge(Offence.WITHHELD_CASH, discipline.clerk, amount_fen=amount_fen)
        assert discipline.confirm(opened).fine_fen == amount_fen
    assert discipline.fines_told() == [12345, 1]


def test_r089_rewards_and_fines_are_settled_month_by_month(office: Office) -> None:
    office.paid(10000)
    office.paid(10000, now=MONTH_END)
    fined(office, office.worker, 100, month="2026-04", number="AJ-1")
    fined(office, office.worker, 700, month="2026-05", number="AJ-2")
    office.end_month()
    line = line_of(compute(office), office.worker)
    assert (line.share_fen, line.fine_fen, line.case_numbers) == (3500, 100, ["AJ-1"])


def test_r090_desk_and_finance_agree_the_accounts_before_anything_is_computed(office: Office) -> None:
    sweep_all(office.session, check_cash, now=MAY_FIRST)
    sweep_all(office.session, close_months, now=MAY_FIRST)
    office.statistics_agreed()
    assert agree(office, office.lead).state == "closed"
    with refused(office.session, "R90", code="step_not_allowed"):
        compute(office)
    with refused(office.session, "R90", code="signed_already"):
        agree(office, office.cashier)
    assert agree(office, office.desk_head).state == "agreed"
    assert compute(office).state == "computed"


def test_r091_finance_computes_everybodys_part_by_the_ratio_of_the_split(office: Office) -> None:
    both = {office.worker.person_id: 2, office.mate.person_id: 1}
    for fee_fen in (10000, 99):
        office.paid(fee_fen, workers=both)
    office.end_month()
    view = compute(office)
    assert (view.received_fen, view.company_fen, view.workers_fen, view.reserve_fen) == (10099, 5049, 3535, 1515)
    assert line_of(view, office.worker).share_fen == 2333 + 23
    assert line_of(view, office.mate).share_fen == 1167 + 12
    assert view.drafted_by == office.lead.person_id


def test_r092_the_leader_approves_and_hr_pays_the_individual(company: Company) -> None:
    office, session = company.office, company.discipline.session
    introduce(session, office.worker)
    office.paid(10000)
    office.end_month()
    compute(office)
    with refused(office.session, "R92", code="not_four_eyes"):
        approve(office, replace(office.lead, role="leader"))
    assert approve(office).approved_by == office.leader.person_id
    company.carry("PayoutApproved", now=MAY_FIRST)
    (payout,) = payouts(session, company.discipline.leader, after=None, limit=10).items
    assert [(line.person_id, line.net_fen) for line in payout.lines] == [(office.worker.person_id, 3500)]
    company.carry("PayoutReceived", now=MAY_FIRST)
    assert april(office).state == "received"


def settled_with_a_fine(company: Company, *, fee_fen: int):
    """The month of a worker who did one job, and one more for himself in working hours."""
    office, discipline = company.office, company.discipline
    introduce(discipline.session, office.worker)
    discipline.confirm(discipline.charge(Offence.PRIVATE_JOB, office.worker, in_working_hours=True))
    company.carry("FineConfirmed")
    office.paid(fee_fen)
    office.end_month()
    return line_of(compute(office), office.worker)


def test_r093_a_fine_is_taken_from_the_share_of_the_month_first(company: Company) -> None:
    line = settled_with_a_fine(company, fee_fen=100000)
    assert (line.share_fen, line.from_bonus_fen, line.from_wage_fen, line.net_fen) == (35000, 20000, 0, 15000)


def test_r094_what_the_share_does_not_cover_is_taken_from_the_wage(company: Company) -> None:
    line = settled_with_a_fine(company, fee_fen=10000)
    assert (line.share_fen, line.from_bonus_fen, line.from_wage_fen, line.net_fen) == (3500, 3500, 16500, 0)
