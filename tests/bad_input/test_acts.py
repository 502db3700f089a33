"""Every action of every service, against everything it must refuse."""

from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from shared.db import SERVICES
from tests.bad_input.acts import Act, is_done_once, lets_one_of_two_win, refuses_what_cannot_be_meant, routes
from tests.bad_input.house import House, web_of

TABLES = sorted(path.stem for path in Path(__file__).parent.glob("of_*.py"))
"""Each `of_….py` beside this file holds the table `ACTS` of a part of a service."""

ACTS: list[Act] = [act for table in TABLES for act in import_module(f"tests.bad_input.{table}").ACTS]

WITHOUT_ACTOR = {
    "/company",
    "/sessions",
    "/sessions/renew",
    "/sessions/current/end",
    "/invitations/accept",
    "/password",
    "/totp",
    "/totp/confirm",
}
"""Have no person who acts, or need a session: test_company.py, test_login.py and test_session.py of hr try them."""


@pytest.fixture
def open_house(installation: str) -> Iterator[Callable[[str], House]]:
    opened: list[TestClient] = []

    def open_(service: str) -> House:
        client = TestClient(web_of(service))
        opened.append(client.__enter__())
        return House(service, client)

    yield open_
    for client in opened:
        client.__exit__(None, None, None)


def test_every_action_of_every_service_is_in_a_table_once(template: str) -> None:
    for service in SERVICES:
        known = [act.route for act in ACTS if act.service == service]
        assert sorted(known) == sorted(set(routes(service)) - WITHOUT_ACTOR), service


@pytest.mark.parametrize("act", ACTS, ids=str)
def test_an_action_refuses_what_cannot_be_meant(act: Act, open_house: Callable[[str], House]) -> None:
    refuses_what_cannot_be_meant(open_house(act.service), act)


@pytest.mark.parametrize("act", ACTS, ids=str)
def test_an_action_is_done_once_however_often_it_is_sent(act: Act, open_house: Callable[[str], House]) -> None:
    is_done_once(open_house(act.service), act)


@pytest.mark.parametrize("act", ACTS, ids=str)
def test_of_two_who_act_at_once_one_wins_and_the_other_is_told(act: Act, open_house: Callable[[str], House]) -> None:
    lets_one_of_two_win(open_house(act.service), act)
