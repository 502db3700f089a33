"""Who is shown an owner's phone number: the desk while the request is open; others see it masked [D26]."""

CALLERS = frozenset({"clerk", "desk_head"})


def mask_phone(phone: str) -> str:
    """13800138000 -> 138****8000; shorter numbers keep their last two digits."""
    return f"{phone[:3]}****{phone[-4:]}" if len(phone) > 7 else f"****{phone[-2:]}"


def phone_shown(phone: str, *, role: str, ended: bool) -> str:
    """The number as a person of this role sees it."""
    return phone if role in CALLERS and not ended else mask_phone(phone)
