"""What is personal in a message lies and travels sealed, bound to that message and field [D26].

In the outbox, on the broker and in the inbox nobody reads it; it is opened where the message is handled.
"""

from typing import Any
from uuid import UUID

from shared.messages import Message
from shared.sealing import is_sealed, seal, unseal


def sealed_body(message: Message, id_: UUID) -> dict[str, Any]:
    """The body to be sent: as the message says, its personal fields sealed."""
    body = message.model_dump(mode="json")
    name = type(message).__name__
    return body | {field: seal(body[field], place=_place(name, field, id_)) for field in message.personal}


def opened_body(kind: type[Message], id_: str, body: dict[str, Any]) -> dict[str, Any]:
    """The body as its sender meant it; a field in plain is one of a version that sealed none. Raises SealBroken."""
    return body | {
        field: unseal(value, place=_place(kind.__name__, field, id_))
        for field in kind.personal
        if isinstance(value := body.get(field), str) and is_sealed(value)
    }


def _place(name: str, field: str, id_: UUID | str) -> str:
    return f"bus.{name}.{field}:{id_}"
