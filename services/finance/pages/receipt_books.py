"""Receipt books 票据簿: every number's state, books issued and given back [R34, R35]."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Response

from services.finance.api.receipt_books import IssueReceiptBook, issue_receipt_book, return_receipt_book
from services.finance.pages.parts import SITE, at_site, newest, tone
from services.finance.pages.see import see
from services.finance.queries.receipt_books import last_numbers, receipt_book_by_id, receipt_books
from services.finance.queries.receipts import receipts
from shared.ui.forms import Form, Nothing
from shared.ui.tables import Column, Table
from shared.ui.views import View

pages = APIRouter()

COLUMNS = [
    Column("first", "起始号", "number", link=lambda row: f"/finance/receipt-books/{row.id}"),
    Column("last", "终止号", "number"),
    SITE,
    Column("on_hand", "在库", "number"),
    Column("carried", "外带", "number"),
    Column("used", "已用", "number"),
    Column("voided", "作废", "number"),
    Column("returned", "已交回", "number"),
    Column("issued_by", "发放人", "person"),
    Column("issued_at", "发放时间", "moment"),
    Column("returned_at", "交回时间", "moment"),
]

BOOK = 50
"""Numbers of a book, as a new one is suggested."""


def _issue_form(view: View) -> Form[IssueReceiptBook]:
    site_id = view.asked_site() or next(iter(view.sites), None)
    last = last_numbers(view.session, view.actor).get(site_id, 0) if site_id else 0
    shown = {"site_id": str(site_id or ""), "first": str(last + 1), "last": str(last + BOOK)}
    return Form(IssueReceiptBook, choices={"site_id": view.choose_sites()}, shown=shown)


def _books(view: View, form: Form[IssueReceiptBook]) -> Response:
    found = receipt_books(view.session, view.reader, **newest(view))
    return view.show(
        "receipt_books.html",
        table=Table(COLUMNS, found.items, found.next, "还没有票据簿。由财务发放第一本。", "receipt-books"),
        last=last_numbers(view.session, view.actor),
        form=form,
        filters=at_site(view),
    )


@pages.get("/receipt-books")
def list_books(view: Annotated[View, see("read_receipt_books")]) -> Response:
    return _books(view, _issue_form(view))


@pages.post("/receipt-books")
def issue(view: Annotated[View, see("issue_receipt_book")]) -> Response:
    return view.submit(
        _issue_form(view),
        lambda body: issue_receipt_book(body, view),
        then=lambda book: f"/finance/receipt-books/{book.id}",
        again=lambda form: _books(view, form),
        said="票据簿已发放给客服部",
    )


def _book(view: View, book_id: UUID, failed: Form[Nothing] | None = None) -> Response:
    book = receipt_book_by_id(view.session, view.actor, book_id)
    numbers = receipts(
        view.session, view.actor, state=None, month=None, holder_id=None, book_id=book_id, after=None, limit=1000
    )
    return view.show(
        "receipt_book.html",
        book=book,
        numbers=sorted(numbers.items, key=lambda one: one.number),
        tone=tone,
        returns=view.may("return_receipt_book") and book.returned_at is None,
        failed=failed,
    )


@pages.get("/receipt-books/{book_id}")
def read_book(book_id: UUID, view: Annotated[View, see("read_receipt_books")]) -> Response:
    return _book(view, book_id)


@pages.post("/receipt-books/{book_id}/return")
def give_back(book_id: UUID, view: Annotated[View, see("return_receipt_book")]) -> Response:
    return view.press(
        lambda: return_receipt_book(book_id, view),
        then=f"/finance/receipt-books/{book_id}",
        again=lambda form: _book(view, book_id, form),
        said="票据簿已交回财务",
    )
