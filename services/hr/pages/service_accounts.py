"""Service accounts 服务账号: programs of the company's that read payouts, and the tokens they are given [R92]."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Response

from services.hr.api.tokens import AddServiceAccount, IssuedToken, IssueToken, add_service_account
from services.hr.api.tokens import issue_token_to_program as issue_by_api
from services.hr.api.tokens import revoke_token as revoke_by_api
from services.hr.pages.account import TOKENS, token_rows
from services.hr.pages.people import sites_of
from services.hr.pages.see import see
from services.hr.queries.logins import tokens_of
from services.hr.queries.posts import LookedPeople, find_people, person_by_id
from services.hr.rules.token import HR_SYSTEM
from shared.ui.forms import Form, Nothing
from shared.ui.tables import Column, Table
from shared.ui.views import View

pages = APIRouter()

SHOWN = 100

COLUMNS = [
    Column("name", "名称", link=lambda row: f"/hr/service-accounts/{row['id']}"),
    Column("sites", "小区"),
]


def _adding(view: View) -> Form[AddServiceAccount]:
    return Form(AddServiceAccount, choices={"site_ids": view.choose_sites()})


def _list(view: View, form: Form[AddServiceAccount]) -> Response:
    looked = LookedPeople(programs=True)
    found = find_people(view.session, view.actor, looked=looked, after=view.asked_id(), limit=view.rows)
    rows = [{"id": one.id, "name": one.name, "sites": sites_of(view, one)} for one in found.items]
    table = Table(COLUMNS, rows, found.next, "没有服务账号；公司的人事系统要取发放时再建。", "service-accounts")
    return view.show("service_accounts.html", found=table, form=form)


@pages.get("/service-accounts")
def list_accounts(view: Annotated[View, see("read_tokens")]) -> Response:
    return _list(view, _adding(view))


@pages.post("/service-accounts")
def add(view: Annotated[View, see("manage_service_accounts")]) -> Response:
    return view.submit(
        _adding(view),
        lambda body: add_service_account(body, view),
        then=lambda made: f"/hr/service-accounts/{made.id}",
        again=lambda form: _list(view, form),
        said="服务账号已建；请生成令牌",
    )


def _issuing(view: View) -> Form[IssueToken]:
    return Form(IssueToken, choices={"scopes": [(one, one) for one in HR_SYSTEM]}, zone=view.zone(), id="token")


def _show(
    view: View,
    account_id: UUID,
    *,
    token: Form[IssueToken] | None = None,
    issued: IssuedToken | None = None,
    pressed: Form[Nothing] | None = None,
) -> Response:
    one = person_by_id(view.session, view.actor, account_id, program=True)
    held = tokens_of(view.session, view.actor, account_id, after=view.asked_id(), limit=SHOWN)
    return view.show(
        "service_account.html",
        one=one,
        works_at=sites_of(view, one),
        tokens=Table(TOKENS, token_rows(view, held.items), held.next, "还没有令牌。", "tokens"),
        token=token or _issuing(view),
        issued=issued,
        pressed=pressed or Form(Nothing),
    )


@pages.get("/service-accounts/{account_id}")
def show(account_id: UUID, view: Annotated[View, see("read_tokens")]) -> Response:
    return _show(view, account_id)


@pages.post("/service-accounts/{account_id}/tokens")
def issue(account_id: UUID, view: Annotated[View, see("manage_service_accounts")]) -> Response:
    return view.answer(
        _issuing(view),
        lambda body: issue_by_api(account_id, body, view),
        show=lambda made: _show(view, account_id, issued=made),
        again=lambda form: _show(view, account_id, token=form),
    )


@pages.post("/service-accounts/{account_id}/tokens/{token_id}/revoke")
def revoke(account_id: UUID, token_id: UUID, view: Annotated[View, see("revoke_token")]) -> Response:
    return view.press(
        lambda: revoke_by_api(token_id, view),
        then=f"/hr/service-accounts/{account_id}",
        again=lambda form: _show(view, account_id, pressed=form),
        said="令牌已作废",
    )
