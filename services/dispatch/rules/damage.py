"""Damage at an owner's home: the work is to cause no loss and no liability [R63, D24]."""

from datetime import datetime

from shared.errors import RuleBroken


def check_damage(arrived_at: datetime | None) -> None:
    """Raises RuleBroken while nobody has been at the home: nothing can have been damaged there [R63]."""
    if arrived_at is None:
        raise RuleBroken("nobody_was_there", "nobody has been at the home yet", rule="R63")
