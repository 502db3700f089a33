"""Each service's part of a site, alone and all together; and two of them behind their APIs."""

from collections.abc import Callable

import pytest
from sqlalchemy.orm import Session

from tests.people import open_site
from tests.rulebook.company import Company, Discipline, hold_discipline, open_company
from tests.services.dispatch.crew import Crew, hire
from tests.services.finance.office import Office
from tests.services.finance.test_api import house as finance_api
from tests.services.intake.desk import Desk, open_desk
from tests.services.intake.test_api import house as desk_api

__all__ = ["desk_api", "finance_api"]


@pytest.fixture
def desk(session_of: Callable[[str], Session]) -> Desk:
    return open_desk(session_of("intake"))


@pytest.fixture
def crew(session_of: Callable[[str], Session]) -> Crew:
    return hire(session_of("dispatch"))


@pytest.fixture
def office(session_of: Callable[[str], Session]) -> Office:
    office = Office(session_of("finance"))
    office.begin()
    return office


@pytest.fixture
def discipline(session_of: Callable[[str], Session]) -> Discipline:
    session = session_of("hr")
    return hold_discipline(session, open_site(session))


@pytest.fixture
def company(session_of: Callable[[str], Session]) -> Company:
    return open_company(session_of)
