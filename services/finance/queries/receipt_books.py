"""Receipt books, with how many of their numbers are where [R34, R35]."""

from collections import Counter
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from services.finance.models import Receipt, ReceiptBook
from services.finance.rules.receipt import ReceiptState
from shared.access import at_sites_of
from shared.errors import NotFound
from shared.paging import Page, page_of
from shared.people import Actor


@dataclass(frozen=True)
class ReceiptBookView:
    """A book of receipts at a site's desk: how many of its numbers are in each state."""

    id: UUID
    site_id: UUID
    first: int
    last: int
    issued_by: UUID
    issued_at: datetime
    returned_by: UUID | None
    returned_at: datetime | None
    on_hand: int
    carried: int
    used: int
    voided: int
    returned: int


def _book_view(book: ReceiptBook, counts: Counter[str]) -> ReceiptBookView:
    return ReceiptBookView(
        id=book.id,
        site_id=book.site_id,
        first=book.first,
        last=book.last,
        issued_by=book.issued_by,
        issued_at=book.issued_at,
        returned_by=book.returned_by,
        returned_at=book.returned_at,
        **{state.value: counts[state] for state in ReceiptState},
    )


def _with_counts(session: Session, books: list[ReceiptBook]) -> list[ReceiptBookView]:
    counts: dict[UUID | None, Counter[str]] = {book.id: Counter() for book in books}
    by_state = (
        select(Receipt.book_id, Receipt.state, func.count())
        .where(Receipt.book_id.in_(counts))
        .group_by(Receipt.book_id, Receipt.state)
    )
    for book_id, state, howmany in session.execute(by_state):
        counts[book_id][state] = howmany
    return [_book_view(book, counts[book.id]) for book in books]


def receipt_books(
    session: Session, actor: Actor, *, after: UUID | None, limit: int, newest: bool = False
) -> Page[ReceiptBookView]:
    """Books of receipts in order of issue [R34, R35]."""
    query = select(ReceiptBook).where(at_sites_of(actor, ReceiptBook.site_id))
    page: Page[ReceiptBook] = page_of(
        session, query, ReceiptBook.id, lambda book: book, after=after, limit=limit, newest=newest
    )
    return Page(_with_counts(session, page.items), page.next)


def receipt_book_by_id(session: Session, actor: Actor, book_id: UUID) -> ReceiptBookView:
    """One book. Raises NotFound when it is none of the person's sites."""
    book = session.scalars(
        select(ReceiptBook).where(ReceiptBook.id == book_id, at_sites_of(actor, ReceiptBook.site_id))
    ).one_or_none()
    if book is None:
        raise NotFound("receipt book", book_id)
    return _with_counts(session, [book])[0]


def last_numbers(session: Session, actor: Actor) -> dict[UUID, int]:
    """Site -> the last number issued to it; the next book begins right after it [R34]."""
    query = (
        select(ReceiptBook.site_id, func.max(ReceiptBook.last).label("last"))
        .where(at_sites_of(actor, ReceiptBook.site_id))
        .group_by(ReceiptBook.site_id)
    )
    return {row.site_id: row.last for row in session.execute(query)}


def receipt_book_as_left(session: Session, book: ReceiptBook) -> ReceiptBookView:
    """A book as the action under way leaves it."""
    session.flush()
    return _with_counts(session, [book])[0]
