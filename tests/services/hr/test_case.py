"""Discipline cases: opened, numbered, decided [R78-R88, D6, D7, D18-D21]."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime, time, timedelta
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from services.hr.actions import case, post
from services.hr.models import Case, HrTask, Person
from services.hr.queries.cases import case_by_id, cases
from services.hr.rules.case import (
    CASE,
    CaseState,
    CaseStep,
    Charge,
    case_series,
    check_charge,
    check_override,
)
from services.hr.rules.ladder import Offence
from services.hr.tasks import hear_cash_not_handed_over, hear_cash_returned, hear_duty_overridden
from shared.errors import Malformed, NotFound, NotYet, RuleBroken
from shared.ids import new_id
from shared.messages import CashNotHandedOver, CashReturned, DutyOverridden
from shared.people import Actor
from tests.people import employ, open_site, published
from tests.services.hr.court import decide, finish

Opens = Callable[..., Case]


@pytest.fixture
def clerk(session: Session, site_id: UUID) -> Actor:
    return employ(session, "clerk", "front_desk", site_id)


@pytest.fixture
def worker(session: Session, site_id: UUID) -> Actor:
    return employ(session, "worker", "engineering", site_id, name="李雷")


@pytest.fixture
def head(session: Session, site_id: UUID) -> Actor:
    return employ(session, "head", "engineering", site_id)


@pytest.fixture
def leader(session: Session) -> Actor:
    return employ(session, "leader", "management")


@pytest.fixture
def opens(session: Session, site_id: UUID, clerk: Actor, worker: Actor, now: datetime) -> Opens:
    """Open a private job of the worker, or what is said instead."""

    def open_case(at: datetime = now, actor: Actor = clerk, **facts: Any) -> Case:
        charge = Charge(
            offence=Offence.PRIVATE_JOB,
            site_id=site_id,
            person_id=worker.person_id,
            happened_at=now,
            evidence="业主来电反映",
        )
        made = case.open_(session, charge=replace(charge, **facts), actor=actor, now=at)
        session.flush()
        return made

    return open_case


def fines(session: Session) -> list[dict[str, Any]]:
    return list(
        session.execute(text("SELECT body FROM outbox WHERE type = 'FineConfirmed' ORDER BY sequence")).scalars()
    )


def missing(site_id: UUID, holder: Actor, **facts: Any) -> CashNotHandedOver:
    return CashNotHandedOver(
        **{
            "missing_id": new_id(),
            "site_id": site_id,
            "day": date(2026, 3, 31),
            "holder_id": holder.person_id,
            "holder_name": holder.name,
            "amount_fen": 12000,
            "receipt_numbers": ["SJ-1", "SJ-2"],
            "found_at": datetime.fromisoformat("2026-04-01T01:00:00Z"),
            **facts,
        }
    )


def override(site_id: UUID, head: Actor) -> DutyOverridden:
    return DutyOverridden(
        override_id=new_id(),
        request_id=new_id(),
        site_id=site_id,
        department="engineering",
        worker_id=new_id(),
        head_id=head.person_id,
        reason="业主家漏水",
        overridden_at=datetime.fromisoformat("2026-04-01T01:00:00Z"),
    )


@pytest.fixture
def moves(session: Session, now: datetime) -> Callable[..., Person]:
    """Somebody employed as said ten days ago who has another post since five days ago."""
    administrator = employ(session, "administrator", "administration")
    day: dict[str, Any] = {"shift_start": time(8), "shift_end": time(17, 30), "all_sites": False}

    def move(before: dict[str, Any], after: dict[str, Any]) -> Person:
        facts = {"department": "engineering", "actor": administrator, **day}
        made = post.employ(session, **{"name": "韩梅", **facts, **before, "now": now - timedelta(days=10)})
        session.flush()
        return post.move(
            session, person_id=made.id, reason="调岗", **{**facts, **before, **after, "now": now - timedelta(days=5)}
        )

    return move


# --- rules ------------------------------------------------------------------------------------------------------


@given(state=st.sampled_from(CaseState), step=st.sampled_from(CaseStep))
def test_only_a_case_that_was_heard_is_decided_and_only_an_appealed_one_lifted(
    state: CaseState, step: CaseStep
) -> None:
    starts = {
        CaseStep.CONFIRM: {CaseState.HEARD},
        CaseStep.DISMISS: {CaseState.HEARD},
        CaseStep.HEAR: {CaseState.OPEN},
        CaseStep.ACCEPT: {CaseState.DECIDED},
        CaseStep.LAPSE: {CaseState.DECIDED},
        CaseStep.APPEAL: {CaseState.DECIDED},
        CaseStep.UPHOLD: {CaseState.APPEALED},
        CaseStep.LIFT: {CaseState.APPEALED},
        CaseStep.ADD_EVIDENCE: {CaseState.OPEN, CaseState.HEARD, CaseState.DECIDED, CaseState.APPEALED},
    }[step]
    if state in starts:
        CASE.move(state, step)
    else:
        with pytest.raises(RuleBroken) as refused:
            CASE.move(state, step)
        assert str(step) not in refused.value.allowed


@pytest.mark.parametrize(
    ("offence", "facts", "role", "code"),
    [
        (Offence.WITHHELD_CASH, {}, "worker", "amount_of_cash"),
        (Offence.PRIVATE_JOB, {"amount_fen": 100}, "worker", "amount_of_cash"),
        (Offence.PRIVATE_JOB, {"override_id": new_id()}, "worker", "override_is_neglect"),
        (Offence.WITHHELD_CASH, {"amount_fen": 1, "override_id": new_id()}, "worker", "override_is_neglect"),
        (Offence.NEGLECT, {}, "worker", "not_a_department_head"),
        (Offence.NEGLECT, {}, "leader", "not_a_department_head"),
    ],
)
def test_a_charge_has_what_belongs_to_its_offence(
    offence: Offence, facts: dict[str, Any], role: str, code: str, now: datetime
) -> None:
    charge = Charge(offence, new_id(), new_id(), now, "x", **facts)
    with pytest.raises((Malformed, RuleBroken)) as refused:
        check_charge(charge, accused_role=role, now=now)
    assert refused.value.code == code


def test_an_override_is_cited_against_whoever_gave_it(now: datetime) -> None:
    head_id = new_id()
    charge = Charge(Offence.NEGLECT, new_id(), head_id, now, "x", override_id=new_id())
    check_override(charge, head_id=head_id)
    with pytest.raises(RuleBroken, match="D8"):
        check_override(charge, head_id=new_id())


def test_cases_are_numbered_in_a_series_for_each_site_and_year() -> None:
    assert case_series(site_code="BK", year=2026) == "AJ-BK-2026"


def test_nobody_is_charged_with_what_has_not_happened_yet(now: datetime) -> None:
    check_charge(Charge(Offence.PRIVATE_JOB, new_id(), new_id(), now, "x"), accused_role="worker", now=now)
    later = Charge(Offence.PRIVATE_JOB, new_id(), new_id(), now + timedelta(seconds=1), "x")
    with pytest.raises(Malformed) as refused:
        check_charge(later, accused_role="worker", now=now)
    assert refused.value.code == "not_happened_yet"


# --- opening ----------------------------------------------------------------------------------------------------


def test_cases_are_numbered_by_site_and_year_of_the_site(
    session: Session, opens: Opens, leader: Actor, now: datetime
) -> None:
    numbers = [opens().number, opens().number]
    other = open_site(session, "XH")
    person = employ(session, "worker", "environment", other)
    numbers.append(opens(site_id=other, person_id=person.person_id, actor=leader).number)
    new_year = datetime.fromisoformat("2026-12-31T16:00:00Z")  # midnight in Shanghai
    numbers.append(opens(at=new_year - timedelta(seconds=1)).number)
    numbers.append(opens(at=new_year).number)
    assert numbers == ["AJ-BK-2026-0001", "AJ-BK-2026-0002", "AJ-XH-2026-0001", "AJ-BK-2026-0003", "AJ-BK-2027-0001"]


def test_a_case_that_was_not_kept_leaves_no_gap(session: Session, opens: Opens) -> None:
    nested = session.begin_nested()
    opens()
    nested.rollback()
    assert opens().number == "AJ-BK-2026-0001"


def test_a_case_is_opened_only_at_sites_of_whoever_opens_it(session: Session, opens: Opens) -> None:
    with pytest.raises(NotFound, match="site"):
        opens(site_id=open_site(session, "XH"))


def test_a_case_is_opened_only_about_people_of_the_site(session: Session, opens: Opens) -> None:
    stranger = employ(session, "worker", "engineering", open_site(session, "XH"))
    for person_id in (stranger.person_id, new_id()):
        with pytest.raises(NotFound, match="person"):
            opens(person_id=person_id)


def test_somebody_of_all_sites_answers_at_each(opens: Opens, leader: Actor) -> None:
    assert opens(person_id=leader.person_id).state == "open"


def test_whoever_finds_his_own_offence_may_open_its_case(opens: Opens, clerk: Actor) -> None:
    assert opens(person_id=clerk.person_id).opened_by == clerk.person_id


def test_hours_nobody_names_are_those_of_the_shift_of_that_time(
    opens: Opens, moves: Callable[..., Person], site_id: UUID, now: datetime
) -> None:
    here = {"role": "worker", "site_ids": [site_id]}
    person = moves(here, {"shift_start": time(20), "shift_end": time(23)})
    for ago, working in ((timedelta(days=7), True), (timedelta(days=2), False), (timedelta(days=2, hours=-12), True)):
        assert opens(person_id=person.id, happened_at=now - ago).in_working_hours is working
    assert opens(person_id=person.id, in_working_hours=True, happened_at=now - timedelta(days=2)).in_working_hours
    assert opens(happened_at=now - timedelta(hours=14), offence=Offence.WITHHELD_CASH, amount_fen=1).in_working_hours


def test_who_has_left_is_at_work_no_more(
    session: Session, opens: Opens, moves: Callable[..., Person], site_id: UUID, now: datetime
) -> None:
    person = moves({"role": "worker", "site_ids": [site_id]}, {"shift_start": time(7)})
    administrator = employ(session, "administrator", "administration")
    post.let_leave(session, person_id=person.id, actor=administrator, now=now - timedelta(days=1))
    assert opens(person_id=person.id, happened_at=now - timedelta(days=2)).in_working_hours
    assert not opens(person_id=person.id, happened_at=now).in_working_hours


def test_who_was_head_then_answers_for_neglect_whatever_he_is_now(
    opens: Opens, moves: Callable[..., Person], site_id: UUID, now: datetime
) -> None:
    here = {"site_ids": [site_id]}
    removed = moves({"role": "head", **here}, {"role": "worker"})
    promoted = moves({"role": "worker", **here}, {"role": "head"})
    facts: dict[str, Any] = {"offence": Offence.NEGLECT}
    then, lately = now - timedelta(days=7), now - timedelta(days=2)
    assert opens(person_id=removed.id, happened_at=then, **facts).state == "open"
    assert opens(person_id=promoted.id, happened_at=lately, **facts).state == "open"
    for person, at in ((removed, lately), (promoted, then)):
        with pytest.raises(RuleBroken) as refused:
            opens(person_id=person.id, happened_at=at, **facts)
        assert refused.value.code == "not_a_department_head"


def test_who_was_moved_away_answers_for_what_he_did_here(
    session: Session, opens: Opens, moves: Callable[..., Person], site_id: UUID, now: datetime
) -> None:
    person = moves({"role": "worker", "site_ids": [site_id]}, {"site_ids": [open_site(session, "XH")]})
    assert opens(person_id=person.id, happened_at=now - timedelta(days=7)).state == "open"
    with pytest.raises(NotFound, match="person"):
        opens(person_id=person.id, happened_at=now - timedelta(days=2))


def test_neglect_cites_an_override_of_the_head_once(
    session: Session, site_id: UUID, opens: Opens, head: Actor, now: datetime
) -> None:
    told = override(site_id, head)
    hear_duty_overridden(session, told, now=now)
    facts: dict[str, Any] = {
        "offence": Offence.NEGLECT,
        "person_id": head.person_id,
        "override_id": told.override_id,
    }
    assert opens(**facts).source_id == told.override_id
    with pytest.raises(IntegrityError, match="uq_cases_source_id"):
        opens(**facts)


def test_an_override_of_another_site_or_nowhere_cannot_be_cited(
    session: Session, opens: Opens, head: Actor, now: datetime
) -> None:
    elsewhere = override(open_site(session, "XH"), head)
    hear_duty_overridden(session, elsewhere, now=now)
    for override_id in (elsewhere.override_id, new_id()):
        with pytest.raises(NotFound, match="override"):
            opens(offence=Offence.NEGLECT, person_id=head.person_id, override_id=override_id)


# --- deciding ---------------------------------------------------------------------------------------------------


def test_a_first_private_job_is_fined_200_and_finance_is_told(
    session: Session, site_id: UUID, opens: Opens, leader: Actor, now: datetime
) -> None:
    made = finish(session, opens(), leader, now)
    assert (made.state, made.rung, made.step, made.fine_fen, made.month) == ("final", 1, "fine", 20000, "2026-04")
    assert (made.decided_by, made.decided_at, made.reason) == (leader.person_id, now, "属实")
    assert published(session) == [("FineConfirmed", "finance")]
    assert fines(session) == [
        {
            "case_id": str(made.id),
            "case_number": "AJ-BK-2026-0001",
            "site_id": str(site_id),
            "person_id": str(made.person_id),
            "person_name": "李雷",
            "offence": "private_job",
            "month": "2026-04",
            "amount_fen": 20000,
            "confirmed_at": "2026-04-01T02:00:00Z",
        }
    ]
    assert session.scalars(select(HrTask)).all() == []


def test_the_second_costs_a_transfer_besides_and_the_third_and_fourth_the_job(
    session: Session, site_id: UUID, opens: Opens, leader: Actor, worker: Actor, now: datetime
) -> None:
    decided = [finish(session, opens(), leader, now) for _ in range(4)]
    assert [(made.rung, made.step, made.fine_fen) for made in decided] == [
        (1, "fine", 20000),
        (2, "transfer", 20000),
        (3, "dismissal", 0),
        (3, "dismissal", 0),
    ]
    assert [fine["case_number"] for fine in fines(session)] == ["AJ-BK-2026-0001", "AJ-BK-2026-0002"]
    tasks = session.scalars(select(HrTask).order_by(HrTask.id)).all()
    assert [(task.kind, task.case_id) for task in tasks] == [(made.step, made.id) for made in decided[1:]]
    assert {(task.person_id, task.site_id, task.due_at) for task in tasks} == {
        (worker.person_id, site_id, now + timedelta(days=30))
    }


def test_neglect_climbs_a_ladder_of_its_own(
    session: Session, opens: Opens, leader: Actor, head: Actor, now: datetime
) -> None:
    finish(session, opens(person_id=head.person_id), leader, now)
    decided = [finish(session, opens(offence=Offence.NEGLECT, person_id=head.person_id), leader, now) for _ in range(3)]
    assert [(made.rung, made.step, made.fine_fen) for made in decided] == [
        (1, "fine", 20000),
        (2, "removal_from_post", 0),
        (3, "urged_to_resign", 0),
    ]


def test_the_count_never_expires_and_is_of_the_person_alone(
    session: Session, site_id: UUID, opens: Opens, leader: Actor, now: datetime
) -> None:
    finish(session, opens(), leader, now)
    other = employ(session, "worker", "engineering", site_id)
    assert finish(session, opens(person_id=other.person_id), leader, now).rung == 1
    years_later = now + timedelta(days=3650)
    assert finish(session, opens(), leader, years_later).rung == 2


def test_a_private_job_outside_working_hours_is_a_warning_that_is_not_counted(
    session: Session, opens: Opens, leader: Actor, now: datetime
) -> None:
    made = finish(session, opens(in_working_hours=False), leader, now)
    assert (made.rung, made.step, made.fine_fen) == (None, "warning", 0)
    assert [task.kind for task in session.scalars(select(HrTask))] == ["warning"]
    assert published(session) == []
    assert finish(session, opens(), leader, now).rung == 1


def test_withheld_cash_is_fined_its_amount_every_time(
    session: Session, opens: Opens, leader: Actor, now: datetime
) -> None:
    for amount_fen in (12345, 1):
        made = finish(session, opens(offence=Offence.WITHHELD_CASH, amount_fen=amount_fen), leader, now)
        assert (made.rung, made.step, made.fine_fen) == (None, "fine", amount_fen)
    assert [fine["amount_fen"] for fine in fines(session)] == [12345, 1]


def test_a_fine_confirmed_after_closing_of_the_last_day_is_of_the_next_month(
    session: Session, opens: Opens, leader: Actor
) -> None:
    closing = datetime.fromisoformat("2026-04-30T10:00:00Z")
    assert finish(session, opens(), leader, closing - timedelta(seconds=1)).month == "2026-04"
    assert finish(session, opens(), leader, closing).month == "2026-05"


def test_a_dismissed_case_costs_nothing_and_is_not_counted(
    session: Session, opens: Opens, leader: Actor, now: datetime
) -> None:
    made = decide(session, opens(), leader, now, confirm=False)
    assert (made.state, made.rung, made.step, made.fine_fen, made.month) == ("dismissed", None, None, None, None)
    assert published(session) == []
    assert finish(session, opens(), leader, now).rung == 1


def test_a_case_is_decided_once(session: Session, opens: Opens, leader: Actor, now: datetime) -> None:
    made = finish(session, opens(), leader, now)
    for confirm in (True, False):
        with pytest.raises(RuleBroken) as refused:
            decide(session, made, leader, now, confirm=confirm)
        assert refused.value.code == "step_not_allowed"


def test_a_leader_decides_no_case_he_opened_or_is_charged_in(
    session: Session, opens: Opens, leader: Actor, now: datetime
) -> None:
    for made in (opens(actor=leader), opens(person_id=leader.person_id)):
        with pytest.raises(RuleBroken) as refused:
            finish(session, made, leader, now)
        assert refused.value.code == "not_four_eyes"
        assert made.state == "heard"


def test_the_database_too_wants_four_eyes(session: Session, opens: Opens, worker: Actor) -> None:
    made = opens()
    with pytest.raises(IntegrityError, match="ck_cases_four_eyes"):
        session.execute(
            text("UPDATE cases SET state = 'dismissed', decided_at = now(), decided_by = person_id WHERE id = :id"),
            {"id": made.id},
        )


def test_a_leader_decides_only_at_his_sites(session: Session, opens: Opens, now: datetime) -> None:
    elsewhere = employ(session, "leader", "management", open_site(session, "XH"))
    made = opens()
    with pytest.raises(NotFound):
        decide(session, made, elsewhere, now)


def test_cases_are_listed_in_pages_by_state_and_site(
    session: Session, site_id: UUID, opens: Opens, leader: Actor, now: datetime
) -> None:
    first, second = opens(), opens()
    finish(session, first, leader, now)
    page = cases(session, leader, state=None, after=None, limit=1)
    assert ([view.number for view in page.items], page.next) == ([first.number], first.id)
    open_ones = cases(session, leader, state=CaseState.OPEN, after=None, limit=10)
    assert [(view.id, view.person_name) for view in open_ones.items] == [(second.id, "李雷")]
    elsewhere = employ(session, "hr", "hr", open_site(session, "XH"))
    assert cases(session, elsewhere, state=None, after=None, limit=10).items == []
    with pytest.raises(NotFound):
        case_by_id(session, elsewhere, first.id)


# --- missing cash -----------------------------------------------------------------------------------------------


def test_missing_cash_opens_a_case_that_nobody_opened(
    session: Session, site_id: UUID, clerk: Actor, leader: Actor, now: datetime
) -> None:
    told = missing(site_id, clerk)
    hear_cash_not_handed_over(session, told, now=now)
    (view,) = cases(session, leader, state=None, after=None, limit=10).items
    assert (view.offence, view.state, view.opened_by, view.source_id) == (
        "withheld_cash",
        "open",
        None,
        told.missing_id,
    )
    assert (view.person_id, view.amount_fen) == (clerk.person_id, 12000)
    assert view.happened_at == datetime.fromisoformat("2026-03-31T10:00:00Z")
    assert "SJ-1, SJ-2" in view.evidence
    assert finish(session, session.get_one(Case, view.id), leader, now).fine_fen == 12000


def test_missing_cash_told_twice_opens_one_case_and_uses_one_number(
    session: Session, site_id: UUID, clerk: Actor, opens: Opens, now: datetime
) -> None:
    told = missing(site_id, clerk)
    for _ in range(2):
        hear_cash_not_handed_over(session, told, now=now)
    assert len(session.scalars(select(Case)).all()) == 1
    assert opens().number == "AJ-BK-2026-0002"


def test_missing_cash_of_somebody_unknown_is_refused(
    session: Session, site_id: UUID, clerk: Actor, now: datetime
) -> None:
    with pytest.raises(NotFound):
        hear_cash_not_handed_over(session, missing(site_id, clerk, holder_id=new_id()), now=now)


def test_returned_cash_is_noted_on_the_case_which_stays_open(
    session: Session, site_id: UUID, clerk: Actor, now: datetime
) -> None:
    told = missing(site_id, clerk)
    returned = CashReturned(
        missing_id=told.missing_id,
        site_id=site_id,
        holder_id=clerk.person_id,
        amount_fen=told.amount_fen,
        returned_at=now,
    )
    with pytest.raises(NotYet):
        hear_cash_returned(session, returned, now=now)
    hear_cash_not_handed_over(session, told, now=now)
    for _ in range(2):
        hear_cash_returned(session, returned, now=now)
    (made,) = session.scalars(select(Case))
    session.refresh(made)
    assert (made.cash_returned_at, made.state) == (now, "open")
