"""The bus and the clock: every message once, no deadline forgotten."""

from collections import Counter

from bianmin.audit.figures import Check, same
from bianmin.exports import Exports


def every_message_was_handled_exactly_once(exports: Exports) -> Check:
    """What each service says it sent against what each says it handled."""
    sent = Counter(
        (message["id"], message["type"], message["sender"], message["receiver"])
        for messages in exports.sent.values()
        for message in messages
    )
    handled = Counter(
        (message["id"], message["type"], message["sender"], message["receiver"])
        for messages in exports.received.values()
        for message in messages
        if message["state"] == "handled"
    )
    for key in sent | handled:
        yield same(f"{key[1]} {key[0]} from {key[2]} to {key[3]}: sent and handled", sent[key], handled[key])
    for messages in exports.sent.values():
        for message in messages:
            yield same(f"{message['type']} {message['id']}", message["state"], "acknowledged")


def every_deadline_that_started_has_ended(exports: Exports) -> Check:
    """None has passed without being acted on."""
    for service, deadlines in exports.deadlines.items():
        for line in deadlines:
            yield same(f"{service} {line['kind']}: overdue", line["overdue"], 0)
