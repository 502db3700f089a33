"""Receipt books 票据簿: issued by finance to a site's desk, used number by number, the rest returned [R34, R35, D5]."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import func, literal, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from services.finance.models import Receipt, ReceiptBook, Site
from services.finance.rules.receipt import RECEIPT, ReceiptPolicy, ReceiptState, ReceiptStep, check_book, receipt_number
from shared.alerts import Alert, raise_alerts
from shared.errors import NotFound, RuleBroken
from shared.ids import new_id
from shared.people import Actor, site_for


def issue(session: Session, *, site_id: UUID, first: int, last: int, actor: Actor, now: datetime) -> ReceiptBook:
    """Give a site's desk the next numbers: from now on they are on hand there [R34]."""
    site = site_for(session, actor, site_id)
    # numbers have no gaps: whoever issues to the same site at the same time waits for us
    session.execute(select(Site.id).where(Site.id == site.id).with_for_update(key_share=True))
    issued = session.scalars(
        select(func.coalesce(func.max(ReceiptBook.last), 0)).where(ReceiptBook.site_id == site.id)
    ).one()
    check_book(first=first, last=last, issued=issued)
    book = ReceiptBook(id=new_id(), site_id=site.id, first=first, last=last, issued_by=actor.person_id, issued_at=now)
    session.add(book)
    session.flush()
    session.execute(
        insert(Receipt),
        [
            {
                "id": new_id(),
                "number": receipt_number(site_code=site.code, number=number),
                "book_id": book.id,
                "site_id": site.id,
                "state": ReceiptState.ON_HAND,
            }
            for number in range(first, last + 1)
        ],
    )
    return book


def return_(session: Session, *, book_id: UUID, actor: Actor, now: datetime) -> ReceiptBook:
    """The desk gives a book back: the numbers it did not use go to finance and are used no more [R35]."""
    book = session.get(ReceiptBook, book_id, with_for_update=True)
    if book is None or not actor.sees(book.site_id):
        raise NotFound("receipt book", book_id)
    if book.returned_at is not None:
        raise RuleBroken("book_is_returned", "this book is with finance already", rule="R35")
    on_hand = ReceiptState.ON_HAND
    session.execute(
        update(Receipt)
        .where(Receipt.book_id == book.id, Receipt.state == on_hand)
        .values(state=RECEIPT.move(on_hand, ReceiptStep.RETURN))
    )
    # asked after it, so that a number given out meanwhile is seen
    out = session.scalars(
        select(Receipt.number).where(Receipt.book_id == book.id, Receipt.state == ReceiptState.CARRIED)
    ).all()
    if out:
        raise RuleBroken(
            "receipts_are_out",
            f"workers still carry {', '.join(sorted(out))}",
            rule="R35",
            allowed=["bring_back", "void"],
        )
    book.returned_by, book.returned_at = actor.person_id, now
    return book


def take(session: Session, *, site_id: UUID, policy: ReceiptPolicy, now: datetime) -> Receipt:
    """The lowest number on hand, locked; two who take at once do not wait for each other [R34, R35].

    Tells finance's cashier when few are left: counted up to what is not few, however large the stock.
    """
    on_hand = Receipt.site_id == site_id, Receipt.state == ReceiptState.ON_HAND
    some = select(literal(1)).where(*on_hand).limit(policy.low + 1).subquery()
    taken = session.execute(
        select(Receipt, select(func.count()).select_from(some).scalar_subquery())
        .where(*on_hand)
        .order_by(Receipt.number)
        .limit(1)
        .with_for_update(skip_locked=True)
    ).one_or_none()
    if taken is None:
        raise RuleBroken(
            "no_receipt_on_hand",
            "the desk has no receipt left: finance issues a book",
            rule="R34",
            allowed=["issue a receipt book"],
        )
    receipt: Receipt = taken[0]
    left = taken[1] - 1
    if left < policy.low:
        newest = select(ReceiptBook.id).where(ReceiptBook.site_id == site_id).order_by(ReceiptBook.last.desc()).limit(1)
        book_id = session.scalars(newest).one_or_none() or site_id
        raise_alerts(
            session, [Alert("receipts_low", site_id, book_id, role="cashier", facts={"on_hand": left})], now=now
        )
    return receipt
