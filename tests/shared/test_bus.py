"""The bus: lost never, in effect once."""

from dataclasses import asdict, replace
from datetime import datetime
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from shared.bus import inbox, outbox
from shared.bus.inbox import receive
from shared.bus.outbox import Envelope, publish
from shared.db import Database, database
from shared.errors import NotYet, RuleBroken
from shared.ids import new_id
from shared.messages import StatisticsAgreed, WorkAcknowledged

NOW = datetime.fromisoformat("2026-04-01T10:00:00+08:00")


def agreed(month: str = "2026-04") -> StatisticsAgreed:
    return StatisticsAgreed(site_id=new_id(), month=month, agreed_at=NOW)


@pytest.fixture
def intake(installation: str) -> Database:
    return database("intake")


@pytest.fixture
def finance(installation: str) -> Database:
    return database("finance")


class Effects:
    """A handler that writes one row for each effect, and can be told to fail."""

    def __init__(self, at: Database) -> None:
        self.at = at
        self.fail: Exception | None = None

    def __call__(self, session: Session, message: Any, *, now: datetime) -> None:
        session.execute(
            text("INSERT INTO idempotency_keys (person_id, key, fingerprint) VALUES (:id, :key, '')"),
            {"id": new_id(), "key": f"effect-{message.month}"},
        )
        if self.fail:
            raise self.fail

    def count(self) -> int:
        with self.at.session() as session:
            return int(session.execute(text("SELECT count(*) FROM idempotency_keys")).scalar_one())


def send(intake: Database) -> Envelope:
    with intake.session() as session:
        publish(session, agreed())
    with intake.session() as session:
        (envelope,) = outbox.take_due(session)
    return envelope


def state_of(finance: Database, id_: str) -> Any:
    with finance.session() as session:
        return session.execute(text("SELECT state, reason, body FROM inbox WHERE message_id = :id"), {"id": id_}).one()


def test_a_message_of_a_transaction_that_fails_is_never_sent(intake: Database) -> None:
    def publish_and_fail() -> None:
        with intake.session() as session:
            publish(session, agreed())
            raise RuntimeError

    with pytest.raises(RuntimeError):
        publish_and_fail()
    with intake.session() as session:
        assert outbox.take_due(session) == []


def test_a_service_cannot_say_what_another_says(intake: Database) -> None:
    message = WorkAcknowledged(
        request_id=new_id(), round=0, site_id=new_id(), acknowledged_by=new_id(), acknowledged_at=NOW
    )
    with pytest.raises(ValueError, match="is said by dispatch"), intake.session() as session:
        publish(session, message)


def test_a_message_delivered_twenty_times_takes_effect_once(intake: Database, finance: Database) -> None:
    effects, envelope = Effects(finance), send(intake)
    outcomes = [receive(finance, {"StatisticsAgreed": effects}, asdict(envelope)) for _ in range(20)]
    assert outcomes == ["handled"] + ["again"] * 19
    assert effects.count() == 1


def test_what_is_not_acknowledged_stays_due_and_an_acknowledgement_closes_it(
    intake: Database, finance: Database
) -> None:
    envelope = send(intake)
    with intake.session() as session:
        assert outbox.take_due(session) == []  # put off, not closed
        session.execute(text("UPDATE outbox SET send_at = clock_timestamp()"))
        assert [again.id for again in outbox.take_due(session)] == [envelope.id]
    receive(finance, {"StatisticsAgreed": Effects(finance)}, asdict(envelope))
    with finance.session() as session:
        assert inbox.take_acknowledgements(session) == {"intake": [envelope.id]}
        assert inbox.take_acknowledgements(session) == {}
    with intake.session() as session:
        outbox.acknowledge(session, receiver="finance", ids=[UUID(envelope.id)])
        session.execute(text("UPDATE outbox SET send_at = clock_timestamp()"))
        assert outbox.take_due(session) == []


def test_a_repeat_is_acknowledged_again_because_the_first_acknowledgement_was_lost(
    intake: Database, finance: Database
) -> None:
    envelope = send(intake)
    handlers = {"StatisticsAgreed": Effects(finance)}
    for _ in range(2):
        receive(finance, handlers, asdict(envelope))
        with finance.session() as session:
            assert inbox.take_acknowledgements(session) == {"intake": [envelope.id]}


def test_an_early_message_waits_without_effect_and_takes_effect_when_its_time_has_come(
    intake: Database, finance: Database
) -> None:
    effects, envelope = Effects(finance), send(intake)
    effects.fail = NotYet("the site is not known yet")
    handlers = {"StatisticsAgreed": effects}
    assert receive(finance, handlers, asdict(envelope)) == "waiting"
    assert effects.count() == 0
    effects.fail = None
    with finance.session() as session:
        session.execute(text("UPDATE inbox SET retry_at = clock_timestamp()"))
        (again,) = inbox.take_retries(session)
    assert again == replace(envelope, sends=2)
    assert receive(finance, handlers, asdict(again)) == "handled"
    assert (effects.count(), state_of(finance, envelope.id).body) == (1, None)


def test_a_message_that_breaks_a_rule_is_parked_with_its_reason_and_an_operator_can_retry_it(
    intake: Database, finance: Database
) -> None:
    effects, envelope = Effects(finance), send(intake)
    effects.fail = RuleBroken("month_is_open", "the month is not over", rule="D18")
    handlers = {"StatisticsAgreed": effects}
    assert receive(finance, handlers, asdict(envelope)) == "parked"
    parked = state_of(finance, envelope.id)
    assert (parked.state, parked.reason) == ("parked", "RuleBroken: the month is not over [D18]")
    assert receive(finance, handlers, asdict(envelope)) == "again"
    effects.fail = None
    with finance.session() as session:
        assert inbox.retry(session, [UUID(envelope.id)]) == 1
        (again,) = inbox.take_retries(session)
    assert receive(finance, handlers, asdict(again)) == "handled"


def test_a_message_whose_handler_has_a_defect_is_parked_at_the_fifth_try(intake: Database, finance: Database) -> None:
    effects, envelope = Effects(finance), send(intake)
    effects.fail = ZeroDivisionError("a defect")
    outcomes = [receive(finance, {"StatisticsAgreed": effects}, asdict(envelope)) for _ in range(5)]
    assert outcomes == ["waiting"] * 4 + ["parked"]
    with finance.session() as session:
        assert inbox.discard(session, UUID(envelope.id), reason="was a test") == 1
    assert receive(finance, {"StatisticsAgreed": effects}, asdict(envelope)) == "again"


@pytest.mark.parametrize(
    "change",
    [{"sender": "hr"}, {"type": "FineConfirmed"}, {"type": "Nonsense"}, {"body": {"month": 7}}, {"body": {}}],
)
def test_a_message_that_is_none_of_the_catalogue_is_parked_and_never_handled(
    intake: Database, finance: Database, change: dict[str, Any]
) -> None:
    effects, envelope = Effects(finance), send(intake)
    assert receive(finance, {"StatisticsAgreed": effects}, {**asdict(envelope), **change}) == "parked"
    assert effects.count() == 0


@pytest.mark.parametrize("delivery", [{}, {"id": "x"}, {"a": 1}])
def test_what_is_no_envelope_is_refused_without_stopping_anything(finance: Database, delivery: dict[str, Any]) -> None:
    assert receive(finance, {}, delivery) == "refused"


def test_two_relays_at_once_never_take_the_same_row(intake: Database) -> None:
    with intake.session() as session:
        publish(session, *(agreed() for _ in range(5)))
    with intake.session() as one, intake.session() as other:
        assert len(outbox.take_due(one)) == 5
        assert outbox.take_due(other) == []
