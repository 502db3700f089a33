"""House rules that a reader of the code relies on."""

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from shared.db import SERVICES
from shared.messages import CATALOGUE

ROOT = Path(__file__).parent.parent.parent
OURS = ("services", "shared", "bianmin")
CODE = sorted(p for top in OURS for p in (ROOT / top).rglob("*.py"))


def calls(tree: ast.AST) -> Iterator[ast.Call]:
    return (node for node in ast.walk(tree) if isinstance(node, ast.Call))


@pytest.mark.parametrize("path", CODE, ids=lambda path: str(path.relative_to(ROOT)))
def test_log_events_are_static_and_their_values_are_keywords(path: Path) -> None:
    for call in calls(ast.parse(path.read_text(encoding="utf-8"))):
        if (
            isinstance(call.func, ast.Attribute)
            and isinstance(call.func.value, ast.Name)
            and call.func.value.id == "log"
        ):
            assert len(call.args) == 1
            event = call.args[0]
            assert isinstance(event, ast.Constant)
            assert re.fullmatch(r"[a-z_]+", event.value)


def test_actions_and_rules_never_commit() -> None:
    for path in CODE:
        if "actions" in path.parts or "rules" in path.parts:
            names = {c.func.attr for c in calls(ast.parse(path.read_text())) if isinstance(c.func, ast.Attribute)}
            assert not names & {"commit", "rollback"}, path


def test_rules_know_no_session_and_no_clock() -> None:
    for path in CODE:
        if "rules" in path.parts:
            text = path.read_text(encoding="utf-8")
            assert not re.search(
                r"^(from|import) (sqlalchemy|celery|fastapi|shared\.(clock|db|bus|web))", text, re.M
            ), path


def test_money_columns_are_whole_fen() -> None:
    for service in SERVICES:
        folder = ROOT / "services" / service
        text = "".join(path.read_text(encoding="utf-8") for path in sorted(folder.glob("models*")) if path.is_file())
        text += "".join(path.read_text(encoding="utf-8") for path in sorted(folder.glob("models/*.py")))
        assert "_fen: Mapped[" in text, service
        for name, kind in re.findall(r"^    (\w+_fen): Mapped\[([^\]]+)\]", text, re.M):
            assert kind in {"int", "int | None"}, (service, name)
        assert not re.search(r"Mapped\[(float|Decimal)", text)


def test_a_services_first_words_list_the_messages_it_hears_and_says() -> None:
    for service in SERVICES:
        told = ast.get_docstring(ast.parse((ROOT / "services" / service / "__init__.py").read_text(encoding="utf-8")))
        _, heard, said = re.split(r"\n(?:hears|says) ", told or "")
        assert set(re.findall(r"\b[A-Z]\w+", heard)) == {
            name for name, message in CATALOGUE.items() if service in message.receivers
        }, service
        assert set(re.findall(r"\b[A-Z]\w+", said)) == {
            name for name, message in CATALOGUE.items() if message.sender == service
        }, service


@cache
def names_of(module: str) -> set[str] | None:
    """What can be imported of a module of ours, by reading it; None where it is no module of ours."""
    path = ROOT.joinpath(*module.split("."))
    file = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
    if not file.is_file() and not path.is_dir():
        return None
    names = {one.stem if one.suffix == ".py" else one.name for one in path.iterdir()} if path.is_dir() else set()
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8") if file.is_file() else "")):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            names.add(node.name)
        elif isinstance(node, ast.Import | ast.ImportFrom):
            names |= {one.asname or one.name for one in node.names}
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            names.add(node.id)
    return names


@pytest.mark.parametrize("package", [*OURS, "tests", "deploy"])
def test_whatever_is_imported_of_ours_is_there(package: str) -> None:
    """Also of what is run by hand alone, which neither a test collects nor the types are checked of."""
    missing = []
    for file in sorted((ROOT / package).rglob("*.py")):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] in {*OURS, "tests"}:
                known = names_of(node.module or "")
                asked = {one.name for one in node.names}
                missing += [f"{file.relative_to(ROOT)}: {node.module}.{name}" for name in asked - (known or set())]
    assert not missing
