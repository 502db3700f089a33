"""The ledger as plain text for beancount, so that a stranger can check the books; amounts in yuan with two decimals."""

from collections.abc import Iterable
from datetime import date
from uuid import UUID

from services.finance.rules.ledger import CHART, Account

HEAD = """option "title" "Bianmin 便民"
option "operating_currency" "CNY"
option "tolerance_multiplier" "0.0"
"""
"""Without a tolerance of nothing, beancount lets a balance that is off by a fen pass."""

ROOTS = {"asset": "Assets", "liability": "Liabilities", "income": "Income"}


def account_name(account: Account, site_code: str, person_id: UUID | None) -> str:
    """The account of a site, and of a person where it is kept per person: Assets:BK:CashInHand:P01a2…"""
    name = "".join(word.capitalize() for word in account.split("_"))
    person = f":P{person_id}" if person_id else ""
    return f"{ROOTS[CHART[account].kind]}:{site_code}:{name}{person}"


def yuan(fen: int) -> str:
    """-12345 -> '-123.45 CNY'."""
    whole, cents = divmod(abs(fen), 100)
    return f"{'-' if fen < 0 else ''}{whole}.{cents:02d} CNY"


def quoted(words: str) -> str:
    """Somebody's words as a beancount string, on one line."""
    escaped = " ".join(words.split()).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def opened(day: date, account: str, title: str) -> str:
    """An account exists from a day on; its title says whose it is."""
    return f"{day} open {account} CNY\n  title: {quoted(title)}\n"


def transaction(day: date, kind: str, reference: str, postings: Iterable[tuple[str, int]]) -> str:
    """One journal: (account, fen), debit +, credit -."""
    lines = "".join(f"  {account}  {yuan(fen)}\n" for account, fen in postings)
    return f"{day} * {quoted(kind)} {quoted(reference)}\n{lines}"


def balance(day: date, account: str, fen: int) -> str:
    """What an account holds when the day begins."""
    return f"{day} balance {account}  {yuan(fen)}\n"
