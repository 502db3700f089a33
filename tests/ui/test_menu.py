"""The menu offers nobody a page he may not open, and everybody a page to begin at."""

from typing import get_args

import pytest

from shared.messages import Role
from shared.ui.menu import MENU, menu_of
from tests.security.routes import routes_of, table_of


@pytest.mark.parametrize("entry", MENU, ids=lambda entry: entry.path)
def test_a_page_of_the_menu_may_be_opened_by_every_role_it_is_for(entry, template: str) -> None:  # type: ignore[no-untyped-def]
    service, path = entry.path[1:].split("/", 1)
    (route,) = (route for route in routes_of(service) if route.method == "GET" and route.path == f"/{path}")
    assert set(entry.roles) <= table_of(service)[route.action].roles


@pytest.mark.parametrize("role", get_args(Role))
def test_everybody_has_a_page_to_begin_at(role: Role) -> None:
    assert menu_of(role)
