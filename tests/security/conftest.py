"""The four services over HTTP, where everything commits, as in tests/bad_input."""

from collections.abc import Callable, Iterator

import pytest
from fastapi.testclient import TestClient
from httpx2 import Response
from sqlalchemy import text

from shared.ids import new_id
from tests.bad_input.house import House, web_of
from tests.people import employ
from tests.services.intake.desk import open_desk


@pytest.fixture
def open_house(installation: str) -> Iterator[Callable[[str], House]]:
    """A service with two sites and people of every role; a defect is an answer here, as it is on the network."""
    opened: list[TestClient] = []

    def open_(service: str) -> House:
        client = TestClient(web_of(service), raise_server_exceptions=False)
        opened.append(client.__enter__())
        return House(service, client)

    yield open_
    for client in opened:
        client.__exit__(None, None, None)


def paper(house: House, words: str = "张师傅", *, file_type: str = "pdf") -> Response:
    """The printed report of a month in which everybody and everything of the site is called `words`."""
    with house.session() as session:
        desk = open_desk(session, "PP")
        desk.hear("WorkAccepted", desk.noticed(), workers=[{"person_id": str(new_id()), "name": words, "weight": 1}])
        session.execute(text("UPDATE sites SET name = :words WHERE id = :id"), {"words": words, "id": desk.site_id})
        desk.begin_month()
        reader = employ(session, "desk_head", "front_desk", desk.site_id)
    return house.get(str(reader.person_id), f"/months/2026-04/sites/{desk.site_id}/report.{file_type}")
