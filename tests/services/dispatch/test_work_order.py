"""Orders come, are acknowledged, and may be withdrawn [R27, R29, R38, R39]."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import func, select, text
from sqlalchemy.exc import DBAPIError, IntegrityError

from services.dispatch.actions import visit, work_order
from services.dispatch.models import WorkOrder
from services.dispatch.queries.teams import workers
from services.dispatch.queries.work_orders import work_order_by_id, work_orders
from services.dispatch.tasks import tasks
from shared.errors import NotFound, NotYet, RuleBroken
from shared.ids import new_id
from shared.messages import NoticeCancelled, PersonChanged, SiteChanged
from shared.people import Actor
from tests.people import employ, open_site, published
from tests.services.dispatch.crew import NOW, TAP, Crew, notice, revised, rework

LATER = NOW + timedelta(minutes=5, seconds=1)


def cancelled(order: WorkOrder) -> NoticeCancelled:
    return NoticeCancelled(
        request_id=order.request_id,
        notice_number=order.notice_number,
        site_id=order.site_id,
        reason="业主不需要了",
        cancelled_at=NOW,
    )


def see(crew: Crew, actor: Actor) -> list[str]:
    page = work_orders(crew.session, actor, state=None, after=None, limit=10)
    return [order.department for order in page.items]


def test_a_notice_becomes_the_paid_order_of_round_0(crew: Crew) -> None:
    order = crew.receive()
    assert (order.round, order.state, order.fee_fen, order.price_version) == (0, "received", 5000, 1)
    assert order.acknowledge_due_at == NOW + timedelta(minutes=5)
    assert order.arrive_due_at == order.visit_from + timedelta(minutes=15)


def test_an_order_promises_what_the_policy_was_when_the_desk_said_so_however_late_it_is_heard(crew: Crew) -> None:
    crew.session.execute(
        text("""INSERT INTO policies (id, name, effective_from, settings, changed_by, changed_at, reason)
                VALUES (:id, 'PunctualityPolicy', :since, '{"acknowledge_minutes": 9, "arrive_minutes": 99}', :id,
                        :since, 'x')"""),
        {"id": new_id(), "since": NOW + timedelta(minutes=1)},
    )
    message, later = notice(crew.site_id), NOW + timedelta(minutes=2)
    tasks.handlers["NoticeIssued"](crew.session, message, now=later)
    tasks.handlers["ReworkOrdered"](crew.session, rework(message), now=later)
    for round_ in (0, 1):
        order = crew.order(message.request_id, round_)
        assert order.acknowledge_due_at == later + timedelta(minutes=5)
        assert order.arrive_due_at == order.visit_from + timedelta(minutes=15)
    moved = revised(crew.order(message.request_id), visit_from=NOW + timedelta(days=1))
    tasks.handlers["NoticeRevised"](crew.session, moved, now=later)
    assert crew.order(message.request_id).arrive_due_at == moved.visit_from + timedelta(minutes=15)


def test_a_notice_of_a_site_that_is_not_known_waits(crew: Crew) -> None:
    with pytest.raises(NotYet):
        tasks.handlers["NoticeIssued"](crew.session, notice(new_id()), now=NOW)


def test_a_second_notice_of_the_same_request_changes_nothing(crew: Crew) -> None:
    order = crew.acknowledge(crew.receive())
    again = notice(crew.site_id, request_id=order.request_id, fee_fen=9999)
    tasks.handlers["NoticeIssued"](crew.session, again, now=LATER)
    assert crew.session.scalar(select(func.count()).select_from(WorkOrder)) == 1
    assert (crew.order(order.request_id).fee_fen, order.state) == (5000, "acknowledged")


def test_a_rework_is_a_free_order_of_a_later_round_and_comes_once(crew: Crew) -> None:
    first = notice(crew.site_id)
    tasks.handlers["ReworkOrdered"](crew.session, rework(first), now=NOW)
    tasks.handlers["ReworkOrdered"](crew.session, rework(first), now=NOW)
    order = crew.order(first.request_id, round_=1)
    assert (order.fee_fen, order.price_version, order.channel, order.description) == (0, None, None, "还在漏水")


def test_a_rework_of_a_site_that_is_not_known_waits(crew: Crew) -> None:
    with pytest.raises(NotYet):
        tasks.handlers["ReworkOrdered"](crew.session, rework(notice(new_id())), now=NOW)


def test_the_database_refuses_a_rework_that_costs_something(crew: Crew) -> None:
    first = notice(crew.site_id)
    work_order.rework_ordered(crew.session, rework(first), now=NOW)
    order = crew.order(first.request_id, round_=1)
    order.fee_fen = 1
    with pytest.raises(IntegrityError, match="rework_is_free"):
        crew.session.flush()


def test_the_desk_hears_who_acknowledged(crew: Crew) -> None:
    order = crew.acknowledge(crew.receive())
    assert (order.state, order.acknowledged_by, order.acknowledge_late) == ("acknowledged", crew.head.person_id, False)
    assert published(crew.session) == [("WorkAcknowledged", "intake")]


def test_an_order_is_acknowledged_once(crew: Crew) -> None:
    order = crew.acknowledge(crew.receive())
    with pytest.raises(RuleBroken) as refused:
        crew.acknowledge(order)
    assert refused.value.allowed == ("assign", "cancel", "decline", "revise")


def test_an_order_not_acknowledged_in_five_minutes_is_late_for_ever(crew: Crew) -> None:
    order = crew.receive()
    assert work_order.note_unacknowledged(crew.session, now=NOW + timedelta(minutes=5)) == 0
    assert work_order.note_unacknowledged(crew.session, now=LATER) == 1
    assert work_order.note_unacknowledged(crew.session, now=LATER) == 0
    crew.acknowledge(order, now=LATER)
    assert crew.order(order.request_id).acknowledge_late


def test_an_acknowledgement_after_five_minutes_is_late_also_before_the_sweep_came(crew: Crew) -> None:
    assert crew.acknowledge(crew.receive(), now=LATER).acknowledge_late


def test_an_acknowledged_or_cancelled_order_is_not_swept(crew: Crew) -> None:
    crew.acknowledge(crew.receive())
    work_order.notice_cancelled(crew.session, cancelled(crew.receive()))
    assert work_order.note_unacknowledged(crew.session, now=LATER) == 0


def test_a_withdrawn_notice_cancels_its_order_once(crew: Crew) -> None:
    order = crew.assigned()
    for _ in range(2):
        tasks.handlers["NoticeCancelled"](crew.session, cancelled(order), now=NOW)
    order = crew.order(order.request_id)
    assert (order.state, order.reason, order.cancelled_at) == ("cancelled", "业主不需要了", NOW)


def test_a_cancellation_that_overtook_its_notice_waits(crew: Crew) -> None:
    order = WorkOrder(request_id=new_id(), notice_number="TZ", site_id=crew.site_id)
    with pytest.raises(NotYet):
        tasks.handlers["NoticeCancelled"](crew.session, cancelled(order), now=NOW)


def test_a_cancellation_after_the_work_started_or_ended_comes_too_late_and_changes_nothing(crew: Crew) -> None:
    under_way, signed, ended = crew.started(), crew.finish(crew.started()), crew.terminate(crew.started())
    crew.accept(signed)
    for order, state in ((under_way, "started"), (signed, "accepted"), (ended, "terminated")):
        tasks.handlers["NoticeCancelled"](crew.session, cancelled(order), now=NOW)
        kept = crew.order(order.request_id)
        assert (kept.state, kept.cancelled_at) == (state, None)


def test_a_head_sees_and_moves_only_orders_of_his_department_and_sites(crew: Crew) -> None:
    order = crew.receive()
    other_site = open_site(crew.session, "ZJ")
    cleaner = employ(crew.session, "head", "environment", crew.site_id)
    elsewhere = employ(crew.session, "head", "engineering", other_site)
    for head in (cleaner, elsewhere):
        assert see(crew, head) == []
        with pytest.raises(NotFound):
            work_order.acknowledge(crew.session, work_order_id=order.id, actor=head, now=NOW)
        with pytest.raises(NotFound):
            work_order_by_id(crew.session, head, order.id)


def test_a_worker_sees_only_the_orders_he_is_assigned_to(crew: Crew) -> None:
    crew.receive()
    crew.assigned()
    assert (see(crew, crew.worker), see(crew, crew.mate)) == (["engineering"], [])


def test_the_desk_sees_the_orders_of_all_departments_at_its_sites_with_masked_phones(crew: Crew) -> None:
    crew.receive()
    crew.receive(department="environment", trade="cleaning")
    clerk = employ(crew.session, "clerk", "front_desk", crew.site_id)
    page = work_orders(crew.session, clerk, state="received", after=None, limit=1)
    rest = work_orders(crew.session, clerk, state="received", after=page.next, limit=1)
    assert [order.department for order in page.items + rest.items] == ["engineering", "environment"]
    assert rest.next is None
    assert {order.phone for order in page.items} == {"138****8000"}
    assert work_orders(crew.session, clerk, state="started", after=None, limit=1).items == []


def test_what_hr_says_of_sites_and_people_is_kept_and_the_older_word_ignored(crew: Crew) -> None:
    site = SiteChanged(site_id=new_id(), version=2, code="HX", name="湖心", zone="Asia/Shanghai", closing=NOW.time())
    person = PersonChanged(
        person_id=new_id(),
        version=2,
        name="赵师傅",
        role="worker",
        department="engineering",
        site_ids=[site.site_id],
        all_sites=False,
        active=True,
        token_hash="x",
    )
    for message in (site, site.model_copy(update={"version": 1, "name": "旧名"})):
        tasks.handlers["SiteChanged"](crew.session, message, now=NOW)
    for person_message in (person, person.model_copy(update={"version": 1, "name": "旧名"})):
        tasks.handlers["PersonChanged"](crew.session, person_message, now=NOW)
    head = employ(crew.session, "head", "engineering", site.site_id)
    assert [row.name for row in workers(crew.session, head, now=NOW)] == ["赵师傅"]


def hear_revision(crew: Crew, order: WorkOrder, revision: int = 1, *, now: datetime = NOW, **changes: Any) -> WorkOrder:
    tasks.handlers["NoticeRevised"](crew.session, revised(order, revision, **changes), now=now)
    return crew.order(order.request_id)


def decline(crew: Crew, order: WorkOrder) -> WorkOrder:
    return work_order.decline(crew.session, work_order_id=order.id, reason="无人可派", actor=crew.head, now=NOW)


def give_back(crew: Crew, order: WorkOrder, actor: Actor | None = None) -> WorkOrder:
    return work_order.return_notice(crew.session, work_order_id=order.id, actor=actor or crew.worker, now=NOW)


def test_the_notices_items_are_kept_and_one_without_items_is_taken_too(crew: Crew) -> None:
    assert crew.receive().items == [TAP]
    assert crew.receive(items=[]).items == []


def test_a_revision_replaces_what_was_agreed_and_the_moment_to_be_there(crew: Crew) -> None:
    order = crew.assigned()
    later = NOW + timedelta(hours=5)
    again = hear_revision(
        crew,
        order,
        visit_from=later,
        visit_to=later + timedelta(hours=1),
        fee_fen=10000,
        items=[TAP | {"quantity": 2, "amount_fen": 10000}],
        description="两个水龙头",
        price_version=2,
    )
    assert (again.state, again.revision, again.fee_fen, again.price_version) == ("assigned", 1, 10000, 2)
    assert (again.description, again.items[0]["quantity"]) == ("两个水龙头", 2)
    assert (again.visit_from, again.arrive_due_at) == (later, later + timedelta(minutes=15))


def test_an_older_revision_that_comes_late_or_twice_changes_nothing(crew: Crew) -> None:
    order = crew.receive()
    assert hear_revision(crew, order, 2, fee_fen=7000).fee_fen == 7000
    for revision in (1, 2):
        again = hear_revision(crew, order, revision, fee_fen=6000)
        assert (again.fee_fen, again.revision) == (7000, 2)


def test_a_revision_that_overtook_its_notice_waits(crew: Crew) -> None:
    order = crew.receive()
    with pytest.raises(NotYet):
        tasks.handlers["NoticeRevised"](crew.session, revised(order, request_id=new_id()), now=NOW)


def test_an_order_that_ended_is_not_revised(crew: Crew) -> None:
    signed, given_up, withdrawn = crew.finish(crew.started()), crew.terminate(crew.started()), crew.receive()
    crew.accept(signed)
    work_order.notice_cancelled(crew.session, cancelled(withdrawn))
    for order in (signed, given_up, withdrawn):
        again = hear_revision(crew, order, fee_fen=9000)
        assert (again.fee_fen, again.revision) == (5000, 0)


def test_a_new_window_is_a_new_promise_unless_they_have_arrived(crew: Crew) -> None:
    order = crew.assigned()
    missed = order.arrive_due_at + timedelta(minutes=1)
    assert visit.note_late(crew.session, now=missed) == 1
    moved = hear_revision(crew, order, visit_from=missed + timedelta(days=1), visit_to=missed + timedelta(days=2))
    assert (moved.arrived_late, moved.late_noted_at) == (False, None)
    assert visit.note_late(crew.session, now=moved.arrive_due_at + timedelta(seconds=1)) == 1
    there = crew.started()
    due = there.arrive_due_at
    assert hear_revision(crew, there, visit_from=NOW + timedelta(days=1)).arrive_due_at == due


def test_a_late_arrival_stays_late_when_only_the_fee_changes(crew: Crew) -> None:
    order = crew.assigned()
    visit.note_late(crew.session, now=order.arrive_due_at + timedelta(minutes=1))
    assert hear_revision(crew, order, fee_fen=6000).arrived_late


def test_a_declined_notice_is_told_to_the_desk_and_promises_nothing_until_it_is_revised(crew: Crew) -> None:
    order = decline(crew, crew.assigned())
    assert (order.state, order.reason, order.declined_at) == ("declined", "无人可派", NOW)
    assert published(crew.session)[-1] == ("WorkDeclined", "intake")
    body = crew.session.execute(text("SELECT body FROM outbox WHERE type = 'WorkDeclined'")).scalar_one()
    assert (body["revision"], body["reason"], body["declined_by"]) == (0, "无人可派", str(crew.head.person_id))
    assert see(crew, crew.worker) == []
    tomorrow = NOW + timedelta(days=1)
    assert visit.note_late(crew.session, now=tomorrow) == 0
    assert work_order.note_unacknowledged(crew.session, now=tomorrow) == 0
    back = hear_revision(crew, order, now=LATER)
    assert (back.state, back.declined_at, back.reason, back.acknowledged_at) == ("received", None, None, None)
    assert back.acknowledge_due_at == LATER + timedelta(minutes=5)
    assert decline(crew, crew.acknowledge(back)).revision == 1


def test_a_declined_notice_that_is_not_acknowledged_after_its_revision_is_missed(crew: Crew) -> None:
    back = hear_revision(crew, decline(crew, crew.receive()), now=LATER)
    assert work_order.note_unacknowledged(crew.session, now=back.acknowledge_due_at) == 0
    assert work_order.note_unacknowledged(crew.session, now=back.acknowledge_due_at + timedelta(seconds=1)) == 1


def test_what_is_missed_again_after_it_was_agreed_anew_is_told_again(crew: Crew) -> None:
    order = crew.receive()
    for revision in (1, 2):
        due = order.acknowledge_due_at
        assert work_order.note_unacknowledged(crew.session, now=due + timedelta(seconds=1)) == 1
        order = hear_revision(crew, decline(crew, order), revision, now=due + timedelta(hours=revision))
        assert not order.acknowledge_late
    assert crew.told() == ["acknowledgement_missed"] * 2
    assert [kind for kind, _ in published(crew.session)].count("AcknowledgementMissed") == 2


def test_a_moved_visit_nobody_came_to_is_told_again_and_a_changed_fee_does_not_tell_it_twice(crew: Crew) -> None:
    order = crew.assigned()
    assert visit.note_late(crew.session, now=order.arrive_due_at + timedelta(seconds=1)) == 1
    order = hear_revision(crew, order, visit_from=NOW + timedelta(days=1))
    late = order.arrive_due_at + timedelta(seconds=1)
    assert visit.note_late(crew.session, now=late) == 1
    assert crew.told() == ["arrival_late"] * 2
    order = hear_revision(crew, order, 2, fee_fen=6000)
    crew.do_duties(now=late)
    assert crew.arrive(order, now=late).arrived_late
    assert crew.told() == ["arrival_late"] * 2


def test_an_owner_who_waited_and_agreed_on_another_time_is_visited_at_that_time(crew: Crew) -> None:
    order = crew.assigned(channel="walk_in", owner_waits=True)
    tomorrow = NOW + timedelta(days=1)
    assert hear_revision(crew, order, fee_fen=6000).owner_waits
    order = hear_revision(crew, order, 2, visit_from=tomorrow)
    crew.do_duties(now=tomorrow)
    assert crew.arrive(order, now=tomorrow).state == "started"
    early = hear_revision(crew, crew.assigned(channel="walk_in", owner_waits=True), visit_from=tomorrow)
    crew.do_duties()
    with pytest.raises(RuleBroken, match="R30"):
        crew.arrive(early)


def test_a_declined_notice_may_be_withdrawn(crew: Crew) -> None:
    order = decline(crew, crew.receive())
    tasks.handlers["NoticeCancelled"](crew.session, cancelled(order), now=NOW)
    assert crew.order(order.request_id).state == "cancelled"


def test_neither_a_rework_nor_a_job_under_way_is_declined(crew: Crew) -> None:
    first = notice(crew.site_id)
    work_order.rework_ordered(crew.session, rework(first), now=NOW)
    with pytest.raises(RuleBroken, match="R39"):
        decline(crew, crew.order(first.request_id, round_=1))
    with pytest.raises(RuleBroken, match="started"):
        decline(crew, crew.started())


@pytest.mark.parametrize("change", ["UPDATE declines SET reason = ''", "DELETE FROM declines"])
def test_a_decline_is_never_changed_nor_removed(crew: Crew, change: str) -> None:
    decline(crew, crew.receive())
    crew.session.flush()
    with pytest.raises(DBAPIError, match=r"permission denied|append-only"):
        crew.session.execute(text(change))


def test_after_the_job_the_notice_goes_back_to_the_desk_once(crew: Crew) -> None:
    order = crew.finish(crew.started())
    with pytest.raises(RuleBroken, match="D27"):
        give_back(crew, order)
    crew.accept(order)
    assert give_back(crew, order).returned_by == crew.worker.person_id
    assert published(crew.session)[-1] == ("NoticeReturned", "intake")
    with pytest.raises(RuleBroken, match="D27"):
        give_back(crew, order, crew.head)
    assert give_back(crew, crew.terminate(crew.started()), crew.head).returned_at == NOW


def test_head_and_desk_are_told_once_that_a_notice_was_not_acknowledged(crew: Crew) -> None:
    order = crew.receive()
    work_order.note_unacknowledged(crew.session, now=LATER)
    assert published(crew.session) == [("AcknowledgementMissed", "intake")]
    crew.acknowledge(order, now=LATER)
    crew.acknowledge(crew.receive(), now=LATER)
    assert [kind for kind, _ in published(crew.session)].count("AcknowledgementMissed") == 2
    assert crew.told() == ["acknowledgement_missed"] * 2
    assert crew.alerts()[0].subject_id == order.id
    assert crew.told(employ(crew.session, "head", "environment", crew.site_id)) == []
