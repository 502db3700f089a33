"""Every route of every service × every role × every method, as the tables say and not otherwise (promise 20, 8.2.1)."""

import sys
from typing import get_args

import pytest

from shared.access import Own
from shared.db import SERVICES
from shared.messages import Role
from tests.bad_input.house import House, house_of
from tests.security.routes import OPEN, Route, routes_of, table_of

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE")

NOBODY = "nobody"


def answer(house: House, who: str, method: str, path: str) -> int:
    """The status of a request with nothing in it."""
    headers = {"Authorization": f"Bearer {who}"} if who != NOBODY else {}
    sent = {} if method == "POST" else None
    return house.client.request(method, path, json=sent, headers=headers).status_code


def wrong_cell(route: Route, who: str, status: int) -> str:
    """What is wrong with the answer; empty when it is as the table says."""
    may = table_of(route.service)[route.action].roles
    if who == NOBODY:
        right = status == 401
    elif who in may:
        right = status not in (401, 403)
    else:
        right = status == 403
    return "" if right else f"{route.method} {route.path} ({route.action}) as {who}: {status}"


@pytest.mark.usefixtures("installation")
@pytest.mark.parametrize("service", SERVICES)
def test_every_route_lets_in_the_roles_of_its_row_and_nobody_else(
    service: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with house_of(service) as house:
        cells = [
            (route, who, answer(house, who, route.method, route.somewhere))
            for route in routes_of(service)
            if route.action
            for who in (NOBODY, *get_args(Role))
        ]
        wrong = [told for cell in cells if (told := wrong_cell(*cell))]
        assert not wrong, "\n".join(wrong)
        with capsys.disabled():
            sys.stdout.write(f" {service}: {len(cells)} cells")


@pytest.mark.usefixtures("installation")
@pytest.mark.parametrize("service", SERVICES)
def test_a_method_that_no_route_declares_does_nothing_for_anybody(
    service: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with house_of(service) as house:
        routes = routes_of(service)
        undeclared = [
            (method, path)
            for path in sorted({route.somewhere for route in routes})
            for method in METHODS
            if not any(route.method == method and route.matches(path) for route in routes)
        ]
        before = house.messages_said()
        for method, path in undeclared:
            assert answer(house, "administrator", method, path) == 405, (method, path)
        assert house.messages_said() == before
        with capsys.disabled():
            sys.stdout.write(f" {service}: {len(undeclared)} cells")


def test_a_route_without_a_row_is_open_by_a_reason_or_does_not_exist(template: str) -> None:
    for service in SERVICES:
        asking_nobody = {(route.method, route.path) for route in routes_of(service) if not route.action}
        assert asking_nobody <= OPEN.keys(), service


def test_every_row_of_the_tables_is_asked_by_some_route(template: str) -> None:
    for service in SERVICES:
        assert {route.action for route in routes_of(service)} - {""} == set(table_of(service)), service


def test_what_reads_is_a_get_and_what_a_get_asks_reads(template: str) -> None:
    for service in SERVICES:
        for route in routes_of(service):
            reads = route.action.startswith("read_") or route.action == "watch"
            assert not route.action or reads == (route.method == "GET"), route


def test_the_auditor_reads_all_and_changes_nothing_but_his_own_case_and_logins(template: str) -> None:
    for service in SERVICES:
        for action, row in table_of(service).items():
            if action.startswith("read_"):
                personal = set(row.own.values()) == {Own.HIMSELF}
                assert "auditor" in row.own or personal or action in {"read_wages", "read_owner_link"}, action
            elif action not in {"watch", "see_alert"}:  # of alerts he confirms what he is told himself
                assert row.own.get("auditor", Own.HIMSELF) is Own.HIMSELF, action
                assert "auditor" not in row.own or action in {
                    "add_evidence",
                    "hear_case",
                    "accept_case",
                    "appeal_case",
                    "manage_sessions",
                    "manage_own_tokens",
                    "revoke_token",
                }, action


def test_the_administrator_sees_no_money_and_no_case_and_an_owner_only_to_answer_him(template: str) -> None:
    """Least privilege: whoever hands out posts does not read what the posts are for; what he does for an owner who
    asks for his data, or for its end, is noted each time [D26]."""
    his = {action for service in SERVICES for action, row in table_of(service).items() if "administrator" in row.own}
    own = {"read_may", "read_own", "add_evidence", "hear_case", "accept_case", "appeal_case"}
    own |= {"manage_sessions", "read_sessions", "manage_own_tokens", "read_own_tokens"}
    keeps = {
        "read_sites",
        "read_people",
        "read_posts",
        "read_policies",
        "read_alerts",
        "read_webhooks",
        "read_tokens",
        "watch",
    }
    acts = {"open_site", "change_site", "name_leader", "employ_person", "let_leave", "move_person", "record_skills"}
    logins = {"issue_token", "invite_person", "end_sessions", "manage_service_accounts", "revoke_token"}
    logins |= {"link_sign_on", "read_sign_ons", "see_alert"}
    logins |= {"propose_factor_reset", "confirm_factor_reset", "read_factor_resets"}
    rest = {"manage_webhooks", "replay_webhook", "change_policy", "handle_personal_data"}
    assert his == own | keeps | acts | logins | rest


@pytest.mark.usefixtures("installation")
@pytest.mark.parametrize("service", SERVICES)
def test_a_person_is_told_what_his_role_may_do_for_his_menu(service: str) -> None:
    with house_of(service) as house:
        for role in get_args(Role):
            told = {line["action"]: line for line in house.get(role, "/may").json()}
            rows = {action: row for action, row in table_of(service).items() if role in row.own}
            assert told.keys() == rows.keys()
            for action, row in rows.items():
                assert (told[action]["own"], told[action]["rule"]) == (row.own[role], row.rule)
                assert told[action]["never"] == list(row.never)
