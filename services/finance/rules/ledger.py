"""The double-entry ledger: what each kind of money movement posts; debit +, credit −, summing to zero.

Each function returns the lines of one journal. Lines of nothing are left out.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal
from uuid import UUID

from services.finance.rules.reserve import Use
from services.finance.rules.split import Split
from shared.messages import PayoutLine


class Account(StrEnum):
    """The accounts, each kept per site; those marked (person) also per person."""

    CASH_IN_HAND = "cash_in_hand"  # (person) cash not yet with finance
    CASH_AT_FINANCE = "cash_at_finance"
    BANK = "bank"
    COMPANY_SHARE = "company_share"
    WORKERS_SHARE = "workers_share"  # (person) earned, not yet settled
    RESERVE_FUND = "reserve_fund"
    REWARDS_DUE = "rewards_due"  # (person) approved, not yet settled
    PAYROLL = "payroll"  # (person) to be paid by HR
    FINES = "fines"
    WAGE_DEDUCTIONS = "wage_deductions"  # (person) to be taken from the wage by HR
    CASH_DIFFERENCES = "cash_differences"  # (person) missing when his cash was counted, until he makes it good


@dataclass(frozen=True)
class ChartEntry:
    """What an account is called, what kind it is, and whether it is kept per person."""

    english: str
    chinese: str
    kind: Literal["asset", "liability", "income"]
    by_person: bool = False

    @property
    def normal_side(self) -> Literal["debit", "credit"]:
        """Assets grow on the debit side, what is owed or earned on the credit side."""
        return "debit" if self.kind == "asset" else "credit"


CHART: dict[Account, ChartEntry] = {
    Account.CASH_IN_HAND: ChartEntry("cash in hand", "在手现金", "asset", by_person=True),
    Account.CASH_AT_FINANCE: ChartEntry("cash at finance", "财务库存现金", "asset"),
    Account.BANK: ChartEntry("bank", "银行存款", "asset"),
    Account.CASH_DIFFERENCES: ChartEntry("cash differences", "现金短款", "asset", by_person=True),
    Account.WAGE_DEDUCTIONS: ChartEntry("fines to be deducted from wages", "应扣工资罚款", "asset", by_person=True),
    Account.WORKERS_SHARE: ChartEntry("workers' share not yet settled", "员工分成", "liability", by_person=True),
    Account.REWARDS_DUE: ChartEntry("rewards not yet settled", "应付奖励", "liability", by_person=True),
    Account.PAYROLL: ChartEntry("to be paid to people", "应付发放", "liability", by_person=True),
    Account.RESERVE_FUND: ChartEntry("reserve fund", "公积金", "liability"),
    Account.COMPANY_SHARE: ChartEntry("company's share", "公司留成", "income"),
    Account.FINES: ChartEntry("fines", "罚款", "income"),
}
"""The chart of accounts 会计科目表: every account has its entry."""


class JournalKind(StrEnum):
    """What a journal records; with its reference it is there once."""

    RECEIPT = "receipt"
    HAND_OVER = "hand_over"
    REWARD = "reward"
    LOSS = "loss"
    REWORK = "rework"
    SETTLEMENT = "settlement"
    MADE_GOOD = "made_good"
    REFUND = "refund"
    PAYMENT = "payment"
    DEPOSIT = "deposit"


@dataclass(frozen=True)
class Line:
    """One side of a posting: debit +, credit − (fen)."""

    account: Account
    amount_fen: int
    person_id: UUID | None = None


def _something(*lines: Line) -> list[Line]:
    return [line for line in lines if line.amount_fen]


def fee_received(amount_fen: int, parts: Split, shares: Mapping[UUID, int], *, holder_id: UUID | None) -> list[Line]:
    """A fee came in [R33]: cash into the holder's hands or money into the bank, owed to the three shares [R70-R72]."""
    money = Account.CASH_IN_HAND if holder_id else Account.BANK
    return _something(
        Line(money, amount_fen, holder_id),
        Line(Account.COMPANY_SHARE, -parts.company_fen),
        *(Line(Account.WORKERS_SHARE, -fen, person_id) for person_id, fen in shares.items()),
        Line(Account.RESERVE_FUND, -parts.reserve_fen),
    )


def cash_counted(amount_fen: int, counted_fen: int, *, from_id: UUID, holder_id: UUID | None) -> list[Line]:
    """Cash went from hand to hand, or (no new holder) into finance's till; what is missing stays his [R36, R85]."""
    till = Account.CASH_IN_HAND if holder_id else Account.CASH_AT_FINANCE
    return _something(
        Line(till, counted_fen, holder_id),
        Line(Account.CASH_IN_HAND, -amount_fen, from_id),
        Line(Account.CASH_DIFFERENCES, amount_fen - counted_fen, from_id),
    )


def shortage_made_good(amount_fen: int, *, giver_id: UUID) -> list[Line]:
    """Who was short brought what was missing to finance [R86, D7]."""
    return [Line(Account.CASH_AT_FINANCE, amount_fen), Line(Account.CASH_DIFFERENCES, -amount_fen, giver_id)]


def fee_refunded(amount_fen: int, parts: Split, shares: Mapping[UUID, int], *, cash: bool) -> list[Line]:
    """A fee was given back: each of the three shares gives its part, finance the money [D13, D16]."""
    return _something(
        Line(Account.COMPANY_SHARE, parts.company_fen),
        *(Line(Account.WORKERS_SHARE, fen, person_id) for person_id, fen in shares.items()),
        Line(Account.RESERVE_FUND, parts.reserve_fen),
        Line(Account.CASH_AT_FINANCE if cash else Account.BANK, -amount_fen),
    )


def reserve_used(use: Use, amount_fen: int, *, person_id: UUID | None) -> list[Line]:
    """A use of the reserve fund was approved [R73-R77]: owed to the person, or making good the company's cost."""
    owed = Account.REWARDS_DUE if use is Use.REWARD else Account.COMPANY_SHARE
    return [Line(Account.RESERVE_FUND, amount_fen), Line(owed, -amount_fen, person_id)]


def settlement_approved(lines: Sequence[PayoutLine]) -> list[Line]:
    """A month was approved [R92-R94]: shares and rewards become pay, less the fines; the rest of a fine is wage."""
    return _something(
        *(
            part
            for line in lines
            for part in (
                Line(Account.WORKERS_SHARE, line.share_fen, line.person_id),
                Line(Account.REWARDS_DUE, line.reward_fen, line.person_id),
                Line(Account.PAYROLL, -line.net_fen, line.person_id),
                Line(Account.WAGE_DEDUCTIONS, line.from_wage_fen, line.person_id),
            )
        ),
        Line(Account.FINES, -sum(line.from_bonus_fen for line in lines)),
        Line(Account.FINES, -sum(line.from_wage_fen for line in lines)),
    )


def payout_paid(net_fen: int, *, person_id: UUID) -> list[Line]:
    """HR paid a person his net of a month from the bank [R92]."""
    return _something(Line(Account.PAYROLL, net_fen, person_id), Line(Account.BANK, -net_fen))


def cash_deposited(amount_fen: int) -> list[Line]:
    """Cash of finance's till was taken to the bank [R87]."""
    return [Line(Account.BANK, amount_fen), Line(Account.CASH_AT_FINANCE, -amount_fen)]
