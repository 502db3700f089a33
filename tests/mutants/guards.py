"""The guards that are taken away, each with how, and with the tests that must notice."""

import functools
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import datetime
from types import FunctionType
from typing import Any
from unittest.mock import patch

from sqlalchemy import event, text
from sqlalchemy.orm import Session

import services.dispatch.rules.acceptance
import services.finance.rules.split
import shared.access
import shared.idempotency
import shared.tasks
from shared.bus import inbox, outbox
from shared.bus.signature import Signatures

SIMULATION = ""
"""The seeds of the simulation must notice, not a test of its own."""


@dataclass(frozen=True)
class Mutant:
    """A guard taken away. `by` is a test (pytest's name of it), or SIMULATION."""

    name: str
    sentence: str
    by: str
    apply: Callable[[], Any] = ExitStack
    """Gives a context manager inside which the guard is gone."""
    begin: str = ""
    """SQL that takes it out of a database."""


@contextmanager
def _exchanged(function: Callable[..., Any], other: Callable[..., Any]) -> Iterator[None]:
    """Whoever has imported `function` already calls `other` instead; `other` may call `function.was`."""
    assert isinstance(function, FunctionType)
    code, defaults, kwdefaults = function.__code__, function.__defaults__, function.__kwdefaults__
    was = FunctionType(code, function.__globals__, function.__name__, defaults, function.__closure__)
    was.__kwdefaults__ = kwdefaults

    def call(*args: Any, **kwargs: Any) -> Any:
        return __other__(*args, **kwargs)  # type: ignore[name-defined]  # noqa: F821  # put into its globals below

    function.__globals__["__other__"] = functools.partial(other, was)
    function.__code__, function.__kwdefaults__, function.__defaults__ = call.__code__, None, None
    try:
        yield
    finally:
        function.__code__, function.__kwdefaults__, function.__defaults__ = code, kwdefaults, defaults
        del function.__globals__["__other__"]


def _sql(module: Any, name: str, was: str, becomes: str) -> Callable[[], Any]:
    """A statement of a module says something else."""

    def apply() -> Any:
        statement = getattr(module, name)
        before = str(statement)
        assert was in before, f"{name} does not say {was!r} any more"
        return patch.object(module, name, text(before.replace(was, becomes)).bindparams(*_typed(statement)))

    return apply


def _typed(statement: Any) -> list[Any]:
    return [bind for bind in statement._bindparams.values() if bind.type.__class__.__name__ != "NullType"]


def _exchange(function: Callable[..., Any], other: Callable[..., Any]) -> Callable[[], Any]:
    return lambda: _exchanged(function, other)


def _claim(session: Session, envelope: outbox.Envelope) -> Any:
    return session.execute(inbox._CLAIM, inbox._keys(envelope) | {"said": "{}"}).one()


def _claim_after_effect(was: Any, database: Any, handlers: dict[str, Any], envelope: outbox.Envelope) -> str:
    message = inbox._parse(envelope, database.service)
    with database.session() as session:
        state = session.execute(text("SELECT state FROM inbox WHERE message_id = :id"), {"id": envelope.id}).scalar()
        if state not in (None, "waiting"):
            _claim(session, envelope)
            return "again"
        now: datetime = session.execute(text("SELECT clock_now()")).scalar_one()
        handlers[envelope.type](session, message, now=now)
    with database.session() as session:
        if not _claim(session, envelope).first:
            session.execute(inbox._CLAIM_WAITING, {"id": envelope.id})
    return "handled"


def _early_is_late(was: Any, database: Any, envelope: outbox.Envelope, *, reason: str, attempts_allowed: int) -> str:
    if not reason.startswith("early"):
        kept: str = was(database, envelope, reason=reason, attempts_allowed=attempts_allowed)
        return kept
    with database.session() as session:
        _claim(session, envelope)
        session.execute(inbox._CLAIM_WAITING, {"id": envelope.id})
    return "handled"


def _publish_after_commit(was: Any, session: Session, *messages: Any) -> None:
    from shared.db import WORKER, database  # noqa: PLC0415  # the one in use now

    service = session.info["service"]

    def publish_now(_: Session) -> None:
        with database(service, WORKER).session() as another:
            was(another, *messages)

    event.listen(session, "after_commit", publish_now, once=True)


def _passed_again(was: Any, deadline: shared.tasks.Deadline, now: Any) -> Any:
    return deadline.due < now


def _no_key(was: Any, session: Session, person_id: Any, key: str | None, print_: str) -> None:
    return None


def _one_fen_off(was: Any, total_fen: int, policy: Any) -> Any:
    split = was(total_fen, policy)
    return type(split)(split.company_fen + 1, split.workers_fen - 1, split.reserve_fen)


def _let_through(was: Any, *_: Any, **__: Any) -> None:
    return None


def _held_back_nothing(was: Any, session: Session, taken: Any, *, queues: Any) -> list[Any]:
    return list(taken)


HERE = "tests/mutants/test_guards.py"

MUTANTS = (
    Mutant(
        "inbox claim removed",
        "a message delivered twice takes effect twice",
        SIMULATION,
        _sql(inbox, "_CLAIM", "(xmax = 0) AS first", "true AS first"),
    ),
    Mutant(
        "effect before the claim",
        "a crash between effect and claim does the effect again",
        SIMULATION,
        _exchange(inbox._take_effect, _claim_after_effect),
    ),
    Mutant(
        "closed when sent",
        "a message the broker loses is lost: nobody waits for the receiver",
        SIMULATION,
        _sql(
            outbox,
            "_TAKE_DUE",
            "SET sends = o.sends + 1",
            "SET acknowledged_at = clock_timestamp(), sends = o.sends + 1",
        ),
    ),
    Mutant(
        "never sent again",
        "a message the broker loses is never sent a second time",
        SIMULATION,
        _sql(outbox, "_TAKE_DUE", "acknowledged_at IS NULL AND", "acknowledged_at IS NULL AND sends = 0 AND"),
    ),
    Mutant(
        "published after the commit",
        "a crash between commit and publishing says nothing of what was done",
        SIMULATION,
        _exchange(outbox.publish, _publish_after_commit),
    ),
    Mutant(
        "an early message counts as handled",
        "what came before its time is lost",
        SIMULATION,
        _exchange(inbox._keep, _early_is_late),
    ),
    Mutant(
        "acknowledgement lost with its batch",
        "an acknowledgement is forgotten: a repeat does not bring it back",
        SIMULATION,
        _sql(inbox, "_BEGIN", "ack_due = true,", "ack_due = inbox.ack_due,"),
    ),
    Mutant(
        "Idempotency-Key not claimed",
        "whoever asks again because the answer was lost acts twice",
        SIMULATION,
        _exchange(shared.idempotency.earlier_answer, _no_key),
    ),
    Mutant(
        "split off by a fen",
        "the company gets a fen of the workers'",
        SIMULATION,
        _exchange(services.finance.rules.split.split, _one_fen_off),
    ),
    Mutant(
        "a deadline has no end",
        "a deadline that passed passes again",
        SIMULATION,
        _exchange(shared.tasks.Deadline.passed, _passed_again),
    ),
    Mutant(
        "signatures not checked",
        "whoever can write to a queue says what he likes",
        "tests/shared/test_signature.py::test_no_forgery_is_taken_for_genuine",
        _exchange(Signatures._forged, _let_through),
    ),
    Mutant(
        "genuine signatures not limited to their use",
        "what a service may say to one it says to all, and what another's is to say, and for ever",
        "tests/shared/test_signature.py::test_no_forgery_is_taken_for_genuine",
        _exchange(Signatures._misused, _let_through),
    ),
    Mutant(
        "deliveries not counted",
        "a message that ends its process is tried for ever",
        f"{HERE}::test_a_message_that_ends_its_process_each_time_is_parked_at_the_fifth",
        _exchange(inbox._begin, _let_through),
    ),
    Mutant(
        "repeats not held back",
        "a long queue grows by its own repeats",
        f"{HERE}::test_repeats_to_a_long_queue_are_held_back_and_first_sendings_are_not",
        _exchange(outbox.hold_back, _held_back_nothing),
    ),
    Mutant(
        "rows taken without a mark",
        "two relays send the same rows",
        f"{HERE}::test_two_relays_at_once_share_the_rows_without_waiting_for_each_other",
        _sql(outbox, "_TAKE_DUE", "FOR UPDATE SKIP LOCKED", "FOR UPDATE"),
    ),
    Mutant(
        "signature's hash not compared",
        "an owner's signature stands for a fee he was not shown",
        "tests/services/dispatch/test_acceptance.py::test_a_changed_fee_is_shown_again_before_it_is_signed",
        _exchange(services.dispatch.rules.acceptance.check_shown, _let_through),
    ),
    Mutant(
        "four eyes removed",
        "who computed a payout approves it himself",
        "tests/services/finance/test_settlement.py",
        _exchange(shared.access.check_four_eyes, _let_through),
    ),
    Mutant(
        "balance trigger dropped",
        "the database takes a journal that does not add up",
        "tests/services/finance/test_ledger.py::test_a_journal_that_does_not_balance_is_refused",
        begin="DROP TRIGGER journal_closes ON finance.journals",
    ),
    Mutant(
        "journals without their unique key",
        "the same receipt is posted twice",
        "tests/services/finance/test_ledger.py::test_the_same_thing_is_posted_once",
        begin="ALTER TABLE finance.journals DROP CONSTRAINT uq_journals_kind",
    ),
    Mutant(
        "a receipt may be two",
        "two receipts are written for one request",
        "tests/services/finance/test_receipt.py"
        "::test_the_database_refuses_a_second_receipt_of_a_charge_and_a_split_that_does_not_add_up",
        begin="DROP INDEX finance.uq_receipts_request_id",
    ),
)
"""Every mutant."""


def named(name: str) -> Mutant:
    """The mutant of that name. Raises KeyError."""
    return {mutant.name: mutant for mutant in MUTANTS}[name]
