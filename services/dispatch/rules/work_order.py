"""A work order from the notice to the signature: which steps are lawful in which state [R29-R32, R62, R67]."""

from enum import StrEnum

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
    },
)

ENDED = frozenset({WorkState.ACCEPTED, WorkState.TERMINATED, WorkState.CANCELLED})
"""States from which nothing more happens."""
