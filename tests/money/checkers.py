"""The strangers' programs that check our books: beancount's bean-check and hledger."""

import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from beancount import loader

from services.finance.rules import beancount, hledger
from services.finance.rules.plain_text import Dialect
from tests.debian import needs


@dataclass(frozen=True)
class Verdict:
    """What a program says of a file: its exit status, and why."""

    status: int
    words: str


@dataclass(frozen=True)
class Checker:
    """A dialect and the program that checks it."""

    dialect: Dialect
    ending: str
    command: Callable[[], list[str]]

    def check(self, book: Path) -> Verdict:
        """Run the program on a file."""
        done = subprocess.run([*self.command(), book], capture_output=True, text=True, check=False)
        return Verdict(done.returncode, done.stdout + done.stderr)


BEAN_CHECK = Checker(beancount, "beancount", lambda: [str(Path(sys.executable).parent / "bean-check"), "--no-cache"])
HLEDGER = Checker(hledger, "journal", lambda: [needs("hledger", "hledger"), "check", "--strict", "-f"])
CHECKERS = (BEAN_CHECK, HLEDGER)


def bean_errors(book: Path) -> list[str]:
    """What bean-check would print, from its loader in this process: starting it costs more than most books."""
    return [error.message for error in loader.load_file(str(book))[1]]
