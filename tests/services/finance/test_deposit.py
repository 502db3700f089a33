"""Cash of finance's till goes to the bank, no more than there is, and each slip once [R87]."""

from typing import Any

import pytest

from services.finance.actions import deposit
from services.finance.models import Deposit
from services.finance.queries.cash import till_fen
from services.finance.queries.deposits import deposits
from shared.errors import NotFound, RuleBroken
from shared.people import Actor
from tests.services.finance.office import MORNING, Office


def put(office: Office, amount_fen: int, reference: str = "ICBC-1", actor: Actor | None = None) -> Deposit:
    by: dict[str, Any] = {"actor": actor or office.cashier, "now": MORNING}
    made = deposit.deposit(office.session, site_id=office.site_id, amount_fen=amount_fen, reference=reference, **by)
    office.session.flush()
    return made


def test_cash_taken_to_the_bank_leaves_the_till_and_is_at_the_bank(office: Office) -> None:
    office.paid(10000)
    office.hand_over(office.clerk, office.cashier)
    put(office, 7000)
    assert (office.balance("bank"), office.balance("cash_at_finance")) == (7000, 3000)
    assert till_fen(office.session, office.site_id) == 3000
    office.books_balance()


def test_no_more_is_deposited_than_the_till_holds_whoever_still_has_cash_in_hand(office: Office) -> None:
    office.paid(10000)
    with pytest.raises(RuleBroken) as refused:
        put(office, 1)
    assert (refused.value.code, refused.value.allowed) == ("not_enough_cash", ())
    office.hand_over(office.clerk, office.cashier)
    with pytest.raises(RuleBroken) as refused:
        put(office, 10001)
    assert refused.value.allowed == ("up to ¥100.00",)


def test_a_slip_of_the_bank_is_recorded_once_at_a_site(office: Office) -> None:
    elsewhere = Office(office.session, code="LH")
    for place in (office, elsewhere):
        place.paid(10000)
        place.hand_over(place.clerk, place.cashier)
        put(place, 100)
    with pytest.raises(RuleBroken) as refused:
        put(office, 200)
    assert refused.value.code == "deposited_already"
    assert [made.amount_fen for made in deposits(office.session, office.lead, after=None, limit=10).items] == [100]


def test_finance_of_another_site_neither_deposits_nor_reads(office: Office) -> None:
    office.paid(10000)
    office.hand_over(office.clerk, office.cashier)
    stranger = Office(office.session, code="LH").cashier
    with pytest.raises(NotFound):
        put(office, 100, actor=stranger)
    put(office, 100)
    assert deposits(office.session, stranger, after=None, limit=10).items == []
