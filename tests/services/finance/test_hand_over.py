"""Who holds the cash [R36, R84-R87, D5]."""

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from services.finance.actions import hand_over
from services.finance.queries.cash import cash
from services.finance.queries.hand_overs import hand_over_as_left, hand_overs
from services.finance.queries.receipts import receipts
from services.finance.rules.receipt import Method
from shared.errors import NotFound, NotYourRole, RuleBroken
from shared.ids import new_id
from tests.services.finance.office import MORNING, Office
from tests.services.finance.test_receipt import carry


def count(office: Office, offered, actor, counted_fen: int | None = None):
    counted = hand_over.count(
        office.session,
        hand_over_id=offered.id,
        counted_fen=counted_fen or offered.amount_fen,
        actor=actor,
        now=MORNING,
    )
    office.session.flush()
    return counted


def paid_to_worker(office: Office):
    request_id = office.accepted()
    return office.collect(request_id, actor=office.worker, receipt_id=carry(office, request_id).id)


def test_cash_goes_from_worker_to_clerk_to_cashier_and_every_fen_is_in_one_persons_hands(office: Office) -> None:
    used = paid_to_worker(office)
    office.paid(500)
    assert {(c.holder_id, c.amount_fen, c.receipts) for c in cash(office.session, office.cashier)} == {
        (office.worker.person_id, 10000, 1),
        (office.clerk.person_id, 500, 1),
    }
    office.hand_over(office.worker, office.clerk)
    office.session.refresh(used)
    assert (used.holder_id, used.received_at) == (office.clerk.person_id, None)
    assert [(c.holder_id, c.amount_fen) for c in cash(office.session, office.cashier)] == [
        (office.clerk.person_id, 10500)
    ]
    office.hand_over(office.clerk, office.cashier)
    office.session.refresh(used)
    assert (used.holder_id, used.received_at) == (None, MORNING)
    assert cash(office.session, office.cashier) == []
    assert office.balance("cash_in_hand") == 0
    assert office.balance("cash_at_finance") == 10500
    office.books_balance()


def test_a_count_that_differs_moves_nothing_until_it_is_counted_anew(office: Office) -> None:
    used = office.paid()
    offered = office.offer(office.clerk, office.cashier)
    assert count(office, offered, office.cashier, 9999).state == "differs"
    assert used.holder_id == office.clerk.person_id
    assert office.balance("cash_at_finance") == 0
    hand_over.withdraw(office.session, hand_over_id=offered.id, actor=office.clerk, now=MORNING)
    office.session.flush()
    assert office.hand_over(office.clerk, office.cashier).state == "counted"


def test_only_the_receiver_counts_and_only_the_giver_withdraws(office: Office) -> None:
    office.paid()
    offered = office.offer(office.clerk, office.cashier)
    with pytest.raises(NotYourRole):
        count(office, offered, office.lead)
    with pytest.raises(NotYourRole):
        hand_over.withdraw(office.session, hand_over_id=offered.id, actor=office.desk_head, now=MORNING)


def test_cash_offered_is_not_offered_again_until_it_is_withdrawn(office: Office) -> None:
    used = office.paid()
    offered = office.offer(office.clerk, office.cashier)
    with pytest.raises(RuleBroken, match="R36"):
        office.offer(office.clerk, office.lead)
    with pytest.raises(RuleBroken, match="R84"):
        office.offer(office.clerk, office.lead, receipt_ids=[used.id])
    hand_over.withdraw(office.session, hand_over_id=offered.id, actor=office.clerk, now=MORNING)
    office.session.flush()
    with pytest.raises(RuleBroken, match="withdrawn"):
        count(office, offered, office.cashier)
    assert office.offer(office.clerk, office.lead, receipt_ids=[used.id]).amount_fen == 10000


def test_a_hand_over_is_counted_once(office: Office) -> None:
    office.paid()
    counted = office.hand_over(office.clerk, office.cashier)
    with pytest.raises(RuleBroken, match="counted"):
        count(office, counted, office.cashier)


def test_part_of_the_cash_in_hand_may_be_offered(office: Office) -> None:
    one, other = office.paid(100), office.paid(200)
    assert office.offer(office.clerk, office.cashier, receipt_ids=[other.id]).amount_fen == 200
    rest = hand_over_as_left(office.session, office.offer(office.clerk, office.cashier), office.clerk)
    assert (rest.amount_fen, rest.receipt_ids) == (100, [one.id])


def test_nobody_offers_what_he_does_not_hold(office: Office) -> None:
    mine, bank = office.paid(), office.collect(office.accepted(), method=Method.BANK, reference="1")
    for receipt_ids in ([new_id()], [mine.id, new_id()], [bank.id]):
        with pytest.raises(RuleBroken, match="in your hands"):
            office.offer(office.clerk, office.cashier, receipt_ids=receipt_ids)
    with pytest.raises(RuleBroken, match="no cash"):
        office.offer(office.desk_head, office.cashier)


def test_cash_skips_no_link_and_stays_at_its_site(office: Office) -> None:
    paid_to_worker(office)
    with pytest.raises(RuleBroken, match="R84"):
        office.offer(office.worker, office.cashier)
    elsewhere = Office(office.session, code="LH")
    with pytest.raises(NotFound):
        office.offer(office.worker, elsewhere.clerk)
    with pytest.raises(NotFound):
        elsewhere.offer(office.worker, elsewhere.clerk)


def test_a_hand_over_of_another_site_is_not_found(office: Office) -> None:
    office.paid()
    offered = office.offer(office.clerk, office.cashier)
    with pytest.raises(NotFound):
        count(office, offered, Office(office.session, code="LH").cashier)


def test_the_database_refuses_two_open_hand_overs_of_one_receipt(office: Office) -> None:
    office.paid()
    offered = office.offer(office.clerk, office.cashier)
    with pytest.raises(IntegrityError, match="uq_hand_over_receipts_open"), office.session.begin_nested():
        office.session.execute(
            text("""WITH again AS (
                        INSERT INTO hand_overs (id, site_id, from_id, to_id, state, amount_fen, offered_at)
                        SELECT gen_random_uuid(), site_id, from_id, to_id, state, amount_fen, offered_at
                        FROM hand_overs WHERE id = :id RETURNING id)
                    INSERT INTO hand_over_receipts (hand_over_id, receipt_id, open)
                    SELECT again.id, receipt_id, true FROM again, hand_over_receipts WHERE hand_over_id = :id"""),
            {"id": offered.id},
        )


def test_a_worker_sees_only_the_receipts_and_hand_overs_he_takes_part_in(office: Office) -> None:
    mine = paid_to_worker(office)
    office.paid()
    office.offer(office.clerk, office.cashier)

    def seen_by(actor, holder_id=None):
        page = receipts(office.session, actor, state="used", month="2026-04", holder_id=holder_id, after=None, limit=10)
        return [view.id for view in page.items]

    assert seen_by(office.worker) == [mine.id]
    assert not hand_overs(office.session, office.worker, state=None, after=None, limit=10).items
    assert len(seen_by(office.cashier)) == 2
    assert seen_by(office.cashier, office.worker.person_id) == [mine.id]
