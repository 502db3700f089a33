"""The keys services sign their messages with, as they lie in the folder BIANMIN_KEYS.

SERVICE/private.pem       what SERVICE signs with; nobody else may read it (PKCS 8)
public/SERVICE.ID.pem     what all know SERVICE by, one file for each key that is valid, was, or will be

Above a public key's PEM stand, as RFC 7468 allows, the moments from which and until which it is valid; the id is
taken from the key itself. Files are read again every few seconds, so that a key is exchanged without a restart.
`bianmin keys` writes them (bianmin/keys.py).
"""

import re
import stat
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from time import monotonic

import structlog
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
)

log = structlog.get_logger()

READ_AGAIN_SECONDS = 5.0


class NoKey(Exception):
    """There is no key to sign with; the message says why and what to do."""


def private_file(folder: Path, service: str) -> Path:
    """Where the key lies that `service` signs with."""
    return folder / service / "private.pem"


def public_folder(folder: Path) -> Path:
    """Where the keys lie by which all know each other."""
    return folder / "public"


def key_id(key: Ed25519PublicKey) -> str:
    """By what a key is named: the first 16 hexadecimal digits of its SHA-256."""
    return sha256(key.public_bytes(Encoding.Raw, PublicFormat.Raw)).hexdigest()[:16]


@dataclass(frozen=True)
class PublicKey:
    """What others know a service by, and when it is valid: from a moment, and until another when it was replaced."""

    service: str
    key: Ed25519PublicKey
    not_before: datetime
    not_after: datetime | None = None

    @property
    def id(self) -> str:
        """By what it is named."""
        return key_id(self.key)

    @property
    def file_name(self) -> str:
        """The name of its file in the public folder."""
        return f"{self.service}.{self.id}.pem"

    def is_valid(self, at: datetime) -> bool:
        """Whether what it signs counts at that moment."""
        return self.not_before <= at and (self.not_after is None or at <= self.not_after)

    def text(self) -> bytes:
        """Its file."""
        until = f"not-after: {self.not_after.isoformat()}\n" if self.not_after else ""
        pem = self.key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
        return f"not-before: {self.not_before.isoformat()}\n{until}".encode() + pem

    @classmethod
    def read(cls, path: Path) -> "PublicKey":
        """The key of a file; raises ValueError when it is none, or has another's name."""
        words = path.read_bytes()
        key = load_pem_public_key(words)
        if not isinstance(key, Ed25519PublicKey):
            raise ValueError("it is no Ed25519 key")  # noqa: TRY004  # of a file, as the others
        moments = {name.decode(): _moment(value.decode()) for name, value in _LINES.findall(words)}
        if "not-before" not in moments:
            raise ValueError("it does not say from when it is valid")
        found = cls(path.name.partition(".")[0], key, moments["not-before"], moments.get("not-after"))
        if path.name != found.file_name:
            raise ValueError(f"its name should be {found.file_name}")
        return found


_LINES = re.compile(rb"^(not-before|not-after): (\S+)\s*$", re.MULTILINE)


def _moment(words: str) -> datetime:
    moment = datetime.fromisoformat(words)
    if moment.tzinfo is None:
        raise ValueError("a moment without a zone")
    return moment


def read_public(folder: Path) -> list[PublicKey]:
    """Every key of a public folder; what is none is logged and passed over, so that it spoils no other."""
    found = []
    for path in sorted(folder.glob("*.pem")):
        try:
            found.append(PublicKey.read(path))
        except (OSError, ValueError) as error:
            log.error("public_key_unreadable", file=path.name, reason=str(error)[:200])
    return found


class PublicKeys:
    """The public keys of all services, as one process knows them."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._keys: dict[tuple[str, str], PublicKey] = {}
        self._read_at = float("-inf")

    def find(self, service: str, id_: str) -> PublicKey | None:
        """The key of that id, if it is that service's; one that is not known yet is looked for at once."""
        if monotonic() - self._read_at > READ_AGAIN_SECONDS or (service, id_) not in self._keys:
            self._keys = {(key.service, key.id): key for key in read_public(self._folder)}
            self._read_at = monotonic()
        return self._keys.get((service, id_))


class PrivateKey:
    """The key one service signs with, as its process knows it."""

    def __init__(self, folder: Path, service: str) -> None:
        self._path = private_file(folder, service)
        self._service = service
        self._held: tuple[str, Ed25519PrivateKey] | None = None
        self._read_at = float("-inf")

    def get(self) -> tuple[str, Ed25519PrivateKey]:
        """Its id and the key; raises NoKey."""
        if self._held is None or monotonic() - self._read_at > READ_AGAIN_SECONDS:
            self._held = self._read()
            self._read_at = monotonic()
        return self._held

    def _read(self) -> tuple[str, Ed25519PrivateKey]:
        try:
            if self._path.stat().st_mode & stat.S_IRWXO:
                raise NoKey(f"anybody can read {self._path}: let its owner alone (chmod 600)")
            key = load_pem_private_key(self._path.read_bytes(), password=None)
        except (OSError, ValueError) as error:
            why = f"{type(error).__name__}: {error}"
            raise NoKey(f"{self._service} has no key to sign with ({why}): make one with `bianmin keys new`") from None
        if not isinstance(key, Ed25519PrivateKey):
            raise NoKey(f"{self._path} is no Ed25519 key: make one with `bianmin keys new`")
        return key_id(key.public_key()), key
