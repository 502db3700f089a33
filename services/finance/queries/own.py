"""What is his own: a worker is shown what he takes part in, and nothing else."""

from uuid import UUID

from sqlalchemy import ColumnElement, or_, true
from sqlalchemy.orm import InstrumentedAttribute

from services.finance.rules.access import OWN_ONLY
from shared.people import Actor


def own_only(
    actor: Actor, *people: InstrumentedAttribute[UUID] | InstrumentedAttribute[UUID | None]
) -> ColumnElement[bool]:
    """Keeps a worker's query to what he takes part in."""
    return or_(*(person == actor.person_id for person in people)) if actor.role in OWN_ONLY else true()
