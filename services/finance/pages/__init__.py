"""Finance's pages."""

from services.finance.pages import (
    approvals,
    cash,
    charges,
    charts,
    deposits,
    differences,
    fines,
    ledger,
    prices,
    receipt_books,
    receipts,
    refunds,
    reserve,
    settlements,
)
from shared.ui.views import make_pages

pages = make_pages(
    charges.pages,
    receipts.pages,
    receipt_books.pages,
    cash.pages,
    differences.pages,
    deposits.pages,
    settlements.pages,
    approvals.pages,
    prices.pages,
    refunds.pages,
    reserve.pages,
    ledger.pages,
    fines.pages,
    charts.pages,
)
