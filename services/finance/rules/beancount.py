"""The ledger as beancount reads it (https://beancount.github.io): a plain-text dialect; amounts in yuan."""

from collections.abc import Iterable
from datetime import date

from services.finance.rules.plain_text import one_line, posted, yuan

HEAD = """option "title" "Bianmin 便民"
option "operating_currency" "CNY"
option "tolerance_multiplier" "0.0"
"""
"""Without a tolerance of nothing, beancount lets a balance that is off by a fen pass."""


def quoted(words: str) -> str:
    """Somebody's words as a beancount string, on one line."""
    escaped = one_line(words).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def opened(day: date, account: str, title: str) -> str:
    """An account exists from a day on; its title says whose it is."""
    return f"{day} open {account} CNY\n  title: {quoted(title)}\n"


def balance(day: date, account: str, fen: int) -> str:
    """What an account holds when the day begins."""
    return f"{day} balance {account}  {yuan(fen)}\n"


def transaction(day: date, kind: str, reference: str, postings: Iterable[tuple[str, int]]) -> str:
    """One journal: (account, fen), debit +, credit -."""
    return f"{day} * {quoted(kind)} {quoted(reference)}\n{posted(postings)}"
