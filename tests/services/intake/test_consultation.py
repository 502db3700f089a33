"""Asking a department, and the reply promised to the owner [R19, R23, D3]."""

from datetime import datetime
from uuid import UUID

import pytest

from services.intake.actions import callback, consultation
from services.intake.models import Consultation, Request
from services.intake.queries.consultations import consultations
from shared.errors import NotFound, NotYet, RuleBroken
from shared.ids import new_id
from shared.messages import ConsultationAnswered
from tests.people import employ, open_site, published
from tests.services.intake.desk import NOW, Desk, minutes


def ask(desk: Desk, made: Request, *, told: bool = True, now: datetime = NOW) -> Consultation:
    asked = consultation.ask(
        desk.session,
        request_id=made.id,
        question="能换吗?",
        reply_due_at=minutes(30),
        owner_was_told=told,
        actor=desk.clerk,
        now=now,
    )
    desk.session.flush()
    return asked


def answer(desk: Desk, consultation_id: UUID) -> None:
    desk.handle(
        ConsultationAnswered(
            consultation_id=consultation_id,
            request_id=new_id(),
            site_id=desk.site_id,
            answer="能",
            answered_by=new_id(),
            answered_at=minutes(5),
        )
    )


def reply(desk: Desk, asked: Consultation, *, now: datetime) -> Consultation:
    return consultation.reply(desk.session, consultation_id=asked.id, actor=desk.clerk, now=now)


def missed(desk: Desk) -> int:
    desk.session.flush()
    howmany = consultation.miss_due(desk.session, now=minutes(60))
    desk.session.expire_all()
    return howmany


def test_a_question_goes_to_the_department_of_the_trade_and_an_owner_who_was_told_is_reached(desk: Desk) -> None:
    made = desk.register()
    ask(desk, made)
    assert published(desk.session) == [("ConsultationAsked", "dispatch")]
    assert (made.reached_at, made.callback_ended_at) == (NOW, NOW)


def test_an_owner_who_was_not_told_still_waits_for_his_call(desk: Desk) -> None:
    made = desk.register()
    ask(desk, made, told=False)
    assert callback.miss_due(desk.session, now=minutes(11)) == 1
    desk.session.expire_all()
    assert made.callback_missed


def test_a_promise_made_too_late_does_not_undo_the_missed_call(desk: Desk) -> None:
    made = desk.register()
    ask(desk, made, now=minutes(11))
    assert callback.miss_due(desk.session, now=minutes(12)) == 1


def test_only_an_open_question_is_asked_and_for_a_time_to_come(desk: Desk) -> None:
    for made in (desk.agree(desk.register()), desk.register(trade="appliance")):
        with pytest.raises(RuleBroken, match="R19"):
            ask(desk, made)
    with pytest.raises(RuleBroken, match="R23"):
        ask(desk, desk.register(), now=minutes(30))


def test_an_answer_to_a_question_that_is_not_known_waits(desk: Desk) -> None:
    with pytest.raises(NotYet):
        answer(desk, new_id())


def test_the_owner_gets_the_answer_once_it_is_there_and_once(desk: Desk) -> None:
    asked = ask(desk, desk.register())
    with pytest.raises(RuleBroken, match="has not answered"):
        reply(desk, asked, now=minutes(5))
    answer(desk, asked.id)
    reply(desk, asked, now=minutes(30))
    with pytest.raises(RuleBroken, match="has his reply"):
        reply(desk, asked, now=minutes(30))
    assert missed(desk) == 0


def test_a_promise_that_passed_is_missed_after_its_moment_and_for_ever(desk: Desk) -> None:
    asked = ask(desk, desk.register())
    answer(desk, asked.id)
    assert consultation.miss_due(desk.session, now=minutes(30)) == 0
    reply(desk, asked, now=minutes(30.1))  # too late, and before the sweep came
    assert (missed(desk), missed(desk)) == (1, 0)
    (view,) = consultations(desk.session, desk.clerk, after=None, limit=10).items
    assert (view.reply_missed, view.replied_at) == (True, minutes(30.1))


def test_who_agreed_on_his_visit_or_wants_none_waits_for_no_reply(desk: Desk) -> None:
    agreed, given_up, waiting = desk.register(), desk.register(), desk.register()
    for made in (agreed, given_up, waiting):
        ask(desk, made)
    desk.agree(agreed, now=minutes(20))
    desk.cancel(given_up, now=minutes(20))
    assert missed(desk) == 1


def test_agreeing_too_late_does_not_undo_a_missed_reply(desk: Desk) -> None:
    made = desk.register()
    ask(desk, made)
    desk.agree(made, now=minutes(31))
    assert missed(desk) == 1


def test_a_question_of_another_site_is_not_found(desk: Desk) -> None:
    asked = ask(desk, desk.register())
    stranger = employ(desk.session, "clerk", "front_desk", open_site(desk.session, "ZJ"))
    for consultation_id in (asked.id, new_id()):
        with pytest.raises(NotFound):
            consultation.reply(desk.session, consultation_id=consultation_id, actor=stranger, now=NOW)
    assert consultations(desk.session, stranger, after=None, limit=10).items == []
