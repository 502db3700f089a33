"""三(一) 接待: what the desk records and answers [R13-R23]."""

from datetime import timedelta
from typing import Any

import pytest

from services.dispatch.actions import consultation as department
from services.intake.actions import consultation
from services.intake.models import Request
from services.intake.queries.consultations import consultations
from services.intake.queries.prices import prices
from services.intake.rules.request import Channel
from tests.rulebook.company import Company, refused
from tests.services.intake.desk import NOW, Desk, minutes
from tests.services.intake.test_consultation import answer, ask, missed, reply

WINDOW = (minutes(300), minutes(360))


@pytest.mark.parametrize(
    ("field", "kept"),
    [
        pytest.param("owner_name", "欧阳建国", id="r013_the_owners_name"),
        pytest.param("address", "3-2-1502", id="r014_his_address"),
        pytest.param("phone", "13800138000", id="r015_how_to_reach_him"),
        pytest.param("description", "水龙头漏水", id="r016_what_is_to_be_done"),
        pytest.param("windows", [[at.isoformat() for at in WINDOW]], id="r017_when_it_suits_him"),
    ],
)
def test_r013_to_r017_the_registration_form_keeps_what_a_visitor_says(desk: Desk, field: str, kept: Any) -> None:
    made = desk.register(Channel.WALK_IN, windows=[WINDOW])
    desk.session.expire_all()
    assert getattr(desk.session.get_one(Request, made.id), field) == kept


def test_r018_time_and_fee_are_agreed_and_registered_before_anybody_is_sent(desk: Desk) -> None:
    made = desk.register()
    with refused(desk.session, "R20", code="step_not_allowed"):
        desk.issue(made)
    desk.agree(made, fee_fen=5000)
    view = desk.view(made)
    assert (view.fee_fen, view.visit_from, view.visit_to) == (5000, *WINDOW)
    assert desk.issue(made).state == "noticed"


def test_r019_where_time_or_fee_is_in_doubt_the_supervisor_is_asked_before_the_owner_is_told(company: Company) -> None:
    desk, crew = company.desk, company.crew
    made = desk.register()
    asked = ask(desk, made, told=False)
    company.carry("ConsultationAsked")
    department.answer(crew.session, consultation_id=asked.id, answer="要两小时,八十元", actor=crew.head, now=minutes(3))
    company.carry("ConsultationAnswered")
    (seen,) = consultations(desk.session, desk.clerk, after=None, limit=10).items
    assert (seen.department, seen.answer) == ("engineering", "要两小时,八十元")
    assert desk.agree(made, fee_fen=8000, now=minutes(5)).state == "agreed"
    with refused(desk.session, "R19"):
        ask(desk, made)


def test_r020_every_request_has_a_numbered_registration_form(desk: Desk) -> None:
    forms = [desk.register(), desk.register(Channel.WALK_IN), desk.register(trade="appliance")]
    assert [form.number for form in forms] == [f"DJ-BK-20260401-{count:04d}" for count in (1, 2, 3)]


def test_r021_a_call_is_recorded_with_what_was_said_when_and_by_whom(desk: Desk) -> None:
    view = desk.view(desk.register(Channel.PHONE))
    assert (view.channel, view.description) == ("phone", "水龙头漏水")
    assert (view.recorded_at, view.recorded_by) == (NOW, desk.clerk.person_id)


def test_r022_the_desk_can_tell_an_owner_what_each_service_costs(desk: Desk) -> None:
    (tap,) = prices(desk.session, desk.clerk, now=NOW)
    assert (tap.name, tap.min_fen, tap.max_fen) == ("换水龙头", 3000, 8000)


def test_r023_a_technical_question_is_answered_by_the_promised_time_or_counts_as_missed(desk: Desk) -> None:
    with refused(desk.session, "R23", code="promise_is_past"):
        ask(desk, desk.register(), now=minutes(30))
    kept, late = ask(desk, desk.register()), ask(desk, desk.register())
    with refused(desk.session, "R23", code="no_answer_yet"):
        reply(desk, kept, now=minutes(30))
    for asked in (kept, late):
        answer(desk, asked.id)
    reply(desk, kept, now=minutes(30))
    assert consultation.miss_due(desk.session, now=minutes(30)) == 0
    reply(desk, late, now=minutes(30) + timedelta(seconds=1))
    assert missed(desk) == 1
    (first, second) = consultations(desk.session, desk.clerk, after=None, limit=10).items
    assert (first.reply_missed, second.reply_missed) == (False, True)
