"""The bus: every message once, at its receiver, from its sender; and in the end nothing under way."""

from bianmin.verify.invariant import Invariant

SERVICES = ("intake", "dispatch", "finance", "hr")
REMEMBERED_DAYS = 399
"""Both sides forget a message about 400 days after it was over, not at the same moment."""
LATE_MINUTES = 15
"""How long a message may be unacknowledged, or begun and not ended, before it is stuck."""

SENT = " UNION ALL ".join(
    "SELECT message_id, receiver, type, published_at, acknowledged_at,"  # noqa: S608  # our own SQL
    f" '{service}' AS sender FROM {service}.outbox"
    for service in SERVICES
)
HELD = " UNION ALL ".join(
    "SELECT message_id, sender, type, state, reason, unended, ack_due, received_at,"  # noqa: S608  # our own SQL
    f" '{service}' AS receiver FROM {service}.inbox"
    for service in SERVICES
)

_HELD_IN_STATE = "SELECT format('%s from %s, {state} at %s: %s (%s)', type, sender, receiver, message_id, reason)"

INVARIANTS = [
    Invariant(
        60,
        "acknowledged_messages_are_held",
        "every message its receiver acknowledged is in his inbox, with its sender and type",
        f"""
            SELECT format('%s %s from %s to %s: acknowledged, and %s', s.type, s.message_id, s.sender, s.receiver,
                          coalesce('held as ' || h.type || ' from ' || h.sender, 'not held'))
            FROM ({SENT}) s LEFT JOIN ({HELD}) h ON h.message_id = s.message_id AND h.receiver = s.receiver
            WHERE s.acknowledged_at IS NOT NULL AND (h.sender, h.type) IS DISTINCT FROM (s.sender, s.type)
              AND s.published_at > now() - interval '{REMEMBERED_DAYS} days'
        """,  # noqa: S608  # our own SQL
    ),
    Invariant(
        61,
        "messages_were_sent",
        "every message in an inbox was sent to it by the sender it names",
        f"""
            SELECT format('%s %s is held by %s, and %s never sent it there', h.type, h.message_id, h.receiver, h.sender)
            FROM ({HELD}) h
            LEFT JOIN ({SENT}) s ON s.message_id = h.message_id AND s.receiver = h.receiver AND s.sender = h.sender
            WHERE s.message_id IS NULL AND h.received_at > now() - interval '{REMEMBERED_DAYS} days'
        """,  # noqa: S608  # our own SQL
    ),
    Invariant(
        62,
        "nothing_is_parked",
        "no message is parked: one that could not be handled waits for an operator",
        f"{_HELD_IN_STATE.format(state='parked')} FROM ({HELD}) h WHERE state = 'parked'",
    ),
    Invariant(
        63,
        "nothing_is_stuck",
        "no message is unacknowledged, and none begun without an end, for more than a quarter of an hour",
        f"""
            SELECT format('%s %s from %s to %s: unacknowledged since %s', type, message_id, sender, receiver,
                          published_at)
            FROM ({SENT}) s
            WHERE acknowledged_at IS NULL AND published_at < now() - interval '{LATE_MINUTES} minutes'
            UNION ALL
            SELECT format('%s %s from %s at %s: begun %s times and not ended', type, message_id, sender, receiver,
                          unended)
            FROM ({HELD}) h
            WHERE state = 'waiting' AND unended > 0
              AND received_at < now() - interval '{LATE_MINUTES} minutes'
        """,  # noqa: S608  # our own SQL
    ),
    Invariant(
        64,
        "nothing_is_under_way",
        "no message is unacknowledged, waiting, begun without an end, or acknowledged without having said so",
        f"""
            SELECT format('%s %s from %s to %s: unacknowledged', type, message_id, sender, receiver)
            FROM ({SENT}) s WHERE acknowledged_at IS NULL
            UNION ALL
            SELECT format('%s %s from %s at %s: %s, begun %s times%s (%s)', type, message_id, sender, receiver, state,
                          unended, CASE WHEN ack_due THEN ', its acknowledgement is due' ELSE '' END, reason)
            FROM ({HELD}) h WHERE state = 'waiting' OR unended > 0 OR ack_due
        """,  # noqa: S608  # our own SQL
        settled=True,
    ),
    Invariant(
        65,
        "nothing_was_discarded",
        "no message was given up by an operator",
        f"{_HELD_IN_STATE.format(state='discarded')} FROM ({HELD}) h WHERE state = 'discarded'",
        settled=True,
    ),
]
