"""Cash of the desk that finance waits for [R36, R85, D6]."""

from typing import Any

import pytest

from services.intake.queries.cash_alerts import cash_alerts
from shared.errors import NotYet
from shared.ids import new_id
from shared.messages import CashNotHandedOver, CashReturned
from tests.services.intake.desk import NOW, Desk, minutes


def missing(desk: Desk, **facts: Any) -> CashNotHandedOver:
    return CashNotHandedOver.model_validate(
        {
            "missing_id": new_id(),
            "site_id": desk.site_id,
            "day": NOW.date(),
            "holder_id": desk.clerk.person_id,
            "holder_name": "客服",
            "amount_fen": 5000,
            "receipt_numbers": ["SJ-BK-20260401-0001"],
            "found_at": NOW,
        }
        | facts
    )


def test_the_desk_sees_missing_cash_once_and_when_it_came_back(desk: Desk) -> None:
    message = missing(desk)
    returned = CashReturned(
        missing_id=message.missing_id,
        site_id=desk.site_id,
        holder_id=message.holder_id,
        amount_fen=5000,
        returned_at=minutes(5),
    )
    with pytest.raises(NotYet):
        desk.handle(returned)
    for _ in range(2):
        desk.handle(message)
    desk.handle(returned)
    (alert,) = cash_alerts(desk.session, desk.head, after=None, limit=10).items
    assert (alert.amount_fen, alert.returned_at) == (5000, minutes(5))


def test_missing_cash_of_a_site_that_is_not_known_waits(desk: Desk) -> None:
    with pytest.raises(NotYet):
        desk.handle(missing(desk, site_id=new_id()))
