"""People join, get a token, and leave."""

from datetime import date, time, timedelta
from functools import partial
from typing import Any, get_args
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from services.hr.actions import post, wage
from services.hr.models import Person
from services.hr.queries.posts import people, posts
from services.hr.queries.wages import wages
from services.hr.rules.post import DEPARTMENTS, check_post, check_rank, check_valid
from shared.errors import Malformed, NotFound, NotYourRole, RuleBroken
from shared.ids import new_id
from shared.messages import Certificate, Department, Role
from shared.people import Actor, identify
from tests.people import employ, open_site, published
from tests.services.hr.conftest import NOW
from tests.services.hr.statements import statements

TOLD = [("PersonChanged", other) for other in ("intake", "dispatch", "finance")]


def hire(session: Session, actor: Actor, *site_ids: UUID, **facts: Any) -> Person:
    return post.employ(
        session,
        **{
            "name": "李雷",
            "role": "worker",
            "department": "engineering",
            "site_ids": list(site_ids),
            "all_sites": not site_ids,
            "shift_start": time(8),
            "shift_end": time(17, 30),
            "actor": actor,
            "now": NOW,
            **facts,
        },
    )


@pytest.fixture
def administrator(session: Session) -> Actor:
    return employ(session, "administrator", "administration")


@given(role=st.sampled_from(get_args(Role)), department=st.sampled_from(get_args(Department)))
def test_a_role_is_held_only_in_its_departments(role: Role, department: Department) -> None:
    facts: Any = {"site_ids": [], "all_sites": True, "shift_start": None, "shift_end": None}
    if department in DEPARTMENTS[role]:
        check_post(role, department, **facts)
    else:
        with pytest.raises(Malformed) as refused:
            check_post(role, department, **facts)
        assert set(refused.value.allowed) == DEPARTMENTS[role]


def test_every_role_has_a_department() -> None:
    assert set(DEPARTMENTS) == set(get_args(Role))


@pytest.mark.parametrize(
    ("facts", "code"),
    [
        ({"site_ids": [], "all_sites": False, "shift_start": None, "shift_end": None}, "no_sites"),
        ({"site_ids": [], "all_sites": True, "shift_start": time(8), "shift_end": None}, "half_a_shift"),
        ({"site_ids": [], "all_sites": True, "shift_start": None, "shift_end": time(8)}, "half_a_shift"),
    ],
)
def test_a_post_has_sites_and_a_whole_shift_or_none(facts: Any, code: str) -> None:
    with pytest.raises(Malformed) as refused:
        check_post("worker", "engineering", **facts)
    assert refused.value.code == code


@pytest.mark.parametrize("role", sorted(set(get_args(Role)) - {"administrator"}))
def test_only_an_administrator_has_a_say_over_an_administrator(role: Role) -> None:
    check_rank(role, of="leader")
    check_rank("administrator", of="administrator")
    with pytest.raises(NotYourRole):
        check_rank(role, of="administrator")


def test_whoever_is_employed_is_told_to_everybody_and_has_no_token_yet(
    session: Session, site_id: UUID, administrator: Actor
) -> None:
    made = hire(session, administrator, site_id)
    assert (made.version, made.active, made.site_ids) == (1, True, [site_id])
    assert published(session) == TOLD


def test_a_site_named_twice_is_one_site_and_any_number_of_them_costs_one_question(
    session: Session, site_id: UUID, administrator: Actor
) -> None:
    sites = [site_id, *(open_site(session, f"S{number}") for number in range(9))]
    with statements(session) as sent:
        made = hire(session, administrator, *sites, site_id)
    assert made.site_ids == sorted(sites)
    assert len([statement for statement in sent if "FROM sites" in statement]) == 1


def test_a_token_is_worth_something_until_the_next_is_issued(
    session: Session, site_id: UUID, administrator: Actor
) -> None:
    made = hire(session, administrator, site_id)
    first = post.issue_token(session, person_id=made.id, actor=administrator)
    assert identify(session, first) is not None
    second = post.issue_token(session, person_id=made.id, actor=administrator)
    known = identify(session, second)
    assert known is not None
    assert known[0].person_id == made.id
    assert identify(session, first) is None
    assert made.version == 3
    assert published(session) == TOLD * 3


def test_a_token_is_256_random_bits_and_never_published(session: Session, site_id: UUID, administrator: Actor) -> None:
    token = post.issue_token(session, person_id=hire(session, administrator, site_id).id, actor=administrator)
    assert len(token) == 43
    bodies = session.execute(text("SELECT body::text FROM outbox")).scalars().all()
    assert not any(token in body for body in bodies)


def test_who_left_can_no_longer_act(session: Session, site_id: UUID, administrator: Actor) -> None:
    made = hire(session, administrator, site_id)
    token = post.issue_token(session, person_id=made.id, actor=administrator)
    post.let_leave(session, person_id=made.id, actor=administrator, now=NOW)
    assert (made.active, made.version) == (False, 3)
    assert identify(session, token) is None
    assert published(session) == TOLD * 3


def test_who_left_neither_leaves_again_nor_gets_a_token(session: Session, site_id: UUID, administrator: Actor) -> None:
    made = hire(session, administrator, site_id)
    post.let_leave(session, person_id=made.id, actor=administrator, now=NOW)
    for act in (partial(post.let_leave, now=NOW), post.issue_token):
        with pytest.raises(RuleBroken) as refused:
            act(session, person_id=made.id, actor=administrator)
        assert refused.value.code == "left_already"


def test_nobody_lets_himself_leave(session: Session, administrator: Actor) -> None:
    with pytest.raises(RuleBroken) as refused:
        post.let_leave(session, person_id=administrator.person_id, actor=administrator, now=NOW)
    assert refused.value.code == "not_four_eyes"


def test_an_unknown_site_employs_nobody(session: Session, administrator: Actor) -> None:
    with pytest.raises(NotFound):
        hire(session, administrator, new_id())


def test_an_unknown_person_gets_no_token(session: Session, administrator: Actor) -> None:
    with pytest.raises(NotFound):
        post.issue_token(session, person_id=new_id(), actor=administrator)


def test_hr_of_one_site_has_no_say_at_another_or_at_all_of_them(
    session: Session, site_id: UUID, administrator: Actor
) -> None:
    other = open_site(session, "XH")
    hr = employ(session, "hr", "hr", site_id)
    hire(session, hr, site_id)
    for sites in ([other], [site_id, other], []):
        with pytest.raises(NotFound):
            hire(session, hr, *sites)
        made = hire(session, administrator, *sites)
        with pytest.raises(NotFound):
            post.issue_token(session, person_id=made.id, actor=hr)


def test_hr_cannot_become_an_administrator(session: Session, administrator: Actor) -> None:
    hr = employ(session, "hr", "hr")
    with pytest.raises(NotYourRole):
        hire(session, hr, role="administrator", department="administration")
    with pytest.raises(NotYourRole):
        post.issue_token(session, person_id=administrator.person_id, actor=hr)


def test_people_are_listed_in_pages_to_those_who_share_a_site(
    session: Session, site_id: UUID, administrator: Actor
) -> None:
    hr = employ(session, "hr", "hr", site_id)
    hire(session, administrator, open_site(session, "XH"), name="韩梅梅")
    here = hire(session, administrator, site_id)
    session.flush()
    first = people(session, hr, after=None, limit=2)
    assert [person.id for person in first.items] == [administrator.person_id, hr.person_id]
    rest = people(session, hr, after=first.next, limit=2)
    assert ([person.id for person in rest.items], rest.next) == ([here.id], None)
    assert len(people(session, administrator, after=None, limit=10).items) == 4


# --- moves, skills, certificates, wages ---------------------------------------------------------------------------


def move(session: Session, person: Person, actor: Actor, **facts: Any) -> Person:
    wanted: dict[str, Any] = {
        "role": "head",
        "department": "engineering",
        "site_ids": person.site_ids,
        "all_sites": person.all_sites,
        "shift_start": time(8),
        "shift_end": time(17, 30),
        "reason": "提拔为主管",
        "now": NOW + timedelta(days=1),
        **facts,
    }
    return post.move(session, person_id=person.id, actor=actor, **wanted)


def test_a_moved_person_keeps_his_history_and_everybody_is_told(
    session: Session, site_id: UUID, administrator: Actor
) -> None:
    made = hire(session, administrator, site_id)
    other = open_site(session, "XH")
    move(session, made, administrator, site_ids=[other])
    session.flush()
    assert (made.role, made.site_ids, made.version, made.active) == ("head", [other], 2, True)
    assert published(session) == TOLD * 2
    history = posts(session, administrator, made.id)
    later = NOW + timedelta(days=1)
    assert [(one.role, one.site_ids, one.since, one.until, one.reason) for one in history] == [
        ("worker", [site_id], NOW, later, "employed"),
        ("head", [other], later, None, "提拔为主管"),
    ]
    assert {one.given_by for one in history} == {administrator.person_id}


def test_who_leaves_ends_his_post(session: Session, site_id: UUID, administrator: Actor) -> None:
    made = hire(session, administrator, site_id)
    post.let_leave(session, person_id=made.id, actor=administrator, now=NOW + timedelta(days=2))
    assert [one.until for one in posts(session, administrator, made.id)] == [NOW + timedelta(days=2)]


def test_nobody_moves_himself_nor_to_the_post_he_has(session: Session, site_id: UUID, administrator: Actor) -> None:
    made = hire(session, administrator, site_id)
    with pytest.raises(RuleBroken) as refused:
        move(session, made, administrator, role="worker")
    assert refused.value.code == "same_post"
    himself = session.get_one(Person, administrator.person_id)
    with pytest.raises(RuleBroken) as refused:
        move(session, himself, administrator, role="leader", department="management")
    assert refused.value.code == "not_four_eyes"


def test_hr_moves_nobody_to_a_site_of_others_or_to_the_rank_of_administrator(
    session: Session, site_id: UUID, administrator: Actor
) -> None:
    hr = employ(session, "hr", "hr", site_id)
    made = hire(session, administrator, site_id)
    for facts in ({"site_ids": [open_site(session, "XH")]}, {"site_ids": [], "all_sites": True}):
        with pytest.raises(NotFound):
            move(session, made, hr, **facts)
    with pytest.raises(NotYourRole):
        move(session, made, hr, role="administrator", department="administration")
    with pytest.raises(Malformed):
        move(session, made, hr, role="cashier")
    assert published(session) == TOLD


def test_skills_and_certificates_are_told_renewed_and_not_told_twice(
    session: Session, site_id: UUID, administrator: Actor
) -> None:
    made = hire(session, administrator, site_id)
    post.record_skills(session, person_id=made.id, skills=["water", "electricity", "water"], actor=administrator)
    for number, year in (("T-1", 2027), ("T-2", 2029)):
        certificate = Certificate(kind="low_voltage_electrician", number=number, valid_until=date(year, 1, 1))
        post.record_certificate(session, person_id=made.id, certificate=certificate, actor=administrator, now=NOW)
    session.flush()
    body = session.execute(text("SELECT body FROM outbox ORDER BY sequence DESC LIMIT 1")).scalar_one()
    assert (body["version"], body["skills"]) == (4, ["electricity", "water"])
    assert body["certificates"] == [{"kind": "low_voltage_electrician", "number": "T-2", "valid_until": "2029-01-01"}]
    with pytest.raises(RuleBroken, match="R60"):
        post.record_skills(session, person_id=made.id, skills=["electricity", "water"], actor=administrator)
    with pytest.raises(RuleBroken, match="R60"):
        post.record_certificate(session, person_id=made.id, certificate=certificate, actor=administrator, now=NOW)
    assert post.record_skills(session, person_id=made.id, skills=None, actor=administrator).skills is None


def test_a_certificate_is_recorded_while_it_is_valid() -> None:
    check_valid(date(2026, 4, 1), today=date(2026, 4, 1))
    with pytest.raises(Malformed) as refused:
        check_valid(date(2026, 3, 31), today=date(2026, 4, 1))
    assert refused.value.code == "expired_already"


def test_a_wage_is_told_to_finance_alone_with_a_version_and_kept_for_ever(
    session: Session, site_id: UUID, administrator: Actor
) -> None:
    hr = employ(session, "hr", "hr", site_id)
    made = hire(session, administrator, site_id)
    for fen in (500000, 550000):
        wage.set_(session, person_id=made.id, monthly_wage_fen=fen, actor=hr, now=NOW)
        session.flush()
    with pytest.raises(RuleBroken) as refused:
        wage.set_(session, person_id=made.id, monthly_wage_fen=550000, actor=hr, now=NOW)
    assert refused.value.code == "nothing_changes"
    assert published(session) == [*TOLD, ("WageChanged", "finance"), ("WageChanged", "finance")]
    bodies = session.execute(text("SELECT body FROM outbox WHERE type = 'WageChanged' ORDER BY sequence")).scalars()
    assert [(body["version"], body["monthly_wage_fen"]) for body in bodies] == [(1, 500000), (2, 550000)]
    assert [one.monthly_wage_fen for one in wages(session, hr, made.id)] == [500000, 550000]
    with pytest.raises(DBAPIError):
        session.execute(text("UPDATE wages SET monthly_wage_fen = 1"))


def test_nobody_sets_his_own_wage_and_nobody_sees_one_of_another_site(
    session: Session, site_id: UUID, administrator: Actor
) -> None:
    hr = employ(session, "hr", "hr", site_id)
    with pytest.raises(RuleBroken) as refused:
        wage.set_(session, person_id=hr.person_id, monthly_wage_fen=1, actor=hr, now=NOW)
    assert refused.value.code == "not_four_eyes"
    elsewhere = employ(session, "hr", "hr", open_site(session, "XH"))
    made = hire(session, administrator, site_id)
    for read in (wages, posts):
        with pytest.raises(NotFound):
            read(session, elsewhere, made.id)
    with pytest.raises(NotFound):
        wage.set_(session, person_id=made.id, monthly_wage_fen=1, actor=elsewhere, now=NOW)
