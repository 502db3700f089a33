"""What a stranger is shown of an owner: his phone number, masked [D26]."""

ERASED = "已删除"
"""What stands where something personal stood."""


def mask_phone(phone: str | None) -> str:
    """13800138000 -> 138****8000; shorter numbers keep their last two digits; none says that it was erased."""
    if phone is None:
        return ERASED
    return f"{phone[:3]}****{phone[-4:]}" if len(phone) > 7 else f"****{phone[-2:]}"
