"""The ledger, for reading and for beancount."""

from collections.abc import Iterator
from itertools import islice
from typing import Annotated

from fastapi import APIRouter
from fastapi.responses import PlainTextResponse, StreamingResponse

from services.finance.api.may import may
from services.finance.queries.beancount import beancount_of
from services.finance.queries.ledger import AccountView, BalanceView, JournalView, accounts, balances, journals
from shared.db import database
from shared.paging import Page
from shared.people import Actor
from shared.web import After, Edge, Limit, MonthName

routes = APIRouter(tags=["ledger"])


@routes.get("/ledger/accounts", summary="The chart of accounts")
def list_accounts(edge: Annotated[Edge, may("read_ledger")]) -> list[AccountView]:  # noqa: ARG001  # the right to read
    return accounts()


@routes.get(
    "/ledger/export.beancount",
    summary="The ledger for beancount, whole or one month, so that a stranger can check the books",
    response_class=PlainTextResponse,
)
def export_ledger(edge: Annotated[Edge, may("read_ledger")], month: MonthName | None = None) -> StreamingResponse:
    name = f"bianmin-{month}.beancount" if month else "bianmin.beancount"
    return StreamingResponse(
        _beancount(edge.actor, month),
        media_type="text/plain; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


def _beancount(actor: Actor, month: str | None) -> Iterator[str]:
    # the request's transaction ends before the answer is sent; this one sees a single moment of the books
    with database("finance").session() as session:
        session.connection(execution_options={"isolation_level": "REPEATABLE READ"})
        pieces = beancount_of(session, actor, month=month)
        while chunk := "".join(islice(pieces, 1000)):
            yield chunk


@routes.get("/ledger/balances", summary="Every account's balance; together they are zero")
def list_balances(edge: Annotated[Edge, may("read_ledger")]) -> list[BalanceView]:
    return balances(edge.session, edge.actor)


@routes.get("/ledger/journals", summary="The ledger, in the order it was written")
def list_journals(
    edge: Annotated[Edge, may("read_ledger")], after: After = None, limit: Limit = 100
) -> Page[JournalView]:
    return journals(edge.session, edge.actor, after=after, limit=limit)
