"""Damage done on a visit, as dispatch tells it: what a loss from the reserve may cite [R63, R74, D24]."""

from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from services.finance.models import Damage
from shared.messages import DamageReported
from shared.people import known_site


def reported(session: Session, message: DamageReported) -> None:
    """Keep the report; the same one again changes nothing."""
    known_site(session, message.site_id)
    session.execute(
        insert(Damage).values(message.model_dump()).on_conflict_do_nothing(index_elements=[Damage.damage_id])
    )
