"""Guards that no test missed when they were taken away; and three mutants are hunted in every run."""

from datetime import datetime
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from shared.bus import outbox
from shared.bus.outbox import publish
from shared.db import WORKER, Database, database
from shared.ids import new_id
from shared.messages import StatisticsAgreed
from tests.mutants.guards import named
from tests.mutants.hunt import hunt
from tests.signed import receive
from tests.simulation.company import Company
from tests.simulation.conftest import company, founded

__all__ = ["company", "founded"]

NOW = datetime.fromisoformat("2026-04-01T10:00:00+08:00")


class EndsItsProcess(BaseException):
    """The process is gone in the middle of the work."""


def agreed() -> StatisticsAgreed:
    return StatisticsAgreed(site_id=new_id(), month="2026-04", agreed_at=NOW)


@pytest.fixture
def intake(installation: str) -> Database:
    return database("intake", WORKER)


def test_a_message_that_ends_its_process_each_time_is_parked_at_the_fifth(intake: Database) -> None:
    finance, tries = database("finance", WORKER), 0

    def die(session: Session, message: Any, *, now: datetime) -> None:
        nonlocal tries
        tries += 1
        raise EndsItsProcess

    with intake.session() as session:
        publish(session, agreed())
    outcomes = []
    for _ in range(8):
        with intake.session() as session:
            session.execute(text("UPDATE outbox SET send_at = clock_timestamp()"))
            [envelope] = outbox.take_due(session)
        try:
            outcomes.append(receive(finance, {"StatisticsAgreed": die}, vars(envelope)))
        except EndsItsProcess:
            outcomes.append("died")
    assert outcomes == ["died"] * 5 + ["parked", "again", "again"]
    assert tries == 5


def test_repeats_to_a_long_queue_are_held_back_and_first_sendings_are_not(intake: Database) -> None:
    with intake.session() as session:
        publish(session, agreed())
    with intake.session() as session:
        [first] = outbox.take_due(session)
        assert outbox.hold_back(session, [first], queues={"finance"}) == [first]
        session.execute(text("UPDATE outbox SET send_at = clock_timestamp()"))
    with intake.session() as session:
        [repeat] = outbox.take_due(session)
        assert outbox.hold_back(session, [repeat], queues={"hr"}) == [repeat]
        assert outbox.hold_back(session, [repeat], queues={"finance"}) == []
        row = session.execute(text("SELECT sends, send_at > clock_timestamp() AS later FROM outbox")).one()
    assert (row.sends, row.later) == (1, True)  # as if it had not been taken


def test_two_relays_at_once_share_the_rows_without_waiting_for_each_other(intake: Database) -> None:
    with intake.session() as session:
        publish(session, *(agreed() for _ in range(3)))
    with intake.session() as one, intake.session() as other:
        other.execute(text("SET LOCAL lock_timeout = '200 ms'"))
        assert len(outbox.take_due(one)) == 3
        assert outbox.take_due(other) == []


@pytest.mark.parametrize("name", ["inbox claim removed", "closed when sent", "split off by a fen"])
def test_a_guard_taken_away_is_missed_by_the_simulation(company: Company, name: str) -> None:
    outcome = hunt(named(name), company)
    assert outcome.noticed_by, f"nobody noticed that {outcome.mutant.sentence}"
