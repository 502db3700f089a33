"""A request from the registration form to its end: which steps are lawful, and when it is closed [R20-R39]."""

from enum import StrEnum

from shared.errors import RuleBroken
from shared.states import Machine


class Channel(StrEnum):
    """How the owner came: 来电, 来访, 网上."""

    PHONE = "phone"
    WALK_IN = "walk_in"
    ONLINE = "online"


class RequestState(StrEnum):
    """Where a request stands."""

    REFUSED = "refused"
    RECORDED = "recorded"
    AGREED = "agreed"
    NOTICED = "noticed"
    ACCEPTED = "accepted"
    REWORK = "rework"
    CLOSED = "closed"
    CLOSED_UNREACHABLE = "closed_unreachable"
    TERMINATED = "terminated"
    CANCELLED = "cancelled"


class RequestStep(StrEnum):
    """What can happen to a request."""

    AGREE = "agree"
    ISSUE_NOTICE = "issue_notice"
    REVISE_NOTICE = "revise_notice"
    ACCEPT = "accept"
    TERMINATE = "terminate"
    FIND_PROBLEM = "find_problem"
    SATISFY = "satisfy"
    CLOSE_UNREACHABLE = "close_unreachable"
    CANCEL = "cancel"


REQUEST = Machine[RequestState, RequestStep](
    "request",
    "R20",
    {
        (RequestState.RECORDED, RequestStep.AGREE): RequestState.AGREED,
        (RequestState.AGREED, RequestStep.AGREE): RequestState.AGREED,
        (RequestState.AGREED, RequestStep.ISSUE_NOTICE): RequestState.NOTICED,
        # until the owner signed for the work; then the fee stands [D23]
        (RequestState.NOTICED, RequestStep.REVISE_NOTICE): RequestState.NOTICED,
        (RequestState.NOTICED, RequestStep.ACCEPT): RequestState.ACCEPTED,
        (RequestState.NOTICED, RequestStep.TERMINATE): RequestState.TERMINATED,
        (RequestState.ACCEPTED, RequestStep.FIND_PROBLEM): RequestState.REWORK,
        (RequestState.REWORK, RequestStep.ACCEPT): RequestState.ACCEPTED,
        # a rework that could not be done leaves the owner unsatisfied: the desk talks to him again [R39]
        (RequestState.REWORK, RequestStep.TERMINATE): RequestState.ACCEPTED,
        (RequestState.ACCEPTED, RequestStep.SATISFY): RequestState.CLOSED,
        # nobody could ask the owner: ended by the desk head, and never counted as satisfied [R39, D25]
        (RequestState.ACCEPTED, RequestStep.CLOSE_UNREACHABLE): RequestState.CLOSED_UNREACHABLE,
        (RequestState.RECORDED, RequestStep.CANCEL): RequestState.CANCELLED,
        (RequestState.AGREED, RequestStep.CANCEL): RequestState.CANCELLED,
        (RequestState.NOTICED, RequestStep.CANCEL): RequestState.CANCELLED,
        # a withdrawal that reached the department when somebody was at the home already comes to nothing [R32]
        (RequestState.CANCELLED, RequestStep.ACCEPT): RequestState.ACCEPTED,
        (RequestState.CANCELLED, RequestStep.TERMINATE): RequestState.TERMINATED,
    },
)

ENDED = frozenset(
    {
        RequestState.REFUSED,
        RequestState.CLOSED,
        RequestState.CLOSED_UNREACHABLE,
        RequestState.TERMINATED,
        RequestState.CANCELLED,
    }
)
"""States in which the desk has nothing more to do."""


def check_not_paid(receipt_number: str | None) -> None:
    """Raises RuleBroken once the fee is taken: the owner signed, though the department may be heard later [D23]."""
    if receipt_number is not None:
        raise RuleBroken("signed_already", "the owner signed and paid: the fee stands", rule="D23")
