"""Receipts 票据: numbered without gaps, used at once or carried to the owner by a worker [R34, R35, D5, D12]."""

from enum import StrEnum
from typing import Annotated

from pydantic import Field, field_validator

from shared.errors import Malformed, NotYourRole, RuleBroken
from shared.policy import Policy
from shared.states import Machine


class Method(StrEnum):
    """How the owner pays; only cash has a custody chain [D12]."""

    CASH = "cash"
    WECHAT = "wechat"
    ALIPAY = "alipay"
    BANK = "bank"


class ReceiptState(StrEnum):
    """Where a numbered receipt stands."""

    ON_HAND = "on_hand"
    CARRIED = "carried"
    USED = "used"
    VOIDED = "voided"
    RETURNED = "returned"


class ReceiptStep(StrEnum):
    """What can happen to a numbered receipt."""

    CARRY = "carry"
    USE = "use"
    BRING_BACK = "bring_back"
    VOID = "void"
    RETURN = "return"


RECEIPT = Machine[ReceiptState, ReceiptStep](
    "receipt",
    "R35",
    {
        (ReceiptState.ON_HAND, ReceiptStep.CARRY): ReceiptState.CARRIED,
        (ReceiptState.ON_HAND, ReceiptStep.USE): ReceiptState.USED,
        (ReceiptState.ON_HAND, ReceiptStep.VOID): ReceiptState.VOIDED,
        (ReceiptState.ON_HAND, ReceiptStep.RETURN): ReceiptState.RETURNED,
        (ReceiptState.CARRIED, ReceiptStep.USE): ReceiptState.USED,
        (ReceiptState.CARRIED, ReceiptStep.BRING_BACK): ReceiptState.ON_HAND,
        (ReceiptState.CARRIED, ReceiptStep.VOID): ReceiptState.VOIDED,
    },
)


class CarriedOutcome(StrEnum):
    """How a receipt that was out at closing time was accounted for [R35]."""

    USED = "used"
    VOIDED = "voided"
    BROUGHT_BACK = "brought_back"
    EXPLAINED = "explained"


class InvoiceState(StrEnum):
    """An invoice 发票 was issued, or cancelled by a red one."""

    ISSUED = "issued"
    RED = "red"


class ReceiptPolicy(Policy):
    """Fewer numbers than this on hand, and finance is asked for another book."""

    decision = "D5"

    low: Annotated[int, Field(ge=0, le=500, strict=True)] = 20


class MethodPolicy(Policy):
    """How an owner may pay; cash always [D12]."""

    decision = "D12"

    methods: tuple[Method, ...] = tuple(Method)

    @field_validator("methods")
    @classmethod
    def _cash_always(cls, methods: tuple[Method, ...]) -> tuple[Method, ...]:
        if Method.CASH not in methods:
            raise ValueError("cash is always accepted")
        return methods


LONGEST_BOOK = 500
"""Numbers of one book, at most."""


def receipt_number(*, site_code: str, number: int) -> str:
    """A number of a site's own series: 'SJ-BK-000001' is its first."""
    return f"SJ-{site_code}-{number:06d}"


def check_book(*, first: int, last: int, issued: int) -> None:
    """Raises Malformed for numbers that are no book, RuleBroken unless they follow those issued before [R34]."""
    if not first <= last < first + LONGEST_BOOK:
        raise Malformed("not_a_book", f"a book has 1 to {LONGEST_BOOK} numbers, from first to last", rule="R34")
    if first != issued + 1:
        raise RuleBroken(
            "numbers_do_not_follow",
            f"the site's last number is {issued}: the next book starts right after it",
            rule="R34",
            allowed=[f"first {issued + 1}"],
        )


def check_invoice(last: InvoiceState | None, state: InvoiceState) -> None:
    """Raises RuleBroken for a second invoice while one is in force, or a red one that cancels nothing [R34]."""
    if (last is InvoiceState.ISSUED) != (state is InvoiceState.RED):
        raise RuleBroken(
            "invoice_does_not_follow",
            "one invoice at a time is in force, and a red one cancels it",
            rule="R34",
            allowed=["red" if last is InvoiceState.ISSUED else "issued"],
        )


def check_offered(method: Method, policy: MethodPolicy) -> None:
    """Raises RuleBroken for a way to pay that the company does not offer [D12]."""
    if method not in policy.methods:
        raise RuleBroken("method_not_offered", f"{method} is not offered", rule="D12", allowed=policy.methods)


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
