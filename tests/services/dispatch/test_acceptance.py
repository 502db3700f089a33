"""The owner checks and signs [R31, R32, D23]."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError

from services.dispatch.actions import work_order
from services.dispatch.queries.acceptances import settlement_list_by_id
from services.dispatch.queries.work_orders import work_order_by_id
from services.dispatch.rules.acceptance import Relation, SettlementList, SignedPaper
from services.dispatch.rules.team import Member
from services.dispatch.tasks import tasks
from shared.errors import Malformed, RuleBroken
from shared.messages import FeeItem
from tests.people import published
from tests.services.dispatch.crew import NOW, TAP, Crew, notice, revised, rework


def test_the_signature_is_kept_with_the_hash_of_what_was_signed(crew: Crew) -> None:
    order = crew.finish(crew.started())
    signed = crew.accept(order)
    expected = SignedPaper(
        shown=SettlementList(
            notice_number=order.notice_number,
            round=0,
            revision=0,
            description="水龙头漏水",
            items=[FeeItem.model_validate(TAP)],
            fee_fen=5000,
            price_version=1,
        ),
        signer_name="欧阳建国",
        relation=Relation.OWNER,
        witness_name=None,
        signature="<svg/>",
    ).sha256()
    view = work_order_by_id(crew.session, crew.head, order.id)
    assert signed.signed_hash == view.signed_hash == expected
    assert (view.state, view.signer_name, view.relation, view.accepted_month) == (
        "accepted",
        "欧阳建国",
        "owner",
        "2026-04",
    )


def test_desk_and_finance_hear_who_worked_with_which_weight_and_whether_they_were_late(crew: Crew) -> None:
    order = crew.acknowledge(crew.receive())
    crew.assign(order, Member(crew.mate.person_id, 3), Member(crew.worker.person_id))
    crew.do_duties()
    crew.do_duties(crew.mate)
    arrived = NOW + timedelta(hours=2)
    crew.arrive(order, now=arrived)
    crew.finish(order)
    crew.accept(order, now=arrived + timedelta(hours=1))
    assert published(crew.session)[-2:] == [("WorkAccepted", "intake"), ("WorkAccepted", "finance")]
    body = crew.session.execute(text("SELECT body FROM outbox WHERE receiver = 'finance'")).scalar_one()
    assert [(worker["name"], worker["weight"]) for worker in body["workers"]] == [("李师傅", 3), ("张师傅", 1)]
    assert (body["fee_fen"], body["arrived_late"], body["round"]) == (5000, True, 0)
    assert datetime.fromisoformat(body["arrived_at"]) == arrived


def test_a_rework_is_accepted_for_nothing(crew: Crew) -> None:
    first = notice(crew.site_id)
    work_order.rework_ordered(crew.session, rework(first), now=NOW)
    order = crew.assign(crew.acknowledge(crew.order(first.request_id, round_=1)))
    crew.do_duties()
    crew.accept(crew.finish(crew.arrive(order)), relation=Relation.OCCUPANT)
    body = crew.session.execute(text("SELECT body FROM outbox WHERE receiver = 'finance'")).scalar_one()
    assert (body["fee_fen"], body["round"], body["relation"]) == (0, 1, "occupant")


def test_only_finished_work_is_accepted_and_only_once(crew: Crew) -> None:
    order = crew.started()
    with pytest.raises(RuleBroken):
        crew.accept(order)
    crew.session.refresh(order)
    crew.accept(crew.finish(order))
    with pytest.raises(RuleBroken):
        crew.accept(order)


def test_when_nobody_can_sign_a_witness_and_the_reason_are_kept(crew: Crew) -> None:
    order = crew.finish(crew.started())
    with pytest.raises(Malformed, match="D23"):
        crew.accept(order, relation=Relation.WITNESSED, signer_name="张师傅")
    crew.session.refresh(order)
    signed = crew.accept(
        order, relation=Relation.WITNESSED, signer_name="张师傅", witness_name="王保安", reason="业主外出"
    )
    assert (signed.witness_name, signed.reason) == ("王保安", "业主外出")


def test_work_accepted_at_closing_time_of_the_last_day_counts_in_the_next_month(crew: Crew) -> None:
    order = crew.finish(crew.started())
    crew.accept(order, now=datetime(2026, 4, 30, 10, 0, tzinfo=UTC))
    assert order.accepted_month == "2026-05"


@pytest.mark.parametrize("change", ["UPDATE signatures SET signer_name = ''", "DELETE FROM signatures"])
def test_a_signature_is_never_changed_nor_removed(crew: Crew, change: str) -> None:
    crew.accept(crew.finish(crew.started()))
    crew.session.flush()
    with pytest.raises(DBAPIError, match=r"permission denied|append-only"):
        crew.session.execute(text(change))


@pytest.mark.parametrize("table", ["signatures", "duty_overrides"])
def test_a_trigger_refuses_changes_of_what_is_append_only_to_the_owner_of_the_table_too(
    owner_of: Callable[[str], Connection], table: str
) -> None:
    with pytest.raises(DBAPIError, match="append-only"):
        owner_of("dispatch").execute(text(f"DELETE FROM {table}"))


def test_a_changed_fee_is_shown_again_before_it_is_signed(crew: Crew) -> None:
    order = crew.finish(crew.started())
    shown = settlement_list_by_id(crew.session, crew.worker, order.id)
    assert (shown.fee_fen, shown.revision, shown.items[0].name) == (5000, 0, "换水龙头")
    assert "业主自购" in shown.materials
    tasks.handlers["NoticeRevised"](crew.session, revised(order, fee_fen=6000), now=NOW)
    with pytest.raises(RuleBroken, match=r"show it again.*D23"):
        crew.accept(order, shown_hash=shown.hash)
    crew.session.refresh(order)
    crew.accept(order)
    body = crew.session.execute(text("SELECT body FROM outbox WHERE receiver = 'finance'")).scalar_one()
    assert (body["fee_fen"], body["revision"]) == (6000, 1)


def test_a_rework_is_shown_with_an_empty_list_and_no_fee(crew: Crew) -> None:
    first = notice(crew.site_id)
    work_order.rework_ordered(crew.session, rework(first), now=NOW)
    shown = settlement_list_by_id(crew.session, crew.head, crew.order(first.request_id, round_=1).id)
    assert (shown.items, shown.fee_fen, shown.price_version, shown.round) == ([], 0, None, 1)
