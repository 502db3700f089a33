"""Fees given back: on the request, and in the month they lessen [D13, D16]."""

from uuid import UUID

import pytest
from sqlalchemy import text
from sqlalchemy.exc import ProgrammingError

from services.intake.models import Request
from services.intake.queries.statistics import month_lines
from services.intake.rules.statistics import Item
from shared.errors import NotYet
from shared.ids import new_id
from shared.messages import FeeRefunded
from tests.services.intake.desk import NOW, Desk


def refunded(
    desk: Desk, made: Request | None, amount_fen: int, *, month: str = "2026-04", id_: UUID | None = None
) -> None:
    desk.handle(
        FeeRefunded(
            refund_id=id_ or new_id(),
            request_id=made.id if made else new_id(),
            site_id=desk.site_id,
            department="engineering",
            receipt_number="SJ-BK-20260401-0001",
            amount_fen=amount_fen,
            reason="多收了",
            month=month,
            refunded_at=NOW,
        )
    )


def received(desk: Desk, month: str) -> int:
    lines = month_lines(desk.session, desk.site_id, month)
    return next(line.ours for line in lines if (line.department, line.item) == ("engineering", Item.RECEIVED_FEN))


def test_refunds_stand_on_the_request_and_one_told_twice_counts_once(desk: Desk) -> None:
    made, id_ = desk.accepted(), new_id()
    desk.hear("FeeCollected", made)
    for _ in range(2):
        refunded(desk, made, 1000, id_=id_)
    refunded(desk, made, 500)
    view = desk.view(made)
    assert (view.received_fen, view.refunded_fen, len(view.refunds)) == (5000, 1500, 2)


def test_a_refund_lessens_the_income_of_its_own_month_and_may_bring_it_below_nothing(desk: Desk) -> None:
    made = desk.accepted()
    desk.hear("FeeCollected", made)
    refunded(desk, made, 1000)
    refunded(desk, made, 700, month="2026-05")
    assert (received(desk, "2026-04"), received(desk, "2026-05")) == (4000, -700)


def test_a_refund_heard_before_its_request_waits(desk: Desk) -> None:
    with pytest.raises(NotYet):
        refunded(desk, None, 1000)


def test_a_refund_stays_as_it_was_told(desk: Desk) -> None:
    refunded(desk, desk.accepted(), 1000)
    with pytest.raises(ProgrammingError, match="permission denied"), desk.session.begin_nested():
        desk.session.execute(text("UPDATE fee_refunds SET amount_fen = 1"))
