"""Damage done on a visit, as dispatch tells it: what a loss from the reserve may cite [R63, R74, D24]."""

from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from services.finance.actions.privacy import is_erased
from services.finance.models import Damage
from shared.db import held_by
from shared.messages import DamageReported
from shared.people import known_site
from shared.privacy import ERASED


def reported(session: Session, message: DamageReported) -> None:
    """Keep the report; the same one again changes nothing."""
    known_site(session, message.site_id)
    facts = held_by(Damage, message) | ({"description": ERASED} if is_erased(session, message.request_id) else {})
    session.execute(insert(Damage).values(facts).on_conflict_do_nothing(index_elements=[Damage.damage_id]))
