"""Papers are numbered without gaps [R24, R34]."""

from collections.abc import Callable

from sqlalchemy.orm import Session

from shared.db import WORKER, database
from shared.papers import next_number, next_numbers


def test_each_series_is_counted_by_itself_from_one(session_of: Callable[[str], Session]) -> None:
    session = session_of("intake")
    assert next_numbers(session, "DJ-BK-20260401", howmany=3) == [f"DJ-BK-20260401-000{count}" for count in (1, 2, 3)]
    assert next_number(session, "TZ-BK-20260401") == "TZ-BK-20260401-0001"
    assert next_number(session, "DJ-BK-20260401") == "DJ-BK-20260401-0004"
    assert next_numbers(session, "DJ-BK-20260401", howmany=0) == []


def test_the_number_of_a_paper_that_was_not_kept_is_given_to_the_next(installation: str) -> None:
    intake = database("intake", WORKER)
    with intake.session() as session:
        next_number(session, "TZ-BK-20260401")
        session.rollback()
    with intake.session() as session:
        assert next_number(session, "TZ-BK-20260401") == "TZ-BK-20260401-0001"
