"""A site's hours, holidays and leaders in charge, and the organisation as a tree [R6, R36, R77]."""

from datetime import date, datetime, time, timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from services.hr.actions import post, site
from services.hr.models import Site
from services.hr.queries.company import organisation
from services.hr.queries.sites import holidays, leaders, site_changes
from services.hr.rules.holiday import public_holidays
from services.hr.rules.post import check_leader
from services.hr.rules.site import check_hours
from shared.errors import Malformed, NotFound, RuleBroken
from shared.ids import new_id
from shared.messages import Department
from shared.people import Actor
from tests.people import employ, open_site, published

TOLD = [("SiteChanged", other) for other in ("intake", "dispatch", "finance")]


@pytest.fixture
def administrator(session: Session) -> Actor:
    return employ(session, "administrator", "administration")


def change(session: Session, site_id: UUID, actor: Actor, now: datetime, **facts: Any) -> Site:
    wanted: dict[str, Any] = {"name": None, "closing": None, "opens": None, "closes_service": None, "reason": "冬令"}
    made = site.change(session, site_id=site_id, actor=actor, now=now, **wanted | facts)
    session.flush()
    return made


def last_told(session: Session) -> dict[str, Any]:
    body: dict[str, Any] = session.execute(
        text("SELECT body FROM outbox WHERE type = 'SiteChanged' ORDER BY sequence DESC LIMIT 1")
    ).scalar_one()
    return body


def test_the_table_of_holidays_knows_the_spring_festival_and_the_days_moved_in_2026() -> None:
    found = public_holidays(2026)
    assert found[date(2026, 2, 17)] == "春节"
    assert date(2026, 10, 7) in found
    assert date(2026, 10, 10) not in found
    assert {day.year for day in found} == {2026}


@pytest.mark.parametrize(
    ("opens", "closes_service", "code"),
    [
        (time(8), None, "half_of_hours"),
        (None, time(18), "half_of_hours"),
        (time(18), time(8), "hours_backwards"),
        (time(8), time(8), "hours_backwards"),
    ],
)
def test_service_hours_are_whole_and_end_after_they_start(
    opens: time | None, closes_service: time | None, code: str
) -> None:
    check_hours(None, None)
    check_hours(time(8), time(20))
    with pytest.raises(Malformed) as refused:
        check_hours(opens, closes_service)
    assert refused.value.code == code


@pytest.mark.parametrize(
    ("role", "active", "at_site"), [("head", True, True), ("leader", False, True), ("leader", True, False)]
)
def test_in_charge_is_a_leader_who_works_at_the_site(role: str, *, active: bool, at_site: bool) -> None:
    check_leader("leader", active=True, at_site=True)
    with pytest.raises(RuleBroken) as refused:
        check_leader(role, active=active, at_site=at_site)
    assert refused.value.code == "not_a_leader"


def test_a_new_site_keeps_the_holidays_of_this_and_the_next_year_and_tells_them(
    session: Session, administrator: Actor
) -> None:
    new_year = datetime.fromisoformat("2026-12-31T16:00:00Z")  # 2027 in Shanghai
    made = site.open_(session, code="BK", name="碧空苑", zone="Asia/Shanghai", closing=time(18), now=new_year)
    session.flush()
    kept = holidays(session, administrator, made.id)
    assert {one.day.year for one in kept} == {2027, 2028}
    assert last_told(session)["holidays"] == [str(one.day) for one in kept]


def test_a_changed_closing_is_told_with_a_higher_version_and_kept_with_who_when_and_why(
    session: Session, site_id: UUID, administrator: Actor, now: datetime
) -> None:
    made = change(session, site_id, administrator, now, closing=time(17, 30), opens=time(8), closes_service=time(20))
    assert (made.version, made.closing) == (2, time(17, 30))
    assert published(session) == TOLD
    assert (last_told(session)["version"], last_told(session)["closing"]) == (2, "17:30:00")
    (kept,) = site_changes(session, administrator, site_id)
    assert (kept.version, kept.changed_by, kept.changed_at, kept.reason) == (
        2,
        administrator.person_id,
        now,
        "冬令",
    )
    assert kept.changes == {
        "closing": ["18:00:00", "17:30:00"],
        "opens": [None, "08:00:00"],
        "closes_service": [None, "20:00:00"],
    }


def test_a_change_that_changes_nothing_is_refused(
    session: Session, site_id: UUID, administrator: Actor, now: datetime
) -> None:
    for facts in ({}, {"closing": time(18)}, {"name": "BK 小区"}):
        with pytest.raises(RuleBroken) as refused:
            change(session, site_id, administrator, now, **facts)
        assert refused.value.code == "nothing_changes"


def test_what_was_changed_of_a_site_stays_as_it_was_written(
    session: Session, site_id: UUID, administrator: Actor, now: datetime
) -> None:
    change(session, site_id, administrator, now, name="碧空苑")
    with pytest.raises(DBAPIError):
        session.execute(text("UPDATE site_changes SET reason = 'x'"))


def test_a_holiday_is_added_once_removed_once_and_told_each_time(
    session: Session, site_id: UUID, administrator: Actor, now: datetime
) -> None:
    day = date(2026, 4, 6)
    facts: dict[str, Any] = {"site_id": site_id, "day": day, "actor": administrator, "now": now}
    site.add_holiday(session, name="清明节", **facts)
    assert last_told(session)["holidays"] == ["2026-04-06"]
    with pytest.raises(RuleBroken) as refused:
        site.add_holiday(session, name="清明节", **facts)
    assert refused.value.code == "holiday_already"
    site.remove_holiday(session, reason="调休", **facts)
    assert last_told(session)["holidays"] == []
    with pytest.raises(RuleBroken) as refused:
        site.remove_holiday(session, reason="调休", **facts)
    assert refused.value.code == "no_holiday"
    changes = [(one.version, one.changes, one.reason) for one in site_changes(session, administrator, site_id)]
    assert changes == [
        (2, {"holiday": [None, "2026-04-06"]}, "清明节"),
        (3, {"holiday": ["2026-04-06", None]}, "调休"),
    ]


def test_a_year_of_holidays_is_filled_up_once_around_those_known(
    session: Session, site_id: UUID, administrator: Actor, now: datetime
) -> None:
    facts: dict[str, Any] = {"site_id": site_id, "actor": administrator, "now": now}
    site.add_holiday(session, day=date(2027, 10, 1), name="国庆节", **facts)
    site.fill_holidays(session, year=2027, reason="已公布", **facts)
    session.flush()
    assert [one.day for one in holidays(session, administrator, site_id)] == sorted(public_holidays(2027))
    assert last_told(session)["holidays"] == [str(day) for day in sorted(public_holidays(2027))]
    with pytest.raises(RuleBroken) as refused:
        site.fill_holidays(session, year=2027, reason="已公布", **facts)
    assert refused.value.code == "nothing_changes"


def test_a_leader_in_charge_is_followed_by_another_and_both_are_kept(
    session: Session, site_id: UUID, administrator: Actor, now: datetime
) -> None:
    first, second = (employ(session, "leader", "management", site_id) for _ in range(2))
    facts: dict[str, Any] = {"site_id": site_id, "department": "engineering", "actor": administrator}
    later = now + timedelta(days=30)
    site.name_leader(session, leader_id=first.person_id, now=now, **facts)
    session.flush()
    with pytest.raises(RuleBroken) as refused:
        site.name_leader(session, leader_id=first.person_id, now=later, **facts)
    assert refused.value.code == "in_charge_already"
    site.name_leader(session, leader_id=second.person_id, now=later, **facts)
    kept = leaders(session, administrator, site_id)
    assert [(one.leader_id, one.since, one.until) for one in kept] == [
        (first.person_id, now, later),
        (second.person_id, later, None),
    ]


def test_in_charge_is_nobody_unknown_no_worker_and_no_leader_of_another_site(
    session: Session, site_id: UUID, administrator: Actor, now: datetime
) -> None:
    facts: dict[str, Any] = {"site_id": site_id, "department": "engineering", "actor": administrator, "now": now}
    with pytest.raises(NotFound):
        site.name_leader(session, leader_id=new_id(), **facts)
    worker = employ(session, "worker", "engineering", site_id)
    elsewhere = employ(session, "leader", "management", open_site(session, "XH"))
    for person in (worker, elsewhere):
        with pytest.raises(RuleBroken) as refused:
            site.name_leader(session, leader_id=person.person_id, **facts)
        assert refused.value.code == "not_a_leader"


def test_a_site_of_others_does_not_exist(session: Session, site_id: UUID, now: datetime) -> None:
    elsewhere = employ(session, "administrator", "administration", open_site(session, "XH"))
    with pytest.raises(NotFound):
        change(session, site_id, elsewhere, now, name="x")
    for read in (site_changes, holidays, leaders):
        with pytest.raises(NotFound):
            read(session, elsewhere, site_id)


def test_the_organisation_shows_each_site_with_its_departments_heads_and_leaders(
    session: Session, site_id: UUID, administrator: Actor, now: datetime
) -> None:
    leader = employ(session, "leader", "management", name="王总")
    worker = employ(session, "worker", "engineering", site_id, name="A 师傅")
    head = employ(session, "head", "engineering", site_id, name="Z 主管")
    employ(session, "worker", "engineering", open_site(session, "XH"))
    site.name_leader(
        session, site_id=site_id, department="engineering", leader_id=leader.person_id, actor=administrator, now=now
    )
    session.flush()
    (branch,) = organisation(session, head)
    by_department = {one.department: one for one in branch.departments}
    assert set(by_department) == {"engineering", "management", "administration"}
    engineering = by_department["engineering"]
    assert (engineering.leader_id, engineering.leader_name) == (leader.person_id, "王总")
    assert [(one.person_id, one.is_head) for one in engineering.people] == [
        (head.person_id, True),
        (worker.person_id, False),
    ]
    assert by_department["management"].leader_id is None
    assert [one.code for one in organisation(session, administrator)] == ["BK", "XH"]


def test_a_leader_is_in_charge_until_he_leaves_or_has_no_such_post_at_the_site_any_more(
    session: Session, site_id: UUID, administrator: Actor, now: datetime
) -> None:
    other, later = open_site(session, "XH"), now + timedelta(days=30)
    leads: dict[str, Any] = {"role": "leader", "department": "management"}
    nowhere: dict[str, Any] = {"all_sites": False, "shift_start": None, "shift_end": None, "reason": "调岗"}
    cases: dict[Department, tuple[dict[str, Any] | None, datetime | None]] = {
        "engineering": (None, later),
        "environment": ({**leads, "site_ids": [other]}, later),
        "finance": ({"role": "clerk", "department": "front_desk", "site_ids": [site_id]}, later),
        "front_desk": ({**leads, "site_ids": [site_id, other]}, None),
    }
    for department, (moved, until) in cases.items():
        person_id = employ(session, "leader", "management", site_id).person_id
        facts: dict[str, Any] = {"person_id": person_id, "actor": administrator, "now": later}
        site.name_leader(
            session, site_id=site_id, department=department, leader_id=person_id, actor=administrator, now=now
        )
        session.flush()
        if moved is None:
            post.let_leave(session, **facts)
        else:
            post.move(session, **facts, **nowhere, **moved)
        session.flush()
        kept = {one.department: one.until for one in leaders(session, administrator, site_id)}
        assert kept[department] == until
    in_charge = {one.department for one in organisation(session, administrator)[0].departments if one.leader_id}
    assert in_charge == {"front_desk"}


def test_service_hours_are_cleared_and_never_given_and_cleared_at_once(
    session: Session, site_id: UUID, administrator: Actor, now: datetime
) -> None:
    change(session, site_id, administrator, now, opens=time(8), closes_service=time(20))
    cleared = change(session, site_id, administrator, now, clear_hours=True)
    assert (cleared.opens, cleared.closes_service) == (None, None)
    assert site_changes(session, administrator, site_id)[-1].changes == {
        "opens": ["08:00:00", None],
        "closes_service": ["20:00:00", None],
    }
    with pytest.raises(RuleBroken) as again:
        change(session, site_id, administrator, now, clear_hours=True)
    assert again.value.code == "nothing_changes"
    with pytest.raises(Malformed) as both:
        change(session, site_id, administrator, now, clear_hours=True, opens=time(8), closes_service=time(20))
    assert both.value.code == "hours_given_and_cleared"


def test_what_is_kept_of_a_site_that_does_not_exist_is_not_found(session: Session, administrator: Actor) -> None:
    for read in (site_changes, holidays, leaders):
        with pytest.raises(NotFound):
            read(session, administrator, new_id())
