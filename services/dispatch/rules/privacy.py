"""Who is shown an owner's phone number: the assigned worker and his head while the order is open [D26]."""

from services.dispatch.rules.work_order import ENDED, WorkState
from shared.errors import RuleBroken


def check_reveal(state: WorkState) -> None:
    """Raises RuleBroken once the order has ended: nobody needs to call the owner any more."""
    if state in ENDED:
        raise RuleBroken("order_ended", f"the order is {state}: its owner's number stays masked", rule="D26")
