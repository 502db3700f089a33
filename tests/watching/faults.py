"""A real fault for each alert: what is done to an installation, and undone.

What cannot be done through the product, since it refuses it, is done in the database past all triggers.
"""

import glob
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta

from psycopg.types.json import Jsonb

from bianmin.children import wait_until
from bianmin.client import Refused
from bianmin.month.cast import PRICES
from shared.ids import new_id
from tests.debian import needs
from tests.faults.test_versions_and_clocks import FAKETIME
from tests.faults.traffic import Caller, Intent, Traffic
from tests.watching.watch import PATIENCE, Watch


@dataclass(frozen=True)
class Fault:
    """What raises these alerts, each with labels that say where."""

    injured: Callable[[Watch], Iterator[None]]
    raises: tuple[str, ...]
    where: dict[str, str]

    @contextmanager
    def injure(self, watch: Watch) -> Iterator[None]:
        """Inside the block something is broken; it is healed whatever happens there."""
        steps = self.injured(watch)
        next(steps)
        try:
            yield
        finally:
            next(steps, None)

    def __str__(self) -> str:
        return self.injured.__name__


FAULTS: list[Fault] = []
"""The first is injured in the ordinary suite, all in `make watching`: in this order, for some leave a mark."""


def raising(*alerts: str, **where: str) -> Callable[[Callable[[Watch], Iterator[None]]], None]:
    """The decorated generator injures before its yield, and heals after it."""

    def add(injured: Callable[[Watch], Iterator[None]]) -> None:
        FAULTS.append(Fault(injured, alerts, where))

    return add


# --- processes --------------------------------------------------------------------------------------------------------


@raising("WorkerDown", service="dispatch")
def a_worker_stands_still(watch: Watch) -> Iterator[None]:
    """Nobody undoes it: the supervisor replaces it, and that is told too."""
    watch.house.worker("dispatch").suspend()
    yield
    watch.await_told("WorkerDown", {"service": "dispatch"}, status="resolved")


@raising("FiguresUnread", "MoneyFiguresMissing")
def a_table_is_away(watch: Watch) -> Iterator[None]:
    with away(watch, "finance", "receipts"):
        yield


@raising("WebDown", service="web")
def the_web_process_stands_still(watch: Watch) -> Iterator[None]:
    with watch.house.stopped(watch.house.web()):
        yield


@raising("HttpErrorsFast", "HttpErrorsSteady", "HttpErrorsSlow", service="intake")
def requests_fail(watch: Watch) -> Iterator[None]:
    """Again and again, over several looks of Prometheus."""
    house = watch.house

    def ask() -> None:
        with suppress(Refused):
            client.get(house.cast.desk_chief, "/intake/api/requests")

    with away(watch, "intake", "requests"), house.stack.client() as client:
        watch.await_told("HttpErrorsSlow", {"service": "intake"}, meanwhile=ask)
        yield


@raising("ClockWrong")
def the_clock_of_a_host_goes_wrong(watch: Watch) -> Iterator[None]:
    needs("faketime", "faketime")
    (library,) = glob.glob("/usr/lib/*/faketime/libfaketimeMT.so.1")
    clock = watch.house.folder / "clock-web"
    clock.write_text("+0")  # a process whose clock is wrong when it begins does not begin
    watch.house.become("web", {"LD_PRELOAD": library, "FAKETIME_TIMESTAMP_FILE": str(clock)} | FAKETIME)
    clock.write_text("+5")
    yield
    watch.house.become("web", None)


# --- messages ---------------------------------------------------------------------------------------------------------


@raising("MessagesUnacknowledged", service="hr", receiver="intake")
def a_worker_is_gone_for_good(watch: Watch) -> Iterator[None]:
    with watch.without_worker("intake"):
        say_to_all(watch)
        yield


@raising("MessagesUnsent", service="hr")
def the_sender_is_gone_for_good(watch: Watch) -> Iterator[None]:
    with watch.without_worker("hr"):
        say_to_all(watch)
        yield


@raising("WorkerStuck", queue="dispatch")
def a_worker_lives_and_takes_nothing(watch: Watch) -> Iterator[None]:
    """The broker lets nobody write, so nobody can take: what waits is seen all the same."""
    with watch.unsupervised(), watch.house.broker_client() as broker:
        with watch.house.stopped(watch.house.worker("dispatch")):
            say_to_all(watch, times=2)  # the worker had asked for the first already
            wait_until("something to wait", lambda: broker.llen("dispatch") > 0, seconds=PATIENCE)
            broker.execute_command("CLIENT", "PAUSE", 3600 * 1000, "WRITE")
        yield
        broker.execute_command("CLIENT", "UNPAUSE")


@raising("QueueLong", queue="intake")
def more_waits_than_is_taken(watch: Watch) -> Iterator[None]:
    with watch.without_worker("intake"), watch.house.broker_client() as broker:
        broker.rpush("intake", *["{}"] * 1002)
        yield
        broker.ltrim("intake", 1, 0)  # what was said is said again


@raising("QueueSlow", queue="finance")
def a_queue_is_slow(watch: Watch) -> Iterator[None]:
    """Its worker pauses so often that what is handled has waited for long; nobody replaces it before that was seen."""
    waiting = """
        SELECT coalesce(max(clock_timestamp() - published_at), '0') FROM outbox
        WHERE receiver = 'finance' AND acknowledged_at IS NULL
    """

    def pause() -> None:
        with watch.owner("hr") as owner, watch.unsupervised():

            def oldest() -> timedelta:
                return owner.execute(waiting).fetchone()[0]  # type: ignore[index,no-any-return]

            with watch.house.stopped(watch.house.worker("finance")):
                say_to_all(watch)
                wait_until("a message to grow old", lambda: oldest() > timedelta(seconds=35), seconds=60)
            wait_until("it to be handled", lambda: not oldest(), seconds=60)
            handled_at = float(watch.query("time()")[1])
            watch.await_figure(f'timestamp(bianmin_task_wait_seconds_count{{queue="finance"}}) > {handled_at}')

    watch.await_told("QueueSlow", {"queue": "finance"}, meanwhile=pause)
    yield


@raising("MessagesParked", service="intake")
def something_senseless_is_said(watch: Watch) -> Iterator[None]:
    """Until an operator discards it."""
    message = new_id()
    with watch.owner("hr") as owner:
        owner.execute(
            "INSERT INTO outbox (message_id, receiver, type, body, traceparent)"
            " VALUES (%s, 'intake', 'SiteChanged', %s, '')",
            (message, Jsonb({})),
        )
    yield
    with watch.house.stack.client() as client:
        client.post(watch.house.cast.operator, f"/intake/ops/parked/{message}/discard", reason="没有意义")


@raising("MessagesUnreadable", service="finance")
def a_message_is_forged(watch: Watch) -> Iterator[None]:
    """It is amiss for a quarter of an hour."""
    with watch.house.broker_client() as broker:
        broker.rpush("finance", "{}")
    yield


@raising("BrokerDown")
def the_broker_does_not_answer(watch: Watch) -> Iterator[None]:
    with watch.house.stopped(watch.house.broker()):
        yield


@raising("BrokerEvicts")
def the_broker_may_evict(watch: Watch) -> Iterator[None]:
    with watch.house.broker_client() as broker:
        broker.config_set("maxmemory-policy", "allkeys-lru")
        yield
        broker.config_set("maxmemory-policy", "noeviction")


# --- promises ---------------------------------------------------------------------------------------------------------


@raising("TickerStopped", service="intake")
def deadlines_cannot_be_looked_at(watch: Watch) -> Iterator[None]:
    with watch.owner("intake") as owner:
        owner.execute("LOCK TABLE requests")
        yield


@raising("CallbackMissed")
def an_owner_is_not_called_back(watch: Watch) -> Iterator[None]:
    watch.house.miss_callbacks(1)
    yield


@raising("DeadlineLagging", "DeadlineLate", "CallbacksMissedOften")
def many_are_not_called_back_and_nobody_notices(watch: Watch) -> Iterator[None]:
    """As long as somebody holds their rows; then it is noticed that they were not called."""
    often = len(watch.house.ledger.intents) // 50 + 3
    with watch.owner("intake") as owner:
        intents = watch.house.ask(often)
        ids = [intent.request_id for intent in intents]
        owner.execute("SELECT FROM requests WHERE id = ANY(%s::uuid[]) FOR UPDATE", (ids,))
        watch.house.clock.pass_minutes(11)
        watch.await_told("DeadlineLate", {"service": "intake"})
    yield


# --- money ------------------------------------------------------------------------------------------------------------


@raising("BooksUnbalanced", "InvariantViolated")
def the_books_do_not_balance(watch: Watch) -> Iterator[None]:
    journal = new_id()
    with watch.owner("finance") as owner:
        owner.execute(
            "INSERT INTO journals (id, site_id, kind, at, day, reference)"
            " SELECT %s, id, 'receipt', now(), current_date, 'forged' FROM sites LIMIT 1",
            (journal,),
        )
        owner.execute(
            "INSERT INTO journal_lines (journal_id, line, account, site_id, amount_fen)"
            " SELECT %s, 1, 'cash_in_hand', id, 100 FROM sites LIMIT 1",
            (journal,),
        )
        owner.execute(
            "INSERT INTO unsealed_journals (journal_id, due_at) VALUES (%s, now() + interval '1 day')", (journal,)
        )
    assert watch.violated()
    yield
    with watch.owner("finance") as owner:
        for table, key in (("unsealed_journals", "journal_id"), ("journal_lines", "journal_id"), ("journals", "id")):
            owner.execute(f"DELETE FROM {table} WHERE {key} = %s", (journal,))
    watch.verified()


@raising("AuditLogBroken")
def a_line_of_the_audit_log_is_changed(watch: Watch) -> Iterator[None]:
    change = "UPDATE audit_log SET at = at {} interval '1 s' WHERE place = 3"
    with watch.owner("hr") as owner:
        assert owner.execute(change.format("-")).rowcount == 1
    assert watch.violated()
    yield
    with watch.owner("hr") as owner:
        owner.execute(change.format("+"))
    watch.verified()


@raising("PayoutWaits", "PayoutNotTaken")
def a_payout_is_not_taken(watch: Watch) -> Iterator[None]:
    payout = new_id()
    with watch.owner("hr") as owner:
        owner.execute(
            "INSERT INTO deliveries (id, sequence, site_id, month, line_count, net_fen, from_wage_fen, body, made_at)"
            " SELECT %s, 1, id, '2026-03', 0, 0, 0, '{}', clock_now() - interval '25 hours' FROM sites LIMIT 1",
            (payout,),
        )
    yield
    with watch.owner("hr") as owner:
        owner.execute("DELETE FROM deliveries WHERE id = %s", (payout,))


@raising("CashShort", site="A")
def cash_is_short_when_it_is_counted(watch: Watch) -> Iterator[None]:
    intent = do_an_order(watch)
    team = intent.team
    with watch.house.stack.client() as client:
        offered = client.post(
            intent.clerk,
            "/finance/api/hand-overs",
            site_id=team.site_id,
            to_person_id=team.cashier.id,
            receipt_ids=[intent.receipt_id],
        )
        path = f"/finance/api/hand-overs/{offered['id']}"
        client.post(team.cashier, f"{path}/count", counted_fen=intent.fee_fen - 1)
        client.post(team.cashier, f"{path}/settle-difference", reason="少了一分")
        client.post(intent.clerk, f"{path}/confirm-difference")
    yield


@raising("CashNotHandedOver", site="A")
def cash_stays_with_the_clerk(watch: Watch) -> Iterator[None]:
    """When the desk is closed at six."""
    do_an_order(watch)
    watch.house.clock.pass_minutes(12 * 60)
    yield


@raising("VerificationOld")
def nobody_verified_since_yesterday(watch: Watch) -> Iterator[None]:
    watch.house.clock.pass_minutes(27 * 60)
    yield


@raising("VerificationMissing")
def nobody_ever_verified(watch: Watch) -> Iterator[None]:
    with watch.owner("finance") as owner:
        owner.execute("DELETE FROM verifications")
    yield


# --- what they are made of --------------------------------------------------------------------------------------------


@contextmanager
def away(watch: Watch, service: str, table: str) -> Iterator[None]:
    """The table is not to be found inside the block."""
    with watch.owner(service) as owner:
        owner.execute(f"ALTER TABLE {table} RENAME TO elsewhere")
    try:
        yield
    finally:
        with watch.owner(service) as owner:
            owner.execute(f"ALTER TABLE elsewhere RENAME TO {table}")


def say_to_all(watch: Watch, times: int = 1) -> None:
    """So many messages of hr's to each of the others: sites are opened."""
    with watch.house.stack.client() as client:
        for _ in range(times):
            code = f"X{new_id().hex[-6:].upper()}"
            client.post(watch.house.cast.administrator, "/hr/api/sites", code=code, name=code)


def traffic_of(watch: Watch) -> Traffic:
    """Orders as they are done where nothing is broken."""
    return watch.house.traffic("watched", 1, leaping=False)


def do_an_order(watch: Watch) -> Intent:
    """From the call to the fee in cash, at the first site."""
    team, price = watch.house.cast.teams[0], PRICES[0]
    intent = Intent(str(new_id()), team, team.clerks[0], price, fee_fen=price["min_fen"], to_be_missed=False)
    with Caller(watch.house.address.base_url, watch.house.ledger) as caller:
        traffic_of(watch).order(caller, intent)
    return intent
