"""The bus: lost never, in effect once."""

from dataclasses import asdict, replace
from datetime import datetime
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from shared.bus import inbox, outbox
from shared.bus.outbox import Envelope, publish
from shared.db import WORKER, Database, database
from shared.errors import NotYet, RuleBroken
from shared.ids import new_id
from shared.messages import StatisticsAgreed, WorkAcknowledged
from tests.signed import receive

NOW = datetime.fromisoformat("2026-04-01T10:00:00+08:00")


def agreed(month: str = "2026-04") -> StatisticsAgreed:
    return StatisticsAgreed(site_id=new_id(), month=month, agreed_at=NOW)


@pytest.fixture
def intake(installation: str) -> Database:
    return database("intake", WORKER)


@pytest.fixture
def finance(installation: str) -> Database:
    return database("finance", WORKER)


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
    [{"type": "Nonsense"}, {"body": {"month": 7}}, {"body": {}}],
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


# -- how messages travel -----------------------------------------------------------------------------------------


def many(count: int, *, sends: int = 1, type_: str = "StatisticsAgreed", receiver: str = "finance") -> list[Envelope]:
    return [Envelope(str(new_id()), type_, "intake", receiver, "", {}, sends) for _ in range(count)]


def test_first_sendings_of_one_type_to_one_receiver_travel_twenty_together_and_a_repeat_alone() -> None:
    agreed_, other, elsewhere, repeats = many(45), many(2, type_="Other"), many(3, receiver="hr"), many(2, sends=2)
    mixed = agreed_[:30] + repeats[:1] + other + elsewhere + agreed_[30:] + repeats[1:]
    groups = list(outbox.group(mixed))
    assert sorted(map(len, groups)) == [1, 1, 2, 3, 5, 20, 20]
    assert sorted(envelope.id for group in groups for envelope in group) == sorted(envelope.id for envelope in mixed)
    for group in groups:
        assert len({(envelope.receiver, envelope.type) for envelope in group}) == 1
        assert len(group) == 1 or all(envelope.sends == 1 for envelope in group)
    together = [envelope for group in groups for envelope in group if envelope in agreed_]
    assert together == agreed_  # in the order in which they were said


def test_repeats_to_a_long_queue_are_put_off_as_if_not_taken_and_first_sendings_go(intake: Database) -> None:
    send(intake)
    with intake.session() as session:
        session.execute(text("UPDATE outbox SET send_at = clock_timestamp()"))
        publish(session, agreed())
    for long, sent in ((frozenset({"finance"}), [1]), (frozenset({"hr"}), [2])):
        with intake.session() as session:
            taken = outbox.take_due(session)
            assert [envelope.sends for envelope in outbox.hold_back(session, taken, queues=long)] == sent
            held = "SELECT sends, send_at > clock_timestamp() AS later FROM outbox ORDER BY sequence LIMIT 1"
            row = session.execute(text(held)).one()
            assert (row.sends, row.later) == (sent[0], True)
            session.execute(text("UPDATE outbox SET send_at = clock_timestamp() WHERE sends = 1 AND sequence = 1"))


def test_what_is_not_acknowledged_is_sent_again_after_5_10_20_40_seconds_and_then_each_minute(
    intake: Database,
) -> None:
    with intake.session() as session:
        publish(session, agreed())
    for number, seconds in enumerate((5, 10, 20, 40, 60, 60, 60), start=1):
        with intake.session() as session:
            (envelope,) = outbox.take_due(session)
            put_off = "SELECT CAST(extract(epoch FROM send_at - clock_timestamp()) AS float) FROM outbox"
            left = session.execute(text(put_off)).scalar_one()
            session.execute(text("UPDATE outbox SET send_at = clock_timestamp()"))
        assert envelope.sends == number
        assert seconds - 4 < left <= seconds


DELIVERY = asdict(many(1)[0])


def test_what_a_newer_version_adds_to_an_envelope_is_ignored_and_what_an_older_one_lacks_is_supplied() -> None:
    assert Envelope.read(DELIVERY | {"priority": 3, "signed": {"by": "intake"}}) == Envelope(**DELIVERY)
    assert Envelope.read({name: value for name, value in DELIVERY.items() if name != "sends"}).sends == 1


def test_a_text_may_speak_of_nul_without_holding_one() -> None:
    told = DELIVERY | {"body": {"words": r"\u0000 and \\u0000"}}
    assert Envelope.read(told) == Envelope(**told)


@pytest.mark.parametrize(
    "delivery",
    [
        [],
        "text",
        None,
        7,
        *(
            {name: value for name, value in DELIVERY.items() if name != left_out}
            for left_out in DELIVERY
            if left_out != "sends"
        ),
        *(DELIVERY | {name: 7} for name in ("id", "type", "sender", "receiver", "traceparent")),
        DELIVERY | {"id": "not a uuid"},
        DELIVERY | {"id": None},
        *(DELIVERY | {"body": body} for body in (None, [], "{}", 7)),
        *(DELIVERY | {"sends": sends} for sends in (None, "1", 1.0, True, [])),
        DELIVERY | {"id": f"urn:uuid:{DELIVERY['id']}"},
        *(DELIVERY | {name: "a\x00b"} for name in ("type", "sender", "receiver", "traceparent")),
        *(
            DELIVERY | {"body": {"month": wrong}}
            for wrong in ("a\x00b", "\\\x00", "\ud800", float("nan"), float("inf"))
        ),
        DELIVERY | {"sender": "\udfff"},
    ],
)
def test_an_envelope_of_another_shape_is_refused_counted_and_never_handled(finance: Database, delivery: Any) -> None:
    effects = Effects(finance)
    with pytest.raises(ValueError, match=r"envelope|UUID"):
        Envelope.read(delivery)
    assert receive(finance, {"StatisticsAgreed": effects}, delivery) == "refused"
    with finance.session() as session:
        assert session.execute(text("SELECT times FROM unreadable")).scalars().all() == [1]
        assert session.execute(text("SELECT count(*) FROM inbox")).scalar_one() == 0
    assert effects.count() == 0


def test_what_is_refused_is_counted_by_what_it_is_and_its_words_are_not_kept(finance: Database) -> None:
    for raw in (b"secret", b"secret", b"other", b"secret"):
        inbox.refuse(finance, raw, reason="no envelope " + "x" * 1000)
    with finance.session() as session:
        rows = session.execute(text("SELECT * FROM unreadable ORDER BY times")).all()
    assert [(row.times, row.bytes, len(row.reason)) for row in rows] == [(1, 5, 500), (3, 6, 500)]
    assert all(row.first_at <= row.last_at for row in rows)
    assert rows[1].first_at < rows[1].last_at
    assert "secret" not in str(rows)


# -- what ends its process ---------------------------------------------------------------------------------------


class Death(BaseException):
    """What no handler of errors catches: as if the process had ended here."""


class Deadly(Effects):
    """Dies in the middle of its transaction, until it is told not to."""

    def __init__(self, at: Database) -> None:
        super().__init__(at)
        self.executed = 0
        self.dies = True

    def __call__(self, session: Session, message: Any, *, now: datetime) -> None:
        super().__call__(session, message, now=now)
        self.executed += 1
        if self.dies:
            raise Death


def deliver(finance: Database, handler: Deadly, envelope: Envelope, *, redelivered: bool = False) -> str:
    try:
        return receive(finance, {"StatisticsAgreed": handler}, asdict(envelope), redelivered=redelivered)
    except Death:
        return "died"


@pytest.mark.parametrize("by", ["sender", "broker"])
def test_a_message_that_ends_its_process_is_executed_five_times_and_then_parked(
    intake: Database, finance: Database, by: str
) -> None:
    deadly, envelope = Deadly(finance), send(intake)
    outcomes = [
        deliver(finance, deadly, replace(envelope, sends=number if by == "sender" else 1), redelivered=number > 1)
        for number in range(1, 8)
    ]
    assert outcomes == ["died"] * 5 + ["parked", "again"]
    assert (deadly.executed, deadly.count()) == (5, 0)
    assert state_of(finance, envelope.id).reason == "ended its process 5 times"
    deadly.dies = False
    with finance.session() as session:  # an operator who has mended it retries it
        assert inbox.retry(session, [UUID(envelope.id)]) == 1
        (again,) = inbox.take_retries(session)
    assert deliver(finance, deadly, again) == "handled"
    assert deadly.count() == 1


def test_what_a_dead_process_had_begun_is_found_when_its_lease_is_over(intake: Database, finance: Database) -> None:
    deadly, envelope = Deadly(finance), send(intake)
    assert deliver(finance, deadly, replace(envelope, sends=2)) == "died"
    with finance.session() as session:
        assert inbox.take_retries(session) == []
        session.execute(text("UPDATE inbox SET retry_at = retry_at - interval '30 s'"))
        (again,) = inbox.take_retries(session)
    deadly.dies = False
    assert deliver(finance, deadly, again) == "handled"
    assert deliver(finance, deadly, replace(envelope, sends=3)) == "again"
    assert (deadly.executed, deadly.count()) == (2, 1)


def test_a_try_that_ends_by_itself_begins_the_count_anew(intake: Database, finance: Database) -> None:
    deadly, envelope = Deadly(finance), send(intake)
    repeats = replace(envelope, sends=2)
    assert [deliver(finance, deadly, repeats) for _ in range(3)] == ["died"] * 3
    deadly.dies, deadly.fail = False, NotYet("the site is not known yet")
    assert deliver(finance, deadly, repeats) == "waiting"
    deadly.dies, deadly.fail = True, None
    assert [deliver(finance, deadly, repeats) for _ in range(6)] == ["died"] * 5 + ["parked"]


def test_a_repeat_of_what_was_handled_is_not_counted_as_begun(intake: Database, finance: Database) -> None:
    deadly, envelope = Deadly(finance), send(intake)
    deadly.dies = False
    assert deliver(finance, deadly, envelope) == "handled"
    assert {deliver(finance, deadly, replace(envelope, sends=9)) for _ in range(10)} == {"again"}
    with finance.session() as session:
        row = session.execute(text("SELECT state, unended, retry_at, ack_due FROM inbox")).one()
    assert (row.state, row.unended, row.retry_at, row.ack_due) == ("handled", 0, None, True)


def test_a_message_that_meets_a_lock_waits_and_is_tried_again(intake: Database, finance: Database) -> None:
    envelope = send(intake)
    with finance.session() as session:
        session.execute(text("INSERT INTO unreadable (digest, reason, bytes) VALUES ('contended', '', 0)"))
    contended = text("UPDATE unreadable SET bytes = bytes + 1 WHERE digest = 'contended'")

    def handler(session: Session, message: Any, *, now: datetime) -> None:
        session.execute(text("SET LOCAL lock_timeout = '50 ms'"))
        session.execute(contended)

    with finance.session() as holder:
        holder.execute(contended)
        assert receive(finance, {"StatisticsAgreed": handler}, asdict(envelope)) == "waiting"
    waiting = state_of(finance, envelope.id)
    assert (waiting.state, waiting.reason.split(":")[0]) == ("waiting", "busy")
    with finance.session() as session:
        session.execute(text("UPDATE inbox SET retry_at = clock_timestamp()"))
        (again,) = inbox.take_retries(session)
    assert receive(finance, {"StatisticsAgreed": handler}, asdict(again)) == "handled"
    with finance.session() as session:
        assert session.execute(text("SELECT bytes FROM unreadable")).scalar_one() == 2
