"""People, discipline and payments: nobody is judged unheard, nothing costs before it is final [R78-R94, D18-D22]."""

from datetime import date, time, timedelta
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from services.hr.actions import appeal, case, payout, post, site, wage
from services.hr.models import Case, HrTask, Person, Site
from services.hr.queries.company import organisation
from services.hr.queries.points import points
from services.hr.queries.posts import posts
from services.hr.queries.reports import reports
from services.hr.queries.statements import own_statements
from services.hr.queries.tasks import tasks
from services.hr.rules.ladder import DisciplinePolicy, LadderPolicy, Offence
from services.hr.tasks import (
    end_appeal_time,
    hear_callback_missed,
    hear_cash_not_handed_over,
    hear_duty_neglected,
    hear_month_reported,
    hear_payout_approved,
    hear_private_job_reported,
)
from shared.alerts import alerts_of
from shared.errors import NotYourRole
from shared.ids import new_id
from shared.messages import (
    CallbackMissed,
    CashNotHandedOver,
    Certificate,
    DutyNeglected,
    JobShare,
    MonthReported,
    PayoutApproved,
    PayoutLine,
    PrivateJobReported,
    ReportLine,
)
from shared.people import Actor
from shared.policy_rows import change
from tests.people import employ
from tests.rulebook.company import Discipline, refused
from tests.services.hr.court import accept, actor_of, decide, hear
from tests.services.intake.desk import NOW

SECOND, WEEK = timedelta(seconds=1), timedelta(days=7)


def said(session: Session, kind: str) -> list[dict[str, Any]]:
    session.flush()
    query = text("SELECT body FROM outbox WHERE type = :kind ORDER BY sequence")
    return list(session.execute(query, {"kind": kind}).scalars())


def told(discipline: Discipline, reader: Actor) -> list[str]:
    found = alerts_of(discipline.session, reader, unseen=True, after=None, limit=100)
    return [alert.kind for alert in found.items]


def decided(discipline: Discipline, offence: Offence = Offence.PRIVATE_JOB, **facts: Any) -> Case:
    opened = discipline.charge(offence, facts.pop("person", discipline.worker), **facts)
    return decide(discipline.session, opened, discipline.leader, NOW)


def appealed(discipline: Discipline) -> Case:
    made = decided(discipline)
    appeal.open_(discipline.session, case_id=made.id, reason="当日请假", actor=discipline.worker, now=NOW)
    discipline.session.flush()
    return made


def answer(discipline: Discipline, made: Case, leader: Actor, *, uphold: bool) -> Case:
    appeal.decide(discipline.session, case_id=made.id, uphold=uphold, reason="复核", actor=leader, now=NOW)
    discipline.session.flush()
    return made


def with_policy(discipline: Discipline, policy: Any) -> None:
    administrator = employ(discipline.session, "administrator", "administration")
    facts: Any = {"effective_from": NOW, "reason": "公司决定", "actor": administrator, "now": NOW}
    change(discipline.session, policy, site_id=discipline.site_id, **facts)


def owed(discipline: Discipline, *people: Actor, **facts: Any) -> PayoutApproved:
    """An approved payout in which each of these gets 100 yuan."""
    lines = [
        PayoutLine(
            **{
                "person_id": person.person_id,
                "name": person.name,
                "share_fen": 10000,
                "reward_fen": 0,
                "fine_fen": 0,
                "from_bonus_fen": 0,
                "from_wage_fen": 0,
                "net_fen": 10000,
                "case_numbers": [],
                **facts,
            }
        )
        for person in people
    ]
    message = PayoutApproved(
        settlement_id=new_id(),
        site_id=discipline.site_id,
        month="2026-03",
        lines=lines,
        net_fen=sum(line.net_fen for line in lines),
        from_wage_fen=sum(line.from_wage_fen for line in lines),
        approved_by=discipline.leader.person_id,
        approved_at=NOW,
    )
    hear_payout_approved(discipline.session, message, now=NOW)
    discipline.session.flush()
    return message


def pay(discipline: Discipline, message: PayoutApproved, person: Actor, by: Actor) -> None:
    payout.paid(
        discipline.session,
        settlement_id=message.settlement_id,
        person_id=person.person_id,
        reference="GZ-1",
        actor=by,
        now=NOW,
    )


def fail(discipline: Discipline, message: PayoutApproved, person: Actor, by: Actor) -> None:
    payout.failed(
        discipline.session,
        settlement_id=message.settlement_id,
        person_id=person.person_id,
        cause="returned",
        reason="银行退回",
        actor=by,
        now=NOW,
    )


def private_job(discipline: Discipline, *, hour: int) -> Case:
    """The desk was told of a job the worker took for himself at that hour of 1 April, by the clock of Shanghai."""
    at = NOW.replace(hour=0) + timedelta(hours=hour - 8)
    message = PrivateJobReported(
        report_id=new_id(),
        site_id=discipline.site_id,
        person_id=discipline.worker.person_id,
        happened_at=at,
        evidence="业主反映",
        reported_by=discipline.clerk.person_id,
        reported_at=at,
    )
    hear_private_job_reported(discipline.session, message, now=NOW)
    discipline.session.flush()
    return discipline.session.query(Case).filter_by(source_id=message.report_id).one()


def hr_of(discipline: Discipline) -> Actor:
    return employ(discipline.session, "hr", "hr", discipline.site_id)


def test_r043_the_report_reaches_administration_with_each_departments_and_persons_figures(
    discipline: Discipline,
) -> None:
    lines = [
        ReportLine(department="engineering", person_id=discipline.worker.person_id, name="李雷", item="jobs", value=3)
    ]
    message = MonthReported(
        site_id=discipline.site_id, month="2026-03", report={"requests": 7}, lines=lines, reported_at=NOW
    )
    hear_month_reported(discipline.session, message, now=NOW)
    reader = employ(discipline.session, "administration", "administration", discipline.site_id)
    (report,) = reports(discipline.session, reader, after=None, limit=10).items
    assert (report.report, report.lines) == ({"requests": 7}, lines)


def test_r048_the_desk_head_is_told_of_an_owner_who_was_not_called_back(discipline: Discipline) -> None:
    missed = CallbackMissed(
        request_id=new_id(),
        request_number="DJ-1",
        site_id=discipline.site_id,
        clerk_id=discipline.clerk.person_id,
        due_at=NOW,
    )
    hear_callback_missed(discipline.session, missed, now=NOW)
    assert told(discipline, employ(discipline.session, "desk_head", "front_desk", discipline.site_id)) == [
        "callback_missed"
    ]


def test_r050_regular_work_left_undone_for_paid_work_opens_a_case_on_the_head(discipline: Discipline) -> None:
    message = DutyNeglected(
        neglect_id=new_id(),
        override_id=new_id(),
        site_id=discipline.site_id,
        department="engineering",
        worker_id=discipline.worker.person_id,
        head_id=discipline.head.person_id,
        day=date(2026, 4, 1),
        reason="水泵未巡检",
        found_by=discipline.clerk.person_id,
        found_at=NOW,
    )
    hear_duty_neglected(discipline.session, message, now=NOW)
    opened = discipline.session.query(Case).one()
    assert (opened.offence, opened.person_id, opened.override_id, opened.state) == (
        "neglect",
        discipline.head.person_id,
        message.override_id,
        "open",
    )
    assert discipline.confirm(opened).fine_fen == 200_00


def test_r054_a_private_job_reported_to_the_desk_opens_a_case_and_decides_nothing(discipline: Discipline) -> None:
    opened = private_job(discipline, hour=10)
    assert (opened.offence, opened.person_id, opened.state) == ("private_job", discipline.worker.person_id, "open")
    assert discipline.fines_told() == []


def test_r060_what_a_person_can_do_and_his_certificates_are_told_to_every_department(discipline: Discipline) -> None:
    session, hr, person_id = discipline.session, hr_of(discipline), discipline.worker.person_id
    post.record_skills(session, person_id=person_id, skills=["electricity"], actor=hr)
    held = Certificate(kind="low_voltage_electrician", number="T-1", valid_until=date(2028, 1, 1))
    post.record_certificate(session, person_id=person_id, certificate=held, actor=hr, now=NOW)
    last = said(session, "PersonChanged")[-1]
    assert (last["skills"], last["certificates"]) == (["electricity"], [held.model_dump(mode="json")])
    late = held.model_copy(update={"valid_until": date(2026, 3, 1)})
    with refused(session, "R60", code="expired_already"):
        post.record_certificate(session, person_id=person_id, certificate=late, actor=hr, now=NOW)


def test_r077_each_department_of_a_site_has_a_leader_in_charge_by_name(discipline: Discipline) -> None:
    session, administrator = discipline.session, employ(discipline.session, "administrator", "administration")
    facts: Any = {"site_id": discipline.site_id, "department": "engineering", "actor": administrator, "now": NOW}
    with refused(session, "R77", code="not_a_leader"):
        site.name_leader(session, leader_id=discipline.head.person_id, **facts)
    site.name_leader(session, leader_id=discipline.leader.person_id, **facts)
    session.flush()
    (branch,) = organisation(session, administrator)
    in_charge = {one.department: one.leader_id for one in branch.departments}
    assert in_charge["engineering"] == discipline.leader.person_id


def test_r079_a_head_removed_from_his_post_is_moved_by_somebody_else_and_his_posts_are_kept(
    discipline: Discipline,
) -> None:
    session, hr = discipline.session, hr_of(discipline)
    discipline.penalties(Offence.NEGLECT, discipline.head, 2)
    (task,) = tasks(session, hr, after=None, limit=10).items
    assert (task.kind, task.move) == ("removal_from_post", f"/people/{discipline.head.person_id}/move")
    facts: Any = {
        "person_id": discipline.head.person_id,
        "role": "worker",
        "department": "engineering",
        "site_ids": [discipline.site_id],
        "all_sites": False,
        "shift_start": time(8),
        "shift_end": time(17, 30),
        "reason": "免职",
        "now": NOW,
    }
    himself = actor_of(session, discipline.head.person_id)
    with refused(session, "D18", code="not_four_eyes"):
        post.move(session, actor=Actor(himself.person_id, "x", "hr", "hr", himself.site_ids), **facts)
    moved = post.move(session, actor=hr, **facts)
    session.flush()
    assert moved.role == "worker"
    assert [one.reason for one in posts(session, hr, moved.id)] == ["免职"]
    assert session.query(HrTask).one().done_at is None, "finishing the task with evidence stays with people"


def test_r081_working_hours_are_the_shift_of_the_person_on_no_holiday(discipline: Discipline) -> None:
    assert private_job(discipline, hour=10).in_working_hours
    assert not private_job(discipline, hour=20).in_working_hours
    discipline.session.get_one(Site, discipline.site_id).holidays = [date(2026, 4, 1)]
    discipline.session.flush()
    assert not private_job(discipline, hour=10).in_working_hours
    person = discipline.session.get_one(Person, discipline.worker.person_id)
    person.shift_start = person.shift_end = None
    discipline.session.get_one(Site, discipline.site_id).holidays = []
    discipline.session.flush()
    assert not private_job(discipline, hour=10).in_working_hours


def test_r088_withheld_cash_costs_nothing_before_the_case_is_final_and_then_its_amount(
    discipline: Discipline,
) -> None:
    message = CashNotHandedOver(
        missing_id=new_id(),
        site_id=discipline.site_id,
        day=date(2026, 3, 31),
        holder_id=discipline.clerk.person_id,
        holder_name="x",
        amount_fen=12345,
        receipt_numbers=["SJ-1"],
        found_at=NOW,
    )
    hear_cash_not_handed_over(discipline.session, message, now=NOW)
    opened = decide(discipline.session, discipline.session.query(Case).one(), discipline.leader, NOW)
    assert discipline.fines_told() == []
    accept(discipline.session, opened, NOW)
    assert (discipline.fines_told(), opened.cash_returned_at) == ([12345], None)


def test_r092_each_person_is_paid_by_name_once_and_finance_hears_of_it(discipline: Discipline) -> None:
    session, hr = discipline.session, hr_of(discipline)
    message = owed(discipline, discipline.worker, discipline.head)
    fail(discipline, message, discipline.worker, hr)
    pay(discipline, message, discipline.worker, hr)
    with refused(session, "R92", code="step_not_allowed"):
        pay(discipline, message, discipline.worker, hr)
    with refused(session, "R92", code="step_not_allowed"):
        fail(discipline, message, discipline.worker, hr)
    assert [(one["person_id"], one["net_fen"]) for one in said(session, "PayoutPaid")] == [
        (str(discipline.worker.person_id), 10000)
    ]
    assert [(one["attempt"], one["cause"]) for one in said(session, "PayoutFailed")] == [(1, "returned")]


def test_r092_a_payee_nobody_knows_keeps_nobody_else_from_his_money(discipline: Discipline) -> None:
    stranger = Actor(new_id(), "陌生人", "worker", "engineering", None)
    message = owed(discipline, stranger, discipline.worker)
    (failed,) = said(discipline.session, "PayoutFailed")
    assert (failed["person_id"], failed["cause"]) == (str(stranger.person_id), "unknown_payee")
    pay(discipline, message, discipline.worker, hr_of(discipline))


def test_r093_a_worker_reads_his_own_statement_with_jobs_and_fines_and_nobody_elses(discipline: Discipline) -> None:
    fined = discipline.confirm(discipline.charge(Offence.PRIVATE_JOB, discipline.worker))
    owed(
        discipline,
        discipline.worker,
        share_fen=30000,
        fine_fen=20000,
        from_bonus_fen=20000,
        net_fen=10000,
        case_numbers=[fined.number],
        jobs=[JobShare(receipt_number="SJ-1", share_fen=30000)],
    )
    (mine,) = own_statements(discipline.session, discipline.worker, month="2026-03")
    assert [(one.case_number, one.fine_fen) for one in mine.fines] == [(fined.number, 20000)]
    assert [(job.receipt_number, job.share_fen) for job in mine.line.jobs] == [("SJ-1", 30000)]
    assert own_statements(discipline.session, discipline.head, month="2026-03") == []


def test_d18_nobody_decides_twice_in_a_case_nor_confirms_what_he_is_paid_himself(discipline: Discipline) -> None:
    session, hr = discipline.session, hr_of(discipline)
    made = appealed(discipline)
    with refused(session, "D18", code="not_four_eyes"):
        answer(discipline, made, discipline.leader, uphold=True)
    assert answer(discipline, made, employ(session, "leader", "management"), uphold=True).state == "final"
    message = owed(discipline, hr)
    for act in (pay, fail):
        with refused(session, "D18", code="not_four_eyes"):
            act(discipline, message, hr, hr)
    with refused(session, "D18", code="not_four_eyes"):
        wage.set_(session, person_id=hr.person_id, monthly_wage_fen=1, actor=hr, now=NOW)


def test_d18_a_leader_does_not_decide_a_case_about_himself(discipline: Discipline) -> None:
    opened = discipline.charge(Offence.PRIVATE_JOB, discipline.leader, in_working_hours=True)
    hear(discipline.session, opened, NOW)
    facts: Any = {"case_id": opened.id, "confirm": False, "reason": "不属实", "now": NOW}
    with refused(discipline.session, "D18", code="not_four_eyes"):
        case.decide(discipline.session, actor=discipline.leader, **facts)
    other = employ(discipline.session, "leader", "management")
    assert case.decide(discipline.session, actor=other, **facts).state == "dismissed"


def test_d19_nobody_is_judged_unheard(discipline: Discipline) -> None:
    session, opened = discipline.session, discipline.charge(Offence.PRIVATE_JOB, discipline.worker)
    facts: Any = {"case_id": opened.id, "reason": "属实", "actor": discipline.leader, "now": NOW}
    with refused(session, "D19", code="step_not_allowed"):
        case.decide(session, confirm=True, **facts)
    with pytest.raises(NotYourRole):
        case.hear(session, case_id=opened.id, statement="x", attended=True, actor=discipline.clerk, now=NOW)
    hear(session, opened, NOW)
    assert case.decide(session, confirm=True, **facts).state == "decided"


def test_d19_a_penalty_is_final_when_accepted_or_after_seven_days_without_an_appeal(discipline: Discipline) -> None:
    session = discipline.session
    accepted, silent, appealing = decided(discipline), decided(discipline), appealed(discipline)
    assert (discipline.fines_told(), discipline.steps_for_hr()) == ([], [])
    accept(session, accepted, NOW)
    end_appeal_time(session, now=NOW + WEEK)
    assert (accepted.state, silent.state) == ("final", "decided")
    end_appeal_time(session, now=NOW + WEEK + SECOND)
    assert (silent.state, silent.rung, appealing.state) == ("final", 2, "appealed")
    session.flush()
    assert (discipline.fines_told(), discipline.steps_for_hr()) == ([200_00, 200_00], ["transfer"])
    late = decided(discipline)
    with refused(session, "D19", code="appeal_too_late"):
        appeal.open_(session, case_id=late.id, reason="x", actor=discipline.worker, now=NOW + WEEK + SECOND)


def test_d19_a_penalty_lifted_on_appeal_costs_nothing_and_is_no_rung(discipline: Discipline) -> None:
    lifted = answer(discipline, appealed(discipline), employ(discipline.session, "leader", "management"), uphold=False)
    assert (lifted.state, lifted.rung, discipline.fines_told()) == ("lifted", None, [])
    assert discipline.penalties(Offence.PRIVATE_JOB, discipline.worker, 1) == [("fine", 200_00)]


def test_d19_a_site_may_take_points_instead_of_money(discipline: Discipline) -> None:
    with_policy(discipline, DisciplinePolicy(fines_as_points=True))
    made = discipline.confirm(discipline.charge(Offence.PRIVATE_JOB, discipline.worker))
    assert (made.points, made.fine_fen, discipline.fines_told()) == (2, 0, [])
    (given,) = points(discipline.session, discipline.leader, person_id=discipline.worker.person_id, month="2026-04")
    assert given.points == 2


def test_d19_a_look_back_forgets_what_is_older(discipline: Discipline) -> None:
    with_policy(discipline, LadderPolicy(look_back_days=30))
    old = discipline.confirm(discipline.charge(Offence.PRIVATE_JOB, discipline.worker))
    assert discipline.penalties(Offence.PRIVATE_JOB, discipline.worker, 1)[0][0] == "transfer"
    for made in discipline.session.query(Case):
        made.happened_at = NOW - timedelta(days=31)
    discipline.session.flush()
    assert (old.rung, discipline.penalties(Offence.PRIVATE_JOB, discipline.worker, 1)) == (1, [("fine", 200_00)])


def test_d19_the_accused_is_told_of_the_case_and_of_the_decision(discipline: Discipline) -> None:
    hr = hr_of(discipline)
    decided(discipline)
    assert told(discipline, discipline.worker) == ["case_opened", "case_decided"]
    assert told(discipline, hr) == ["case_opened"]


def test_d20_a_reported_job_outside_the_shift_is_a_warning_that_climbs_no_ladder(discipline: Discipline) -> None:
    warned = discipline.confirm(private_job(discipline, hour=20))
    assert (warned.step, warned.rung, discipline.fines_told()) == ("warning", None, [])


def test_d21_a_fine_belongs_to_the_month_in_which_it_became_final(discipline: Discipline) -> None:
    made = decided(discipline)
    accept(discipline.session, made, NOW.replace(day=30, hour=10))  # six in the evening of the last day: closing
    assert (made.month, said(discipline.session, "FineConfirmed")[0]["month"]) == ("2026-05", "2026-05")


def test_d22_the_guard_has_the_wage_and_what_it_carries_to_the_next_month_is_kept(discipline: Discipline) -> None:
    session, hr = discipline.session, hr_of(discipline)
    wage.set_(session, person_id=discipline.worker.person_id, monthly_wage_fen=500000, actor=hr, now=NOW)
    (heard,) = said(session, "WageChanged")
    assert (heard["version"], heard["monthly_wage_fen"]) == (1, 500000)
    capped: Any = {"share_fen": 0, "net_fen": 0, "fine_fen": 200000, "from_wage_fen": 100000}
    with refused(session, "R93", code="line_does_not_add_up"):
        owed(discipline, discipline.worker, **capped, carried_fen=99999, guard="capped")
    owed(discipline, discipline.worker, **capped, carried_fen=100000, guard="capped")
    (mine,) = own_statements(session, discipline.worker, month="2026-03")
    assert (mine.line.carried_fen, mine.line.guard) == (100000, "capped")
