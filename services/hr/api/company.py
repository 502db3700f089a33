"""The company: founded once, and shown as a tree."""

from dataclasses import dataclass
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter
from pydantic import SecretStr

from services.hr.actions import company
from services.hr.api.may import may
from services.hr.queries.company import SiteBranchView, organisation
from shared import clock
from shared.audit import because
from shared.db import database
from shared.settings import settings
from shared.web import Body, Edge, Short

routes = APIRouter(tags=["company"])


class FoundCompany(Body):
    """The company's name, its first administrator, and the founder's secret of this installation."""

    secret: SecretStr
    name: Short
    administrator: Short


@dataclass(frozen=True)
class Founded:
    """The first administrator and his token, which is shown this once."""

    person_id: UUID
    token: str


@routes.post("/company", status_code=201, summary="Found the company, once, with the founder's secret")
def found_company(body: FoundCompany) -> Founded:
    with database("hr").session() as session:
        because(session, "POST /company")
        person, token = company.found(
            session,
            secret=body.secret.get_secret_value(),
            expected=settings().founder_secret.get_secret_value(),
            name=body.name,
            administrator=body.administrator,
            now=clock.now(session),
        )
        return Founded(person.id, token)


@routes.get("/organisation", summary="Sites, departments, people, heads and leaders in charge [R11, R12, R77]")
def show_organisation(edge: Annotated[Edge, may("read_people")]) -> list[SiteBranchView]:
    return organisation(edge.session, edge.actor)
