"""Everything a page can say has its word: the problems of a service, its fields and its states."""

import re
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules
from typing import Any

import pytest

from services.intake.actions.importing import ImportedRow
from services.intake.rules.notice import Copy, CopyState, NoticeState
from services.intake.rules.report import LABELS
from services.intake.rules.request import Channel, RequestState
from services.intake.rules.scope import TradePolicy
from services.intake.rules.statistics import LineState, LineStep
from shared.privacy_rows import PrivacyAct
from shared.ui.words import PROBLEMS, Words
from shared.web import Body
from tests.ui.catalogue import ROOT

pytestmark = pytest.mark.pure

PAGES = ("intake",)
"""Services whose pages are whole."""

CODES = re.compile(r'(?:RuleBroken|Malformed|NotYourRole|NotSignedIn)\(\s*"([a-z_]+)"')

SHOWN: dict[str, dict[str, Any]] = {
    "intake": {
        "": (RequestState, NoticeState, CopyState),
        "channel.": (Channel,),
        "copy.": (Copy,),
        "line.": (LineState,),
        "said.": (LineStep,),
        "item.": (LABELS,),
        "privacy.": (PrivacyAct,),
    },
}
"""Service -> the words shown, by what stands before them where a word means several things."""


def words_of(service: str) -> Words:
    words: Words = import_module(f"services.{service}.pages.words").WORDS
    return words


@pytest.mark.parametrize("service", PAGES)
def test_every_problem_of_a_service_is_said_in_words(service: str) -> None:
    raised = {
        code
        for file in (ROOT / "services" / service).rglob("*.py")
        for code in CODES.findall(file.read_text(encoding="utf-8"))
    }
    assert len(raised) > 10
    assert raised <= {*words_of(service).problems, *PROBLEMS}


@pytest.mark.parametrize("service", SHOWN)
def test_every_state_a_page_shows_has_its_word(service: str) -> None:
    words = words_of(service)
    for before, kinds in SHOWN[service].items():
        for name in [str(one) for kind in kinds for one in kind]:
            assert words.label(before + name) != before + name


def test_every_trade_of_a_fresh_installation_has_its_word_and_its_refusal_is_translated() -> None:
    words = words_of("intake")
    for trade in TradePolicy().trades:
        assert words.label(trade.code) != trade.code
        if trade.refusal:
            assert trade.refusal in words.names
            assert words.label(f"refused.{trade.code}") != f"refused.{trade.code}"


def test_every_outcome_of_an_import_has_its_word() -> None:
    source = Path(import_module(ImportedRow.__module__).__file__ or "").read_text(encoding="utf-8")
    outcomes = {*re.findall(r'ImportedRow\(\w+, "(\w+)"', source)}
    assert len(outcomes) == 4
    assert all(words_of("intake").label(outcome) != outcome for outcome in outcomes)


def bodies_of(service: str) -> Iterator[type[Body]]:
    """Every body that a file of pages knows."""
    package = import_module(f"services.{service}.pages")
    for module in iter_modules(package.__path__):
        known = vars(import_module(f"{package.__name__}.{module.name}")).values()
        yield from (one for one in known if isinstance(one, type) and issubclass(one, Body) and one is not Body)


def fields_of(schema: Any) -> Iterator[str]:
    """The names of a body's fields, at any depth."""
    if isinstance(schema, dict):
        yield from schema.get("properties", {})
        for part in schema.values():
            yield from fields_of(part)
    elif isinstance(schema, list):
        for part in schema:
            yield from fields_of(part)


@pytest.mark.parametrize("service", PAGES)
def test_every_field_of_a_form_has_its_word(service: str) -> None:
    words = words_of(service)
    bodies = {*bodies_of(service)}
    assert bodies
    for body in bodies:
        for name in fields_of(body.model_json_schema()):
            assert words.label(name) != name, (body.__name__, name)
