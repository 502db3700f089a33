"""The guides of docs/guide name pages and words that are there: 【】 is a page of the menu, 「」 what a page says."""

import re
from pathlib import Path
from typing import get_args

import pytest

from shared.messages import Role
from shared.ui.menu import menu_of
from tests.ui.catalogue import PACKAGES, catalogue_of

FOLDER = Path(__file__).parent.parent.parent / "docs" / "guide"

GUIDES: dict[str, tuple[Role, ...]] = {
    "README": get_args(Role),
    "desk": ("clerk", "desk_head"),
    "head": ("head",),
    "worker": ("worker",),
    "finance": ("cashier", "finance_lead"),
    "leader": ("leader",),
    "hr": ("hr", "administration"),
    "administrator": ("administrator",),
    "operator": ("operator",),
}
"""Guide -> whose it is."""


def text_of(guide: str) -> str:
    return (FOLDER / f"{guide}.md").read_text(encoding="utf-8")


def said_somewhere() -> str:
    """Everything pages say, a line each."""
    return "\n".join(str(message.id) for package in PACKAGES for message in catalogue_of(package) if message.id)


def test_everybody_has_a_guide_and_the_first_page_links_to_each() -> None:
    assert {path.stem for path in FOLDER.glob("*.md")} == set(GUIDES)
    assert {role for guide, roles in GUIDES.items() if guide != "README" for role in roles} >= set(get_args(Role)) - {
        "auditor"
    }
    linked = set(re.findall(r"\]\((\w+)\.md\)", text_of("README")))
    assert linked == set(GUIDES) - {"README"}


@pytest.mark.parametrize("guide", GUIDES)
def test_every_page_a_guide_names_is_in_the_menu_of_those_it_is_for(guide: str) -> None:
    offered = {entry.name for role in GUIDES[guide] for entry in menu_of(role)}
    named = set(re.findall(r"【([^】]+)】", text_of(guide)))
    assert named, guide
    assert named - offered == set()


@pytest.mark.parametrize("guide", GUIDES)
def test_every_word_a_guide_cites_stands_on_a_page(guide: str) -> None:
    said = said_somewhere()
    for cited in re.findall(r"「([^」]+)」", text_of(guide)):
        parts = [re.escape(part) for part in cited.split("…")]
        assert re.search(".*".join(parts), said), cited


@pytest.mark.parametrize("guide", sorted(set(GUIDES) - {"README"}))
def test_a_guide_is_summed_up_in_english_and_shows_a_picture(guide: str) -> None:
    text = text_of(guide)
    assert re.match(r"# .+\n\n\*[A-Z].+\.\*\n", text)
    assert "](../screens/zh/" in text
