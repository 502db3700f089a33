"""Money of a fee that finance gave back to the owner [D13, D16]."""

from sqlalchemy import text
from sqlalchemy.orm import Session

from services.intake.actions.request import request_of_message
from shared.messages import FeeRefunded

_PUT = text("""
    INSERT INTO fee_refunds (refund_id, request_id, site_id, department, receipt_number, amount_fen, reason, month,
                             refunded_at)
    VALUES (:refund_id, :request_id, :site_id, :department, :receipt_number, :amount_fen, :reason, :month,
            :refunded_at)
    ON CONFLICT (refund_id) DO NOTHING
""")


def refunded(session: Session, message: FeeRefunded) -> None:
    """It stands on the request and lessens the income of its month; told twice it counts once."""
    request_of_message(session, message.request_id)
    session.execute(_PUT, message.model_dump())
