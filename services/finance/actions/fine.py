"""Fines to be deducted, as hr confirms them [R89, R93]."""

from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from services.finance.models import Fine
from shared.db import held_by
from shared.messages import FineConfirmed
from shared.people import known_site


def confirmed(session: Session, message: FineConfirmed) -> None:
    """Keep the fine for the next settlement of its site; a case is fined once."""
    known_site(session, message.site_id)
    session.execute(insert(Fine).values(held_by(Fine, message)).on_conflict_do_nothing(index_elements=[Fine.case_id]))
