"""Finance's JSON API, one file for each subject: one action for each route; money in fen, moments with a zone."""

from fastapi import APIRouter

from services.finance.api import (
    cash,
    cash_differences,
    charges,
    daily_checks,
    damages,
    deposits,
    fines,
    hand_overs,
    ledger,
    missing_cash,
    papers,
    prices,
    privacy,
    receipt_books,
    receipts,
    refunds,
    reopenings,
    reserves,
    settlements,
)

api = APIRouter(prefix="/api")
for part in (
    prices,
    charges,
    receipts,
    receipt_books,
    hand_overs,
    cash_differences,
    cash,
    daily_checks,
    missing_cash,
    deposits,
    reserves,
    settlements,
    reopenings,
    ledger,
    fines,
    damages,
    refunds,
    privacy,
    papers,
):
    api.include_router(part.routes)
