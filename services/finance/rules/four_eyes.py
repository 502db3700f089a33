"""Nobody approves what he drafted himself, nor what is for himself [R56, R77, R92, D18]."""

from uuid import UUID

from shared.errors import RuleBroken


def check_four_eyes(drafted_by: UUID | None, approver: UUID, *, rule: str) -> None:
    """Raises RuleBroken when the approver is the one who drafted."""
    if drafted_by == approver:
        raise RuleBroken("not_four_eyes", "a person cannot approve what he drafted", rule=rule)


def check_not_for_himself(person_id: UUID | None, actor: UUID, *, rule: str) -> None:
    """Raises RuleBroken when what he proposes or approves is for himself."""
    if person_id == actor:
        raise RuleBroken("not_four_eyes", "a person cannot propose or approve what is for himself", rule=rule)
