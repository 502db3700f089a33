"""Cash of the desk that finance is still waiting for [R36, R85, D6]."""

from sqlalchemy import text
from sqlalchemy.orm import Session

from shared.messages import CashNotHandedOver, CashReturned
from shared.people import known_site

_PUT = text("""
    INSERT INTO cash_alerts (id, site_id, day, holder_id, amount_fen, found_at)
    VALUES (:missing_id, :site_id, :day, :holder_id, :amount_fen, :found_at)
    ON CONFLICT DO NOTHING
""")
_RETURNED = text("UPDATE cash_alerts SET returned_at = :returned_at WHERE id = :missing_id RETURNING 1")


def not_handed_over(session: Session, message: CashNotHandedOver) -> None:
    """The desk head sees whose cash is missing; a repeat changes nothing. Raises NotYet while the site is unknown."""
    known_site(session, message.site_id)
    session.execute(_PUT, message.model_dump(exclude={"receipt_numbers", "holder_name"}))


def returned(session: Session, message: CashReturned) -> bool:
    """The cash is with finance after all; False while its alert has not come."""
    return session.execute(_RETURNED, message.model_dump()).one_or_none() is not None
