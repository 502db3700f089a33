"""Alerts: who is told, once, and who has seen it."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy.orm import Session

from shared.alerts import Alert, alerts_of, raise_alerts, see
from shared.errors import NotFound
from shared.ids import new_id
from shared.people import Actor
from tests.people import employ, open_site

NOW = datetime(2026, 4, 10, 2, tzinfo=UTC)


@pytest.fixture
def dispatch(session_of: Callable[[str], Session]) -> Session:
    return session_of("dispatch")


def kinds(session: Session, actor: Actor, *, unseen: bool = True, watches: bool = False) -> list[str]:
    page = alerts_of(session, actor, unseen=unseen, after=None, limit=100, watches=watches)
    return [alert.kind for alert in page.items]


def test_a_person_is_told_what_is_for_him_for_his_role_and_for_his_department(dispatch: Session) -> None:
    site = open_site(dispatch)
    head = employ(dispatch, "head", "engineering", site)
    told = [
        Alert("to_him", site, new_id(), person_id=head.person_id),
        Alert("to_his_role", site, new_id(), role="head"),
        Alert("to_his_department", site, new_id(), role="head", department="engineering"),
        Alert("to_another_department", site, new_id(), role="head", department="environment"),
        Alert("to_another_role", site, new_id(), role="worker"),
        Alert("to_another_person", site, new_id(), person_id=new_id()),
    ]
    raise_alerts(dispatch, told, now=NOW)
    assert kinds(dispatch, head) == ["to_him", "to_his_role", "to_his_department"]


def test_nobody_is_told_of_another_site_and_a_watcher_reads_all_of_his_sites(dispatch: Session) -> None:
    here, there = open_site(dispatch, "ONE"), open_site(dispatch, "TWO")
    head, auditor = employ(dispatch, "head", "engineering", here), employ(dispatch, "auditor", "administration", here)
    raise_alerts(dispatch, [Alert("late", there, new_id(), role="head"), Alert("late", here, new_id())], now=NOW)
    assert kinds(dispatch, head) == []
    assert kinds(dispatch, auditor, watches=True) == ["late"]


def test_what_was_told_of_a_subject_is_not_told_again(dispatch: Session) -> None:
    site = open_site(dispatch)
    head = employ(dispatch, "head", "engineering", site)
    alert = Alert("late", site, new_id(), role="head", facts={"notice": "TZ-BK-1"})
    raise_alerts(dispatch, [alert], now=NOW)
    raise_alerts(dispatch, [alert], now=NOW + timedelta(minutes=1))
    [told] = alerts_of(dispatch, head, unseen=True, after=None, limit=10).items
    assert (told.raised_at, told.facts) == (NOW, {"notice": "TZ-BK-1"})


def test_who_sees_it_first_is_kept_and_only_those_it_is_for_can(dispatch: Session) -> None:
    site = open_site(dispatch)
    first, second = employ(dispatch, "head", "engineering", site), employ(dispatch, "head", "engineering", site)
    worker = employ(dispatch, "worker", "engineering", site)
    raise_alerts(dispatch, [Alert("late", site, new_id(), role="head")], now=NOW)
    [told] = alerts_of(dispatch, first, unseen=True, after=None, limit=10).items
    with pytest.raises(NotFound):
        see(dispatch, alert_id=told.id, actor=worker, now=NOW)
    see(dispatch, alert_id=told.id, actor=first, now=NOW)
    again = see(dispatch, alert_id=told.id, actor=second, now=NOW + timedelta(minutes=1))
    assert (again.seen_by, again.seen_at) == (first.person_id, NOW)
    assert kinds(dispatch, second) == []
    assert kinds(dispatch, second, unseen=False) == ["late"]


def test_alerts_come_in_pages(dispatch: Session) -> None:
    site = open_site(dispatch)
    head = employ(dispatch, "head", "engineering", site)
    raise_alerts(dispatch, [Alert(f"late_{n}", site, new_id(), role="head") for n in range(3)], now=NOW)
    page = alerts_of(dispatch, head, unseen=True, after=None, limit=2)
    rest = alerts_of(dispatch, head, unseen=True, after=page.next, limit=2)
    assert [alert.kind for alert in (*page.items, *rest.items)] == ["late_0", "late_1", "late_2"]
    assert rest.next is None
