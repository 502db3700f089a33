"""Which passwords are good: long, and none that is tried first [promise 22]. Nothing is asked of their characters."""

import gzip
import unicodedata
from collections.abc import Iterable
from functools import cache
from itertools import pairwise
from pathlib import Path

from shared.errors import Malformed

SHORTEST, LONGEST = 12, 128
"""Characters, as a person counts them."""

OWN = 8
"""Characters that must be left when the names an attacker knows are taken out."""

KNOWN_TO_ALL = ("bianmin", "便民")

_COMMON = Path(__file__).parent / "common-passwords.txt.gz"
"""The 20,000 most common ones, as Django brings them (made by Royce Williams), in lower case."""


@cache
def common_passwords() -> frozenset[str]:
    """The passwords everybody tries first."""
    return frozenset(gzip.decompress(_COMMON.read_bytes()).decode().split())


def check_password(password: str, *, names: Iterable[str]) -> None:
    """Raises Malformed for one that is too short or long, common, or little more than a name from `names`.

    `names` are those of the person, his login, the company and its sites, which whoever guesses knows too.
    """
    if not SHORTEST <= len(password) <= LONGEST:
        raise Malformed("password_length", f"a password has {SHORTEST} to {LONGEST} characters")
    plain = unicodedata.normalize("NFKC", password).casefold()
    if {plain, _word(plain), _unit(plain), _unit(_word(plain))} & common_passwords() or _is_run(plain):
        raise Malformed("common_password", "this password is one of those that are tried first")
    rest = plain
    for name in sorted({name.casefold() for name in (*names, *KNOWN_TO_ALL) if len(name) >= 2}, key=len, reverse=True):
        rest = rest.replace(name, "")
    if len(rest) < OWN:
        raise Malformed("password_of_names", "this password is little more than names that others know")


def _is_run(password: str) -> bool:
    """Whether it is one character over and over, or goes up or down in steps of one, as 123456789012 does."""
    steps = {ord(after) - ord(before) for before, after in pairwise(password)}
    return steps <= {0} or steps <= {1, -9} or steps <= {-1, 9}


def _word(password: str) -> str:
    """The password without the digits and signs around its letters."""
    letters = [place for place, character in enumerate(password) if character.isalpha()]
    return password[letters[0] : letters[-1] + 1] if letters else password


def _unit(password: str) -> str:
    """What a password repeats, as `love` in `lovelovelove`; itself when it repeats nothing."""
    return password[: (password + password).index(password, 1)] if password else password
