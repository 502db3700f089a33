"""The ledger 总账: balances, the chart of accounts, journals looked for by amount, number and day, exports [R90]."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Response

from services.finance.pages.parts import (
    SITE,
    Filter,
    account_name,
    asked_one,
    at_site,
    choices,
    day_in,
    fen_in,
    newest,
)
from services.finance.pages.see import see
from services.finance.queries.ledger import JournalSearch, accounts, balances, journals
from services.finance.rules.ledger import Account, JournalKind
from shared.ui.tables import Column, Table
from shared.ui.views import View

pages = APIRouter()

NO_ID = UUID(int=0)

BALANCES = [
    Column("account", "科目", link=lambda row: f"/finance/ledger/journals?account={row['code']}&site={row['site_id']}"),
    SITE,
    Column("person_id", "人员", "person"),
    Column("debit", "借方余额", "money"),
    Column("credit", "贷方余额", "money"),
]

JOURNALS = [
    Column("at", "时间", "moment"),
    SITE,
    Column("kind", "事项", "word"),
    Column("reference", "凭证号"),
    Column("account", "科目"),
    Column("person_id", "人员", "person"),
    Column("debit", "借方", "money"),
    Column("credit", "贷方", "money"),
]

ACCOUNTS = [
    Column("code", "代码"),
    Column("name", "科目"),
    Column("kind", "类别", "word"),
    Column("normal_side", "余额方向", "word"),
    Column("by_person", "按人核算"),
]


def _sides(amount_fen: int) -> dict[str, int | None]:
    return {"debit": amount_fen if amount_fen > 0 else None, "credit": -amount_fen if amount_fen < 0 else None}


@pages.get("/ledger")
def read_balances(view: Annotated[View, see("read_ledger")]) -> Response:
    found = balances(view.session, view.reader)
    rows = [
        {
            "code": one.account,
            "account": account_name(view, one.account),
            "site_id": one.site_id,
            "person_id": one.person_id,
            **_sides(one.amount_fen),
        }
        for one in found
        if one.amount_fen
    ]
    sums: dict[str, int] = {}
    for one in found:
        sums[one.account] = sums.get(one.account, 0) + one.amount_fen
    return view.show(
        "ledger.html",
        table=Table(BALANCES, rows, empty="账上还没有任何一笔。", name="balances"),
        sums=[(account_name(view, code), fen) for code, fen in sums.items()],
        balanced=sum(sums.values()) == 0,
        filters=at_site(view),
        month=view.this_month(),
    )


@pages.get("/ledger/accounts")
def read_accounts(view: Annotated[View, see("read_ledger")]) -> Response:
    rows = [
        {
            "code": one.code,
            "name": account_name(view, one.code),
            "kind": one.kind,
            "normal_side": one.normal_side,
            "by_person": one.by_person,
        }
        for one in accounts()
    ]
    return view.show(
        "listing.html",
        title="会计科目",
        hint="资产记借方，负债和收入记贷方；全部余额相加为零。",
        table=Table(ACCOUNTS, rows, name="accounts"),
        filters=[],
        links=[("总账", "/finance/ledger")],
    )


@pages.get("/ledger/journals")
def read_journals(view: Annotated[View, see("read_ledger")]) -> Response:
    asked_account = asked_one(view, "account", Account)
    asked_kind = asked_one(view, "kind", JournalKind)
    search = JournalSearch(
        kind=asked_kind,
        account=asked_account,
        amount_fen=fen_in(view, "amount"),
        reference=view.asked("number"),
        first=day_in(view, "first"),
        last=day_in(view, "last"),
    )
    found = journals(view.session, view.reader, search=search, **newest(view))
    rows = [
        {
            "at": one.at,
            "site_id": one.site_id,
            "kind": one.kind,
            "reference": _short(one.reference),
            "account": account_name(view, line.account),
            "person_id": line.person_id,
            **_sides(line.amount_fen),
        }
        for one in found.items
        for line in one.lines
    ]
    chart = [(code.value, account_name(view, code)) for code in Account]
    return view.show(
        "listing.html",
        title="凭证",
        hint="每一笔借贷相等，只增不改；按金额、凭证号或日期查找。",
        table=Table(JOURNALS, rows, found.next, "没有符合条件的凭证。", "journals"),
        filters=[
            *at_site(view),
            Filter("kind", "事项", "choose", choices(JournalKind)),
            Filter("account", "科目", "choose", chart),
            Filter("amount", "金额（元）"),
            Filter("number", "凭证号（可只填末几位）"),
            Filter("first", "从", "date"),
            Filter("last", "到", "date"),
        ],
        links=[("总账", "/finance/ledger"), ("会计科目", "/finance/ledger/accounts")],
    )


def _short(reference: str) -> str:
    """Ids by their end, which finds them again; a number whole."""
    return f"…{reference[-8:]}" if len(reference) >= len(str(NO_ID)) else reference
