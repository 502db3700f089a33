"""Founding the company."""

from datetime import datetime

from sqlalchemy import text
from sqlalchemy.orm import Session

from services.hr.actions.login import set_password
from services.hr.actions.post import begin_post, new_token, tell
from services.hr.models import Person
from services.hr.rules.company import check_founder
from services.hr.rules.login import login_name
from shared.errors import RuleBroken
from shared.ids import new_id
from shared.people import hash_token

_FOUND = text("""
    INSERT INTO company (only_row, name, founded_at) VALUES (true, :name, :founded_at)
    ON CONFLICT DO NOTHING RETURNING 1
""")


def found(
    session: Session,
    *,
    secret: str,
    expected: str,
    name: str,
    administrator: str,
    now: datetime,
    login: str | None = None,
    password_hash: str = "",
) -> tuple[Person, str]:
    """Found the company, once; returns its first administrator and his token, of which nobody knows it with a login."""
    check_founder(secret, expected=expected)
    if session.execute(_FOUND, {"name": name, "founded_at": now}).one_or_none() is None:
        raise RuleBroken("company_exists", "the company was founded already; its administrator employs people")
    token = new_token()
    person = Person(
        id=new_id(),
        version=1,
        name=administrator,
        role="administrator",
        department="administration",
        site_ids=[],
        all_sites=True,
        active=True,
        token_hash=hash_token(token),
    )
    session.add(person)
    session.flush()
    if login is not None:
        set_password(session, person.id, login=login_name(login), password_hash=password_hash, now=now)
    begin_post(session, person, given_by=None, reason="founded the company", now=now)
    tell(session, person)
    return person, token
