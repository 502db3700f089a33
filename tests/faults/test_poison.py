"""What is no message stops nobody, and neither does a message that ends whoever handles it."""

import pytest
from sqlalchemy import text

from bianmin.children import wait_until
from tests.faults.house import House
from tests.faults.poison import malformed

pytestmark = pytest.mark.fault

VICTIM = "hr"
GOOD_SECONDS = 10
MOST_EXECUTIONS = 5


def test_whatever_lies_on_a_queue_the_next_message_is_handled_and_all_of_it_is_counted(
    house: House, seed: int, full: bool
) -> None:
    """Each form, and behind it a good message, which must take effect within ten seconds."""
    acts, messages = house.ledger.acts, house.messages()
    forms = malformed(VICTIM)
    times = 3 if full else 1
    before, slowest = _counted(house), 0.0
    for what, raw in forms.items():
        with house.broker_client() as broker:
            for _ in range(times):
                broker.lpush(VICTIM, raw)
        (missed,) = house.miss_callbacks(1)
        try:
            slowest = max(slowest, house.await_heard_by_hr(missed, GOOD_SECONDS))
        except AssertionError as late:
            raise AssertionError(f"after {what}: {late}") from None
    pushed = times * len(forms)
    wait_until("all of it to be counted", lambda: _counted(house) - before >= pushed, seconds=30)
    assert _counted(house) - before == pushed
    house.judge("poison: 25 malformed forms", seed, bound=GOOD_SECONDS, drained=slowest, acts=acts, messages=messages)


def _counted(house: House) -> int:
    """What has been counted as unreadable, and what is parked."""
    with house.engine.connect() as connection:
        query = text(f"""SELECT coalesce((SELECT sum(times) FROM {VICTIM}.unreadable), 0)
                              + (SELECT count(*) FROM {VICTIM}.inbox WHERE state = 'parked')""")
        return int(connection.execute(query).scalar_one())


def test_a_message_that_kills_its_process_holds_up_nobody_and_is_parked_after_five_tries(
    house: House, seed: int, full: bool
) -> None:
    """In the ordinary suite it is cured after two tries, and takes effect; in the full run it is parked and retried."""
    acts, messages = house.ledger.acts, house.messages()
    before = house.executions()
    with house.deadly_callback() as deadly:
        slowest = 0.0
        for tries in range(1, 3):
            wait_until("it to kill a worker", lambda tries=tries: house.executions() - before >= tries, seconds=60)  # type: ignore[misc]  # mypy knows no lambda with a default
            (missed,) = house.miss_callbacks(1)
            slowest = max(slowest, house.await_heard_by_hr(missed, GOOD_SECONDS))
        if full:
            wait_until("it to be parked", lambda: house.state_at_hr(deadly) == "parked", seconds=240)
            assert house.executions() - before <= MOST_EXECUTIONS
    if full:
        house.retry_at_hr(deadly)
    house.await_heard_by_hr(deadly, 60)
    house.judge(
        "poison: a message that kills its process",
        seed,
        bound=GOOD_SECONDS,
        drained=slowest,
        acts=acts,
        messages=messages,
    )
