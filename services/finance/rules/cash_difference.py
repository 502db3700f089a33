"""What was missing when cash was counted is owed until it is made good, to the fen [R86, D7]."""

from shared.errors import RuleBroken
from shared.money import format_fen


def check_shortage(*, amount_fen: int, counted_fen: int, made_good: bool) -> None:
    """Raises RuleBroken unless a shortage that is still open is made good to the fen [R86, D7]."""
    if made_good or amount_fen < 0:
        raise RuleBroken("nothing_to_make_good", "of this difference nothing is owed", rule="R86")
    if counted_fen != amount_fen:
        raise RuleBroken(
            "amount_differs",
            f"{format_fen(counted_fen)} is not what is missing",
            rule="R86",
            allowed=[format_fen(amount_fen)],
        )
