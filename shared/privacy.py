"""What a stranger is shown of an owner: his phone number, masked [D26]."""


def mask_phone(phone: str) -> str:
    """13800138000 -> 138****8000; shorter numbers keep their last two digits."""
    return f"{phone[:3]}****{phone[-4:]}" if len(phone) > 7 else f"****{phone[-2:]}"
