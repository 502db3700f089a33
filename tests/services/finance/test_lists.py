"""Every list is read by an index of the person's site, with as many statements for many rows as for few."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import event, select, text
from sqlalchemy.orm import InstrumentedAttribute

from services.finance.models import (
    CashDifference,
    Charge,
    Damage,
    Deposit,
    Fine,
    HandOver,
    Journal,
    MissingCash,
    Proposal,
    Receipt,
    ReceiptBook,
    Refund,
)
from services.finance.queries.charges import charges
from services.finance.queries.hand_overs import hand_overs
from services.finance.queries.ledger import journals
from services.finance.queries.receipt_books import receipt_books
from services.finance.queries.receipts import receipts
from services.finance.queries.refunds import refunds
from services.finance.rules.receipt import Method
from shared.access import at_sites_of
from tests.services.finance.office import Office

LISTS: list[tuple[InstrumentedAttribute[UUID], InstrumentedAttribute[UUID]]] = [
    (Charge.site_id, Charge.request_id),
    (Fine.site_id, Fine.case_id),
    (Damage.site_id, Damage.damage_id),
    *((t.site_id, t.id) for t in (CashDifference, Deposit, HandOver, Journal, MissingCash, Proposal)),
    *((t.site_id, t.id) for t in (Receipt, ReceiptBook, Refund)),
]


@pytest.mark.parametrize(("site_id", "key"), LISTS, ids=lambda column: column.class_.__tablename__)
def test_a_page_of_a_site_is_read_in_order_from_one_index(
    office: Office, site_id: InstrumentedAttribute[UUID], key: InstrumentedAttribute[UUID]
) -> None:
    query = select(key).where(at_sites_of(office.cashier, site_id), key > office.site_id).order_by(key).limit(10)
    office.session.execute(
        text("SET LOCAL enable_seqscan = off; SET LOCAL enable_bitmapscan = off; SET LOCAL enable_sort = off")
    )
    sql = query.compile(office.session.connection(), compile_kwargs={"render_postcompile": True})
    plan = office.session.connection().exec_driver_sql(f"EXPLAIN {sql}", sql.params).scalars().all()
    # the wall looks at each row found with what it asked once, and calls nothing for a row
    wall = "Filter: ((InitPlan 1).col1 OR (site_id = ANY ((InitPlan 2).col1)))"
    assert [line.strip() for line in plan if "Sort" in line or "Filter" in line] == [wall], plan


@pytest.mark.parametrize(
    "page",
    [
        lambda office, limit: charges(office.session, office.cashier, state=None, after=None, limit=limit),
        lambda office, limit: receipts(
            office.session, office.cashier, state="used", month=None, holder_id=None, after=None, limit=limit
        ),
        lambda office, limit: hand_overs(office.session, office.cashier, state=None, after=None, limit=limit),
        lambda office, limit: journals(office.session, office.cashier, after=None, limit=limit),
        lambda office, limit: refunds(office.session, office.cashier, month=None, after=None, limit=limit),
        lambda office, limit: receipt_books(office.session, office.cashier, after=None, limit=limit),
    ],
    ids=["charges", "receipts", "hand_overs", "journals", "refunds", "receipt_books"],
)
def test_a_list_asks_as_much_for_many_rows_as_for_few(office: Office, page: Callable[[Office, int], Any]) -> None:
    for number in range(3):
        office.book(61 + number, 61 + number)
        office.paid()
        office.hand_over(office.clerk, office.cashier)
        by_bank = office.collect(office.accepted(), method=Method.BANK, reference=f"{number}")
        office.refunded(by_bank, 100)
    asked: list[str] = []
    event.listen(office.session.connection(), "before_cursor_execute", lambda *args: asked.append(args[2]))
    counts = []
    for limit in (1, 3):
        office.session.expunge_all()
        asked.clear()
        assert len(page(office, limit).items) == limit
        counts.append(len(asked))
    assert counts[0] == counts[1] <= 3
