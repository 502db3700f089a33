"""The ledger as plain-text accounting, which strangers' programs check: what beancount and hledger have in common."""

from collections.abc import Iterable
from datetime import date
from typing import Protocol
from uuid import UUID

from services.finance.rules.ledger import CHART, Account

ROOTS = {"asset": "Assets", "liability": "Liabilities", "income": "Income"}


class Dialect(Protocol):
    """How one of the programs writes an entry; the modules `beancount` and `hledger` are the two."""

    HEAD: str
    """What the file begins with."""

    def opened(self, day: date, account: str, title: str) -> str:
        """An account exists from a day on; its title says whose it is."""

    def balance(self, day: date, account: str, fen: int) -> str:
        """What an account holds when the day begins."""

    def transaction(self, day: date, kind: str, reference: str, postings: Iterable[tuple[str, int]]) -> str:
        """One journal: (account, fen), debit +, credit -."""


def account_name(account: Account, site_code: str, person_id: UUID | None) -> str:
    """The account of a site, and of a person where it is kept per person: Assets:BK:CashInHand:P01a2…"""
    name = "".join(word.capitalize() for word in account.split("_"))
    person = f":P{person_id}" if person_id else ""
    return f"{ROOTS[CHART[account].kind]}:{site_code}:{name}{person}"


def yuan(fen: int) -> str:
    """-12345 -> '-123.45 CNY'."""
    whole, cents = divmod(abs(fen), 100)
    return f"{'-' if fen < 0 else ''}{whole}.{cents:02d} CNY"


def one_line(words: str) -> str:
    """Somebody's words without line breaks."""
    return " ".join(words.split())


def posted(postings: Iterable[tuple[str, int]]) -> str:
    """The lines of a transaction: (account, fen)."""
    return "".join(f"  {account}  {yuan(fen)}\n" for account, fen in postings)
