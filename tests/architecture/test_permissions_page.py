"""The page of permissions is drawn from the tables."""

from tests.architecture.permissions import PAGE, drawn


def test_the_page_of_permissions_is_drawn_from_the_tables_as_they_are() -> None:
    assert PAGE.read_text(encoding="utf-8") == drawn()
