"""Oneself: who one is here, how one signs in, one's open sessions and one's API tokens."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Response
from fastapi.responses import RedirectResponse

from services.hr.api.sessions import end_own_sessions, end_session
from services.hr.api.tokens import IssuedToken, IssueToken, issue_own_token
from services.hr.api.tokens import revoke_token as revoke_by_api
from services.hr.pages.see import see
from services.hr.queries.logins import login_of, own_tokens, sessions
from services.hr.rules.access import MAY
from services.hr.rules.token import CREDENTIALS, HR_SYSTEM
from shared.ui.forms import Choices, Form, Nothing
from shared.ui.tables import Column, Table
from shared.ui.views import View

pages = APIRouter()

SHOWN = 100

TOKENS = [
    Column("name", "用途"),
    Column("state", "状态", "badge", tone=lambda row: "good" if row["state"] == "in_use" else "calm"),
    Column("scopes", "可以做"),
    Column("issued_at", "生成时间", "moment"),
    Column("expires_at", "到期", "moment"),
    Column("last_used_at", "最近使用", "moment"),
]


def token_rows(view: View, found: Any) -> list[dict[str, Any]]:
    """API tokens as a table shows them."""
    return [
        {
            "id": one.id,
            "name": one.name,
            "state": "revoked" if one.revoked else "expired" if one.expires_at <= view.now else "in_use",
            "scopes": "、".join(one.scopes),
            "issued_at": one.issued_at,
            "expires_at": one.expires_at,
            "last_used_at": one.last_used_at,
        }
        for one in found
    ]


def _scopes(view: View) -> Choices:
    """What a token of his may be given: reading the payouts for an HR system, and hr's own actions of his role."""
    own = [f"hr:{name}" for name, row in MAY.items() if view.actor.role in row.roles and name not in CREDENTIALS]
    return [(name, name) for name in [*HR_SYSTEM, *own]]


def _issuing(view: View) -> Form[IssueToken]:
    return Form(IssueToken, zone=view.zone(), id="token")


def _show(
    view: View,
    *,
    token: Form[IssueToken] | None = None,
    issued: IssuedToken | None = None,
    pressed: Form[Nothing] | None = None,
) -> Response:
    held = own_tokens(view.session, view.actor, after=None, limit=SHOWN)
    return view.show(
        "account.html",
        sessions=sessions(view.session, view.actor, now=view.now, after=None, limit=SHOWN).items,
        tokens=Table(TOKENS, token_rows(view, held.items), None, "没有访问令牌；自己的程序要用时再生成。", "tokens"),
        login=login_of(view.session, view.actor.person_id, now=view.now),
        token=token or _issuing(view),
        scopes=_scopes(view),
        issued=issued,
        pressed=pressed or Form(Nothing),
    )


@pages.get("/account")
def account(view: Annotated[View, see("read_sessions")]) -> Response:
    return _show(view)


@pages.post("/account/sessions/{session_id}/end")
def end_one(session_id: UUID, view: Annotated[View, see("manage_sessions")]) -> Response:
    return view.press(
        lambda: end_session(session_id, view),
        then="/hr/account",
        again=lambda form: _show(view, pressed=form),
        said="那台设备已退出",
    )


@pages.post("/account/sessions/end")
def end_all(view: Annotated[View, see("manage_sessions")]) -> Response:
    answer = RedirectResponse("/hr/login", 303)
    end_own_sessions(view, view.request, answer)
    return answer


@pages.post("/account/tokens")
def issue(view: Annotated[View, see("manage_own_tokens")]) -> Response:
    return view.answer(
        _issuing(view),
        lambda body: issue_own_token(body, view),
        show=lambda made: _show(view, issued=made),
        again=lambda form: _show(view, token=form),
    )


@pages.post("/account/tokens/{token_id}/revoke")
def revoke(token_id: UUID, view: Annotated[View, see("revoke_token")]) -> Response:
    return view.press(
        lambda: revoke_by_api(token_id, view),
        then="/hr/account",
        again=lambda form: _show(view, pressed=form),
        said="令牌已作废",
    )
