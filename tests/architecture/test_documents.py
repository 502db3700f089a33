"""README, ARCHITECTURE and the other documents say what is true."""

import re
from pathlib import Path

import pytest
from typer.main import get_command

from bianmin.cli import app
from shared.db import SERVICES

ROOT = Path(__file__).parent.parent.parent
DOCUMENTS = sorted(p for p in [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("examples/*.md")])


def text_of(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def test_every_path_of_the_where_is_table_opens() -> None:
    table = text_of("README.md").split("## Where is…?")[1]
    rows = [line for line in table.splitlines() if line.startswith("| ") and not line.startswith("| what")]
    assert len(rows) > 20
    for row in rows:
        paths = re.findall(r"\]\(([^)]+)\)", row)
        assert paths, row
        for path in paths:
            assert (ROOT / path).exists(), row


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_link_and_every_path_named_in_a_document_exists(document: Path) -> None:
    text = document.read_text(encoding="utf-8")
    linked = [link.split("#")[0] for link in re.findall(r"\]\(([^)\s]+)\)", text) if "://" not in link]
    for link in filter(None, linked):
        assert (document.parent / link).exists(), link
    for path in re.findall(r"`((?:services|shared|bianmin|tests|docs|deploy|examples)/[\w./*-]*)`", text):
        assert list(ROOT.glob(path)), path


def test_every_rule_file_of_the_business_is_found_from_the_readme() -> None:
    """Whoever adds a rule says where it is; the small change of a service (access, privacy, …) need not be listed."""
    readme = text_of("README.md")
    named = set(re.findall(r"services/(\w+)/rules/\w+\.py", readme))
    assert named == set(SERVICES)


def test_the_readme_names_every_command() -> None:
    commands = get_command(app).list_commands(None)  # type: ignore[arg-type, attr-defined]
    readme = text_of("README.md")
    assert [name for name in commands if f"`bianmin {name}" not in readme] == []


def test_every_make_target_is_explained_by_make_help_and_those_of_the_documents_exist() -> None:
    makefile = text_of("Makefile")
    explained = set(re.findall(r"^([a-z-]+):.*## ", makefile, flags=re.MULTILINE))
    phony = set(re.search(r"^\.PHONY: (.*)$", makefile, flags=re.MULTILINE)[1].split())  # type: ignore[index]
    assert explained == phony
    named = set(re.findall(r"\bmake ([a-z]+)\b", text_of("README.md") + text_of("CONTRIBUTING.md")))
    assert named - {"and", "names"} <= explained


def test_architecture_names_every_service_and_every_file_of_one() -> None:
    architecture = text_of("ARCHITECTURE.md")
    for service in SERVICES:
        assert f"`{service}`" in architecture
        inside = {p.name for p in (ROOT / "services" / service).iterdir() if not p.name.startswith("__")}
        assert inside == {
            "rules",
            "models",
            "queries",
            "actions",
            "papers",
            "tasks.py",
            "api",
            "pages",
            "templates",
            "locale",
            "main.py",
            "worker.py",
            "migrations",
        }
        for name in inside:
            assert name in architecture


def test_the_documents_speak_of_the_product_alone() -> None:
    for document in DOCUMENTS:
        text = document.read_text(encoding="utf-8").lower()
        for word in ("/work/", "/root/", "/tmp/", "todo", "fixme"):
            assert word not in text, (document, word)
