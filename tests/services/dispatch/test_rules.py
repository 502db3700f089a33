"""The departments' rules, by themselves."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from hashlib import sha256
from itertools import product

import pytest
from fastapi.routing import iter_route_contexts
from hypothesis import given
from hypothesis import strategies as st

from services.dispatch.api import api
from services.dispatch.rules.acceptance import Relation, SettlementList, SignedPaper, check_shown, check_witness
from services.dispatch.rules.access import MAY
from services.dispatch.rules.certificate import CertificatePolicy, ending_at, is_certified, valid_until, warn_at
from services.dispatch.rules.duty import (
    DutiesOfDay,
    Shift,
    WorkerDuty,
    check_duty,
    check_finding,
    check_quality,
    check_statement,
    may_go,
)
from services.dispatch.rules.hours import HoursPolicy, hours_of, is_near, is_over
from services.dispatch.rules.punctuality import PunctualityPolicy, acknowledge_due, arrive_due, is_late
from services.dispatch.rules.team import Colleague, Job, Member, choose_team, may_work, why_not
from services.dispatch.rules.visit import check_materials_bought, check_owner_told, check_start
from services.dispatch.rules.work_order import (
    ENDED,
    WORK_ORDER,
    WorkState,
    WorkStep,
    check_declinable,
    check_returnable,
)
from shared.errors import Malformed, RuleBroken
from shared.ids import new_id
from shared.messages import Certificate
from tests.services.dispatch.crew import TAP

NOON = datetime(2026, 4, 1, 12, 0, tzinfo=UTC)
DAY_SHIFT = Shift(time(8), time(17, 30))
NIGHT_SHIFT = Shift(time(22), time(6))
SITE = new_id()
JOB = Job("engineering", SITE, "water", date(2026, 4, 1))
TIMES = st.times()
MOMENTS = st.datetimes(timezones=st.just(UTC))


def duty(*, shift: Shift = DAY_SHIFT, done: tuple[date, ...] = (), overridden: bool = False) -> WorkerDuty:
    return WorkerDuty("张师傅", shift, {day: DutiesOfDay(stated=True) for day in done}, overridden=overridden)


def at(hour: int, minute: int = 0) -> datetime:
    return datetime(2026, 4, 1, hour, minute, tzinfo=UTC)


@pytest.mark.parametrize(("state", "step"), list(product(WorkState, WorkStep)))
def test_a_step_of_a_work_order_is_in_the_table_or_is_refused_with_what_is_allowed(
    state: WorkState, step: WorkStep
) -> None:
    if (state, step) in WORK_ORDER.table:
        assert WORK_ORDER.move(state, step) in WorkState
    else:
        with pytest.raises(RuleBroken) as refused:
            WORK_ORDER.move(state, step)
        assert refused.value.allowed == tuple(WORK_ORDER.steps_from(state))


def test_nothing_happens_to_a_work_order_that_has_ended_and_something_can_to_every_other() -> None:
    assert {state for state in WorkState if not WORK_ORDER.steps_from(state)} == ENDED


def test_a_work_order_is_cancelled_only_before_somebody_started() -> None:
    assert {state for state, step in WORK_ORDER.table if step is WorkStep.CANCEL} == {
        WorkState.RECEIVED,
        WorkState.ACKNOWLEDGED,
        WorkState.ASSIGNED,
        WorkState.CHECKED_IN,
        WorkState.DECLINED,
    }


def test_nobody_in_the_departments_can_create_a_job_because_every_act_is_on_an_order_that_came() -> None:
    acts = {str(route.path) for route in iter_route_contexts(api.routes) if "POST" in (route.methods or ())}
    on_what_came = ("/api/work-orders/{work_order_id}/", "/api/consultations/{consultation_id}/")
    assert {path for path in acts if not path.startswith(on_what_came)} == {
        "/api/duties",
        "/api/duties/done",
        "/api/duties/{duty_id}/retire",
        "/api/duties/{duty_id}/tick",
        "/api/duty-days/check",
        "/api/duty-days/neglect",
        "/api/owners/export",
    }


def test_what_a_refusal_at_the_home_allows_is_a_step_of_the_order_in_that_state() -> None:
    def allowed(refuse: Callable[[], None]) -> tuple[str, ...]:
        with pytest.raises(RuleBroken) as refused:
            refuse()
        return refused.value.allowed

    waits = {"visit_from": NOON, "owner_waits": True, "checked_in": False, "now": NOON}
    for state, refuse in (
        (WorkState.ASSIGNED, lambda: check_start(**waits, policy=PunctualityPolicy())),
        (WorkState.STARTED, lambda: check_materials_bought(None)),
        (WorkState.STARTED, lambda: check_owner_told("unable", told=False, at_home=True)),
        (WorkState.ASSIGNED, lambda: check_owner_told("unable", told=False, at_home=False)),
        (WorkState.FINISHED, lambda: check_shown(shown(), "0" * 64)),
        (WorkState.STARTED, lambda: check_returnable(WorkState.STARTED, returned=False)),
    ):
        assert allowed(refuse)
        assert set(allowed(refuse)) <= set(WORK_ORDER.steps_from(state))
    undone = DutiesOfDay(prescribed=1)
    worker = WorkerDuty("张师傅", DAY_SHIFT, {NOON.date(): undone})
    for refuse in (lambda: check_duty([worker], here=NOON), lambda: check_statement(undone)):
        assert allowed(refuse)
        assert set(allowed(refuse)) <= set(MAY)


def test_heads_send_and_workers_go() -> None:
    assert MAY["assign"].roles == MAY["override_duty"].roles == {"head"}
    assert MAY["arrive"].roles == MAY["accept"].roles == {"worker"}


def test_the_department_has_five_minutes_to_acknowledge_and_fifteen_to_arrive() -> None:
    assert acknowledge_due(NOON, PunctualityPolicy()) == NOON + timedelta(minutes=5)
    assert arrive_due(NOON, PunctualityPolicy()) == NOON + timedelta(minutes=15)


def test_the_last_moment_is_in_time_and_where_nothing_was_promised_nothing_is_late() -> None:
    assert not is_late(NOON, NOON)
    assert is_late(NOON, NOON + timedelta(microseconds=1))
    assert not is_late(None, NOON)


def test_a_worker_in_his_shift_may_not_go_before_his_duties_of_the_day_are_done() -> None:
    assert not may_go(duty(), here=at(10))
    assert not may_go(duty(done=(date(2026, 3, 31),)), here=at(10))
    assert may_go(duty(done=(date(2026, 4, 1),)), here=at(10))


def test_a_worker_may_go_outside_his_shift_which_begins_on_its_minute_and_is_over_on_its_last() -> None:
    assert may_go(duty(), here=at(7, 59))
    assert not may_go(duty(), here=at(8))
    assert not may_go(duty(), here=at(17, 29))
    assert may_go(duty(), here=at(17, 30))


def test_a_worker_without_a_shift_may_go_unless_duties_are_prescribed_to_him() -> None:
    assert may_go(duty(shift=Shift(None, None)), here=at(10))
    held = {date(2026, 4, 1): DutiesOfDay(prescribed=2, ticked=1)}
    assert not may_go(WorkerDuty("张师傅", Shift(None, None), held), here=at(10))
    assert may_go(WorkerDuty("张师傅", Shift(None, None), held), here=at(10) + timedelta(days=1))


def test_a_public_holiday_of_the_site_holds_nobody() -> None:
    held = {date(2026, 4, 1): DutiesOfDay(prescribed=1)}
    for shift in (DAY_SHIFT, Shift(None, None)):
        assert not may_go(WorkerDuty("张师傅", shift, held), here=at(10))
        assert may_go(WorkerDuty("张师傅", shift, held, holidays=frozenset({date(2026, 4, 1)})), here=at(10))
    night = WorkerDuty("张师傅", NIGHT_SHIFT, holidays=frozenset({date(2026, 3, 31)}))
    assert may_go(night, here=at(2))
    assert not may_go(night, here=at(22))


def test_a_day_is_done_when_all_that_is_prescribed_is_ticked_or_nothing_is_and_he_says_so() -> None:
    assert [DutiesOfDay(prescribed=2, ticked=ticked).done for ticked in range(3)] == [False, False, True]
    assert not DutiesOfDay(prescribed=2, stated=True).done
    assert DutiesOfDay(stated=True).done
    assert not DutiesOfDay().done


def test_work_the_head_found_bad_is_not_done_until_he_finds_it_good() -> None:
    for good, done in ((False, False), (True, True), (None, True)):
        assert DutiesOfDay(prescribed=1, ticked=1, good=good).done is done
        assert DutiesOfDay(stated=True, good=good).done is done
    assert not DutiesOfDay(prescribed=1, good=True).done


def test_where_duties_are_prescribed_each_is_ticked_and_one_statement_is_not_enough() -> None:
    check_statement(DutiesOfDay())
    with pytest.raises(RuleBroken, match="R50"):
        check_statement(DutiesOfDay(prescribed=1))


def test_what_was_found_is_of_today_or_before_and_bad_work_has_a_note() -> None:
    check_finding(day=date(2026, 4, 1), today=date(2026, 4, 1))
    with pytest.raises(Malformed):
        check_finding(day=date(2026, 4, 2), today=date(2026, 4, 1))
    check_quality(good=True, note=None)
    check_quality(good=False, note="地没拖")
    with pytest.raises(Malformed):
        check_quality(good=False, note=None)


def test_a_worker_may_go_when_the_head_has_overridden() -> None:
    assert may_go(duty(overridden=True), here=at(10))


def test_a_night_shift_belongs_to_the_day_it_began_on() -> None:
    assert [NIGHT_SHIFT.covers(time(*at)) for at in ((21, 59), (22, 0), (5, 59), (6, 0))] == [False, True, True, False]
    assert NIGHT_SHIFT.day(at(2)) == date(2026, 3, 31)
    assert NIGHT_SHIFT.day(at(23)) == date(2026, 4, 1)
    assert may_go(duty(shift=NIGHT_SHIFT, done=(date(2026, 3, 31),)), here=at(2))
    assert not may_go(duty(shift=NIGHT_SHIFT, done=(date(2026, 3, 31),)), here=at(23))


@given(start=TIMES, end=TIMES, here=MOMENTS)
def test_duties_done_on_the_shifts_day_always_let_a_worker_go(start: time, end: time, here: datetime) -> None:
    shift = Shift(start, end)
    assert may_go(duty(shift=shift, done=(shift.day(here),)), here=here)


@given(start=TIMES, end=TIMES, here=MOMENTS)
def test_a_shift_and_its_reverse_cover_every_time_once_and_the_day_is_today_or_yesterday(
    start: time, end: time, here: datetime
) -> None:
    shift = Shift(start, end)
    if start != end:
        assert shift.covers(here.time()) != Shift(end, start).covers(here.time())
    assert here.date() - shift.day(here) in (timedelta(0), timedelta(days=1))


def test_a_refusal_for_duties_names_everybody_who_is_held() -> None:
    with pytest.raises(RuleBroken, match=r"张师傅, 李师傅.*R50"):
        check_duty([duty(), WorkerDuty("李师傅", DAY_SHIFT)], here=at(10))
    check_duty([duty(overridden=True)], here=at(10))


def colleague(**changes: object) -> Colleague:
    facts = {
        "name": "张师傅",
        "role": "worker",
        "department": "engineering",
        "active": True,
        "site_ids": frozenset({SITE}),
    }
    return Colleague(**facts | changes)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "changes",
    [{"role": "head"}, {"department": "environment"}, {"active": False}, {"site_ids": frozenset({new_id()})}],
)
def test_only_an_active_worker_of_the_department_at_the_site_may_be_sent(changes: dict[str, object]) -> None:
    assert may_work(colleague(), department="engineering", site_id=SITE)
    assert may_work(colleague(site_ids=None), department="engineering", site_id=SITE)
    assert not may_work(colleague(**changes), department="engineering", site_id=SITE)


def test_a_team_keeps_the_heads_order_and_weights() -> None:
    first, second = new_id(), new_id()
    people = {first: colleague(), second: colleague(name="李师傅")}
    team = choose_team([Member(second, 2), Member(first)], people, JOB)
    assert [(share.name, share.weight) for share in team] == [("李师傅", 2), ("张师傅", 1)]


def test_a_person_who_may_not_work_here_or_is_unknown_is_not_sent() -> None:
    person = new_id()
    for people in ({}, {person: colleague(role="head")}):
        with pytest.raises(RuleBroken, match="R30"):
            choose_team([Member(person)], people, JOB)


@pytest.mark.parametrize("howmany", [0, 21])
def test_a_team_has_one_to_twenty_workers(howmany: int) -> None:
    people = {new_id(): colleague() for _ in range(howmany)}
    with pytest.raises(Malformed):
        choose_team([Member(person) for person in people], people, JOB)


@pytest.mark.parametrize("weight", [0, 101, -1])
def test_a_weight_is_from_1_to_100(weight: int) -> None:
    person = new_id()
    with pytest.raises(Malformed):
        choose_team([Member(person, weight)], {person: colleague()}, JOB)


def test_a_worker_is_named_once() -> None:
    person = new_id()
    with pytest.raises(Malformed):
        choose_team([Member(person), Member(person)], {person: colleague()}, JOB)


def shown(**changes: object) -> SettlementList:
    facts = {
        "notice_number": "TZ-BK-20260401-0001",
        "round": 0,
        "revision": 0,
        "description": "水龙头漏水",
        "items": [TAP],
        "fee_fen": 5000,
        "price_version": 1,
    }
    return SettlementList.model_validate(facts | changes)


def paper(**changes: object) -> SignedPaper:
    facts = {
        "shown": shown(),
        "signer_name": "欧阳建国",
        "relation": Relation.OWNER,
        "witness_name": None,
        "signature": "<svg/>",
    }
    return SignedPaper.model_validate(facts | changes)


def test_the_signed_hash_is_that_of_the_canonical_json_anybody_can_make() -> None:
    written = (
        '{"relation":"owner","shown":{"description":"水龙头漏水","fee_fen":5000,"items":[{"amount_fen":5000,'
        '"code":"tap","name":"换水龙头","quantity":1,"unit":"个","unit_fen":5000}],"materials":'
        '"材料、配件由业主自行购买（业主自购），服务人员不得代购","notice_number":"TZ-BK-20260401-0001",'
        '"price_version":1,"revision":0,"round":0},"signature":"<svg/>","signer_name":"欧阳建国","witness_name":null}'
    )
    assert paper().sha256() == sha256(written.encode()).hexdigest()


@pytest.mark.parametrize(
    "changes",
    [
        {"signer_name": "欧阳"},
        {"relation": Relation.OCCUPANT},
        {"witness_name": "王保安"},
        {"signature": "<svg></svg>"},
    ],
)
def test_whatever_is_changed_on_the_signed_paper_changes_its_hash(changes: dict[str, object]) -> None:
    assert paper(**changes).sha256() != paper().sha256()


@pytest.mark.parametrize(
    "changes",
    [
        {"notice_number": "TZ-BK-20260401-0002"},
        {"round": 1},
        {"revision": 1},
        {"description": "水龙头"},
        {"items": []},
        {"items": [TAP | {"quantity": 2}]},
        {"fee_fen": 5001},
        {"price_version": 2},
    ],
)
def test_whatever_changed_on_the_notice_since_it_was_shown_is_shown_again_before_it_is_signed(
    changes: dict[str, object],
) -> None:
    check_shown(shown(), shown().sha256())
    assert paper(shown=shown(**changes)).sha256() != paper().sha256()
    with pytest.raises(RuleBroken, match=r"show it again.*D23"):
        check_shown(shown(**changes), shown().sha256())


def test_owner_and_occupant_need_no_witness() -> None:
    for relation in (Relation.OWNER, Relation.OCCUPANT):
        check_witness(relation, signer_name="欧阳建国", witness_name=None, reason=None)


@pytest.mark.parametrize(
    ("witness_name", "reason"), [(None, None), ("王保安", None), (None, "业主外出"), ("张师傅", "业主外出")]
)
def test_when_nobody_can_sign_a_reason_and_a_second_person_are_needed(
    witness_name: str | None, reason: str | None
) -> None:
    check_witness(Relation.WITNESSED, signer_name="张师傅", witness_name="王保安", reason="业主外出")
    with pytest.raises(Malformed, match="D23"):
        check_witness(Relation.WITNESSED, signer_name="张师傅", witness_name=witness_name, reason=reason)


def test_a_worker_does_the_trades_he_knows_and_all_of_his_department_when_nothing_is_said() -> None:
    person = new_id()
    for skills in (None, frozenset({"water", "electricity"})):
        assert why_not(colleague(skills=skills), person, JOB) == ""
    assert "张师傅" in why_not(colleague(skills=frozenset({"electricity"})), person, JOB)


def electrician(until: date) -> tuple[Certificate, ...]:
    return (Certificate(kind="low_voltage_electrician", number="T1", valid_until=until),)


def test_electrical_work_needs_a_certificate_that_is_valid_on_the_day_and_other_work_none() -> None:
    day = JOB.day
    assert is_certified("water", (), day=day)
    assert not is_certified("electricity", (), day=day)
    assert is_certified("electricity", electrician(day), day=day)
    assert not is_certified("electricity", electrician(day - timedelta(days=1)), day=day)
    renewed = electrician(day - timedelta(days=1)) + electrician(day + timedelta(days=365))
    assert is_certified("electricity", renewed, day=day)
    assert valid_until("electricity", renewed) == day + timedelta(days=365)
    assert valid_until("water", renewed) is None


def test_everybody_sent_to_electrical_work_is_certified_and_who_is_not_is_named() -> None:
    first, second, third = new_id(), new_id(), new_id()
    people = {
        first: colleague(certificates=electrician(JOB.day)),
        second: colleague(name="李师傅"),
        third: colleague(name="赵师傅"),
    }
    wires = replace(JOB, trade="electricity")
    assert len(choose_team([Member(first)], people, wires)) == 1
    with pytest.raises(RuleBroken, match=r"李师傅, 赵师傅.*R66"):
        choose_team([Member(person) for person in people], people, wires)


def test_the_end_of_a_certificate_is_told_thirty_days_before_at_midnight_of_the_site() -> None:
    told = warn_at(date(2026, 5, 1), CertificatePolicy(), zone="Asia/Shanghai")
    assert told == datetime(2026, 3, 31, 16, 0, tzinfo=UTC)
    certificate, site = new_id(), new_id()
    assert ending_at(certificate, site) == ending_at(certificate, site) != ending_at(certificate, new_id())


def start(**changes: object) -> None:
    facts = {"visit_from": NOON, "owner_waits": False, "checked_in": False, "now": NOON, "policy": PunctualityPolicy()}
    check_start(**facts | changes)  # type: ignore[arg-type]


def test_nobody_comes_more_than_an_hour_before_the_agreed_time() -> None:
    start(now=NOON - timedelta(hours=1))
    with pytest.raises(RuleBroken, match="R30"):
        start(now=NOON - timedelta(hours=1, microseconds=1))


def test_a_waiting_owner_is_fetched_at_the_desk_at_any_time() -> None:
    start(owner_waits=True, checked_in=True, now=NOON - timedelta(hours=2))
    with pytest.raises(RuleBroken, match="R45"):
        start(owner_waits=True)


def test_work_is_done_only_with_what_the_owner_bought() -> None:
    check_materials_bought(complete=True)
    for complete in (None, False):
        with pytest.raises(RuleBroken, match="R58"):
            check_materials_bought(complete)


def test_a_job_beyond_us_is_given_up_when_the_owner_was_told() -> None:
    check_owner_told("unable", told=True, at_home=True)
    for cause in ("safety", "owner"):
        check_owner_told(cause, told=False, at_home=True)
    with pytest.raises(RuleBroken, match="R61"):
        check_owner_told("unable", told=False, at_home=True)


def test_hours_near_the_limit_are_more_than_thirty_two_and_over_it_more_than_thirty_six() -> None:
    policy = HoursPolicy()
    assert [is_near(minutes, policy) for minutes in (32 * 60, 32 * 60 + 1)] == [False, True]
    assert [is_over(minutes, policy) for minutes in (36 * 60, 36 * 60 + 1)] == [False, True]
    person = new_id()
    assert hours_of(person, "2026-04") == hours_of(person, "2026-04") != hours_of(person, "2026-05")


def test_a_rework_is_not_declined() -> None:
    check_declinable(0)
    with pytest.raises(RuleBroken, match="R39"):
        check_declinable(1)


@pytest.mark.parametrize("state", WorkState)
def test_a_notice_returns_to_the_desk_once_and_after_the_job(state: WorkState) -> None:
    if state in (WorkState.ACCEPTED, WorkState.TERMINATED):
        check_returnable(state, returned=False)
        with pytest.raises(RuleBroken, match="back"):
            check_returnable(state, returned=True)
    else:
        with pytest.raises(RuleBroken, match="D27"):
            check_returnable(state, returned=False)


def test_an_order_is_declined_before_anybody_left_and_what_was_agreed_anew_brings_it_back() -> None:
    assert {state for state, step in WORK_ORDER.table if step is WorkStep.DECLINE} == {
        WorkState.RECEIVED,
        WorkState.ACKNOWLEDGED,
        WorkState.ASSIGNED,
    }
    assert WORK_ORDER.steps_from(WorkState.DECLINED) == ["cancel", "revise"]
    for state in set(WorkState) - ENDED - {WorkState.DECLINED}:
        assert WORK_ORDER.move(state, WorkStep.REVISE) is state
    assert WORK_ORDER.move(WorkState.DECLINED, WorkStep.REVISE) is WorkState.RECEIVED
