"""What is his own: a worker is shown what went through his hands, and nothing else."""

from uuid import UUID

from sqlalchemy import ColumnElement, or_, true
from sqlalchemy.orm import InstrumentedAttribute

from services.finance.rules.access import MAY
from shared.access import Own
from shared.people import Actor


def own_only(
    action: str, actor: Actor, *people: InstrumentedAttribute[UUID] | InstrumentedAttribute[UUID | None]
) -> ColumnElement[bool]:
    """Keeps a query to what went through his hands where the action reaches no further."""
    return or_(*(person == actor.person_id for person in people)) if MAY[action].of(actor) is Own.CASH else true()
