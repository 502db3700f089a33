"""The second factor: a code of six digits for each 30 seconds (RFC 6238), good once; or a recovery code, good once."""

import base64
import secrets
from datetime import datetime

import pyotp

STEP_SECONDS = 30
EARLIER, LATER = 1, 1
"""How many steps a clock may be behind or ahead."""

RECOVERY_CODES = 10


def new_secret() -> str:
    """A secret of 160 random bits, as authenticators take it."""
    return pyotp.random_base32()


def enrolment_uri(secret: str, *, login: str) -> str:
    """What an authenticator reads from a QR code."""
    return pyotp.TOTP(secret).provisioning_uri(name=login, issuer_name="Bianmin 便民")


def step_of(code: str, *, secret: str, used: int | None, now: datetime) -> int | None:
    """The step whose code this is, when it is later than the one used last; else None."""
    current = int(now.timestamp()) // STEP_SECONDS
    totp = pyotp.TOTP(secret, interval=STEP_SECONDS)
    steps = range(current - EARLIER, current + LATER + 1)
    fitting = [step for step in steps if secrets.compare_digest(totp.generate_otp(step).encode(), code.encode())]
    return next((step for step in fitting if used is None or step > used), None)


def new_recovery_codes() -> list[str]:
    """Ten codes of 80 random bits, as people can type them."""
    return [base64.b32encode(secrets.token_bytes(10)).decode().lower() for _ in range(RECOVERY_CODES)]
