"""Homes the desk looks up, requests that may repeat others, and what it can tell an owner [R13-R15, R22, D2]."""

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from services.intake.actions import answer, request
from services.intake.models import Answer, Request
from services.intake.queries.answers import answers
from services.intake.queries.homes import homes
from services.intake.queries.prices import price_lookup
from services.intake.queries.requests import registered
from services.intake.queries.trades import trades
from services.intake.rules.phone import DIGITS_SQL, phone_digits
from services.intake.rules.request import Channel
from services.intake.rules.scope import Trade, TradePolicy, trade_of
from shared.errors import Malformed, NotFound, NotYourRole, RuleBroken
from shared.people import Actor
from shared.policy_rows import change
from tests.people import employ, open_site
from tests.services.intake.desk import NOW, Desk, minutes


def register(desk: Desk, **facts: Any) -> Request:
    form = {
        "channel": Channel.PHONE,
        "owner_name": "欧阳建国",
        "address": "3-2-1502",
        "phone": "138 0013 8000",
        "description": "水龙头漏水",
        "trade": "water",
    }
    made = request.register(
        desk.session,
        site_id=desk.site_id,
        form=request.RegistrationForm(**form | facts),  # type: ignore[arg-type]
        actor=desk.clerk,
        now=NOW,
    )
    desk.session.flush()
    return made


def found(desk: Desk, actor: Actor | None = None, *, phone: str = "", room: str = "") -> list[tuple[str, int]]:
    """(address, how many requests) of every home found."""
    known = homes(desk.session, actor or desk.clerk, phone=phone, room=room)
    return sorted((home.address, len(home.requests)) for home in known)


def duplicates(desk: Desk, made: Request) -> list[str]:
    view = registered(desk.session, desk.clerk, made.id)
    return [row.number for row in view.possible_duplicates]


def give(desk: Desk, *, actor: Actor | None = None, **facts: Any) -> Answer:
    known = {"site_id": desk.site_id, "question": "换水龙头要多久?", "answer": "半小时", "trade": "water"}
    made = answer.give(desk.session, actor=actor or desk.head, now=NOW, **known | facts)
    desk.session.flush()
    return made


def test_a_home_is_found_by_the_digits_of_a_phone_number_first_then_by_the_beginning_of_its_address(desk: Desk) -> None:
    register(desk)
    register(desk, address="3 - 2 - 1502", phone="13900139000", owner_name="王丽")
    register(desk, address="3-2-15_", phone="13700137000")
    assert found(desk, phone="138-0013-8000") == [("3 - 2 - 1502", 2)]
    assert found(desk, phone="138", room="3-2-1502") == [("3 - 2 - 1502", 2)]
    assert found(desk, room="3-2") == [("3 - 2 - 1502", 2), ("3-2-15_", 1)]
    assert found(desk, room="3-2-15_") == [("3-2-15_", 1)]
    assert found(desk, phone="abc", room="%") == []
    (home,) = homes(desk.session, desk.clerk, phone="13800138000", room="")
    assert home.owner_names == ["王丽", "欧阳建国"]


def test_a_home_shows_its_last_ten_requests_and_every_open_one_the_newest_first(desk: Desk) -> None:
    oldest = register(desk)
    for _ in range(12):
        desk.cancel(register(desk))
    (home,) = homes(desk.session, desk.clerk, phone="13800138000", room="")
    assert len(home.requests) == 11
    assert (home.requests[-1].id, home.requests[-1].open) == (oldest.id, True)
    assert {row.state for row in home.requests[:-1]} == {"cancelled"}


def test_homes_of_other_sites_are_not_found(desk: Desk) -> None:
    register(desk)
    stranger = employ(desk.session, "clerk", "front_desk", open_site(desk.session, "ZJ"))
    assert found(desk, stranger, phone="13800138000", room="3-2-1502") == []


def test_an_open_request_of_the_same_home_or_phone_and_trade_is_pointed_out(desk: Desk) -> None:
    same_home = register(desk, phone="13900139000")
    same_phone = register(desk, address="9-9-9", phone="138-0013-8000")
    register(desk, trade="cleaning")
    register(desk, address="1-1-1", phone="13700137000")
    desk.cancel(register(desk))
    assert duplicates(desk, register(desk)) == [same_home.number, same_phone.number]
    assert duplicates(desk, register(desk, trade="appliance")) == []


def test_a_question_asked_often_has_one_answer_until_that_is_retired(desk: Desk) -> None:
    made = give(desk)
    with pytest.raises(RuleBroken, match="R22"):
        give(desk)
    answer.retire(desk.session, answer_id=made.id, actor=desk.head, now=NOW)
    desk.session.flush()
    with pytest.raises(RuleBroken, match="not given any more"):
        answer.retire(desk.session, answer_id=made.id, actor=desk.head, now=NOW)
    assert give(desk, answer="一小时").answer == "一小时"
    with pytest.raises(Malformed):
        give(desk, question="?", trade="magic")


def test_answers_belong_to_a_site(desk: Desk) -> None:
    made = give(desk)
    stranger = employ(desk.session, "desk_head", "front_desk", open_site(desk.session, "ZJ"))
    with pytest.raises(NotFound):
        answer.retire(desk.session, answer_id=made.id, actor=stranger, now=NOW)
    with pytest.raises(NotFound):
        give(desk, actor=stranger)
    assert answers(desk.session, stranger, q="", after=None, limit=10).items == []


@pytest.mark.parametrize(
    ("q", "trade", "prices", "answers"),
    [
        ("水龙头", None, ["tap"], ["换水龙头要多久?"]),
        ("TAP", "water", ["tap"], []),
        ("", "electricity", [], ["你们几点下班?"]),
        ("%", None, [], []),
        ("六点", None, [], ["你们几点下班?"]),
    ],
)
def test_prices_and_answers_are_found_by_their_words_and_trade(
    desk: Desk, q: str, trade: str | None, prices: list[str], answers: list[str]
) -> None:
    give(desk)
    give(desk, question="你们几点下班?", answer="六点", trade=None)
    told = price_lookup(desk.session, desk.clerk, q=q, trade=trade, now=NOW)
    assert [price.code for price in told.prices] == prices
    assert [row.question for row in told.answers] == answers


def test_a_catalogue_has_each_code_once_and_each_trade_a_department_or_a_reason_to_refuse_it() -> None:
    water = Trade(code="water", name="水", department="engineering")
    with pytest.raises(ValueError, match="once"):
        TradePolicy(trades=(water, water))
    with pytest.raises(ValueError, match="refused"):
        Trade(code="water", name="水")
    with pytest.raises(ValueError, match="refused"):
        Trade(code="water", name="水", department="engineering", refusal="x")
    with pytest.raises(Malformed, match="there are water"):
        trade_of(TradePolicy(trades=(water,)), "gas")


def test_a_sites_own_catalogue_holds_from_its_day_on_and_leaves_earlier_requests_alone(desk: Desk) -> None:
    before = register(desk)
    own = TradePolicy(
        trades=(
            Trade(code="water", name="水", department="environment"),
            Trade(code="gas", name="燃气", refusal="燃气由燃气公司维修"),
        )
    )
    change(
        desk.session,
        own,
        site_id=desk.site_id,
        effective_from=NOW,
        reason="试点",
        actor=desk.head,
        now=NOW - timedelta(minutes=1),
    )
    other = open_site(desk.session, "ZJ")
    everybody = employ(desk.session, "desk_head", "front_desk")
    assert [t.code for t in trades(desk.session, desk.clerk, site_id=desk.site_id, now=NOW)] == ["water", "gas"]
    assert len(trades(desk.session, desk.clerk, site_id=desk.site_id, now=minutes(-5))) == 7
    assert len(trades(desk.session, everybody, site_id=other, now=NOW)) == 7
    with pytest.raises(NotFound):
        trades(desk.session, desk.clerk, site_id=other, now=NOW)
    assert (register(desk).department, before.department) == ("environment", "engineering")
    assert register(desk, trade="gas").refusal == "燃气由燃气公司维修"
    with pytest.raises(Malformed):
        register(desk, trade="electricity")
    desk.issue(desk.agree(before))
    (body,) = desk.messages("NoticeIssued")
    assert (body["trade"], body["department"]) == ("water", "engineering")


@pytest.mark.parametrize(
    ("phone", "digits"),
    [
        ("13800138000", "13800138000"),
        ("+86 138 0013 8000", "13800138000"),
        ("0086-138-0013-8000", "13800138000"),
        ("8613800138000", "13800138000"),
        ("013800138000", "13800138000"),
        ("010-6123 4567", "1061234567"),
        ("+86 10 6123 4567", "1061234567"),
        ("+86 010 6123 4567", "1061234567"),
        ("8612 3456", "86123456"),  # a number of eight digits without its area
        ("abc", ""),
        ("", ""),
    ],
)
def test_a_number_is_the_same_with_and_without_the_countrys_code(phone: str, digits: str) -> None:
    assert phone_digits(phone) == digits


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=200, deadline=None)
@given(phone=st.from_regex(r"\A\+?(00|0)?(86)?[0-9 -]{0,14}\Z"))
def test_the_table_and_the_look_up_mean_the_same_digits(desk: Desk, phone: str) -> None:
    stored = desk.session.execute(
        text(f"SELECT {DIGITS_SQL} FROM (SELECT CAST(:p AS text)) AS given (phone)"), {"p": phone}
    )
    assert stored.scalar_one() == phone_digits(phone)


@pytest.mark.parametrize("asked", ["138 0013 8000", "+86 138 0013 8000", "0086-13800138000"])
@pytest.mark.parametrize("stored", ["13800138000", "+8613800138000", "0086 138-0013-8000"])
def test_a_home_is_found_however_its_number_was_written_down(desk: Desk, stored: str, asked: str) -> None:
    register(desk, phone=stored)
    assert found(desk, phone=asked) == [("3-2-1502", 1)]


def test_an_answer_of_the_company_is_given_at_every_site_besides_its_own(desk: Desk) -> None:
    company = employ(desk.session, "desk_head", "front_desk")
    own = give(desk)
    everywhere = give(desk, actor=company, site_id=None, answer="一小时", trade="water")
    with pytest.raises(RuleBroken, match="R22"):
        give(desk, actor=company, site_id=None)
    for trade in ("water", None):
        told = price_lookup(desk.session, desk.clerk, q="水龙头", trade=trade, now=NOW).answers
        assert [(row.id, row.site_id) for row in told] == [(own.id, desk.site_id), (everywhere.id, None)]
    stranger = employ(desk.session, "desk_head", "front_desk", open_site(desk.session, "ZJ"))
    (row,) = answers(desk.session, stranger, q="", after=None, limit=10).items
    assert row.id == everywhere.id
    with pytest.raises(Malformed):
        give(desk, actor=company, site_id=None, question="?", trade="magic")


def test_only_a_person_of_all_sites_gives_or_retires_an_answer_of_the_company(desk: Desk) -> None:
    company = employ(desk.session, "desk_head", "front_desk")
    with pytest.raises(NotYourRole, match="all sites"):
        give(desk, site_id=None)
    made = give(desk, actor=company, site_id=None)
    with pytest.raises(NotYourRole, match="all sites"):
        answer.retire(desk.session, answer_id=made.id, actor=desk.head, now=NOW)
    assert answer.retire(desk.session, answer_id=made.id, actor=company, now=NOW).retired_at == NOW
