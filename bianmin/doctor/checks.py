"""Every check of the doctor: a small function that says in a sentence each what is wrong and what to do, or nothing.

A check looks only; it changes nothing and asks no service, so it works whatever of them runs.
"""

import os
import shutil
import stat
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

from bianmin.backup.checking import last_drill
from bianmin.backup.taking import backups_in
from bianmin.doctor.patient import Patient
from bianmin.exports import SERVICES
from bianmin.signing_in import KEYS as SESSION_KEYS
from bianmin.verify.deadlines import DEADLINES
from shared import session_keys
from shared.bus.keys import private_file
from shared.bus.presence import state
from shared.safety import readable_broker, readable_database
from shared.startup import clocks_apart, newest_migration, skew_to, unsafe

Check = Callable[[Patient], Iterator[str]]

VERIFIED_HOURS = 26
BACKUP_HOURS = 26
DRILL_DAYS = 32
UNACKNOWLEDGED_SECONDS = 60
LATE_SECONDS = 60
LONG_QUEUE = 1000
SMALLEST_FREE_BYTES = 2**30


def running(patient: Patient) -> Iterator[str]:
    """It runs."""
    if patient.embedded and patient.address is None:
        yield f"nothing runs in {patient.data}: start it with `bianmin up --data {patient.data}`"


def settings_safe(patient: Patient) -> Iterator[str]:
    """Nothing that is said could be read by others, and no secret be guessed: TLS, passwords, key files."""
    if not patient.embedded and os.environ.get("BIANMIN_BROKER_URL"):
        yield from _told(unsafe())
        return
    if os.environ.get("BIANMIN_ALLOW_PLAINTEXT", "").lower() not in {"true", "1"}:
        yield from _told(patient.database_url and readable_database(patient.database_url, os.environ))
        yield from _told(patient.broker_url and readable_broker(patient.broker_url))


def _told(fault: str | None) -> Iterator[str]:
    if fault:
        yield fault


def weak_and_real(patient: Patient) -> Iterator[str]:
    """Secrets may be weak in a simulation alone."""
    allowed = os.environ.get("BIANMIN_ALLOW_WEAK_SECRETS", "").lower() in {"true", "1"}
    if allowed and patient.database is not None and not patient.simulated:
        yield "BIANMIN_ALLOW_WEAK_SECRETS is for simulations, and this installation is a real one: unset it"


def keys_there(patient: Patient) -> Iterator[str]:
    """Every key is there, and what is private is nobody else's to read."""
    messages = _place("BIANMIN_KEYS", patient.data / "keys")
    sessions = _place("BIANMIN_SESSION_KEYS", patient.data / SESSION_KEYS)
    private = {
        **{
            private_file(messages, name): f"{name} cannot sign its messages: run `bianmin keys new`"
            for name in SERVICES
        },
        sessions / session_keys.PRIVATE: "nobody can sign in: start the installation again, which makes it",
        _place("BIANMIN_DATA_KEYS", patient.data / "data-keys"): "personal data cannot be opened: bring the file back"
        " from where you keep a copy; on a new installation run `bianmin data-key new`",
    }
    for file, without in private.items():
        if not file.exists():
            yield f"the key {file} is missing, and {without}"
        elif file.stat().st_mode & stat.S_IRWXO:
            yield f"{file} can be read by everybody on this machine: chmod 600 {file}"
    founder = patient.data / "founder-secret"
    if founder.exists() and founder.stat().st_mode & stat.S_IRWXO:
        yield f"{founder} can be read by everybody on this machine: chmod 600 {founder}"


def _place(variable: str, usual: Path) -> Path:
    return Path(os.environ.get(variable) or usual)


def database_answers(patient: Patient) -> Iterator[str]:
    """PostgreSQL can be reached and was prepared."""
    if patient.database_url and patient.database is None:
        yield (
            "the database does not answer, or was never prepared: see that PostgreSQL runs and is reached under"
            " BIANMIN_DATABASE_URL, then run `bianmin prepare`"
        )


def schemas_new(patient: Patient) -> Iterator[str]:
    """Every schema is as new as the code."""
    for service in SERVICES:
        rows = patient.rows("SELECT max(version_num) FROM {}.alembic_version", service)
        wanted = newest_migration(service)
        held = rows[0][0] if rows else wanted
        if held is None or held < wanted:
            held = held or "none"
            yield f"the schema of {service} is at version {held} and {wanted} is needed: run `bianmin prepare`"


def clock_right(patient: Patient) -> Iterator[str]:
    """The clock of this machine is the database's."""
    ask = "SELECT extract(epoch FROM clock_timestamp())::float8"
    if patient.database is not None:
        yield from _told(clocks_apart(skew_to(lambda: float(patient.rows(ask)[0][0]))))


def broker_answers(patient: Patient) -> Iterator[str]:
    """The broker can be reached and drops nothing when it is full."""
    if patient.broker_url and patient.broker is None:
        yield (
            "the broker does not answer: start it again; nothing is lost, messages wait in the database and are sent"
            " when it is back"
        )
    elif patient.broker is not None:
        yield from _told(patient.broker.fault())


def queues_short(patient: Patient) -> Iterator[str]:
    """No queue is so long that its worker cannot keep up."""
    if patient.broker is None:
        return
    for service in SERVICES:
        length = patient.broker.length(service)
        if length > LONG_QUEUE:
            yield (
                f"{length} tasks wait for {service}, more than {LONG_QUEUE}: see `bianmin ops workers`, and start"
                " further workers of it if one alone cannot keep up"
            )


def workers_work(patient: Patient) -> Iterator[str]:
    """Every service has a worker that was seen a moment ago and makes progress."""
    for service in SERVICES:
        question = "SELECT extract(epoch FROM clock_timestamp() - seen_at)::float8, idle_seconds FROM {}.workers"
        states = [state(unseen, idle) for unseen, idle in patient.rows(question, service)]
        if "running" in states or patient.database is None:
            continue
        if "stuck" in states:
            yield (
                f"the worker of {service} makes no progress although messages wait: whoever supervises it kills it"
                " after ten seconds; if it stays so, look at its log"
            )
        elif patient.address is not None or not patient.embedded:
            yield f"no worker of {service} runs, so its messages and deadlines wait: start it, and look at its log"


def messages_understood(patient: Patient) -> Iterator[str]:
    """No message is parked, and nothing that is no message came to a queue in the last day."""
    for service in SERVICES:
        parked = "SELECT count(*) FROM {}.inbox WHERE state = 'parked'"
        unreadable = "SELECT count(*) FROM {}.unreadable WHERE last_at > clock_timestamp() - interval '1 day'"
        for (count,) in patient.rows(parked, service):
            if count:
                yield (
                    f"{count} messages to {service} are parked: `bianmin ops parked` says why; mend the cause, then"
                    " `bianmin ops retry` or `bianmin ops discard`"
                )
        for (count,) in patient.rows(unreadable, service):
            if count:
                yield (
                    f"{count} things that are no message of ours, or forged, came to the queue of {service} within a"
                    " day: find in its log (`message_refused`) who can write to the broker"
                )


def messages_arrive(patient: Patient) -> Iterator[str]:
    """Nothing sent has waited long for its receiver."""
    for service in SERVICES:
        question = (
            "SELECT receiver, count(*), extract(epoch FROM clock_timestamp() - min(published_at))::int"
            " FROM {}.outbox WHERE acknowledged_at IS NULL GROUP BY receiver"
        )
        for receiver, count, seconds in patient.rows(question, service):
            if seconds > UNACKNOWLEDGED_SECONDS:
                yield (
                    f"{count} messages of {service} to {receiver} are not acknowledged, the oldest for {seconds} s: see"
                    f" that workers of {service} and {receiver} run and the broker answers"
                )


def deadlines_kept(patient: Patient) -> Iterator[str]:
    """No deadline has passed without being acted on."""
    for kind, (table, _, due, open_) in DEADLINES.items():
        question = """
            SELECT count(*), extract(epoch FROM installation.clock_now() - min({0}))::int FROM {1}
            WHERE {2} AND {0} < installation.clock_now() - make_interval(secs => %(late)s)
        """
        for count, seconds in patient.rows(question, due, table, open_, late=LATE_SECONDS):
            if count:
                service = table.partition(".")[0]
                yield (
                    f"{count} deadlines ({kind}) have passed and nothing was done, the oldest {seconds} s ago: see that"
                    f" a worker of {service} runs, and look at its log (`ticker_failed`)"
                )


def verified(patient: Patient) -> Iterator[str]:
    """The invariants were recomputed last night, and hold."""
    violated = patient.rows("""
        SELECT invariant, violations FROM (
            SELECT DISTINCT ON (invariant) invariant, violations FROM installation.verifications
            ORDER BY invariant, id DESC
        ) AS last WHERE violations > 0 ORDER BY invariant
    """)
    for name, count in violated:
        yield f"the invariant {name} is violated {count} times: `bianmin verify` shows where; trust no figure before"
    ages = patient.rows("""
        SELECT extract(epoch FROM clock_timestamp() - coalesce(last.at, set_at))::float8 / 3600
        FROM installation.clock, (SELECT max(at) AS at FROM installation.verifications) AS last WHERE NOT simulated
    """)
    for (hours,) in ages:
        if hours is not None and hours > VERIFIED_HOURS:
            yield (
                f"the invariants were not verified for {hours:.0f} h, and are to be each night: run `bianmin verify`,"
                " and see that `bianmin.verify --nightly` runs"
            )


def backed_up(patient: Patient) -> Iterator[str]:
    """The newest backup is of last night, and one was restored within a month."""
    if patient.backups is None:
        return
    backups = backups_in(patient.backups)
    if not backups:
        yield f"there is no backup in {patient.backups}: `bianmin backup run --to {patient.backups}` takes one"
        return
    hours = (datetime.now(UTC) - backups[-1].taken_at).total_seconds() / 3600  # noqa: TID251  # a file's age
    if hours > BACKUP_HOURS:
        yield f"the newest backup in {patient.backups} is {hours:.0f} h old: see why `bianmin backup run` did not run"
    drill = last_drill(patient.backups)
    if drill is None:
        yield f"no backup in {patient.backups} was ever restored: `bianmin backup check {patient.backups}` does"
    elif (days := (datetime.now(UTC) - drill).days) > DRILL_DAYS:  # noqa: TID251  # a file's age
        yield (
            f"for {days} days no backup in {patient.backups} was restored:"
            f" `bianmin backup check {patient.backups}` does"
        )


def disks_have_room(patient: Patient) -> Iterator[str]:
    """The disks of the folder and of the backups are not nearly full."""
    for folder in filter(None, (patient.data, patient.backups)):
        if not folder.exists():
            continue
        usage = shutil.disk_usage(folder)
        if usage.free < SMALLEST_FREE_BYTES or 100 * usage.free < patient.free_percent * usage.total:
            yield (
                f"the disk of {folder} is nearly full, {usage.free / 2**30:.1f} of {usage.total / 2**30:.1f} GiB are"
                " free: make room, or the database stops accepting changes"
            )


def prices_in_force(patient: Patient) -> Iterator[str]:
    """There is an approved price book, in force today at every site, or no fee can be agreed."""
    if patient.rows("""
        SELECT 1 FROM finance.sites s WHERE NOT EXISTS (
            SELECT FROM finance.price_versions WHERE state = 'approved'
            AND effective_from <= (installation.clock_now() AT TIME ZONE s.zone)::date)
        LIMIT 1
    """):
        yield (
            "no price book is in force, so no fee can be agreed: the finance lead drafts one and the leader approves it"
        )


def receipts_at_hand(patient: Patient) -> Iterator[str]:
    """Every site has a receipt to write."""
    for (site,) in patient.rows("""
        SELECT code FROM finance.sites s WHERE NOT EXISTS (
            SELECT FROM finance.receipts r WHERE r.site_id = s.id AND r.state = 'on_hand')
        ORDER BY code
    """):
        yield f"site {site} has no blank receipt, so it can take no fee: finance issues it a receipt book"


_POSTS = {
    "leader": "nobody approves its months, its refunds and its cases",
    "cashier": "nobody receives its cash",
    "clerk": "nobody answers its owners",
}
"""Who must be at every site, and what stands still without him."""


def posts_filled(patient: Patient) -> Iterator[str]:
    """Every site has a leader, a cashier and a clerk."""
    for site, role in patient.rows(
        """
        SELECT s.code, wanted.role FROM hr.sites s CROSS JOIN unnest(%(roles)s::text[]) AS wanted (role)
        WHERE NOT EXISTS (SELECT FROM hr.people p WHERE p.role = wanted.role AND p.active
                          AND (p.all_sites OR s.id = ANY(p.site_ids)))
        ORDER BY s.code, wanted.role
        """,
        roles=list(_POSTS),
    ):
        yield f"site {site} has no {role}, so {_POSTS[role]}: the administrator gives somebody that post"


CHECKS: tuple[Check, ...] = (
    running,
    settings_safe,
    weak_and_real,
    keys_there,
    database_answers,
    schemas_new,
    clock_right,
    broker_answers,
    queues_short,
    workers_work,
    messages_understood,
    messages_arrive,
    deadlines_kept,
    verified,
    backed_up,
    disks_have_room,
    prices_in_force,
    receipts_at_hand,
    posts_filled,
)
"""What is looked at, in this order."""
