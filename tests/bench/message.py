"""`message`: how long one message takes when nothing else is under way."""

from statistics import quantiles

from sqlalchemy import Connection, NullPool, create_engine, text

from bianmin.children import wait_until
from tests.bench.figure import Figure, found_company, hire, temporary_folder
from tests.stack import running

MESSAGES = 200
WARM_UP = 20
P50_MS = 50

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


def measure() -> list[Figure]:
    """From the commit of a fact to the commit of its effect at the receiver, as PostgreSQL itself stamps both.

    The fact is a person hired over HTTP, his row in `hr.people`; the effect is his row in `intake.people`. Both are
    written once, by the very transactions that publish and that claim the message, so with `track_commit_timestamp`
    on, `pg_xact_commit_timestamp(xmin)` of the two rows is exactly commit to handled, by one clock. (The columns
    `outbox.published_at` and `inbox.handled_at` are both written earlier than the commits.) The same fact goes to
    dispatch and finance at the same time; the next person is hired when all three have acknowledged.

    `acknowledged` is the whole way there and back, from `outbox.published_at` to `outbox.acknowledged_at`.
    """
    with temporary_folder() as folder:
        data = folder / "data"
        with running(data) as stack, _owner(stack.await_up().database_url) as owner:
            owner.execute(text("ALTER SYSTEM SET track_commit_timestamp = on"))  # holds from the next start on
        with running(data) as stack, stack.client() as client, _owner(stack.await_up().database_url) as owner:
            administrator = found_company(stack, client)

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
    percent = quantiles(handled, n=100, method="inclusive")
    return [
        Figure("message: p50", percent[49], "ms", P50_MS),
        Figure("message: p95", percent[94], "ms"),
        Figure("message: p99", percent[98], "ms"),
        Figure("message: acknowledged, p50", quantiles(acknowledged, n=100, method="inclusive")[49], "ms"),
    ]


def _owner(url: str) -> Connection:
    return create_engine(url, poolclass=NullPool, isolation_level="AUTOCOMMIT").connect()
