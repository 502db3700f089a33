"""The ledger as hledger reads it (https://hledger.org): a plain-text dialect; amounts in yuan.

`hledger check --strict` wants every account and the commodity declared; it knows no tolerance.
"""

from collections.abc import Iterable
from datetime import date

from services.finance.rules.plain_text import one_line, posted, yuan

HEAD = """; Bianmin 便民
decimal-mark .
commodity 1000.00 CNY
"""


def opened(day: date, account: str, title: str) -> str:  # noqa: ARG001  # hledger's accounts have no first day
    """An account exists; its title says whose it is."""
    return f"account {account}  ; {one_line(title)}\n"


def balance(day: date, account: str, fen: int) -> str:
    """What an account holds when the day begins: a posting of nothing that says so, before the day's transactions.

    hledger reads the entries of a day in the order in which they stand in the file. `==` asserts that the account
    holds nothing but this.
    """
    return f"{day} * balance\n  {account}  {yuan(0)} == {yuan(fen)}\n"


def transaction(day: date, kind: str, reference: str, postings: Iterable[tuple[str, int]]) -> str:
    """One journal: (account, fen), debit +, credit -."""
    return f"{day} * {one_line(kind)} | {one_line(reference)}\n{posted(postings)}"
