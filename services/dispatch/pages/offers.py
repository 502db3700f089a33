"""What somebody may do with a work order now: his row of the permissions, and what the rules say of its state."""

from collections.abc import Callable, Sequence
from typing import Any

from services.dispatch.queries.work_orders import WorkOrderView
from services.dispatch.rules.damage import check_damage
from services.dispatch.rules.photo import check_photo
from services.dispatch.rules.work_order import (
    ENDED,
    WORK_ORDER,
    WorkState,
    WorkStep,
    check_declinable,
    check_returnable,
)
from shared.errors import RuleBroken
from shared.ui.views import View

STEPS = {
    "acknowledge": WorkStep.ACKNOWLEDGE,
    "assign": WorkStep.ASSIGN,
    "override_duty": WorkStep.OVERRIDE,
    "check_in": WorkStep.CHECK_IN,
    "arrive": WorkStep.ARRIVE,
    "stop": WorkStep.STOP,
    "resume": WorkStep.RESUME,
    "finish": WorkStep.FINISH,
    "accept": WorkStep.ACCEPT,
    "terminate": WorkStep.TERMINATE,
    "decline": WorkStep.DECLINE,
    "check_materials": WorkStep.CHECK_MATERIALS,
    "tell_owner": WorkStep.TELL_OWNER,
}
"""Action -> the step it takes a work order by."""


def lawful(check: Callable[..., None], *args: Any, **facts: Any) -> bool:
    """Whether a rule lets it pass."""
    try:
        check(*args, **facts)
    except RuleBroken:
        return False
    return True


def offered(view: View, order: WorkOrderView, photos: Sequence[object]) -> frozenset[str]:
    """The actions this person may take with the order as it stands; a page shows no other button."""
    state = WorkState(order.state)
    can = {action for action, step in STEPS.items() if WORK_ORDER.allows(state, step)}
    if not lawful(check_declinable, order.round):
        can.discard("decline")
    if lawful(check_returnable, state, returned=order.returned_at is not None):
        can.add("return_notice")
    if lawful(check_damage, order.arrived_at):
        can.add("report_damage")
    if lawful(check_photo, order.arrived_at, kept=len(photos), same=False):
        can.add("add_photo")
    if state not in ENDED:
        can.add("reveal_phone")
    return frozenset(action for action in can if view.may(action))
