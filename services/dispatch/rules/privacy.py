"""Who is shown an owner's phone number: the assigned worker and his head while the order is open [D26]."""

from shared.privacy import mask_phone

CALLERS = frozenset({"head", "worker"})
"""Of the people who are shown an order; of heads and workers those are its own."""


def phone_shown(phone: str, *, role: str, ended: bool) -> str:
    """The number as a person of this role, who is shown the order, sees it."""
    return phone if role in CALLERS and not ended else mask_phone(phone)
