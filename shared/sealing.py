"""What is personal or secret is kept sealed: AES-256-GCM, bound to its place, under a key that is in no database [D26].

A sealed text names its key, and opens only in the row and column it was sealed for: copied to another row it is
refused. Keys stand in the file of BIANMIN_DATA_KEYS, a line each: purpose, name, 32 bytes in base64. The purposes are
the services' names, `bus` for messages on their way, and `search`; a service needs the lines of its own purpose, of
`bus`, and, if it looks for sealed numbers, of `search`. The last line of a purpose seals, all of them open and find.
"""

import base64
import hmac
import os
import secrets
from binascii import Error as NotBase64
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Generic, TypeVar, cast, overload

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from shared.settings import settings

PURPOSES = ("intake", "dispatch", "hr", "bus", "search")
"""Finance keeps nothing sealed; what it hears of an owner it only passes over."""
KEY_BYTES = 32
NONCE_BYTES = 12
MARK = "sealed"
SUFFIX = "_sealed"
"""A column of this ending holds sealed texts; `phone_sealed` holds the `phone`."""

TextT = TypeVar("TextT", bound=str | None)


class NoDataKeys(Exception):
    """There is no usable file of data keys; the message says why."""


class SealBroken(Exception):
    """A sealed text does not open here: it was changed, moved to another place, or its key is not in the file."""


@dataclass(frozen=True)
class DataKeys:
    """The keys of one file: for each purpose its keys by name, the last of which seals; `search`: the newest first."""

    ciphers: dict[str, dict[str, AESGCM]]
    search: tuple[bytes, ...]

    def newest(self, purpose: str) -> tuple[str, AESGCM]:
        """The name and cipher that seal now. Raises NoDataKeys."""
        try:
            return next(reversed(self.ciphers[purpose].items()))
        except KeyError:
            raise NoDataKeys(f"the file of BIANMIN_DATA_KEYS has no key for {purpose}") from None


def data_keys() -> DataKeys:
    """The keys as the file has them now, read again when it has changed. Raises NoDataKeys."""
    path = settings().data_keys
    if path is None:
        raise NoDataKeys("set BIANMIN_DATA_KEYS to the file of data keys; `bianmin data-key new FILE` makes one")
    try:
        found = path.stat()
    except OSError as error:
        raise NoDataKeys(f"the data keys {path} cannot be read: {error.strerror}") from None
    if found.st_mode & 0o007:
        raise NoDataKeys(f"the data keys {path} can be read by everybody; chmod 600 {path}")
    return _read(path, found.st_mtime_ns)


@lru_cache(maxsize=4)
def _read(path: Path, _changed: int) -> DataKeys:
    ciphers: dict[str, dict[str, AESGCM]] = {}
    search: list[bytes] = []
    for number, line in enumerate(path.read_text(encoding="ascii").splitlines(), start=1):
        if not line or line.startswith("#"):
            continue
        try:
            purpose, name, spelled = line.split()
            key = base64.b64decode(spelled, validate=True)
        except (ValueError, NotBase64):
            raise NoDataKeys(f"{path} line {number} must be: purpose, name, key in base64") from None
        if purpose not in PURPOSES or len(key) != KEY_BYTES:
            raise NoDataKeys(f"{path} line {number} must have 32 bytes for one of {', '.join(PURPOSES)}")
        if purpose == "search":
            search.insert(0, key)
        else:
            ciphers.setdefault(purpose, {})[name] = AESGCM(key)
    return DataKeys(ciphers, tuple(search))


def make_data_keys(path: Path) -> None:
    """A new file with a key for each purpose, for its owner alone. Raises FileExistsError: no key is ever lost so."""
    with os.fdopen(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "w", encoding="ascii") as file:
        file.write("# Bianmin data keys: what they seal is lost without them; keep a copy apart from the backups\n")
        file.writelines(_new_line(purpose, "1") for purpose in PURPOSES)


def rotate_keys(path: Path) -> str:
    """Add a key for each purpose; returns its name. What was sealed before opens, and what was hashed is found.

    Once everything stored is sealed and hashed anew (resealing.py) the older ones are needed for backups alone.
    """
    lines = [line.split() for line in path.read_text(encoding="ascii").splitlines() if not line.startswith("#")]
    name = str(1 + max(int(fields[1]) for fields in lines if fields))
    with path.open("a", encoding="ascii") as file:
        file.writelines(_new_line(purpose, name) for purpose in PURPOSES)
    return name


def _new_line(purpose: str, name: str) -> str:
    return f"{purpose} {name} {base64.b64encode(secrets.token_bytes(KEY_BYTES)).decode()}\n"


def seal(text: str, *, place: str) -> str:
    """The text sealed for `place`, as 'intake.requests.phone:ROW'; what stands before the dot is the key's purpose."""
    name, cipher = data_keys().newest(place.partition(".")[0])
    nonce = os.urandom(NONCE_BYTES)
    hidden = nonce + cipher.encrypt(nonce, text.encode(), place.encode())
    return f"{MARK}:{name}:{base64.b64encode(hidden).decode()}"


def is_sealed(text: str) -> bool:
    """Whether a text has the form of a sealed one."""
    return text.startswith(f"{MARK}:")


def unseal(sealed: str, *, place: str) -> str:
    """The text that was sealed for this place. Raises SealBroken, and tells nothing of what it holds."""
    try:
        name, spelled = sealed.removeprefix(f"{MARK}:").split(":")
        hidden = base64.b64decode(spelled, validate=True)
        cipher = data_keys().ciphers[place.partition(".")[0]][name]
        return cipher.decrypt(hidden[:NONCE_BYTES], hidden[NONCE_BYTES:], place.encode()).decode()
    except (ValueError, KeyError, InvalidTag):
        raise SealBroken(f"what is sealed at {place} does not open") from None


def searchable(text: str) -> str:
    """The keyed hash by which a sealed text is found again: equal for equal texts. Raises NoDataKeys."""
    return searched_by(text)[0]


def searched_by(text: str) -> list[str]:
    """What a text may be hashed as, by each key of `search`, the newest first. Raises NoDataKeys."""
    keys = data_keys().search
    if not keys:
        raise NoDataKeys("the file of BIANMIN_DATA_KEYS has no key for search")
    return [hmac.digest(key, text.encode(), "sha256").hex() for key in keys]


class Sealed(Generic[TextT]):
    """An attribute that is read and set in plain, kept in the column of its name and `_sealed`, bound to its row.

    `row` names the primary key, which is set before: the first argument of a new row.
    """

    def __init__(self, row: str = "id") -> None:
        self.row = row

    def __set_name__(self, owner: type, name: str) -> None:
        """Its place: service, table and column."""
        table: str = vars(owner)["__tablename__"]
        self.place = f"{owner.__module__.split('.')[1]}.{table}.{name}"
        self.column = f"{name}{SUFFIX}"

    @overload
    def __get__(self, row: None, owner: type) -> "Sealed[TextT]": ...

    @overload
    def __get__(self, row: object, owner: type) -> TextT: ...

    def __get__(self, row: object, owner: type) -> "TextT | Sealed[TextT]":
        """The text, None where there is none; of the class, the place itself. Raises SealBroken."""
        if row is None:
            return self
        sealed = getattr(row, self.column)
        return cast("TextT", None if sealed is None else unseal(sealed, place=self.at(getattr(row, self.row))))

    def __set__(self, row: Any, text: TextT) -> None:
        """Seal and keep it."""
        setattr(row, self.column, None if text is None else seal(text, place=self.at(getattr(row, self.row))))

    def at(self, key: object) -> str:
        """The place of the row with this primary key. Raises ValueError when it has none yet."""
        if key is None:
            raise ValueError(f"{self.place} is sealed for a row: set its {self.row} first")
        return f"{self.place}:{key}"
