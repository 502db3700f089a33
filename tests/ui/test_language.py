"""Both languages are whole: nothing a page says is without its English, and nothing is translated that no page says."""

import re

import pytest

from tests.ui.catalogue import CHINESE, PACKAGES, catalogue_of, said_by

pytestmark = pytest.mark.pure


@pytest.mark.parametrize("package", PACKAGES)
def test_everything_a_page_says_has_its_english(package: str) -> None:
    english = catalogue_of(package)
    missing = {
        sentence: where
        for sentence, where in said_by(package).items()
        if (found := english.get(sentence)) is None or not found.string
    }
    assert not missing, "run python -m tests.ui.catalogue, and translate"


@pytest.mark.parametrize("package", PACKAGES)
def test_nothing_is_translated_that_no_page_says(package: str) -> None:
    assert {str(message.id) for message in catalogue_of(package) if message.id} <= said_by(package).keys()


@pytest.mark.parametrize("package", PACKAGES)
def test_the_english_is_english_and_keeps_what_stands_in_braces(package: str) -> None:
    for message in catalogue_of(package):
        if message.id and message.string:
            chinese, english = str(message.id), str(message.string)
            assert not CHINESE.search(english), english
            places = [sorted(re.findall(r"\{\w*\}|%\(\w+\)s", said)) for said in (chinese, english)]
            assert places[0] == places[1], chinese


@pytest.mark.parametrize("package", PACKAGES)
def test_no_template_says_chinese_that_is_not_marked_for_translation(package: str) -> None:
    said = said_by(package)
    for file in (PACKAGES[package] / "templates").glob("**/*.html"):
        source = re.sub(r"\{#.*?#\}", "", file.read_text(encoding="utf-8"), flags=re.DOTALL)
        source = re.sub(r"\{%-?\s*trans.*?endtrans\s*-?%\}", "", source, flags=re.DOTALL)
        marked = re.sub(r"""_\(\s*(['"]).*?\1""", "", source, flags=re.DOTALL)
        assert not CHINESE.search(marked), (file.name, CHINESE.findall(marked), len(said))
