"""Which phone numbers are the same: +86 138 0013 8000, 0086-13800138000 and 13800138000 are [R15].

The country's code, only before ten digits or more, and the zero dialled before an area code say nothing new.
"""

import re

_FORMALITIES = r"^((00)?86(?=[0-9]{10}))?0?"


def phone_digits(phone: str) -> str:
    """The digits that numbers are compared by; empty when there are none."""
    return re.sub(_FORMALITIES, "", re.sub(r"[^0-9]", "", phone), count=1)
