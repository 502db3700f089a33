"""No GET of any service tells a person of one site anything of another [promise 19]."""

import pytest

from shared.db import SERVICES
from tests.walls.house import LivedTown, Question, canaries, questions, strangers, told
from tests.walls.off import checks_off


@pytest.fixture(scope="module")
def secrets(town: LivedTown) -> set[str]:
    """What is of the other site alone."""
    found = canaries(town)
    assert len(found) > 500, "the other site is rich"
    assert {town.other.site_id, town.other.desk_head.name} <= found
    return found


def leaks(town: LivedTown, asked: list[Question], secrets: set[str]) -> tuple[dict[str, set[str]], dict[str, set[int]]]:
    """What was told that must not be, by route and role; and the statuses of each route."""
    found: dict[str, set[str]] = {}
    statuses: dict[str, set[int]] = {}
    for question in asked:
        for role in question.roles:
            status, answer = told(town, question, role)
            statuses.setdefault(question.route, set()).add(status)
            # what he asked for by name may be named in the refusal
            if leaked := {secret for secret in secrets - question.said if secret in answer}:
                found[f"{role} {question.path}"] = leaked
    return found, statuses


@pytest.mark.parametrize("service", SERVICES)
def test_no_get_tells_a_person_of_one_site_a_byte_of_another(town: LivedTown, secrets: set[str], service: str) -> None:
    asked = questions(town, service)
    found, statuses = leaks(town, asked, secrets)
    assert found == {}
    assert {route: seen for route, seen in statuses.items() if 200 not in seen} == {}, "each was answered to somebody"
    assert {route: seen for route, seen in statuses.items() if not seen <= {200, 404, 409, 422}} == {}


@pytest.mark.parametrize("service", SERVICES)
def test_with_the_services_own_checks_switched_off_the_database_alone_tells_nothing_of_another_site(
    town: LivedTown, secrets: set[str], service: str
) -> None:
    asked = questions(town, service)
    with checks_off():
        found, statuses = leaks(
            town, asked, secrets - strangers(town) - {town.other.site_id}
        )  # people, and where they work
    assert found == {}
    assert {route: seen for route, seen in statuses.items() if 200 not in seen} == {}


def test_the_canaries_are_found_where_the_wall_is_open(town: LivedTown, secrets: set[str]) -> None:
    """The same questions by a person of all sites are answered with what must not be told to others."""
    everywhere = LivedTown(town.url, town.client, town.cast, {"auditor": town.cast.auditor}, town.webhooks)
    for service in SERVICES:
        asked = [
            Question(one.route, one.path, one.roles & {"auditor"}, frozenset()) for one in questions(town, service)
        ]
        found, _ = leaks(everywhere, asked, secrets)
        assert len(set().union(*found.values())) > 50, service
