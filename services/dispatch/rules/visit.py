"""At the owner's home: what must be true before the work starts, is done, or is given up [R30, R45, R58-R62]."""

from datetime import datetime, timedelta

from services.dispatch.rules.punctuality import PunctualityPolicy
from services.dispatch.rules.work_order import WorkStep
from shared.errors import RuleBroken


def check_start(
    *, visit_from: datetime, owner_waits: bool, checked_in: bool, now: datetime, policy: PunctualityPolicy
) -> None:
    """A waiting owner is fetched at the desk [R45]; everybody else is visited at the agreed time, not before [R30].

    Raises RuleBroken.
    """
    if owner_waits:
        if not checked_in:
            raise RuleBroken(
                "owner_waits",
                "the owner waits at the desk: check in and go with him",
                rule="R45",
                allowed=[WorkStep.CHECK_IN],
            )
    elif now < visit_from - timedelta(minutes=policy.early_minutes):
        raise RuleBroken(
            "too_early", f"the visit was agreed for later: at most {policy.early_minutes} minutes early", rule="R30"
        )


def check_materials_bought(complete: bool | None) -> None:
    """Raises RuleBroken unless the owner was found to have all that is needed, himself [R58]; none is bought for him.

    `complete` is what the worker found before the work, None while he has not looked [R59].
    """
    if not complete:
        raise RuleBroken(
            "materials_not_checked" if complete is None else "materials_missing",
            "the owner buys what is needed: check that it is all there, and buy nothing for him",
            rule="R58",
            allowed=[WorkStep.CHECK_MATERIALS],
        )


def check_owner_told(cause: str, *, told: bool, at_home: bool) -> None:
    """Raises RuleBroken when a job is given up as beyond us and the owner has not been told why [R61, R62]."""
    if cause == "unable" and not told:
        raise RuleBroken(
            "owner_not_told",
            "tell the owner what is difficult before giving up",
            rule="R61",
            allowed=[WorkStep.TELL_OWNER if at_home else WorkStep.ARRIVE],
        )
