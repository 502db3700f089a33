"""Receipt books [R34, R35]."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter
from pydantic import Field

from services.finance.actions import receipt_book
from services.finance.api.may import may
from services.finance.queries.receipt_books import ReceiptBookView, receipt_book_as_left, receipt_books
from shared.paging import Page
from shared.web import After, Body, Edge, Limit

routes = APIRouter(tags=["receipt books"])


class IssueReceiptBook(Body):
    """A book's numbers; they follow those issued to the site before [R34]."""

    site_id: UUID
    first: Annotated[int, Field(ge=1, le=999_999, strict=True)]
    last: Annotated[int, Field(ge=1, le=999_999, strict=True)]


@routes.post("/receipt-books", status_code=201, summary="Issue a book of receipts to a site's desk [R34, R35]")
def issue_receipt_book(body: IssueReceiptBook, edge: Annotated[Edge, may("issue_receipt_book")]) -> ReceiptBookView:
    def act() -> ReceiptBookView:
        book = receipt_book.issue(
            edge.session, site_id=body.site_id, first=body.first, last=body.last, actor=edge.actor, now=edge.now
        )
        return receipt_book_as_left(edge.session, book)

    return edge.once(body, act)


@routes.get("/receipt-books", summary="Books of receipts, with how many numbers are where [R34, R35]")
def list_receipt_books(
    edge: Annotated[Edge, may("read_receipt_books")], after: After = None, limit: Limit = 100
) -> Page[ReceiptBookView]:
    return receipt_books(edge.session, edge.actor, after=after, limit=limit)


@routes.post("/receipt-books/{book_id}/return", summary="The desk gives a book back; its unused numbers with it [R35]")
def return_receipt_book(book_id: UUID, edge: Annotated[Edge, may("return_receipt_book")]) -> ReceiptBookView:
    def act() -> ReceiptBookView:
        book = receipt_book.return_(edge.session, book_id=book_id, actor=edge.actor, now=edge.now)
        return receipt_book_as_left(edge.session, book)

    return edge.once(None, act)
