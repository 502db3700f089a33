"""Deliveries are pushed to a real server, signed, until they are taken; stock tools know them to be ours [R92, D18]."""

import itertools
import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
import standardwebhooks
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import text
from sqlalchemy.orm import Session
from standardwebhooks.webhooks import WebhookVerificationError

from services.hr.actions import attempt, webhook
from services.hr.models import WebhookEndpoint
from services.hr.queries.deliveries import deliveries, delivery_by_id
from services.hr.queries.webhooks import webhook_attempts, webhooks
from services.hr.rules.webhook import (
    LONGEST_RETRY_AFTER,
    ROTATION,
    Outcome,
    WebhookPolicy,
    next_attempt,
    outcome_of,
    patience,
    signed_headers,
    spell_secret,
)
from services.hr.tasks import hear_payout_approved
from shared.alerts import alerts_of
from shared.errors import Malformed, NotFound, RuleBroken
from shared.ids import new_id
from shared.people import Actor
from shared.policy_rows import change
from shared.settings import settings
from tests.people import employ, open_site
from tests.receiver import Got, Receiver, Says, receiving
from tests.services.hr.statements import statements
from tests.services.hr.test_payout import line, payout

SECOND = timedelta(seconds=1)
A_SECRET = spell_secret(bytes(range(32)))


def set_clock(monkeypatch: pytest.MonkeyPatch, now: datetime) -> None:
    """What time the receiver's stock tool believes it is."""

    class Then(datetime):
        @classmethod
        def now(cls, tz: Any = None) -> Any:
            return now.astimezone(tz)

    monkeypatch.setattr("standardwebhooks.webhooks.datetime", Then)


def verify(secret: str, got: Got) -> Any:
    """What the stock tool makes of a request; raises WebhookVerificationError."""
    return standardwebhooks.Webhook(secret).verify(got.body, got.headers)


@pytest.fixture
def receiver(monkeypatch: pytest.MonkeyPatch, template: str, now: datetime) -> Iterator[Receiver]:
    monkeypatch.setenv("BIANMIN_WEBHOOK_ALLOW_PRIVATE", "true")
    settings.cache_clear()
    set_clock(monkeypatch, now)
    with receiving() as receiver:
        yield receiver
    settings.cache_clear()


@pytest.fixture
def administrator(session: Session) -> Actor:
    return employ(session, "administrator", "administration")


@pytest.fixture
def hr(session: Session, site_id: UUID) -> Actor:
    return employ(session, "hr", "hr", site_id)


@pytest.fixture
def worker(session: Session, site_id: UUID) -> Actor:
    return employ(session, "worker", "engineering", site_id)


@pytest.fixture
def endpoint(session: Session, receiver: Receiver, administrator: Actor, now: datetime) -> WebhookEndpoint:
    return webhook.add(session, url=receiver.url, site_id=None, actor=administrator, now=now)


def deliver(session: Session, site_id: UUID, now: datetime, worker: Actor, *, month: str = "2026-03") -> UUID:
    told = payout(site_id, line(worker.person_id, 10000, 0, 0, 0), month=month)
    hear_payout_approved(session, told, now=now)
    return told.settlement_id


def push(session: Session, *, now: datetime) -> int:
    """Everything that is due, pushed one after the other; how many."""
    count = 0
    while (sending := attempt.claim(session, now=now)) is not None:
        attempt.record(session, sending, attempt.send(sending), now=now)
        session.flush()
        count += 1
    return count


def states(session: Session) -> list[tuple[str, int]]:
    """How each pushed delivery stands, and after how many attempts."""
    return [
        tuple(row)
        for row in session.execute(
            text("""SELECT CASE WHEN delivered_at IS NOT NULL THEN 'delivered' WHEN failed_at IS NOT NULL THEN 'failed'
                           WHEN next_attempt_at IS NULL THEN 'waits' ELSE 'due' END, attempts
                    FROM webhook_deliveries JOIN deliveries d ON d.id = delivery_id ORDER BY d.sequence""")
        )
    ]


def due_at(session: Session) -> datetime:
    moment: datetime = session.execute(text("SELECT next_attempt_at FROM webhook_deliveries")).scalar_one()
    return moment


def alerts(session: Session, reader: Actor) -> list[tuple[str, Any]]:
    found = alerts_of(session, reader, unseen=True, after=None, limit=10).items
    return [(alert.kind, alert.facts["status"]) for alert in found]


# --- the rules ----------------------------------------------------------------------------------------------------


def test_only_a_2xx_takes_a_delivery_and_only_410_ends_the_endpoint() -> None:
    for status in (None, *range(100, 600)):
        expected = Outcome.TAKEN if status in range(200, 300) else Outcome.GONE if status == 410 else Outcome.NOT_TAKEN
        assert outcome_of(status) is expected, status


def test_it_is_tried_ten_times_over_more_than_three_days_at_first() -> None:
    policy = WebhookPolicy()
    assert policy.delays == (0, 5, 300, 1800, 7200, 18000, 36000, 50400, 72000, 86400)
    assert timedelta(seconds=sum(policy.delays)) > timedelta(days=3)


@given(delivery_id=st.uuids(), attempts=st.integers(1, 9))
def test_an_attempt_is_never_before_its_time_and_at_most_a_tenth_later(delivery_id: UUID, attempts: int) -> None:
    policy, now = WebhookPolicy(), datetime.fromisoformat("2026-04-01T00:00:00Z")
    due = next_attempt(delivery_id, attempts, policy, now=now, status=500, retry_after="86400")
    assert due is not None
    assert due == next_attempt(delivery_id, attempts, policy, now=now, status=None, retry_after="")
    delay = timedelta(seconds=policy.delays[attempts])
    assert delay <= due - now <= delay * 1.1


def test_after_the_last_attempt_there_is_none() -> None:
    now = datetime.fromisoformat("2026-04-01T00:00:00Z")
    assert next_attempt(new_id(), 10, WebhookPolicy(), now=now, status=429, retry_after="5") is None


@pytest.mark.parametrize(
    ("status", "retry_after", "waits"),
    [
        (429, "3600", timedelta(hours=1)),
        (503, "Wed, 01 Apr 2026 02:00:00 GMT", timedelta(hours=2)),
        (500, "3600", 5.0 * SECOND),
        (429, "1", 5.0 * SECOND),
        (429, "Tue, 31 Mar 2026 02:00:00 GMT", 5.0 * SECOND),
        (429, "-5", 5.0 * SECOND),
        (429, "soon", 5.0 * SECOND),
        (429, "９", 5.0 * SECOND),
        (429, "9" * 400, LONGEST_RETRY_AFTER),
        (503, "Wed, 01 Apr 2099 02:00:00 GMT", LONGEST_RETRY_AFTER),
    ],
)
def test_retry_after_makes_it_later_but_never_earlier(status: int, retry_after: str, waits: timedelta) -> None:
    now = datetime.fromisoformat("2026-04-01T00:00:00Z")
    due = next_attempt(UUID(int=0), 1, WebhookPolicy(), now=now, status=status, retry_after=retry_after)
    assert due is not None
    assert waits <= due - now <= waits * 1.1


@given(retry_after=st.text())
def test_whatever_retry_after_says_it_is_understood_or_nothing(retry_after: str) -> None:
    asked = patience(retry_after, now=datetime.fromisoformat("2026-04-01T00:00:00Z"))
    assert timedelta(0) <= asked <= LONGEST_RETRY_AFTER


# --- pushing ------------------------------------------------------------------------------------------------------


def test_a_delivery_is_pushed_once_whole_and_signed(
    session: Session,
    site_id: UUID,
    endpoint: WebhookEndpoint,
    worker: Actor,
    hr: Actor,
    receiver: Receiver,
    now: datetime,
) -> None:
    delivery_id = deliver(session, site_id, now, worker)
    assert push(session, now=now) == 1
    (got,) = receiver.got
    payload = verify(endpoint.secret, got)
    assert payload == delivery_by_id(session, hr, delivery_id).payload
    assert payload["totals"] == {"lines": 1, "net_fen": 10000, "from_wage_fen": 0}
    assert (got.id, got.path, got.headers["content-type"]) == (str(delivery_id), "/hr", "application/json")
    assert states(session) == [("delivered", 1)]
    assert push(session, now=now + timedelta(days=30)) == 0


def test_deliveries_are_pushed_in_their_order(
    session: Session, site_id: UUID, endpoint: WebhookEndpoint, worker: Actor, receiver: Receiver, now: datetime
) -> None:
    ids = [str(deliver(session, site_id, now, worker, month=f"2026-0{month}")) for month in range(1, 6)]
    assert push(session, now=now) == 5
    assert [got.id for got in receiver.got] == ids
    assert [json.loads(got.body)["sequence"] for got in receiver.got] == [1, 2, 3, 4, 5]


def test_what_was_not_taken_is_sent_again_as_the_same_message(
    session: Session, site_id: UUID, endpoint: WebhookEndpoint, worker: Actor, receiver: Receiver, now: datetime
) -> None:
    receiver.says = [Says(500)]
    deliver(session, site_id, now, worker)
    assert push(session, now=now) == 1
    assert states(session) == [("due", 1)]
    assert push(session, now=now + 4 * SECOND) == 0
    assert push(session, now=now + 6 * SECOND) == 1
    first, second = receiver.got
    assert (first.id, first.body) == (second.id, second.body)
    assert states(session) == [("delivered", 2)]


def test_an_endpoint_that_never_takes_it_is_given_up_after_the_last_attempt_and_people_are_told(
    session: Session,
    site_id: UUID,
    endpoint: WebhookEndpoint,
    worker: Actor,
    hr: Actor,
    receiver: Receiver,
    now: datetime,
) -> None:
    receiver.says = [Says(500)] * 99
    deliver(session, site_id, now, worker)
    begun, moments = now, []
    while push(session, now=now):
        moments.append(now - begun)
        if states(session) != [("failed", 10)]:
            now = due_at(session)
    assert len(receiver.got) == len(moments) == 10
    assert len({(got.id, got.body) for got in receiver.got}) == 1
    waited = [later - earlier for earlier, later in itertools.pairwise(moments)]
    for wait, delay in zip(waited, WebhookPolicy().delays[1:], strict=True):
        assert delay * SECOND <= wait <= delay * SECOND * 1.1
    assert states(session) == [("failed", 10)]
    assert alerts(session, hr) == [("webhook_failed", 500)]


def test_a_redirect_is_a_failure_and_is_not_followed(
    session: Session, site_id: UUID, endpoint: WebhookEndpoint, worker: Actor, receiver: Receiver, now: datetime
) -> None:
    receiver.says = [Says(307, {"Location": receiver.url + "/elsewhere"})]
    deliver(session, site_id, now, worker)
    push(session, now=now)
    assert [got.path for got in receiver.got] == ["/hr"]
    assert states(session) == [("due", 1)]


def test_an_endpoint_that_asks_for_patience_gets_it(
    session: Session, site_id: UUID, endpoint: WebhookEndpoint, worker: Actor, receiver: Receiver, now: datetime
) -> None:
    receiver.says = [Says(429, {"Retry-After": "3600"})]
    deliver(session, site_id, now, worker)
    push(session, now=now)
    assert push(session, now=now + 3599 * SECOND) == 0
    assert push(session, now=now + 3600 * SECOND) == 1


def test_a_slow_answer_is_not_waited_for_longer_than_the_policy_says(
    session: Session,
    site_id: UUID,
    endpoint: WebhookEndpoint,
    worker: Actor,
    administrator: Actor,
    hr: Actor,
    receiver: Receiver,
    now: datetime,
) -> None:
    change(
        session,
        WebhookPolicy(timeout_seconds=1),
        site_id=site_id,
        effective_from=now,
        reason="x",
        actor=administrator,
        now=now,
    )
    receiver.says = [Says(wait=3)]
    deliver(session, site_id, now, worker)
    push(session, now=now)
    session.expunge_all()
    with statements(session) as sent:
        (attempt,) = webhook_attempts(session, administrator, endpoint_id=endpoint.id, after=None, limit=10).items
    assert (attempt.status, attempt.error, attempt.sequence) == (None, "no whole answer within 1 s", 1)
    assert not any(".body" in statement for statement in sent), "an attempt is listed without what was sent"
    assert states(session) == [("due", 1)]


def test_an_answer_that_is_too_large_counts_by_its_status(
    session: Session, site_id: UUID, endpoint: WebhookEndpoint, worker: Actor, receiver: Receiver, now: datetime
) -> None:
    receiver.says = [Says(200, body=b"x" * 10_000_000)]
    deliver(session, site_id, now, worker)
    push(session, now=now)
    assert states(session) == [("delivered", 1)]


def test_an_endpoint_that_is_gone_is_disabled_and_what_is_due_waits_for_it(
    session: Session,
    site_id: UUID,
    endpoint: WebhookEndpoint,
    worker: Actor,
    administrator: Actor,
    hr: Actor,
    receiver: Receiver,
    now: datetime,
) -> None:
    receiver.says = [Says(410)]
    deliver(session, site_id, now, worker)
    push(session, now=now)
    deliver(session, site_id, now, worker, month="2026-04")
    assert push(session, now=now + timedelta(days=9)) == 0
    assert states(session) == [("waits", 1), ("waits", 0)]
    assert alerts(session, hr) == [("webhook_disabled", 410)]
    (view,) = webhooks(session, administrator, after=None, limit=10).items
    assert (view.state, view.disabled_reason) == ("disabled", "the endpoint answered 410: it is gone")
    webhook.enable(session, endpoint_id=endpoint.id, actor=administrator, now=now)
    assert push(session, now=now) == 2
    assert [json.loads(got.body)["sequence"] for got in receiver.got] == [1, 1, 2]


def test_a_crash_between_sending_and_recording_sends_the_same_message_again_when_the_lease_is_over(
    session: Session, site_id: UUID, endpoint: WebhookEndpoint, worker: Actor, receiver: Receiver, now: datetime
) -> None:
    deliver(session, site_id, now, worker)
    sending = attempt.claim(session, now=now)
    assert sending is not None
    attempt.send(sending)  # and the process dies
    assert attempt.claim(session, now=now + timedelta(days=9)) is None
    session.execute(text("UPDATE webhook_endpoints SET leased_until = clock_timestamp() - interval '1 s'"))
    session.expire_all()
    assert push(session, now=now) == 1
    first, second = receiver.got
    assert (first.id, first.body) == (second.id, second.body)
    assert states(session) == [("delivered", 1)]


def test_while_one_worker_sends_to_an_endpoint_no_other_does(
    session: Session, site_id: UUID, endpoint: WebhookEndpoint, worker: Actor, receiver: Receiver, now: datetime
) -> None:
    for month in ("2026-03", "2026-04"):
        deliver(session, site_id, now, worker, month=month)
    sending = attempt.claim(session, now=now)
    assert sending is not None
    assert attempt.claim(session, now=now) is None
    attempt.record(session, sending, attempt.send(sending), now=now)
    assert push(session, now=now) == 1


def test_endpoints_are_served_in_turn(
    session: Session, site_id: UUID, worker: Actor, administrator: Actor, receiver: Receiver, now: datetime
) -> None:
    for path in ("/a", "/b"):
        webhook.add(session, url=receiver.url + path, site_id=None, actor=administrator, now=now)
    for month in ("2026-03", "2026-04"):
        deliver(session, site_id, now, worker, month=month)
    push(session, now=now)
    first, second, third, fourth = (got.path for got in receiver.got)
    assert (first, second) == (third, fourth)
    assert first != second


def test_what_a_late_worker_records_takes_nothing_back(
    session: Session, site_id: UUID, endpoint: WebhookEndpoint, worker: Actor, receiver: Receiver, now: datetime
) -> None:
    deliver(session, site_id, now, worker)
    late = attempt.claim(session, now=now)
    assert late is not None
    session.execute(text("UPDATE webhook_endpoints SET leased_until = clock_timestamp() - interval '1 s'"))
    session.expire_all()
    push(session, now=now)
    attempt.record(session, late, attempt.Answered(None, error="too late"), now=now)
    assert states(session) == [("delivered", 1)]


def test_a_delivery_is_pushed_to_the_endpoints_of_its_site_and_of_the_company_alone(
    session: Session, site_id: UUID, worker: Actor, administrator: Actor, receiver: Receiver, now: datetime
) -> None:
    other = open_site(session, "XH")
    for site, path in ((None, "/all"), (site_id, "/bk"), (other, "/xh")):
        webhook.add(session, url=receiver.url + path, site_id=site, actor=administrator, now=now)
    deliver(session, site_id, now, worker)
    assert push(session, now=now) == 2
    assert sorted(got.path for got in receiver.got) == ["/hr/all", "/hr/bk"]


def test_a_payout_too_large_for_a_webhook_is_told_by_its_totals_and_where_to_pull_it(
    session: Session, site_id: UUID, endpoint: WebhookEndpoint, receiver: Receiver, hr: Actor, now: datetime
) -> None:
    people = [employ(session, "worker", "engineering", site_id) for _ in range(100)]
    hear_payout_approved(session, payout(site_id, *(line(one.person_id, 100, 0, 0, 0) for one in people)), now=now)
    push(session, now=now)
    (got,) = receiver.got
    payload = verify(endpoint.secret, got)
    assert len(got.body) < 20_000
    assert payload["totals"] == {"lines": 100, "net_fen": 10000, "from_wage_fen": 0}
    assert payload["lines_at"] == "/api/deliveries?after=0&limit=1"
    (pulled,) = deliveries(session, hr, after=0, limit=1).items
    assert len(pulled.payload["lines"]) == 100
    assert {**pulled.payload, "lines_at": payload["lines_at"]} == {**payload, "lines": pulled.payload["lines"]}


# --- signatures ---------------------------------------------------------------------------------------------------


def test_messages_carry_both_secrets_for_a_day_after_a_rotation_and_then_the_new_one_alone(
    session: Session,
    site_id: UUID,
    endpoint: WebhookEndpoint,
    worker: Actor,
    administrator: Actor,
    receiver: Receiver,
    monkeypatch: pytest.MonkeyPatch,
    now: datetime,
) -> None:
    old = endpoint.secret
    new = webhook.rotate_secret(session, endpoint_id=endpoint.id, actor=administrator, now=now).secret
    assert old != new
    deliver(session, site_id, now, worker)
    push(session, now=now)
    assert verify(old, receiver.got[0]) == verify(new, receiver.got[0])
    assert len(receiver.got[0].headers["webhook-signature"].split()) == 2

    later = now + ROTATION
    set_clock(monkeypatch, later)
    deliver(session, site_id, later, worker, month="2026-04")
    push(session, now=later)
    assert verify(new, receiver.got[1])["sequence"] == 2
    with pytest.raises(WebhookVerificationError):
        verify(old, receiver.got[1])


def test_a_secret_is_not_rotated_while_the_one_before_is_valid(
    session: Session, endpoint: WebhookEndpoint, administrator: Actor, now: datetime
) -> None:
    webhook.rotate_secret(session, endpoint_id=endpoint.id, actor=administrator, now=now)
    with pytest.raises(RuleBroken) as refused:
        webhook.rotate_secret(session, endpoint_id=endpoint.id, actor=administrator, now=now + ROTATION - SECOND)
    assert refused.value.code == "rotated_lately"
    webhook.rotate_secret(session, endpoint_id=endpoint.id, actor=administrator, now=now + ROTATION)


def test_every_endpoint_has_a_secret_of_its_own_of_32_bytes(
    session: Session, endpoint: WebhookEndpoint, administrator: Actor, receiver: Receiver, now: datetime
) -> None:
    other = webhook.add(session, url=receiver.url + "/2", site_id=None, actor=administrator, now=now)
    assert other.secret != endpoint.secret
    assert len(standardwebhooks.Webhook(other.secret)._whsecret) == 32


MESSAGE = '{"schema":"bianmin.payout.v1","net_fen":10000,"name":"李雷"}'
ID = UUID("0199a1de-0000-7000-8000-000000000001")


def message(now: datetime, *, secret: str = A_SECRET, body: str = MESSAGE, id_: UUID = ID) -> Got:
    headers = signed_headers([secret], id_=id_, body=body, now=now)
    return Got("/hr", headers, body.encode())


def changed(got: Got, *, body: bytes | None = None, **headers: str) -> Got:
    return Got(
        got.path,
        got.headers | {f"webhook-{name}": value for name, value in headers.items()},
        got.body if body is None else body,
    )


def tampers(now: datetime) -> dict[str, Got]:
    good = message(now)
    other = message(now, body="{}", id_=new_id())
    return {
        "an amount": changed(good, body=good.body.replace(b"10000", b"90000")),
        "a byte more": changed(good, body=good.body + b" "),
        "the id": changed(good, id=str(new_id())),
        "the time": changed(good, timestamp=str(int(now.timestamp()) + 1)),
        "an old message": message(now - timedelta(minutes=6)),
        "a message of the future": message(now + timedelta(minutes=6)),
        "another's secret": message(now, secret=spell_secret(bytes(32))),
        "the signature of another message": changed(good, signature=other.headers["webhook-signature"]),
        "an unknown kind of signature": changed(good, signature="v2" + good.headers["webhook-signature"][2:]),
        "no signature": changed(good, signature=""),
    }


def test_a_stock_tool_knows_the_message_to_be_ours_and_refuses_every_tampering(
    monkeypatch: pytest.MonkeyPatch, now: datetime
) -> None:
    set_clock(monkeypatch, now)
    assert verify(A_SECRET, message(now)) == json.loads(MESSAGE)
    for what, got in tampers(now).items():
        with pytest.raises(WebhookVerificationError):
            pytest.fail(f"{what}: {verify(A_SECRET, got)}")


# --- endpoints ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "url", ["https://127.0.0.1/", "https://10.0.0.1/", "http://93.184.216.34/", "https://2130706433/", "https://[::1]/"]
)
def test_an_endpoint_inside_is_refused_when_it_is_saved(
    session: Session, template: str, administrator: Actor, now: datetime, url: str
) -> None:
    settings.cache_clear()
    with pytest.raises(Malformed) as refused:
        webhook.add(session, url=url, site_id=None, actor=administrator, now=now)
    assert refused.value.code == "bad_url"


def test_an_endpoint_that_was_admitted_is_checked_again_before_each_sending(
    session: Session,
    site_id: UUID,
    endpoint: WebhookEndpoint,
    worker: Actor,
    administrator: Actor,
    receiver: Receiver,
    monkeypatch: pytest.MonkeyPatch,
    now: datetime,
) -> None:
    deliver(session, site_id, now, worker)
    monkeypatch.setenv("BIANMIN_WEBHOOK_ALLOW_PRIVATE", "false")
    settings.cache_clear()
    push(session, now=now)
    assert receiver.got == []
    (attempt,) = webhook_attempts(session, administrator, endpoint_id=endpoint.id, after=None, limit=10).items
    assert attempt.error == "127.0.0.1 is no address of the open internet"
    assert states(session) == [("due", 1)]


def test_a_delivery_is_pushed_again_on_request_and_one_older_than_the_endpoint_for_the_first_time(
    session: Session, site_id: UUID, worker: Actor, administrator: Actor, receiver: Receiver, now: datetime
) -> None:
    delivery_id = deliver(session, site_id, now, worker)
    made = webhook.add(session, url=receiver.url, site_id=site_id, actor=administrator, now=now)
    assert push(session, now=now) == 0
    for _ in range(2):
        webhook.replay(session, endpoint_id=made.id, delivery_id=delivery_id, actor=administrator, now=now)
        session.flush()
        with pytest.raises(RuleBroken) as refused:
            webhook.replay(session, endpoint_id=made.id, delivery_id=delivery_id, actor=administrator, now=now)
        assert refused.value.code == "on_its_way"
        assert push(session, now=now) == 1
    first, second = receiver.got
    assert (first.id, first.body) == (second.id, second.body)


def test_a_delivery_of_another_site_is_not_replayed_to_an_endpoint(
    session: Session, site_id: UUID, worker: Actor, administrator: Actor, receiver: Receiver, now: datetime
) -> None:
    delivery_id = deliver(session, site_id, now, worker)
    other = webhook.add(session, url=receiver.url, site_id=open_site(session, "XH"), actor=administrator, now=now)
    with pytest.raises(NotFound):
        webhook.replay(session, endpoint_id=other.id, delivery_id=delivery_id, actor=administrator, now=now)


def test_an_endpoint_of_the_company_is_managed_by_whoever_sees_all_of_it(
    session: Session, site_id: UUID, endpoint: WebhookEndpoint, receiver: Receiver, now: datetime
) -> None:
    of_a_site = employ(session, "administrator", "administration", site_id)
    for act in (
        lambda: webhook.add(session, url=receiver.url + "/2", site_id=None, actor=of_a_site, now=now),
        lambda: webhook.disable(session, endpoint_id=endpoint.id, reason="x", actor=of_a_site, now=now),
    ):
        with pytest.raises(NotFound):
            act()
    assert webhooks(session, of_a_site, after=None, limit=10).items == []


def test_what_is_disabled_can_only_be_enabled(
    session: Session, endpoint: WebhookEndpoint, administrator: Actor, now: datetime
) -> None:
    webhook.disable(session, endpoint_id=endpoint.id, reason="they move", actor=administrator, now=now)
    for act in (
        lambda: webhook.disable(session, endpoint_id=endpoint.id, reason="x", actor=administrator, now=now),
        lambda: webhook.rotate_secret(session, endpoint_id=endpoint.id, actor=administrator, now=now),
        lambda: webhook.replay(session, endpoint_id=endpoint.id, delivery_id=ID, actor=administrator, now=now),
    ):
        with pytest.raises(RuleBroken) as refused:
            act()
        assert refused.value.allowed == ("enable",)
