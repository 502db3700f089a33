"""Oneself: who one is here, and one's open sessions."""

from typing import Annotated

from fastapi import APIRouter, Response

from services.hr.pages.see import see
from services.hr.queries.logins import sessions
from shared.ui.tables import Column, Table
from shared.ui.views import View

pages = APIRouter()

SESSIONS = [
    Column("agent", "浏览器"),
    Column("begun_at", "登录时间", "moment"),
    Column("idle_until", "不操作则到期", "moment"),
]


@pages.get("/account")
def account(view: Annotated[View, see("read_sessions")]) -> Response:
    found = sessions(view.session, view.actor, now=view.now, after=view.asked_id(), limit=100)
    return view.show("account.html", sessions=Table(SESSIONS, found.items, found.next))
