"""Who is shown an owner's phone number: the desk while the request is open; others see it masked [D26]."""

from shared.privacy import mask_phone

CALLERS = frozenset({"clerk", "desk_head"})


def phone_shown(phone: str, *, role: str, ended: bool) -> str:
    """The number as a person of this role sees it."""
    return phone if role in CALLERS and not ended else mask_phone(phone)
