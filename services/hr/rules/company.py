"""Founding the company: whoever installed the system knows a secret, and it opens the door once."""

from hmac import compare_digest

from shared.errors import NotYourRole


def check_founder(secret: str, *, expected: str) -> None:
    """Raises NotYourRole unless the secret is the installation's; an installation without one has no founder."""
    # compared in constant time, so that the answer's delay tells nothing of the secret
    if not expected or not compare_digest(secret.encode(), expected.encode()):
        raise NotYourRole("wrong_founder_secret", "this is not the founder's secret of this installation")
