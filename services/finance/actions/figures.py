"""Finance's own count of a month, for the front desk to compare with its own [R41, D13]."""

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from services.finance.models import Receipt, Refund
from services.finance.rules.receipt import ReceiptState
from shared.bus.outbox import publish
from shared.messages import FIELD_DEPARTMENTS, FinanceFiguresGiven, MonthFiguresAsked


def asked(session: Session, message: MonthFiguresAsked) -> None:
    """Answer for both departments, zeros included: receipts used in the month and the money received.

    Net of what was refunded in the month, of whatever month's receipts [D13, D16].
    """
    counted = {
        row.department: (row.receipts, int(row.received_fen))
        for row in session.execute(
            select(
                Receipt.department,
                func.count().label("receipts"),
                func.sum(Receipt.amount_fen).label("received_fen"),
            )
            .where(
                Receipt.site_id == message.site_id,
                Receipt.month == message.month,
                Receipt.state == ReceiptState.USED,
            )
            .group_by(Receipt.department)
        )
    }
    refunded = {
        department: int(amount_fen)
        for department, amount_fen in session.execute(
            select(Refund.department, func.sum(Refund.amount_fen))
            .where(Refund.site_id == message.site_id, Refund.month == message.month)
            .group_by(Refund.department)
        )
    }
    for department in FIELD_DEPARTMENTS:
        receipts, received_fen = counted.get(department, (0, 0))
        publish(
            session,
            FinanceFiguresGiven(
                site_id=message.site_id,
                month=message.month,
                department=department,
                receipts=receipts,
                received_fen=received_fen - refunded.get(department, 0),
                asked_at=message.asked_at,
            ),
        )
