"""No page calls anything by its name in the code: every problem, state, choice and field has a word of the trade."""

import ast
import inspect
import re
from collections.abc import Iterator, Mapping
from enum import StrEnum
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules
from types import ModuleType
from typing import Any, get_args

import pytest

from services.intake.actions.importing import ImportedRow
from services.intake.rules.report import LABELS
from services.intake.rules.scope import TradePolicy
from shared.access import _PERSONAL
from shared.db import SERVICES
from shared.messages import Department, FailureCause, Role
from shared.privacy_rows import PrivacyAct
from shared.ui.forms import Form
from shared.ui.words import PROBLEMS, Words
from shared.web import Body
from tests.ui.catalogue import CHINESE, ROOT

pytestmark = pytest.mark.pure

each_service = pytest.mark.parametrize("service", SERVICES)

RAISED = {
    *("RuleBroken", "Malformed", "NotYourRole", "NotSignedIn", "Problem", "SignOnRefused", "TooManyLogins", "BadRows"),
}
"""What carries a problem's code as its first argument."""

RAISED_FOR = {"finance": {"idempotency_key_needed", *(code for code, _ in _PERSONAL.values())}}
"""Problems that shared code raises for a service, besides a step that is not allowed."""

UNSEEN = {"http", "himself_only"}
"""Codes that no page says of its own: 'no such page' is said by all services alike."""

UNASKED = {"asked_at", "sha256", "shown_hash"}
"""Fields no page asks anybody for."""

BUTTONS = {"not_reached", "satisfied", "problem"}
"""Choices that are made by a button, which says more than a word."""

BEFORE = {
    "Channel": "channel.",
    "Copy": "copy.",
    "Item": "item.",
    "LineState": "line.",
    "LineStep": "said.",
    "PrivacyAct": "privacy.",
}
"""What stands before the values of a class where a word means several things."""

STEPS_SHOWN = {"LineStep", "PenaltyStep"}
"""Steps that a page calls by name; what is done with a thing else, its button says."""

UNSHOWN = {"Account", "Form", "Outcome", "Own", "Tie"}
"""Classes whose values no page shows: accounts have names in the chart of accounts, the others are of the code."""


def words_of(service: str) -> Words:
    words: Words = import_module(f"services.{service}.pages.words").WORDS
    return words


def modules(service: str, part: str) -> Iterator[ModuleType]:
    package = import_module(f"services.{service}.{part}")
    for module in iter_modules(package.__path__):
        yield import_module(f"{package.__name__}.{module.name}")


def classes(service: str, part: str, kind: type) -> set[type[Any]]:
    """Every class of a kind that the modules know."""
    known = [thing for module in modules(service, part) for thing in vars(module).values()]
    return {thing for thing in known if inspect.isclass(thing) and issubclass(thing, kind) and thing is not kind}


def is_called(service: str, *names: str) -> bool:
    """Whether one of these names has a word in Chinese."""
    return any(CHINESE.search(words_of(service).label(name)) for name in names)


def codes_of(service: str) -> set[str]:
    """The code of every problem in the service's source."""
    found: set[str] = set()
    for file in (ROOT / "services" / service).rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and node.args and ast.unparse(node.func).rsplit(".", 1)[-1] in RAISED:
                first = [part.value for part in ast.walk(node.args[0]) if isinstance(part, ast.Constant)]
                found |= {code for code in first if isinstance(code, str)}
    return found


@each_service
def test_every_problem_is_said_in_words(service: str) -> None:
    codes = codes_of(service)
    assert len(codes) > 10
    known = {code for code, words in {**PROBLEMS, **words_of(service).problems}.items() if words}
    raised = codes | RAISED_FOR.get(service, set()) | {"step_not_allowed"}
    assert not raised - UNSEEN - known


def fields_of(schema: Mapping[str, Any]) -> Iterator[str]:
    """The names of a body's fields, and of what is in them."""
    for part in (schema, *schema.get("$defs", {}).values()):
        yield from part.get("properties", {})


def bodies_of(service: str) -> set[type[Body]]:
    """Every body that its pages know, or that its API takes."""
    taken = {body for body in classes(service, "api", Body) if body.__module__.startswith(f"services.{service}.")}
    return taken | classes(service, "pages", Body)


@each_service
def test_every_field_and_choice_of_a_form_has_a_word(service: str) -> None:
    bodies = bodies_of(service)
    assert len(bodies) > 10
    fields = {field for body in bodies for field in fields_of(body.model_json_schema())}
    forms = [field for body in bodies for field in Form(body, rows=1).fields()]
    assert not {name for name in fields | {one.last for one in forms} if not is_called(service, name)} - UNASKED
    choices = {value for field in forms for value, _ in field.choices}
    before = ("", *BEFORE.values())
    assert not {one for one in choices if not is_called(service, *(said + one for said in before))} - BUTTONS


@each_service
def test_every_state_and_choice_of_the_rules_has_a_word(service: str) -> None:
    kinds = {*classes(service, "rules", StrEnum), *([PrivacyAct] if service == "intake" else [])}
    shown = {one for one in kinds if not one.__name__.endswith("Step") or one.__name__ in STEPS_SHOWN}
    assert len(shown) > 2
    values = [BEFORE.get(one.__name__, "") + value for one in shown if one.__name__ not in UNSHOWN for value in one]
    assert not {value for value in values if not is_called(service, value)}


@each_service
def test_roles_departments_and_causes_have_a_word(service: str) -> None:
    causes = get_args(FailureCause) if service == "hr" else ()  # where it is said why a payment failed
    assert not {one for one in (*get_args(Role), *get_args(Department), *causes) if not is_called(service, one)}


def test_every_figure_of_the_month_has_a_word() -> None:
    assert not {item for item in LABELS if not is_called("intake", f"item.{item}")}


def test_every_trade_of_a_fresh_installation_has_a_word_and_its_refusal_is_translated() -> None:
    for trade in TradePolicy().trades:
        assert is_called("intake", trade.code)
        if trade.refusal:
            assert trade.refusal in words_of("intake").names
            assert is_called("intake", f"refused.{trade.code}")


def test_every_outcome_of_an_import_has_a_word() -> None:
    source = Path(inspect.getfile(ImportedRow)).read_text(encoding="utf-8")
    outcomes = {*re.findall(r'ImportedRow\(\w+, "(\w+)"', source)}
    assert len(outcomes) == 4
    assert not {outcome for outcome in outcomes if not is_called("intake", outcome)}
