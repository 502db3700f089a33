"""Receipts 票据: numbered without gaps, used at once or carried to the owner by a worker [R34, R35, D5, D12]."""

from datetime import date
from enum import StrEnum

from shared.errors import Malformed, NotYourRole, RuleBroken
from shared.states import Machine


class Method(StrEnum):
    """How the owner pays; only cash has a custody chain [D12]."""

    CASH = "cash"
    WECHAT = "wechat"
    ALIPAY = "alipay"
    BANK = "bank"


class ReceiptState(StrEnum):
    """Where a numbered receipt stands."""

    CARRIED = "carried"
    USED = "used"
    VOIDED = "voided"


class ReceiptStep(StrEnum):
    """What can happen to a carried receipt."""

    USE = "use"
    VOID = "void"


RECEIPT = Machine[ReceiptState, ReceiptStep](
    "receipt",
    "R35",
    {
        (ReceiptState.CARRIED, ReceiptStep.USE): ReceiptState.USED,
        (ReceiptState.CARRIED, ReceiptStep.VOID): ReceiptState.VOIDED,
    },
)


def receipt_series(*, site_code: str, day: date) -> str:
    """The series receipts are numbered in: 'SJ-BK-20260401' is those of that site and day."""
    return f"SJ-{site_code}-{day:%Y%m%d}"


def check_reference(method: Method, reference: str | None) -> None:
    """Raises Malformed when money that is not cash comes without the reference it can be found by [D12]."""
    if method is not Method.CASH and not reference:
        raise Malformed("reference_needed", f"a payment by {method} needs its reference", rule="D12")


def check_worker_collects(*, on_the_job: bool, carries_receipt: bool, method: Method) -> None:
    """A worker takes money only for his own job, in cash, with the receipt the desk gave him [R33, R35, D5]."""
    if not on_the_job:
        raise NotYourRole("not_on_the_job", "a worker collects only for a job he did", rule="R33")
    if not carries_receipt:
        raise RuleBroken(
            "no_receipt_carried",
            "a worker collects only with the receipt the desk gave him for this job",
            rule="R35",
            allowed=["carry"],
        )
    if method is not Method.CASH:
        raise RuleBroken(
            "cash_only", "a worker takes cash; other payments go to the desk", rule="D12", allowed=["cash"]
        )
