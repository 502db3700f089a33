"""Two people at once: what one is about to change, the other does not read as it was."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as StillWaiting
from datetime import timedelta
from typing import TypeVar

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from services.dispatch.actions import team, visit
from services.dispatch.rules.team import Member
from shared.db import WORKER, database
from shared.errors import NotFound
from tests.services.dispatch.crew import NOW, Crew, hire

T = TypeVar("T")


def after(crew: Crew, first: Callable[[Session], object], second: Callable[[Session], T]) -> T:
    """What comes of the second, begun while the first was done and not yet committed."""
    crew.session.commit()

    def do_second() -> T:
        with database("dispatch", WORKER).session() as session:
            return second(session)

    with ThreadPoolExecutor(1) as pool, database("dispatch", WORKER).session() as session:
        first(session)
        session.flush()
        other = pool.submit(do_second)
        with pytest.raises(StillWaiting):
            other.result(timeout=0.3)
        session.commit()
        return other.result(timeout=10)


@pytest.fixture
def crew(installation: str) -> Iterator[Crew]:
    with Session(database("dispatch", WORKER).engine, expire_on_commit=False) as session:
        session.info["service"] = "dispatch"
        yield hire(session)


def test_a_worker_who_leaves_while_another_is_chosen_in_his_place_stays(crew: Crew) -> None:
    order = crew.assigned()
    crew.do_duties()

    def choose_anew(session: Session) -> None:
        team.assign(session, work_order_id=order.id, members=[Member(crew.mate.person_id)], actor=crew.head, now=NOW)

    def leave(session: Session) -> None:
        visit.arrive(session, work_order_id=order.id, actor=crew.worker, now=NOW)

    with pytest.raises(NotFound):
        after(crew, choose_anew, leave)


def test_of_two_visits_of_a_worker_that_end_at_once_the_second_counts_the_first(crew: Crew) -> None:
    crew.do_duties()
    orders = [crew.check_materials(crew.arrive(crew.assigned())) for _ in range(2)]
    ended = NOW + timedelta(hours=17)

    def finish(number: int) -> Callable[[Session], object]:
        return lambda session: visit.finish(session, work_order_id=orders[number].id, actor=crew.worker, now=ended)

    after(crew, finish(0), finish(1))
    told = crew.session.execute(text("SELECT facts ->> 'minutes' FROM alerts WHERE kind = 'hours_near_limit'"))
    assert told.scalars().all() == [str(2 * 17 * 60)]
