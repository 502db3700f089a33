"""The departments' rules, by themselves."""

from datetime import UTC, date, datetime, time, timedelta
from hashlib import sha256
from itertools import product

import pytest
from fastapi.routing import APIRoute
from hypothesis import given
from hypothesis import strategies as st

from services.dispatch.api import api
from services.dispatch.rules.acceptance import Relation, SignedPaper, check_witness
from services.dispatch.rules.access import MAY
from services.dispatch.rules.duty import Shift, WorkerDuty, check_duty, may_go
from services.dispatch.rules.privacy import phone_shown
from services.dispatch.rules.punctuality import PunctualityPolicy, acknowledge_due, arrive_due, is_late
from services.dispatch.rules.team import Colleague, Member, choose_team, may_work
from services.dispatch.rules.work_order import ENDED, WORK_ORDER, WorkState, WorkStep
from shared.errors import Malformed, RuleBroken
from shared.ids import new_id

NOON = datetime(2026, 4, 1, 12, 0, tzinfo=UTC)
DAY_SHIFT = Shift(time(8), time(17, 30))
NIGHT_SHIFT = Shift(time(22), time(6))
SITE = new_id()
TIMES = st.times()
MOMENTS = st.datetimes(timezones=st.just(UTC))


def duty(*, shift: Shift = DAY_SHIFT, done: tuple[date, ...] = (), overridden: bool = False) -> WorkerDuty:
    return WorkerDuty("张师傅", shift, frozenset(done), overridden)


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
    }


def test_nobody_in_the_departments_can_create_a_job_because_every_act_is_on_an_order_that_came() -> None:
    acts = {route.path for route in api.routes if isinstance(route, APIRoute) and "POST" in route.methods}
    on_what_came = ("/api/work-orders/{work_order_id}/", "/api/consultations/{consultation_id}/")
    assert {path for path in acts if not path.startswith(on_what_came)} == {"/api/duties/done"}


def test_heads_send_and_workers_go() -> None:
    assert MAY["assign"] == MAY["override_duty"] == {"head"}
    assert MAY["arrive"] == MAY["accept"] == {"worker"}


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


def test_a_worker_without_a_shift_may_always_go() -> None:
    assert may_go(duty(shift=Shift(None, None)), here=at(10))


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
        check_duty([duty(), WorkerDuty("李师傅", DAY_SHIFT, frozenset(), overridden=False)], here=at(10))
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
    team = choose_team([Member(second, 2), Member(first)], people, department="engineering", site_id=SITE)
    assert [(share.name, share.weight) for share in team] == [("李师傅", 2), ("张师傅", 1)]


def test_a_person_who_may_not_work_here_or_is_unknown_is_not_sent() -> None:
    person = new_id()
    for people in ({}, {person: colleague(role="head")}):
        with pytest.raises(RuleBroken, match="R30"):
            choose_team([Member(person)], people, department="engineering", site_id=SITE)


@pytest.mark.parametrize("howmany", [0, 21])
def test_a_team_has_one_to_twenty_workers(howmany: int) -> None:
    people = {new_id(): colleague() for _ in range(howmany)}
    with pytest.raises(Malformed):
        choose_team([Member(person) for person in people], people, department="engineering", site_id=SITE)


@pytest.mark.parametrize("weight", [0, 101, -1])
def test_a_weight_is_from_1_to_100(weight: int) -> None:
    person = new_id()
    with pytest.raises(Malformed):
        choose_team([Member(person, weight)], {person: colleague()}, department="engineering", site_id=SITE)


def test_a_worker_is_named_once() -> None:
    person = new_id()
    with pytest.raises(Malformed):
        choose_team([Member(person), Member(person)], {person: colleague()}, department="engineering", site_id=SITE)


def paper(**changes: object) -> SignedPaper:
    facts = {
        "notice_number": "TZ-BK-20260401-0001",
        "round": 0,
        "description": "水龙头漏水",
        "fee_fen": 5000,
        "price_version": 1,
        "signer_name": "欧阳建国",
        "relation": Relation.OWNER,
        "witness_name": None,
        "signature": "<svg/>",
    }
    return SignedPaper(**facts | changes)  # type: ignore[arg-type]


def test_the_signed_hash_is_that_of_the_canonical_json_anybody_can_make() -> None:
    written = (
        '{"description":"水龙头漏水","fee_fen":5000,"notice_number":"TZ-BK-20260401-0001","price_version":1,'
        '"relation":"owner","round":0,"signature":"<svg/>","signer_name":"欧阳建国","witness_name":null}'
    )
    assert paper().sha256() == sha256(written.encode()).hexdigest()


@pytest.mark.parametrize(
    "changes",
    [
        {"notice_number": "TZ-BK-20260401-0002"},
        {"round": 1},
        {"description": "水龙头"},
        {"fee_fen": 5001},
        {"price_version": 2},
        {"signer_name": "欧阳"},
        {"relation": Relation.OCCUPANT},
        {"witness_name": "王保安"},
        {"signature": "<svg></svg>"},
    ],
)
def test_whatever_is_changed_on_the_signed_paper_changes_its_hash(changes: dict[str, object]) -> None:
    assert paper(**changes).sha256() != paper().sha256()


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


def test_a_phone_number_is_masked_except_for_head_and_worker_of_an_open_order() -> None:
    for role in ("head", "worker"):
        assert phone_shown("13800138000", role=role, ended=False) == "13800138000"
        assert phone_shown("13800138000", role=role, ended=True) == "138****8000"
    for role in ("clerk", "desk_head", "auditor", "administrator"):
        assert phone_shown("13800138000", role=role, ended=False) == "138****8000"
