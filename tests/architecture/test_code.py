"""House rules that a reader of the code relies on."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from shared.db import SERVICES
from shared.messages import CATALOGUE

ROOT = Path(__file__).parent.parent.parent
CODE = sorted(p for top in ("services", "shared", "bianmin") for p in (ROOT / top).rglob("*.py"))


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
