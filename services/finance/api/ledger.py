"""The ledger, for reading and for the programs by which a stranger checks it."""

from collections.abc import Iterator
from itertools import islice
from typing import Annotated

from fastapi import APIRouter
from fastapi.responses import PlainTextResponse, StreamingResponse

from services.finance.api.may import may
from services.finance.queries.export import export_of
from services.finance.queries.ledger import AccountView, BalanceView, JournalView, accounts, balances, journals
from services.finance.rules import beancount, hledger
from services.finance.rules.plain_text import Dialect
from shared.db import database
from shared.paging import Page
from shared.walls import act_as
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
def export_beancount(edge: Annotated[Edge, may("read_ledger")], month: MonthName | None = None) -> StreamingResponse:
    return _export(edge, month, beancount, ending="beancount")


@routes.get(
    "/ledger/export.journal",
    summary="The ledger for hledger, whole or one month, so that a stranger can check the books",
    response_class=PlainTextResponse,
)
def export_hledger(edge: Annotated[Edge, may("read_ledger")], month: MonthName | None = None) -> StreamingResponse:
    return _export(edge, month, hledger, ending="journal")


def _export(edge: Edge, month: str | None, dialect: Dialect, *, ending: str) -> StreamingResponse:
    name = f"bianmin-{month}.{ending}" if month else f"bianmin.{ending}"
    return StreamingResponse(
        _written(edge, month, dialect),
        media_type="text/plain; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


def _written(edge: Edge, month: str | None, dialect: Dialect) -> Iterator[str]:
    # the request's transaction ends before the answer is sent; this one sees a single moment of the books
    with database("finance").session() as session:
        session.connection(execution_options={"isolation_level": "REPEATABLE READ"})
        act_as(session, edge.session)
        pieces = export_of(session, edge.actor, dialect, month=month)
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
