"""The menu offers nobody a page he may not open, and everybody a page to begin at."""

from typing import get_args

import pytest

from shared.messages import Role
from shared.ui.menu import DAILY, MENU, TABS, groups_of, menu_of
from tests.security.routes import routes_of, table_of


@pytest.mark.parametrize("entry", MENU, ids=lambda entry: entry.path)
def test_a_page_of_the_menu_may_be_opened_by_every_role_it_is_for(entry, template: str) -> None:  # type: ignore[no-untyped-def]
    service, path = entry.path[1:].split("/", 1)
    (route,) = (route for route in routes_of(service) if route.method == "GET" and route.path == f"/{path}")
    assert set(entry.roles) <= table_of(service)[route.action].roles


@pytest.mark.parametrize("role", get_args(Role))
def test_everybody_has_a_page_to_begin_at_and_pages_of_every_day_before_all_others(role: Role) -> None:
    menu = menu_of(role)
    assert [entry.path for entry in menu if not entry.group] == list(DAILY[role])
    assert [entry.path for entry in menu[: len(DAILY[role])]] == list(DAILY[role])
    assert len(DAILY[role]) >= TABS


@pytest.mark.parametrize("role", get_args(Role))
def test_every_page_of_the_menu_is_offered_once_and_every_group_too(role: Role) -> None:
    menu = menu_of(role)
    assert {entry.path for entry in menu} == {entry.path for entry in MENU if role in entry.roles}
    assert len({entry.path for entry in menu}) == len(menu)
    names = [name for name, _ in groups_of(menu)]
    assert len(set(names)) == len(names)
    assert sum(len(pages) for _, pages in groups_of(menu)) + len(DAILY[role]) == len(menu)
