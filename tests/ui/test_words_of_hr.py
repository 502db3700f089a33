"""Every problem hr can raise, every state its pages show and every field of their forms has a word of the trade."""

import ast
import inspect
from collections.abc import Iterator
from enum import StrEnum
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules
from typing import Any, get_args

import pytest
from pydantic import BaseModel

from shared.messages import Department, FailureCause, Role
from shared.ui.words import COMMON, PROBLEMS
from tests.ui.catalogue import CHINESE, ROOT

pytestmark = pytest.mark.pure

SERVICES = ("hr",)
"""Those whose pages are whole."""

RAISED = {
    *("RuleBroken", "Malformed", "NotYourRole", "NotSignedIn", "Problem", "SignOnRefused", "TooManyLogins", "BadRows"),
}
"""What carries a problem's code as its first argument."""

UNSEEN = {"http"}
"""Codes with no page of their own: 'no such page' is said by all services alike."""


def codes_of(service: str) -> Iterator[str]:
    """The code of every problem in the service's source."""
    for file in (ROOT / "services" / service).rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            called = node.func if isinstance(node, ast.Call) else None
            name = (
                called.id if isinstance(called, ast.Name) else called.attr if isinstance(called, ast.Attribute) else ""
            )
            first = node.args[0] if isinstance(node, ast.Call) and node.args else None
            if name in RAISED and isinstance(first, ast.Constant) and isinstance(first.value, str):
                yield first.value


def forms_of(service: str) -> Iterator[type[BaseModel]]:
    """Every body that a page of the service imports to make a form of it."""
    package = import_module(f"services.{service}.pages")
    for found in iter_modules([str(Path(inspect.getfile(package)).parent)]):
        module = import_module(f"services.{service}.pages.{found.name}")
        for thing in vars(module).values():
            if inspect.isclass(thing) and issubclass(thing, BaseModel) and thing is not BaseModel:
                yield thing


def fields_of(schema: dict[str, Any]) -> Iterator[str]:
    """The names of a body's fields, and of what is in them."""
    for part in (schema, *schema.get("$defs", {}).values()):
        yield from part.get("properties", {})


def called(service: str, name: str) -> bool:
    """Whether the service's pages call it something in Chinese."""
    words = import_module(f"services.{service}.pages.words").WORDS
    return bool(CHINESE.search(words.names.get(name, "") or COMMON.get(name, "")))


@pytest.mark.parametrize("service", SERVICES)
def test_every_problem_is_said_in_words(service: str) -> None:
    words = import_module(f"services.{service}.pages.words").WORDS
    codes = set(codes_of(service)) - UNSEEN
    assert len(codes) > 20
    assert {code for code in codes if not words.problems.get(code) and not PROBLEMS.get(code)} == set()


@pytest.mark.parametrize("service", SERVICES)
def test_every_field_of_a_form_is_called_something(service: str) -> None:
    bodies = {body.__name__: set(fields_of(body.model_json_schema())) for body in forms_of(service)}
    assert len(bodies) > 5
    missing = {name: {one for one in fields if not called(service, one)} for name, fields in bodies.items()}
    assert {name: fields for name, fields in missing.items() if fields} == {}


@pytest.mark.parametrize("service", SERVICES)
def test_every_state_is_called_something(service: str) -> None:
    package = ROOT / "services" / service / "rules"
    modules = [import_module(f"services.{service}.rules.{found.name}") for found in iter_modules([str(package)])]
    states = {
        str(one)
        for module in modules
        for thing in vars(module).values()
        if inspect.isclass(thing)
        and issubclass(thing, StrEnum)
        and thing.__name__.endswith(("State", "Offence", "Step"))
        if thing.__name__ not in STEPS_NOBODY_READS
        for one in thing
    }
    named = states | {*get_args(Role), *get_args(Department), *get_args(FailureCause)}
    assert {name for name in named if not called(service, name)} == set()


STEPS_NOBODY_READS = {"CaseStep", "PaymentStep", "WebhookStep"}
"""What is done with a thing: its button says it."""
