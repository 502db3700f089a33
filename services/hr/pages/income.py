"""My income 我的收入: a month's statement, job by job, the fines behind it, what is still to come [R92-R94]."""

from itertools import groupby
from typing import Annotated

from fastapi import APIRouter, Response

from services.hr.pages.see import see
from services.hr.queries.statements import own_statements
from services.hr.rules.payout import PaymentState
from shared.ui.views import View

pages = APIRouter()

PAYMENTS = {
    PaymentState.DUE: "warn",
    PaymentState.FAILED: "bad",
    PaymentState.PAID: "good",
    PaymentState.NOTHING_TO_PAY: "calm",
}
"""State of a payment -> the colour of its badge."""


@pages.get("/income")
def income(view: Annotated[View, see("read_own")]) -> Response:
    found = sorted(own_statements(view.session, view.actor, month=None), key=lambda one: one.month, reverse=True)
    still = (PaymentState.DUE, PaymentState.FAILED)
    return view.show(
        "income.html",
        months=[(month, list(of)) for month, of in groupby(found, key=lambda one: one.month)],
        expected=sum(one.line.net_fen for one in found if one.line.state in still),
        tones=PAYMENTS,
        live="hr",
    )
