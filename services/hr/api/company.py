"""The company: founded once, and shown as a tree."""

from dataclasses import dataclass
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Request
from pydantic import Field, SecretStr

from services.hr.actions import company
from services.hr.api.may import may
from services.hr.queries.company import SiteBranchView, organisation
from services.hr.rules.company import check_founder
from services.hr.rules.hashing import hash_password
from services.hr.rules.login import LOGIN_NAME
from services.hr.rules.password import LONGEST, check_password
from shared import clock
from shared.db import database
from shared.errors import Malformed
from shared.settings import settings
from shared.web import Body, Edge, Short, asked_by_nobody

routes = APIRouter(tags=["company"])


class FoundCompany(Body):
    """The company's name, its first administrator, and the founder's secret of this installation."""

    secret: SecretStr
    name: Short
    administrator: Short
    login: str | None = Field(default=None, pattern=LOGIN_NAME, description="he signs in, and gets no token")
    password: SecretStr | None = Field(default=None, max_length=4 * LONGEST)


@dataclass(frozen=True)
class Founded:
    """The first administrator and his token, which is shown this once; none when he signs in."""

    person_id: UUID
    token: str | None


@routes.post("/company", status_code=201, summary="Found the company, once, with the founder's secret")
def found_company(body: FoundCompany, request: Request) -> Founded:
    if (body.login is None) != (body.password is None):
        raise Malformed("half_a_login", "a login has a name and a password", allowed=["both", "neither"])
    password_hash = ""
    if body.login is not None and body.password is not None:
        password = body.password.get_secret_value()
        check_founder(body.secret.get_secret_value(), expected=settings().founder_secret.get_secret_value())
        check_password(password, names=[body.login, body.name, body.administrator])
        password_hash = hash_password(password)
    with database("hr").session() as session:
        asked_by_nobody(session, request)
        person, token = company.found(
            session,
            secret=body.secret.get_secret_value(),
            expected=settings().founder_secret.get_secret_value(),
            name=body.name,
            administrator=body.administrator,
            now=clock.now(session),
            login=body.login,
            password_hash=password_hash,
        )
        return Founded(person.id, token if body.login is None else None)


@routes.get("/organisation", summary="Sites, departments, people, heads and leaders in charge [R11, R12, R77]")
def show_organisation(edge: Annotated[Edge, may("read_people")]) -> list[SiteBranchView]:
    return organisation(edge.session, edge.actor)
