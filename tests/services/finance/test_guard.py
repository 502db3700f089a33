"""Fines take the bonus first, then of the wage what the guard lets them [R93, R94, D21, D22]."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from datetime import datetime, timedelta

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from sqlalchemy import text
from sqlalchemy.orm import Session

from services.finance.actions import calculation
from services.finance.models import Carryover, Settlement, SettlementLine, Wage
from services.finance.queries.settlements import SettlementView, settlement_as_left
from services.finance.rules.deduction import Deduction, GuardPolicy, deduct
from services.finance.rules.settlement import SettlementState
from services.finance.tasks import hear_wage_changed
from shared.db import WORKER, database
from shared.ids import new_id
from shared.messages import WageChanged
from shared.money import MAX_FEN
from shared.people import Actor
from shared.policy_rows import change
from tests.people import employ
from tests.services.finance.office import MAY_FIRST, MORNING, Office
from tests.services.finance.test_settlement import approve, compute, fined

JUNE_FIRST = MAY_FIRST + timedelta(days=31)
FEN = st.integers(min_value=0, max_value=MAX_FEN)
GUARDS = st.builds(
    GuardPolicy,
    mode=st.sampled_from(["off", "warn", "cap"]),
    percent=st.integers(min_value=0, max_value=100),
    minimum_wage_fen=FEN,
)
CAP = GuardPolicy(mode="cap")


def earns(office: Office, person: Actor, monthly_wage_fen: int, *, version: int = 1) -> None:
    hear_wage_changed(
        office.session,
        WageChanged(person_id=person.person_id, version=version, monthly_wage_fen=monthly_wage_fen, changed_at=MORNING),
        now=MORNING,
    )


def guard(office: Office, policy: GuardPolicy) -> None:
    change(
        office.session,
        policy,
        site_id=office.site_id,
        effective_from=MORNING,
        reason="as decided",
        actor=employ(office.session, "administrator", "management"),
        now=MORNING,
    )


def end_may(office: Office, now: datetime = JUNE_FIRST) -> SettlementView:
    """May is closed, agreed and computed."""
    office.end_month(now, month="2026-05")
    may = calculation.compute(office.session, site_id=office.site_id, month="2026-05", actor=office.lead, now=now)
    return settlement_as_left(office.session, may)


@given(st.integers(min_value=-MAX_FEN, max_value=MAX_FEN), FEN, st.none() | FEN, FEN, GUARDS)
def test_a_fine_is_borne_by_bonus_then_wage_and_the_rest_is_carried(
    bonus: int, fine: int, wage: int | None, borne: int, policy: GuardPolicy
) -> None:
    taken = deduct(bonus_fen=bonus, fine_fen=fine, wage_fen=wage, borne_fen=borne, policy=policy)
    assert taken.from_bonus_fen == min(fine, max(0, bonus))
    assert taken.from_bonus_fen + taken.from_wage_fen + taken.carried_fen == fine
    assert min(taken.from_wage_fen, taken.carried_fen, taken.net_fen, taken.share_carried_fen) >= 0
    assert bonus == taken.net_fen + taken.from_bonus_fen - taken.share_carried_fen
    if taken.from_wage_fen or taken.carried_fen:
        assert taken.net_fen == 0
    if policy.mode != "cap":
        assert taken.carried_fen == 0
    assert (taken.carried_fen > 0) == (policy.mode == "cap" and taken.guard != "")


@given(FEN, FEN, FEN, GUARDS)
def test_capped_the_wage_bears_at_most_its_percent_and_never_goes_below_the_minimum(
    fine: int, wage: int, borne: int, policy: GuardPolicy
) -> None:
    capped = policy.model_copy(update={"mode": "cap"})
    taken = deduct(bonus_fen=0, fine_fen=fine, wage_fen=wage, borne_fen=borne, policy=capped)
    if taken.from_wage_fen:
        assert (borne + taken.from_wage_fen) * 100 <= wage * policy.percent
        assert wage - borne - taken.from_wage_fen >= policy.minimum_wage_fen
    if taken.carried_fen:  # and it bears all it may: one fen more would be too much
        more = borne + taken.from_wage_fen + 1
        assert more * 100 > wage * policy.percent or wage - more < policy.minimum_wage_fen
    warned = deduct(
        bonus_fen=0,
        fine_fen=fine,
        wage_fen=wage,
        borne_fen=borne,
        policy=policy.model_copy(update={"mode": "warn"}),
    )
    assert (warned.from_wage_fen, warned.guard == "exceeds") == (fine, taken.guard == "capped")


@pytest.mark.parametrize(
    ("mode", "wage_fen", "expected"),
    [
        ("warn", 5000_00, Deduction(50_00, 1150_00, 0, "exceeds", 0, 0)),
        ("cap", 5000_00, Deduction(50_00, 1000_00, 150_00, "capped", 0, 0)),
        ("cap", 3000_00, Deduction(50_00, 310_00, 840_00, "capped", 0, 0)),
        ("cap", 2000_00, Deduction(50_00, 0, 1150_00, "capped", 0, 0)),
        ("cap", 8000_00, Deduction(50_00, 1150_00, 0, "", 0, 0)),
        ("warn", None, Deduction(50_00, 1150_00, 0, "wage_unknown", 0, 0)),
        ("cap", None, Deduction(50_00, 0, 1150_00, "wage_unknown", 0, 0)),
        ("off", 2000_00, Deduction(50_00, 1150_00, 0, "", 0, 0)),
    ],
)
def test_a_fine_of_1200_yuan_after_a_bonus_of_50(mode: str, wage_fen: int | None, expected: Deduction) -> None:
    policy = GuardPolicy(mode=mode)
    assert deduct(bonus_fen=50_00, fine_fen=1200_00, wage_fen=wage_fen, policy=policy) == expected


def test_a_fine_the_bonus_covers_says_nothing_of_the_wage() -> None:
    assert deduct(bonus_fen=5, fine_fen=5, wage_fen=None, policy=CAP) == Deduction(5, 0, 0, "", 0, 0)


def test_what_refunds_took_beyond_the_bonus_is_carried_and_nothing_is_paid() -> None:
    assert deduct(bonus_fen=-300, fine_fen=0, wage_fen=None, policy=CAP) == Deduction(0, 0, 0, "", 300, 0)


@hypothesis_settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.integers(-(10**9), 10**9), st.integers(0, 10**9), st.none() | st.integers(0, 10**9), GUARDS)
def test_the_database_holds_the_same_rule(
    office: Office, bonus: int, fine: int, wage: int | None, policy: GuardPolicy
) -> None:
    taken = deduct(bonus_fen=bonus, fine_fen=fine, wage_fen=wage, policy=policy)
    with office.session.begin_nested() as undone:
        april = office.session.execute(text("SELECT id FROM settlements")).scalar_one()
        office.session.add(
            SettlementLine(
                settlement_id=april,
                person_id=new_id(),
                name="",
                share_fen=bonus + taken.share_carried_fen,
                reward_fen=0,
                fine_fen=fine,
                case_numbers=[],
                **asdict(taken),
            )
        )
        office.session.flush()
        undone.rollback()


def test_the_newest_wage_holds_however_the_messages_come(office: Office) -> None:
    for version, wage in ((2, 6000_00), (1, 5000_00), (2, 7000_00)):
        earns(office, office.worker, wage, version=version)
    kept = office.session.get(Wage, office.worker.person_id)
    assert (kept.version, kept.monthly_wage_fen) == (2, 6000_00)


def test_by_default_all_is_deducted_and_the_approver_sees_what_exceeds(office: Office) -> None:
    earns(office, office.worker, 3000_00)
    fined(office, office.worker, 400_00)
    fined(office, office.mate, 1_00, number="CF-2")
    office.end_month()
    lines = {line.person_id: line for line in compute(office).lines}
    worker, mate = lines[office.worker.person_id], lines[office.mate.person_id]
    assert (worker.from_wage_fen, worker.carried_fen, worker.guard) == (400_00, 0, "exceeds")
    assert (mate.from_wage_fen, mate.guard) == (1_00, "wage_unknown")


def test_what_the_cap_leaves_enters_the_next_month_once_with_its_case(office: Office) -> None:
    guard(office, CAP)
    earns(office, office.worker, 3000_00)
    fined(office, office.worker, 400_00)
    office.end_month()
    april = compute(office)
    (line,) = april.lines
    assert (line.fine_fen, line.from_wage_fen, line.carried_fen, line.guard) == (400_00, 310_00, 90_00, "capped")
    assert (april.from_wage_fen, april.carried_fen) == (310_00, 90_00)
    assert office.session.query(Carryover).count() == 0
    approve(office)
    assert office.balance("fines") == -310_00
    tried = calculation.try_out(office.session, site_id=office.site_id, month="2026-05", actor=office.lead)
    may = end_may(office)
    (line,) = may.lines
    assert (line.fine_fen, line.from_wage_fen, line.case_numbers) == (90_00, 90_00, ["CF-1"])
    assert tried.lines == may.lines
    carried = office.session.query(Carryover).one()
    assert (carried.kind, carried.amount_fen, carried.settlement_id) == ("fine", 90_00, may.id)
    office.books_balance()


def test_one_wage_bears_the_fines_of_two_sites_together(office: Office) -> None:
    elsewhere = Office(office.session, code="LH")
    elsewhere.begin()
    for place in (office, elsewhere):
        guard(place, CAP)
    earns(office, office.worker, 3000_00)
    fined(office, office.worker, 200_00)
    fined(elsewhere, office.worker, 200_00, number="CF-LH")
    office.end_month()
    elsewhere.end_month()
    assert compute(office).from_wage_fen == 200_00
    (line,) = compute(elsewhere).lines
    assert (line.from_wage_fen, line.carried_fen) == (110_00, 90_00)


def test_two_sites_that_compute_at_once_take_turns_with_a_wage_they_share(installation: str) -> None:
    with database("finance", WORKER).session() as session:
        places = [Office(session), Office(session, code="LH")]
        worker = places[0].worker
        earns(places[0], worker, 3000_00)
        for place in places:
            place.begin()
            guard(place, CAP)
            fined(place, worker, 200_00, number=f"CF-{place.code}")
        session.execute(text("UPDATE settlements SET state = 'agreed'"))

    def computed(place: Office, session: Session) -> int:
        site = {"site_id": place.site_id, "month": "2026-04"}
        return int(calculation.compute(session, **site, actor=place.lead, now=MAY_FIRST).from_wage_fen)

    def alone(place: Office) -> int:
        with database("finance", WORKER).session() as session:
            return computed(place, session)

    with ThreadPoolExecutor(1) as pool:
        with database("finance", WORKER).session() as first:
            assert computed(places[0], first) == 200_00
            second = pool.submit(alone, places[1])
            with pytest.raises(TimeoutError):
                second.result(timeout=0.5)
        assert second.result(timeout=10) == 110_00


def march_left(office: Office, person: Actor, amount_fen: int) -> None:
    """An earlier month in which refunds took more than the person's share."""
    march = Settlement(
        id=new_id(), site_id=office.site_id, month="2026-03", state=SettlementState.APPROVED, closes_at=MORNING
    )
    office.session.add(march)
    office.session.flush()
    office.session.add(
        Carryover(
            from_settlement_id=march.id,
            person_id=person.person_id,
            kind="share",
            name=person.name,
            site_id=office.site_id,
            month="2026-03",
            amount_fen=amount_fen,
            case_numbers=[],
        )
    )
    office.session.flush()


def test_a_share_below_nothing_is_paid_as_nothing_and_taken_from_the_next_month(office: Office) -> None:
    office.paid(10000)
    march_left(office, office.worker, 4000)
    fined(office, office.worker, 100)
    office.end_month()
    april = compute(office)
    (line,) = april.lines
    assert (line.share_fen, line.brought_fen, line.share_carried_fen) == (0, 4000, 500)
    assert (line.net_fen, line.from_wage_fen) == (0, 100)
    assert (april.workers_fen, april.brought_fen, april.share_carried_fen, april.net_fen) == (3500, 4000, 500, 0)
    approve(office)
    assert office.balance("workers_share", office.worker) == -3500
    office.paid(10000, now=MAY_FIRST)
    may = end_may(office)
    (line,) = may.lines
    assert (line.brought_fen, line.share_fen, line.net_fen) == (500, 3000, 3000)
    assert (may.workers_fen, may.brought_fen, may.net_fen) == (3500, 500, 3000)
    office.books_balance()
