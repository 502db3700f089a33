"""Whoever can write to a queue says nothing by it: only what its sender signed takes effect (promise 17)."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from time import monotonic
from typing import Any

import pytest
from sqlalchemy import text

from bianmin.engines import Engines
from bianmin.keys import exchange, make_missing
from bianmin.worker import worker
from shared import startup
from shared.broker import broker_client
from shared.bus.keys import PublicKey, private_file, public_folder, read_public
from shared.bus.outbox import Envelope
from shared.bus.pump import ACKNOWLEDGED
from shared.bus.purge import KEPT_DAYS
from shared.bus.signature import Refused, Signatures, body_digest
from shared.db import SERVICES, WORKER, database
from shared.ids import new_id
from shared.log import new_traceparent
from tests.people import open_site
from tests.workers import person, publish_people, task, workers

SAMPLES = Path(__file__).parents[1] / "contracts" / "samples"
NOTHING_AFTER = {"callbacks": None, "errbacks": None, "chain": None, "chord": None}
THIRD = "intake"
"""Who says neither who works here nor who is paid what."""


@dataclass
class Ring:
    """The keys of one installation, with which a test signs as any of its services."""

    folder: Path

    def of(self, service: str) -> Signatures:
        return Signatures(service, partial(database, service), self.folder)

    def signed(self, envelope: Envelope, *, by: str = "") -> dict[str, Any]:
        return self.of(by or envelope.sender).sign(envelope)

    def signed_long_ago(self, envelope: Envelope, days: int) -> dict[str, Any]:
        signatures = self.of(envelope.sender)
        moment = signatures._moment
        moment._asked = (moment.now() - timedelta(days=days), monotonic())
        return signatures.sign(envelope)


@pytest.fixture
def ring(tmp_path: Path, installation: str) -> Ring:
    make_missing(tmp_path / "keys")
    return Ring(tmp_path / "keys")


@pytest.fixture
def another(tmp_path: Path) -> Ring:
    """The keys of a stranger's installation."""
    make_missing(tmp_path / "another")
    return Ring(tmp_path / "another")


# --- what is said ---------------------------------------------------------------------------------------------------


@dataclass
class Said:
    """A fact of which each time it takes effect makes a row of `table` at its receiver."""

    receiver: str
    table: str
    sender: str
    type: str
    body: Callable[[], dict[str, Any]]

    def envelope(self) -> Envelope:
        return Envelope(str(new_id()), self.type, self.sender, self.receiver, new_traceparent(), self.body())


def a_person() -> dict[str, Any]:
    return person().model_dump(mode="json")


def a_payout() -> dict[str, Any]:
    body: dict[str, Any] = json.loads((SAMPLES / "PayoutApproved.json").read_text(encoding="utf-8"))
    with database("hr", WORKER).session() as session:
        site_id = open_site(session, code=str(new_id())[-8:])
    return body | {"settlement_id": str(new_id()), "site_id": str(site_id)}


SAID = (
    Said("finance", "people", "hr", "PersonChanged", a_person),
    Said("hr", "payouts", "finance", "PayoutApproved", a_payout),
)


# --- forgeries ------------------------------------------------------------------------------------------------------


@dataclass
class Forgers:
    """Who forge: with the keys of this installation that they were given, and with those of another."""

    ring: Ring
    another: Ring

    def forgeries(self, said: Said) -> list[tuple[str, str, dict[str, Any], str]]:
        """What is wrong, the reason that is noted, the delivery, and the task as which it comes."""
        good = said.envelope()
        genuine = self.ring.signed(good)
        signature = genuine["signature"]
        forged = replace(said.envelope(), sender=THIRD)
        as_third = self.ring.signed(forged)
        to_third = self.ring.signed(replace(good, receiver=THIRD))
        other_body = said.body()
        other_type = replace(good, type="SiteChanged" if said.sender == "hr" else "LedgerAnchored")

        def signing(**changes: Any) -> dict[str, Any]:
            return genuine | {"signature": signature | changes}

        of_another = self.another.of(said.sender)
        thirds_word = self.ring.signed(good, by=THIRD)
        return [
            ("unsigned", "unsigned", asdict(good), said.type),
            ("a signature that is none", "unsigned", genuine | {"signature": "yes"}, said.type),
            ("a signature without a value", "unsigned", signing(value=None), said.type),
            ("a signature that is none", "wrong signature", signing(value="%%%"), said.type),
            ("a version nobody knows", "a signature of version 2", signing(v=2), said.type),
            ("a key of another installation", "no such key", of_another.sign(good), said.type),
            ("a key under another's name", "no such key", signing(key=thirds_word["signature"]["key"]), said.type),
            (
                "a signature by another key",
                "wrong signature",
                signing(value=thirds_word["signature"]["value"]),
                said.type,
            ),
            ("altered body", "altered body", genuine | {"body": other_body}, said.type),
            (
                "altered body and its digest",
                "wrong signature",
                genuine | {"body": other_body, "signature": signature | {"digest": body_digest(other_body)}},
                said.type,
            ),
            ("altered header: id", "wrong signature", genuine | {"id": str(new_id())}, said.type),
            ("altered header: sends", "wrong signature", genuine | {"sends": 7}, said.type),
            ("altered header: traceparent", "wrong signature", genuine | {"traceparent": ""}, said.type),
            ("altered header: when", "wrong signature", signing(created="2099-01-01T00:00:00+00:00"), said.type),
            ("another's word under its own signature", "wrong sender", as_third, said.type),
            ("the sender's word under another's signature", "wrong sender", thirds_word, said.type),
            ("what was said to another", "wrong receiver", to_third, said.type),
            ("another message as this task", "task and type differ", self.ring.signed(other_type), said.type),
            (
                "this message as an acknowledgement",
                "task and type differ",
                self.ring.signed(said.envelope()),
                ACKNOWLEDGED,
            ),
            ("old", "older than the 400 days", self.ring.signed_long_ago(good, KEPT_DAYS + 1), said.type),
        ]


def put(engines: Engines, queue: str, name: str, *deliveries: dict[str, Any]) -> None:
    """Put tasks on a queue as whoever may write to it."""
    named = (deliveries[0] if name == ACKNOWLEDGED else {"envelopes": list(deliveries)}) if deliveries else {}
    with broker_client(engines.broker_url) as client:
        client.lpush(queue, json.dumps(task(f"{queue}.{name}", [[], named, NOTHING_AFTER])))


def ask(service: str, query: str) -> Any:
    with database(service, WORKER).session() as session:
        return session.execute(text(query)).scalars().all()


def refusals(service: str) -> int:
    return int(ask(service, "SELECT coalesce(sum(times), 0) FROM unreadable")[0])


REASONS = "SELECT reason FROM unreadable ORDER BY last_at"


@pytest.mark.parametrize("said", SAID, ids=lambda said: said.type)
def test_no_forgery_is_taken_for_genuine(installation: str, ring: Ring, another: Ring, said: Said) -> None:
    signatures = ring.of(said.receiver)
    for what, reason, delivery, name in Forgers(ring, another).forgeries(said):
        with pytest.raises(Refused) as refused:
            signatures.verified(delivery, task=name)
        assert str(refused.value).startswith(reason), what
    good = said.envelope()
    assert signatures.verified(ring.signed(good), task=said.type) == good


@pytest.mark.parametrize("said", SAID, ids=lambda said: said.type)
def test_a_forged_message_is_refused_and_counted_and_makes_no_row(
    installation: str, engines: Engines, ring: Ring, another: Ring, tmp_path: Path, said: Said
) -> None:
    with broker_client(engines.broker_url) as client:
        client.flushdb()
    with workers(tmp_path) as running:
        urls = {"database_url": installation, "broker_url": engines.broker_url}
        one_by_one = {"BIANMIN_KEYS": str(ring.folder), "BIANMIN_WORKER_THREADS": "1"}
        child = running.start(said.receiver, **urls, **one_by_one)
        for what, reason, delivery, name in Forgers(ring, another).forgeries(said):
            before = refusals(said.receiver)
            put(engines, said.receiver, name, delivery)
            running.until(
                f"a message to be refused: {what}",
                lambda before=before: refusals(said.receiver) > before,
                seconds=60,
            )
            assert ask(said.receiver, REASONS)[-1].removeprefix("Refused: ").startswith(reason), what
            assert ask(said.receiver, f"SELECT 1 FROM {said.table}") == [], what
        assert ask(said.receiver, "SELECT 1 FROM inbox") == []
        genuine = ring.signed(said.envelope())
        for _ in range(3):  # and a genuine one that is repeated by a stranger takes effect once
            put(engines, said.receiver, said.type, genuine)
        last = said.envelope()
        put(engines, said.receiver, said.type, ring.signed(last))
        handled = f"SELECT 1 FROM inbox WHERE state = 'handled' AND message_id = '{last.id}'"
        running.until("the genuine ones to be handled", lambda: ask(said.receiver, handled) == [1], seconds=60)
        assert ask(said.receiver, f"SELECT 1 FROM {said.table}") == [1, 1]
        assert child.restarts == 0
        assert child.log is not None
        assert child.log.read_text().count('"event": "message_refused"') >= len(SERVICES)


def test_a_forged_acknowledgement_closes_nothing(
    installation: str, engines: Engines, ring: Ring, another: Ring, tmp_path: Path
) -> None:
    hr = database("hr", WORKER)
    with broker_client(engines.broker_url) as client:
        client.flushdb()
    publish_people(hr, 1)  # nobody handles it: no worker of a receiver runs
    receivers = ask("hr", "SELECT receiver FROM outbox ORDER BY receiver")
    (id_, *_) = ask("hr", "SELECT DISTINCT message_id::text FROM outbox")

    def said(by: str) -> Envelope:
        return Envelope(str(new_id()), ACKNOWLEDGED, by, "hr", "", {"ids": [id_]})

    genuine = ring.signed(said("finance"))
    forged = [
        asdict(said("finance")),
        {"receiver": "finance", "ids": [id_]},
        another.signed(said("finance")),
        ring.signed(said("finance"), by="dispatch"),
        genuine | {"sender": "dispatch"},
        ring.signed(replace(said("finance"), receiver="dispatch")),
        genuine | {"body": {"ids": [id_, str(new_id())]}},
    ]
    with workers(tmp_path) as running:
        urls = {"database_url": installation, "broker_url": engines.broker_url}
        running.start("hr", **urls, BIANMIN_KEYS=str(ring.folder))
        for number, delivery in enumerate(forged, start=1):
            put(engines, "hr", ACKNOWLEDGED, delivery)
            running.until(
                "an acknowledgement to be refused",
                lambda number=number: refusals("hr") == number,
                seconds=60,
            )
            assert ask("hr", "SELECT 1 FROM outbox WHERE acknowledged_at IS NULL") == [1] * len(receivers)
        put(engines, "hr", ACKNOWLEDGED, genuine)
        closed = "SELECT receiver FROM outbox WHERE acknowledged_at IS NOT NULL"
        running.until("the genuine one to close its row", lambda: ask("hr", closed) == ["finance"], seconds=60)


def test_a_key_is_exchanged_under_way_and_a_stolen_one_counts_no_more(
    installation: str, engines: Engines, ring: Ring, tmp_path: Path
) -> None:
    said = SAID[0]
    handled = "SELECT message_id::text FROM inbox WHERE state = 'handled'"
    with broker_client(engines.broker_url) as client:
        client.flushdb()
    with workers(tmp_path) as running:
        urls = {"database_url": installation, "broker_url": engines.broker_url}
        running.start("finance", **urls, BIANMIN_KEYS=str(ring.folder))

        def say(signatures: Signatures) -> str:
            envelope = said.envelope()
            put(engines, "finance", said.type, signatures.sign(envelope))
            return envelope.id

        first = ring.of("hr")
        ids = {say(first)}
        exchange(ring.folder, "hr")
        ids |= {say(first), say(ring.of("hr"))}  # what the old key signs counts for a week more
        running.until("both keys to count", lambda: set(ask("finance", handled)) == ids, seconds=60)
        second = ring.of("hr")
        say(second)
        exchange(ring.folder, "hr", stolen=True)
        refused = "SELECT reason FROM unreadable WHERE reason LIKE 'the key is not valid now%'"

        def a_thief_is_refused() -> bool:
            say(second)  # the worker reads the public keys again every few seconds
            return bool(ask("finance", refused))

        running.until("the stolen key to count no more", a_thief_is_refused, seconds=60)
        last = say(ring.of("hr"))
        running.until("the newest key to count", lambda: last in ask("finance", handled), seconds=60)


# --- keys -----------------------------------------------------------------------------------------------------------


def test_a_repeat_of_what_is_refused_is_one_row_however_often_it_is_signed_anew(installation: str, ring: Ring) -> None:
    good = SAID[0].envelope()
    raws = set()
    for sends in (1, 2, 3):
        with pytest.raises(Refused) as refused:
            ring.of("finance").verified(ring.signed(replace(good, sends=sends)), task="SiteChanged")
        raws.add(refused.value.raw)
    assert len(raws) == 1


def test_a_seal_survives_the_way_through_json(installation: str, ring: Ring) -> None:
    body = {"words": '周宁 "\\u0000" \u2028', "b": [1, 1.5, 0.1, 10**18, None, True], "a": {"z": {}, "y": []}}
    envelope = Envelope(str(new_id()), "PersonChanged", "hr", "finance", "", body)
    travelled = json.loads(json.dumps(ring.signed(envelope), ensure_ascii=False))
    assert ring.of("finance").verified(travelled, task="PersonChanged") == envelope


def test_the_keys_are_made_once_and_nobody_else_can_read_what_is_signed_with(tmp_path: Path) -> None:
    assert {key.service for key in make_missing(tmp_path)} == set(SERVICES)
    assert make_missing(tmp_path) == []
    for service in SERVICES:
        assert private_file(tmp_path, service).stat().st_mode & 0o777 == 0o600
    assert {path.name.split(".")[0] for path in public_folder(tmp_path).iterdir()} == set(SERVICES)


def test_a_public_key_says_when_it_is_valid_and_a_file_that_lies_is_passed_over(tmp_path: Path) -> None:
    (made,) = [key for key in make_missing(tmp_path) if key.service == "hr"]
    folder = public_folder(tmp_path)
    assert PublicKey.read(folder / made.file_name).text() == made.text()
    assert made.is_valid(made.not_before)
    assert not made.is_valid(made.not_before - timedelta(seconds=1))
    ended = replace(made, not_after=made.not_before + timedelta(days=1))
    assert ended.is_valid(ended.not_before + timedelta(days=1))
    assert not ended.is_valid(ended.not_before + timedelta(days=1, seconds=1))
    pem = made.text().partition(b"\n")[2]
    wrong = {
        f"finance.{'0' * 16}.pem": made.text(),  # another key's name
        "dispatch.pem": b"",
        f"intake.{made.id}.pem": pem,  # no moment
        "intake.x.pem": b"not-before: yesterday\n" + pem,
    }
    for name, words in wrong.items():
        (folder / name).write_bytes(words)
    assert {key.service for key in read_public(folder)} == set(SERVICES)
    assert len(read_public(folder)) == len(SERVICES)


@pytest.mark.parametrize("fault", ["none", "open to all", "not known", "no key"])
def test_a_worker_without_a_key_of_its_own_that_others_know_does_not_begin(
    installation: str, engines: Engines, ring: Ring, fault: str
) -> None:
    path = private_file(ring.folder, "finance")
    if fault == "none":
        path.unlink()
        sentence = "make one with `bianmin keys new`"
    elif fault == "open to all":
        path.chmod(0o644)
        sentence = "let its owner alone (chmod 600)"
    elif fault == "not known":
        for public in public_folder(ring.folder).glob("finance.*"):
            public.unlink()
        sentence = "its public half is to lie in the folder public"
    else:
        path.write_bytes(b"no key")
        sentence = "make one with `bianmin keys new`"
    urls = {"BIANMIN_DATABASE_URL": installation, "BIANMIN_BROKER_URL": engines.broker_url}
    argv = worker("finance", place="test", progress=Path(os.devnull), log=None).argv
    env = {**os.environ, **urls, "BIANMIN_KEYS": str(ring.folder)}
    done = subprocess.run(argv, capture_output=True, text=True, env=env, timeout=60, check=False)
    assert done.returncode == startup.REFUSED
    assert done.stderr.splitlines()[-1].endswith(sentence)


def test_the_command_makes_exchanges_and_lists_keys(tmp_path: Path) -> None:
    def keys(*arguments: str) -> str:
        done = subprocess.run(
            [sys.executable, "-m", "bianmin", "keys", *arguments, "--keys", str(tmp_path)],
            capture_output=True,
            text=True,
            check=True,
        )
        return done.stdout

    made = keys("new")
    assert made.count("signs with") == len(SERVICES)
    assert keys("new") == ""
    exchanged = keys("rotate", "hr").split()[-1]
    listed = keys("list")
    assert exchanged in listed
    rows = [line for line in listed.splitlines() if " hr " in line]
    assert sorted("yes" in row for row in rows) == [False, True]
    assert len(read_public(public_folder(tmp_path))) == len(SERVICES) + 1


def test_a_moment_is_the_databases_own_and_not_the_simulated_one(installation: str) -> None:
    told: datetime = Ring(Path()).of("hr")._moment.now()
    with database("hr", WORKER).session() as session:
        apart = session.execute(text("SELECT extract(epoch FROM clock_timestamp() - :told)"), {"told": told}).scalar()
        simulated = session.execute(text("SELECT clock_now()")).scalar_one()
    assert 0 <= float(apart or 0) < 60
    assert abs(told - simulated) > timedelta(days=1)
