"""Orders come, are acknowledged, and may be withdrawn [R27, R29, R38, R39]."""

from datetime import timedelta

import pytest
from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError

from services.dispatch import queries
from services.dispatch.actions import work_order
from services.dispatch.models import WorkOrder
from services.dispatch.tasks import tasks
from shared.errors import NotFound, NotYet, RuleBroken
from shared.ids import new_id
from shared.messages import NoticeCancelled, PersonChanged, SiteChanged
from shared.people import Actor
from tests.people import employ, open_site, published
from tests.services.dispatch.crew import NOW, Crew, notice, rework

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
    page = queries.work_orders(crew.session, actor, state=None, after=None, limit=10)
    return [order.department for order in page.items]


def test_a_notice_becomes_the_paid_order_of_round_0(crew: Crew) -> None:
    order = crew.receive()
    assert (order.round, order.state, order.fee_fen, order.price_version) == (0, "received", 5000, 1)
    assert order.acknowledge_due_at == NOW + timedelta(minutes=5)
    assert order.arrive_due_at == order.visit_from + timedelta(minutes=15)


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
            queries.work_order_by_id(crew.session, head, order.id)


def test_a_worker_sees_only_the_orders_he_is_assigned_to(crew: Crew) -> None:
    crew.receive()
    crew.assigned()
    assert (see(crew, crew.worker), see(crew, crew.mate)) == (["engineering"], [])


def test_the_desk_sees_the_orders_of_all_departments_at_its_sites_with_masked_phones(crew: Crew) -> None:
    crew.receive()
    crew.receive(department="environment", trade="cleaning")
    clerk = employ(crew.session, "clerk", "front_desk", crew.site_id)
    page = queries.work_orders(crew.session, clerk, state="received", after=None, limit=1)
    rest = queries.work_orders(crew.session, clerk, state="received", after=page.next, limit=1)
    assert [order.department for order in page.items + rest.items] == ["engineering", "environment"]
    assert rest.next is None
    assert {order.phone for order in page.items} == {"138****8000"}
    assert queries.work_orders(crew.session, clerk, state="started", after=None, limit=1).items == []


def test_the_phone_is_shown_to_the_head_until_the_order_has_ended(crew: Crew) -> None:
    order = crew.assigned()
    assert queries.work_order_by_id(crew.session, crew.head, order.id).phone == "13800138000"
    crew.terminate(order)
    assert queries.work_order_by_id(crew.session, crew.head, order.id).phone == "138****8000"


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
    assert [row.name for row in queries.workers(crew.session, head, now=NOW)] == ["赵师傅"]
