"""The servers a command is told of, refused where that would not be safe (shared/safety.py)."""

import os
from pathlib import Path

from bianmin.address import Address
from bianmin.engines import CannotStart
from shared.safety import readable_database
from shared.settings import settings
from shared.startup import unsafe


def owners_database() -> str:
    """The URL of the settings, for what its owner does. Raises CannotStart when the settings are not safe."""
    refuse(unsafe())
    return settings().database_url


def database_of(data: Path) -> str:
    """BIANMIN_DATABASE_URL (also as a file in /run/secrets) or, without it, the database of what runs in a data folder.

    Raises CannotStart when nothing runs there, or when the connection would not be safe.
    """
    secret = Path("/run/secrets/bianmin_database_url")
    url = os.environ.get("BIANMIN_DATABASE_URL") or (secret.read_text().strip() if secret.exists() else "")
    url = url or Address.read(data).database_url
    if os.environ.get("BIANMIN_ALLOW_PLAINTEXT", "").lower() not in {"true", "1"}:
        refuse(readable_database(url, os.environ))
    return url


def refuse(fault: str | None) -> None:
    """Raises CannotStart with the fault, if there is one."""
    if fault is not None:
        raise CannotStart(fault)
