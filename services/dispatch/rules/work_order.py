"""A work order from the notice to the signature: which steps are lawful in which state [R29-R32, R62, R67, D27]."""

from enum import StrEnum
from uuid import UUID, uuid5

from shared.errors import RuleBroken
from shared.states import Machine


class WorkState(StrEnum):
    """Where a work order stands."""

    RECEIVED = "received"
    ACKNOWLEDGED = "acknowledged"
    ASSIGNED = "assigned"
    CHECKED_IN = "checked_in"
    STARTED = "started"
    STOPPED = "stopped"
    FINISHED = "finished"
    ACCEPTED = "accepted"
    TERMINATED = "terminated"
    CANCELLED = "cancelled"
    DECLINED = "declined"


class WorkStep(StrEnum):
    """What can happen to a work order."""

    ACKNOWLEDGE = "acknowledge"
    ASSIGN = "assign"
    OVERRIDE = "override"
    CHECK_IN = "check_in"
    ARRIVE = "arrive"
    STOP = "stop"
    RESUME = "resume"
    FINISH = "finish"
    ACCEPT = "accept"
    TERMINATE = "terminate"
    CANCEL = "cancel"
    DECLINE = "decline"
    REVISE = "revise"
    CHECK_MATERIALS = "check_materials"
    TELL_OWNER = "tell_owner"


WORK_ORDER = Machine[WorkState, WorkStep](
    "work order",
    "R30",
    {
        (WorkState.RECEIVED, WorkStep.ACKNOWLEDGE): WorkState.ACKNOWLEDGED,
        (WorkState.ACKNOWLEDGED, WorkStep.ASSIGN): WorkState.ASSIGNED,
        (WorkState.ASSIGNED, WorkStep.ASSIGN): WorkState.ASSIGNED,
        (WorkState.ASSIGNED, WorkStep.OVERRIDE): WorkState.ASSIGNED,
        (WorkState.CHECKED_IN, WorkStep.OVERRIDE): WorkState.CHECKED_IN,
        (WorkState.ASSIGNED, WorkStep.CHECK_IN): WorkState.CHECKED_IN,
        # who was given an appointment goes straight to the home; only a waiting owner is fetched at the desk [R45]
        (WorkState.ASSIGNED, WorkStep.ARRIVE): WorkState.STARTED,
        (WorkState.CHECKED_IN, WorkStep.ARRIVE): WorkState.STARTED,
        (WorkState.STARTED, WorkStep.STOP): WorkState.STOPPED,
        (WorkState.STOPPED, WorkStep.RESUME): WorkState.STARTED,
        (WorkState.STARTED, WorkStep.FINISH): WorkState.FINISHED,
        (WorkState.FINISHED, WorkStep.ACCEPT): WorkState.ACCEPTED,
        (WorkState.ASSIGNED, WorkStep.TERMINATE): WorkState.TERMINATED,
        (WorkState.CHECKED_IN, WorkStep.TERMINATE): WorkState.TERMINATED,
        (WorkState.STARTED, WorkStep.TERMINATE): WorkState.TERMINATED,
        (WorkState.STOPPED, WorkStep.TERMINATE): WorkState.TERMINATED,
        (WorkState.FINISHED, WorkStep.TERMINATE): WorkState.TERMINATED,
        (WorkState.RECEIVED, WorkStep.CANCEL): WorkState.CANCELLED,
        (WorkState.ACKNOWLEDGED, WorkStep.CANCEL): WorkState.CANCELLED,
        (WorkState.ASSIGNED, WorkStep.CANCEL): WorkState.CANCELLED,
        (WorkState.CHECKED_IN, WorkStep.CANCEL): WorkState.CANCELLED,
        (WorkState.DECLINED, WorkStep.CANCEL): WorkState.CANCELLED,
        (WorkState.RECEIVED, WorkStep.DECLINE): WorkState.DECLINED,
        (WorkState.ACKNOWLEDGED, WorkStep.DECLINE): WorkState.DECLINED,
        (WorkState.ASSIGNED, WorkStep.DECLINE): WorkState.DECLINED,
        # what was agreed anew reaches a job wherever it stands; a declined one begins again
        (WorkState.DECLINED, WorkStep.REVISE): WorkState.RECEIVED,
        (WorkState.RECEIVED, WorkStep.REVISE): WorkState.RECEIVED,
        (WorkState.ACKNOWLEDGED, WorkStep.REVISE): WorkState.ACKNOWLEDGED,
        (WorkState.ASSIGNED, WorkStep.REVISE): WorkState.ASSIGNED,
        (WorkState.CHECKED_IN, WorkStep.REVISE): WorkState.CHECKED_IN,
        (WorkState.STARTED, WorkStep.REVISE): WorkState.STARTED,
        (WorkState.STOPPED, WorkStep.REVISE): WorkState.STOPPED,
        (WorkState.FINISHED, WorkStep.REVISE): WorkState.FINISHED,
        (WorkState.STARTED, WorkStep.CHECK_MATERIALS): WorkState.STARTED,
        (WorkState.STOPPED, WorkStep.CHECK_MATERIALS): WorkState.STOPPED,
        (WorkState.STARTED, WorkStep.TELL_OWNER): WorkState.STARTED,
        (WorkState.STOPPED, WorkStep.TELL_OWNER): WorkState.STOPPED,
        (WorkState.FINISHED, WorkStep.TELL_OWNER): WorkState.FINISHED,
    },
)

ENDED = frozenset({WorkState.ACCEPTED, WorkState.TERMINATED, WorkState.CANCELLED})
"""States from which nothing more happens."""


def promise_of(order_id: UUID, revision: int) -> UUID:
    """What an alert about a missed moment is about: what was agreed anew may be missed anew [D4]."""
    return uuid5(order_id, str(revision)) if revision else order_id


def check_declinable(round_: int) -> None:
    """Raises RuleBroken for a rework: the department mends it until the owner is satisfied [R39]."""
    if round_:
        raise RuleBroken("rework_not_declined", "a rework cannot be declined: it is done until it is right", rule="R39")


def check_returnable(state: WorkState, *, returned: bool) -> None:
    """Raises RuleBroken when the job has not come to its end at a home, or its notice is back already [D27, R101]."""
    if state not in (WorkState.ACCEPTED, WorkState.TERMINATED):
        raise RuleBroken(
            "not_ended",
            f"work order is {state}: its notice returns to the desk after the job",
            rule="D27",
            allowed=WORK_ORDER.steps_from(state),
        )
    if returned:
        raise RuleBroken("returned_already", "the desk has this notice back", rule="D27")
