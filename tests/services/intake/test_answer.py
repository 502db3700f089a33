"""What the desk can tell an owner who asks: prices and answers [R22]."""

from typing import Any

import pytest

from services.intake.actions import answer
from services.intake.models import Answer
from services.intake.queries.answers import answers
from services.intake.queries.prices import price_lookup
from shared.errors import Malformed, NotFound, NotYourRole, RuleBroken
from shared.people import Actor
from tests.people import employ, open_site
from tests.services.intake.desk import NOW, Desk


def give(desk: Desk, *, actor: Actor | None = None, **facts: Any) -> Answer:
    known = {"site_id": desk.site_id, "question": "换水龙头要多久?", "answer": "半小时", "trade": "water"}
    made = answer.give(desk.session, actor=actor or desk.head, now=NOW, **known | facts)
    desk.session.flush()
    return made


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
