"""People join, get a token, and leave."""

from datetime import time
from functools import partial
from typing import Any, get_args
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import text
from sqlalchemy.orm import Session

from services.hr import queries
from services.hr.actions import post
from services.hr.models import Person
from services.hr.rules.post import DEPARTMENTS, check_post, check_rank
from shared.errors import Malformed, NotFound, NotYourRole, RuleBroken
from shared.ids import new_id
from shared.messages import Department, Role
from shared.people import Actor, identify
from tests.people import employ, open_site, published
from tests.services.hr.conftest import NOW

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
    assert refused.value.code == "not_yourself"


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
    first = queries.people(session, hr, after=None, limit=2)
    assert [person.id for person in first.items] == [administrator.person_id, hr.person_id]
    rest = queries.people(session, hr, after=first.next, limit=2)
    assert ([person.id for person in rest.items], rest.next) == ([here.id], None)
    assert len(queries.people(session, administrator, after=None, limit=10).items) == 4
