"""The key hr signs sessions with, and the public keys everybody checks them with.

In the folder `session_keys` of the settings: `private/key.json`, a JWK that hr alone needs, and `public/keys.json`, the
JWKS of it and of the key before it. A new key is used from the next login on without a
restart; sessions of the old one go on.
"""

import json
import os
import secrets
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import KeySet, OKPKey

PRIVATE, PUBLIC = Path("private/key.json"), Path("public/keys.json")
KEYS_KEPT = 2
"""The key in use and the one before it: no session lives longer than from one rotation to the next."""

ALGORITHM: Final = "Ed25519"


def make_session_keys(folder: Path) -> None:
    """Make the first key; harmless where there is one."""
    if not (folder / PRIVATE).exists():
        rotate_keys(folder)


def rotate_keys(folder: Path) -> None:
    """A new key signs from here on; sessions signed with the one before are good until they end."""
    key = OKPKey.generate_key(ALGORITHM, parameters={"kid": secrets.token_hex(8)})
    held = json.loads((folder / PUBLIC).read_text())["keys"] if (folder / PUBLIC).exists() else []
    kept = [key.as_dict(private=False), *held][:KEYS_KEPT]
    _write(folder / PUBLIC, {"keys": kept}, mode=0o644)  # first, so that whatever is signed can be checked
    _write(folder / PRIVATE, key.as_dict(private=True), mode=0o600)


def _write(path: Path, content: Any, *, mode: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    half = path.with_suffix(".new")
    half.unlink(missing_ok=True)
    with os.fdopen(os.open(half, os.O_CREAT | os.O_EXCL | os.O_WRONLY, mode), "w") as file:
        json.dump(content, file)
    half.rename(path)  # whole or not at all


def sign(folder: Path, payload: bytes) -> str:
    """The payload as a compact JWS. Raises FileNotFoundError where there is no private key."""
    key = OKPKey.import_key(json.loads((folder / PRIVATE).read_text()))
    return jws.serialize_compact({"alg": ALGORITHM, "kid": key.kid}, payload, key, algorithms=[ALGORITHM])


@lru_cache(maxsize=4)
def _public(path: Path, _changed: int) -> KeySet:
    return KeySet.import_key_set(json.loads(path.read_text()))


def verified(folder: Path, signed: str) -> bytes | None:
    """What was signed, or None when no key of ours did."""
    path = folder / PUBLIC
    if not path.exists():
        return None
    keys = _public(path, path.stat().st_mtime_ns)
    try:
        return jws.deserialize_compact(signed, keys, algorithms=[ALGORITHM]).payload
    except (JoseError, ValueError):
        return None
