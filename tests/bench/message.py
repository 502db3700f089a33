"""`message`: how long a message takes, when nothing else is under way and when many are."""

from datetime import UTC, datetime
from statistics import median
from time import monotonic, sleep
from uuid import UUID, uuid4

from sqlalchemy import Connection, text

from bianmin.children import wait_until
from bianmin.client import Client, Person
from shared.bus.outbox import publish
from shared.db import WORKER, Database
from shared.messages import CallbackMissed
from tests.bench.figure import Figure, await_acknowledged, found_company, hire, owner_of, percentile, stamped_stack
from tests.stack import RunningStack

MESSAGES = 200
WARM_UP = 20
P50_MS = 50

RATE = 40
"""Messages a second of the steady load."""
STEADY_SECONDS = 60
STEADY_P99_MS = 500

_OPEN = text("SELECT EXISTS (SELECT FROM hr.outbox WHERE acknowledged_at IS NULL)")

_HANDLED_MS = text("""
    SELECT 1000 * extract(epoch FROM pg_xact_commit_timestamp(there.xmin) - pg_xact_commit_timestamp(here.xmin))
    FROM hr.people here JOIN intake.people there USING (id)
    ORDER BY here.id DESC LIMIT :messages
""")

_ACKNOWLEDGED_MS = text("""
    SELECT 1000 * extract(epoch FROM acknowledged_at - published_at)
    FROM hr.outbox WHERE receiver = 'intake' ORDER BY sequence DESC LIMIT :messages
""")

_STEADY_MS = text("""
    SELECT 1000 * extract(epoch FROM
        pg_xact_commit_timestamp(effect.xmin) - pg_xact_commit_timestamp(CAST(CAST(said.xid AS text) AS xid)))
    FROM unnest(CAST(:ids AS uuid[]), CAST(:xids AS bigint[])) AS said (id, xid)
    JOIN hr.missed_callbacks effect ON effect.request_id = said.id
""")


def measure() -> list[Figure]:
    """From the commit of a fact to the commit of its effect at the receiver, as PostgreSQL itself stamps both.

    Alone: the fact is a person hired over HTTP, his row in `hr.people`; the effect is his row in `intake.people`. Both
    are written once, by the very transactions that publish and that claim the message, so with
    `track_commit_timestamp` on, `pg_xact_commit_timestamp(xmin)` of the two rows is exactly commit to handled, by one
    clock. (The columns `outbox.published_at` and `inbox.handled_at` are both written earlier than the commits.) The
    same fact goes to dispatch and finance at the same time; the next person is hired when all three have acknowledged.
    `acknowledged` is the whole way there and back, from `outbox.published_at` to `outbox.acknowledged_at`.

    At 40 a second: intake says `CallbackMissed`, each in a transaction of its own, at moments fixed beforehand, whether
    the ones before are handled or not; the effect is the row at hr.
    """
    with stamped_stack() as stack, stack.client() as client, owner_of(stack) as owner:
        administrator = found_company(stack, client)
        alone = _alone(owner, client, administrator)
        steady = _steady(stack, owner, client, administrator, howmany=RATE * STEADY_SECONDS)
    return [
        *alone,
        Figure(f"message: at {RATE} a second, p50", median(steady), "ms", P50_MS),
        Figure(f"message: at {RATE} a second, p99", percentile(steady, 99), "ms", STEADY_P99_MS),
        Figure(f"message: at {RATE} a second, longest", max(steady), "ms"),
    ]


def _alone(owner: Connection, client: Client, administrator: Person) -> list[Figure]:
    def idle() -> bool:
        return not owner.execute(_OPEN).scalar_one()

    for number in range(WARM_UP + MESSAGES):
        wait_until("the message before to be acknowledged", idle, seconds=60, every=0.005)
        hire(client, administrator, f"工 {number}")
    wait_until("the last message to be acknowledged", idle, seconds=60, every=0.005)
    handled = [float(ms) for ms in owner.execute(_HANDLED_MS, {"messages": MESSAGES}).scalars()]
    acknowledged = [float(ms) for ms in owner.execute(_ACKNOWLEDGED_MS, {"messages": MESSAGES}).scalars()]
    if len(handled) < MESSAGES or len(acknowledged) < MESSAGES:
        raise RuntimeError(f"{len(handled)} of {MESSAGES} messages took effect, {len(acknowledged)} were acknowledged")
    return [
        Figure("message: p50", median(handled), "ms", P50_MS),
        Figure("message: p95", percentile(handled, 95), "ms"),
        Figure("message: p99", percentile(handled, 99), "ms"),
        Figure("message: acknowledged, p50", median(acknowledged), "ms"),
    ]


def _steady(
    stack: RunningStack, owner: Connection, client: Client, administrator: Person, *, howmany: int
) -> list[float]:
    """Milliseconds of each message from commit to handled."""
    site_id = UUID(client.post(administrator, "/hr/api/sites", code="A", name="A 小区")["id"])
    await_acknowledged(stack)
    intake = Database("intake", stack.await_up().database_url, pool_size=1, limits=WORKER)
    said: dict[UUID, int] = {}
    began = monotonic()
    for number in range(howmany):
        sleep(max(0.0, began + number / RATE - monotonic()))  # the steady pace is what is measured
        fact = _callback_missed(site_id, UUID(administrator.id))
        with intake.session() as session:
            publish(session, fact)
            said[fact.request_id] = int(session.execute(text("SELECT pg_current_xact_id()::text")).scalar_one())
    await_acknowledged(stack)
    intake.engine.dispose()
    handled = owner.execute(_STEADY_MS, {"ids": list(said), "xids": list(said.values())}).scalars().all()
    if len(handled) != howmany:
        raise RuntimeError(f"{len(handled)} of {howmany} messages took effect")
    return [float(ms) for ms in handled]


def _callback_missed(site_id: UUID, clerk_id: UUID) -> CallbackMissed:
    due_at = datetime(2026, 4, 1, tzinfo=UTC)
    return CallbackMissed(request_id=uuid4(), request_number="Q", site_id=site_id, clerk_id=clerk_id, due_at=due_at)
