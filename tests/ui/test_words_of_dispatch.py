"""Whatever a page may have to say has a word: every problem of a service's source, and every field of a posted form."""

import ast
from importlib import import_module
from pathlib import Path

import pytest
from pydantic import BaseModel

from shared.ui.forms import Form
from shared.ui.words import COMMON, PROBLEMS
from tests.ui.catalogue import ROOT

pytestmark = pytest.mark.pure

SERVICES = ("dispatch",)
"""Services whose pages are whole."""

REFUSALS = {"RuleBroken", "Malformed", "NotYourRole", "Problem"}


def problems_of(service: str) -> set[str]:
    """Every code its rules and actions refuse with."""
    found: set[str] = set()
    for file in (ROOT / "services" / service).glob("**/*.py"):
        for node in ast.walk(ast.parse(Path(file).read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") in REFUSALS and node.args:
                codes = [one.value for one in ast.walk(node.args[0]) if isinstance(one, ast.Constant)]
                found |= {code for code in codes if isinstance(code, str)}
    return found


def bodies_of(service: str) -> set[type[BaseModel]]:
    """Every body its API takes."""
    folder = ROOT / "services" / service / "api"
    modules = [import_module(f"services.{service}.api.{file.stem}") for file in folder.glob("*.py")]
    return {
        one
        for module in modules
        for one in vars(module).values()
        if isinstance(one, type) and issubclass(one, BaseModel) and one.__module__ == module.__name__
    }


@pytest.mark.parametrize("service", SERVICES)
def test_every_problem_of_the_source_is_said_in_words(service: str) -> None:
    words = import_module(f"services.{service}.pages.words").WORDS
    assert problems_of(service) <= words.problems.keys() | PROBLEMS.keys()


@pytest.mark.parametrize("service", SERVICES)
def test_every_field_and_every_choice_of_a_body_has_a_word(service: str) -> None:
    words = import_module(f"services.{service}.pages.words").WORDS
    known = words.names.keys() | COMMON.keys() | {"shown_hash", "sha256"}  # what no page asks anybody for
    forms = [Form(body, rows=1) for body in bodies_of(service)]
    fields = [field for form in forms for field in form.fields()]
    said = {field.last for field in fields} | {value for field in fields for value, _ in field.choices}
    assert said <= known, sorted(said - known)
