"""The services over HTTP, where everything commits."""

from collections.abc import Callable, Iterator

import pytest
from fastapi.testclient import TestClient

from tests.bad_input.house import House, web_of


@pytest.fixture
def open_house(installation: str) -> Iterator[Callable[[str], House]]:
    """A service with two sites and people of every role."""
    opened: list[TestClient] = []

    def open_(service: str) -> House:
        client = TestClient(web_of(service))
        opened.append(client.__enter__())
        return House(service, client)

    yield open_
    for client in opened:
        client.__exit__(None, None, None)
