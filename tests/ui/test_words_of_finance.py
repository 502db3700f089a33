"""Nothing on a page is called by its name in the code: every refusal, state and field of a form has a word."""

import ast
import inspect
from collections.abc import Iterator, Mapping
from enum import StrEnum
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules
from typing import Any

import pytest

from shared.access import _PERSONAL
from shared.ui.words import PROBLEMS, Words
from shared.web import Body
from tests.ui.catalogue import CHINESE, ROOT

pytestmark = pytest.mark.pure

SERVICES = ("finance",)
"""Services whose pages are here."""

REFUSALS = {"RuleBroken", "Malformed", "NotYourRole", "Problem"}

NAMED_ELSEWHERE = {"Account"}
"""Accounts have their names in the chart of accounts."""


def words_of(service: str) -> Words:
    words: Words = import_module(f"services.{service}.pages.words").WORDS
    return words


def modules(service: str, part: str) -> Iterator[Any]:
    package = import_module(f"services.{service}.{part}")
    for module in iter_modules(package.__path__):
        yield import_module(f"services.{service}.{part}.{module.name}")


def codes(folder: Path) -> set[str]:
    """The code of every refusal that is raised below a folder."""
    return {
        str(node.args[0].value)
        for file in folder.rglob("*.py")
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id in REFUSALS
        and node.args
        and isinstance(node.args[0], ast.Constant)
    }


@pytest.mark.parametrize("service", SERVICES)
def test_every_refusal_is_said_in_words(service: str) -> None:
    known = PROBLEMS.keys() | words_of(service).problems.keys()
    personal = {code for code, _ in _PERSONAL.values() if code != "himself_only"}
    raised = codes(ROOT / "services" / service) | personal | {"step_not_allowed", "idempotency_key_needed"}
    assert len(raised) > 20
    assert not raised - known


@pytest.mark.parametrize("service", SERVICES)
def test_every_state_and_choice_has_a_word(service: str) -> None:
    words = words_of(service)
    enums = {
        kind
        for module in modules(service, "rules")
        for kind in vars(module).values()
        if inspect.isclass(kind) and issubclass(kind, StrEnum) and kind.__module__ == module.__name__
    }
    shown = [kind for kind in enums if not kind.__name__.endswith("Step") and kind.__name__ not in NAMED_ELSEWHERE]
    assert shown
    without = {f"{kind.__name__}.{one}" for kind in shown for one in kind if not CHINESE.search(words.label(one))}
    assert not without


def fields(schema: Mapping[str, Any], whole: Mapping[str, Any]) -> Iterator[str]:
    """The names of a body's fields, and of the fields within them."""
    for name, asked in schema.get("properties", {}).items():
        yield name
        for inner in (asked, *asked.get("anyOf", ()), asked.get("items", {})):
            if "$ref" in inner:
                yield from fields(whole["$defs"][inner["$ref"].rsplit("/", 1)[1]], whole)


@pytest.mark.parametrize("service", SERVICES)
def test_every_field_of_a_form_has_a_word(service: str) -> None:
    words = words_of(service)
    bodies = {
        body
        for module in modules(service, "pages")
        for body in vars(module).values()
        if inspect.isclass(body) and issubclass(body, Body)
    }
    assert bodies
    schemas = [body.model_json_schema() for body in bodies]
    asked = {name for schema in schemas for name in fields(schema, schema)}
    assert not {name for name in asked if not CHINESE.search(words.label(name))}
