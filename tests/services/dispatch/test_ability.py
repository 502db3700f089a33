"""Who may do which work: trades, certificates, load and hours [R30, R60, R66, R68]."""

from datetime import date, datetime, time, timedelta
from uuid import UUID

import pytest
from sqlalchemy import text

from services.dispatch.actions import certificate, duty, visit, work_order
from services.dispatch.models import HeldCertificate, WorkOrder
from services.dispatch.queries.hours import hours, paid_visits
from services.dispatch.queries.teams import CandidateView, candidates
from services.dispatch.rules.team import Member
from shared.errors import NotYet, RuleBroken
from shared.ids import new_id
from shared.people import Actor
from tests.people import employ, open_site
from tests.services.dispatch.crew import NOW, Crew, notice, rework

TODAY = date(2026, 4, 1)
SECOND = timedelta(seconds=1)


def know(crew: Crew, actor: Actor, *trades: str) -> None:
    crew.session.execute(
        text("UPDATE people SET skills = :trades WHERE id = :id"), {"trades": list(trades), "id": actor.person_id}
    )


def wires(crew: Crew) -> WorkOrder:
    return crew.acknowledge(crew.receive(trade="electricity"))


def weighed(crew: Crew, order: WorkOrder, *, now: datetime = NOW) -> dict[str, CandidateView]:
    return {row.name: row for row in candidates(crew.session, crew.head, order.id, now=now)}


def held(crew: Crew) -> list[tuple[str, date]]:
    return [(row.number, row.valid_until) for row in crew.session.query(HeldCertificate)]


def worked(crew: Crew, minutes: int, *, start: datetime = NOW) -> WorkOrder:
    """A visit of the worker that took so long."""
    order = crew.arrive(crew.assigned(visit_from=start), now=start)
    return crew.finish(order, now=start + timedelta(minutes=minutes))


def test_a_worker_is_sent_only_to_trades_he_knows(crew: Crew) -> None:
    know(crew, crew.worker, "electricity")
    order = crew.acknowledge(crew.receive())
    with pytest.raises(RuleBroken, match=r"张师傅.*R60"):
        crew.assign(order)
    crew.session.refresh(order)
    know(crew, crew.worker, "water")
    crew.assign(order)


def test_everybody_sent_to_electrical_work_has_a_certificate_valid_on_the_day_of_the_visit(crew: Crew) -> None:
    crew.certify(crew.worker, TODAY)
    order = wires(crew)
    with pytest.raises(RuleBroken, match=r"low_voltage_electrician on 2026-04-01: 李师傅.*R66"):
        crew.assign(order, Member(crew.worker.person_id), Member(crew.mate.person_id))
    crew.session.refresh(order)
    crew.assign(order)
    tomorrow = crew.acknowledge(crew.receive(trade="electricity", visit_from=NOW + timedelta(days=1)))
    with pytest.raises(RuleBroken, match="R66"):
        crew.assign(tomorrow)


def test_the_day_of_the_visit_is_the_sites_own(crew: Crew) -> None:
    crew.certify(crew.worker, TODAY)
    after_midnight_there = datetime.fromisoformat("2026-04-01T16:30:00+00:00")
    order = crew.acknowledge(crew.receive(trade="electricity", visit_from=after_midnight_there))
    with pytest.raises(RuleBroken, match="R66"):
        crew.assign(order)


def test_a_certificate_that_is_gone_on_the_day_itself_holds_the_worker_at_the_door(crew: Crew) -> None:
    crew.certify(crew.worker, TODAY)
    crew.do_duties()
    order = crew.assign(wires(crew))
    crew.certify(crew.worker, None, version=3)
    with pytest.raises(RuleBroken, match=r"张师傅|worker.*R66"):
        crew.arrive(order)


def test_electrical_rework_needs_the_certificate_too(crew: Crew) -> None:
    first = notice(crew.site_id, trade="electricity")
    work_order.rework_ordered(crew.session, rework(first), now=NOW)
    with pytest.raises(RuleBroken, match="R66"):
        crew.assign(crew.acknowledge(crew.order(first.request_id, round_=1)))


def test_what_a_person_holds_is_what_hr_said_last(crew: Crew) -> None:
    crew.certify(crew.worker, date(2026, 5, 1))
    crew.certify(crew.worker, date(2026, 5, 1), version=3)
    assert held(crew) == [("T1", date(2026, 5, 1))]
    crew.certify(crew.worker, date(2029, 5, 1), version=4)
    crew.certify(crew.worker, date(2028, 5, 1), version=3)
    assert held(crew) == [("T1", date(2029, 5, 1))]
    crew.certify(crew.worker, date(2029, 5, 1), version=5, active=False)
    assert held(crew) == []


def test_a_person_with_a_certificate_waits_until_a_site_of_his_is_known(crew: Crew) -> None:
    lost = employ(crew.session, "worker", "engineering", new_id())
    with pytest.raises(NotYet):
        crew.certify(lost, date(2026, 5, 1))


def test_holder_and_head_are_told_once_thirty_days_before_a_certificate_ends(crew: Crew) -> None:
    crew.certify(crew.worker, date(2026, 5, 31))
    first_of_may = datetime.fromisoformat("2026-05-01T00:00:00+08:00")
    assert certificate.note_ending(crew.session, now=first_of_may) == 0
    assert certificate.note_ending(crew.session, now=first_of_may + SECOND) == 1
    assert certificate.note_ending(crew.session, now=first_of_may + SECOND) == 0
    for actor in (crew.head, crew.worker):
        (told,) = crew.alerts(actor)
        assert (told.kind, told.facts["name"], told.facts["valid_until"]) == (
            "certificate_ending",
            crew.worker.name,
            "2026-05-31",
        )
    assert crew.told(crew.mate) == crew.told(employ(crew.session, "head", "environment", crew.site_id)) == []
    crew.certify(crew.worker, date(2026, 6, 10), version=3)
    assert certificate.note_ending(crew.session, now=first_of_may + timedelta(days=20)) == 1
    assert crew.told() == ["certificate_ending"] * 2


def test_the_heads_of_every_site_of_the_holder_are_told(crew: Crew) -> None:
    other = open_site(crew.session, "ZJ")
    both = Actor(
        employ(crew.session, "worker", "engineering", crew.site_id, other).person_id,
        "赵师傅",
        "worker",
        "engineering",
        frozenset({crew.site_id, other}),
    )
    roamer = employ(crew.session, "worker", "engineering")
    for actor in (both, roamer):
        crew.certify(actor, TODAY)
    assert certificate.note_ending(crew.session, now=NOW) == 2
    elsewhere = employ(crew.session, "head", "engineering", other)
    assert crew.told() == crew.told(elsewhere) == ["certificate_ending"] * 2
    assert crew.told(both) == crew.told(roamer) == ["certificate_ending"]


def test_the_head_sees_who_may_be_sent_and_why_another_may_not(crew: Crew) -> None:
    crew.certify(crew.worker, TODAY)
    know(crew, crew.mate, "water")
    order = wires(crew)
    rows = weighed(crew, order)
    assert list(rows) == ["张师傅", "李师傅"]
    best, other = rows.values()
    assert (best.may, best.why_not, best.skilled, best.certified, best.certificate_until) == (
        True,
        "",
        True,
        True,
        TODAY,
    )
    assert (other.may, other.skilled, other.certified, other.certificate_until) == (False, False, False, None)
    assert other.why_not == "electricity is not the trade of 李师傅"


def test_who_has_done_his_duties_and_has_least_to_do_is_named_first(crew: Crew) -> None:
    crew.assigned()
    crew.assigned(visit_from=NOW + timedelta(days=1))
    order = crew.acknowledge(crew.receive())
    rows = weighed(crew, order)
    assert [(row.name, row.in_shift, row.duties_done, row.open_jobs) for row in rows.values()] == [
        ("李师傅", True, False, 0),
        ("张师傅", True, False, 1),
    ]
    crew.do_duties()
    assert list(weighed(crew, order)) == ["张师傅", "李师傅"]
    crew.work_from(crew.mate, time(18), time(23))
    rows = weighed(crew, order)
    assert list(rows) == ["李师傅", "张师傅"]
    assert not rows["李师傅"].in_shift


def test_on_a_holiday_of_the_site_nobody_is_in_his_shift(crew: Crew) -> None:
    crew.session.execute(text("UPDATE sites SET holidays = '{2026-04-01}'"))
    assert not any(row.in_shift for row in weighed(crew, crew.receive()).values())


def test_candidates_are_the_workers_of_the_department_at_the_orders_site(crew: Crew) -> None:
    employ(crew.session, "worker", "environment", crew.site_id)
    employ(crew.session, "worker", "engineering", open_site(crew.session, "ZJ"))
    roamer = employ(crew.session, "worker", "engineering", name="赵师傅")
    assert roamer.name in weighed(crew, crew.receive())
    assert len(weighed(crew, crew.receive())) == 3


def test_paid_minutes_run_from_arrival_to_the_end_of_the_work_in_the_month_of_its_end(crew: Crew) -> None:
    crew.do_duties()
    worked(crew, 90)
    worked(crew, 30)
    crew.arrive(crew.assigned())
    crew.terminate(crew.assigned())
    april, may = (hours(crew.session, crew.head, month=month, now=NOW) for month in ("2026-04", "2026-05"))
    assert {(row.name, row.visits, row.minutes) for row in april} == {("张师傅", 2, 120), ("李师傅", 0, 0)}
    assert {row.minutes for row in may} == {0}
    assert weighed(crew, crew.receive())["张师傅"].paid_minutes == 120
    (own,) = hours(crew.session, crew.worker, month="2026-04", now=NOW)
    assert (own.name, own.minutes, own.near_limit) == ("张师傅", 120, False)


def test_a_visit_that_ended_undone_counts_the_minutes_until_it_ended_and_one_whose_work_was_done_until_then(
    crew: Crew,
) -> None:
    crew.do_duties()
    crew.terminate(crew.arrive(crew.assigned()), now=NOW + timedelta(minutes=20))
    crew.terminate(worked(crew, 30), now=NOW + timedelta(minutes=300))
    (own,) = hours(crew.session, crew.worker, month="2026-04", now=NOW)
    assert (own.visits, own.minutes) == (2, 50)


def test_the_head_is_told_of_hours_also_when_the_visit_ended_undone(crew: Crew) -> None:
    crew.do_duties()
    crew.terminate(crew.arrive(crew.assigned()), now=NOW + timedelta(minutes=32 * 60 + 1))
    assert crew.told() == ["hours_near_limit"]


def limit(crew: Crew, site_id: UUID | None, hours: int, *, since: datetime) -> None:
    crew.session.execute(
        text("""INSERT INTO policies (id, name, site_id, effective_from, settings, changed_by, changed_at, reason)
                VALUES (:id, 'HoursPolicy', :site_id, :since, :settings, :id, :since, 'x')"""),
        {
            "id": new_id(),
            "site_id": site_id,
            "since": since,
            "settings": f'{{"limit_hours": {hours}, "warn_hours": 1}}',
        },
    )


def test_a_month_that_is_over_is_held_against_the_limit_it_had(crew: Crew) -> None:
    crew.do_duties()
    worked(crew, 120)
    first_of_may_there = datetime.fromisoformat("2026-05-01T00:00:00+08:00")
    limit(crew, None, 1, since=first_of_may_there)
    (april,) = hours(crew.session, crew.worker, month="2026-04", now=first_of_may_there + timedelta(days=9))
    assert (april.minutes, april.near_limit, april.over_limit) == (120, False, False)
    limit(crew, None, 1, since=NOW)
    (april,) = hours(crew.session, crew.worker, month="2026-04", now=first_of_may_there + timedelta(days=9))
    assert (april.near_limit, april.over_limit) == (True, True)


def test_the_head_is_told_by_the_same_limit_as_the_hours_are_shown_with_that_of_the_workers_home(crew: Crew) -> None:
    other = open_site(crew.session, "AA")
    helper = employ(crew.session, "worker", "engineering", other, crew.site_id, name="赵师傅")
    limit(crew, crew.site_id, 2, since=NOW)
    order = crew.assign(crew.acknowledge(crew.receive()), Member(helper.person_id))
    duty.mark_done(crew.session, actor=helper, now=NOW)
    visit.arrive(crew.session, work_order_id=order.id, actor=helper, now=NOW)
    crew.worker = helper
    crew.finish(order, now=NOW + timedelta(hours=3))
    (row,) = hours(crew.session, helper, month="2026-04", now=NOW)
    assert (row.near_limit, crew.told()) == (False, [])


def test_rework_counts_as_hours_too(crew: Crew) -> None:
    crew.do_duties()
    first = notice(crew.site_id)
    work_order.rework_ordered(crew.session, rework(first), now=NOW)
    order = crew.arrive(crew.assign(crew.acknowledge(crew.order(first.request_id, round_=1))))
    crew.finish(order, now=NOW + timedelta(minutes=45))
    assert paid_visits(crew.session, "2026-04", [crew.worker.person_id]) == {crew.worker.person_id: (1, 45)}


def test_the_head_is_told_once_a_month_that_a_worker_comes_near_the_limit(crew: Crew) -> None:
    crew.do_duties()
    worked(crew, 32 * 60)
    assert crew.told() == []
    worked(crew, 1)
    (told,) = crew.alerts()
    assert told.kind == "hours_near_limit"
    assert told.facts["minutes"] == 32 * 60 + 1
    assert told.facts["limit_minutes"] == 36 * 60
    worked(crew, 6 * 60)
    assert crew.told() == ["hours_near_limit"]
    rows = {row.name: row for row in hours(crew.session, crew.head, month="2026-04", now=NOW)}
    assert (rows["张师傅"].near_limit, rows["张师傅"].over_limit) == (True, True)
    assert (rows["李师傅"].near_limit, rows["李师傅"].over_limit) == (False, False)
