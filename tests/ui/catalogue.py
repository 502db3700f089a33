"""`python -m tests.ui.catalogue`: bring every `locale/en.po` up to what templates and pages say.

New sentences come in empty, for somebody to translate; those nobody says any more go. Chinese is the msgid: every
literal with a Chinese letter in `pages/*.py` and `shared/ui/*.py` that is no docstring, and what templates say in _().
"""

import ast
import re
import sys
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import extract
from babel.messages.pofile import read_po, write_po

from shared.db import SERVICES

ROOT = Path(__file__).resolve().parent.parent.parent
CHINESE = re.compile(r"[\u3400-\u9fff]")

UNWANTED = re.compile(r'"(POT|PO|Project|Report|Last|Language-Team|Generated)')
"""What Babel writes into a catalogue's head and nobody reads."""

UI = ROOT / "shared" / "ui"
PACKAGES = {"shared.ui": UI} | {f"services.{name}": ROOT / "services" / name for name in SERVICES}
"""Package with a catalogue -> its folder."""


def said_by(package: str) -> dict[str, str]:
    """Every sentence of a package, and a file that says it; what shared.ui says already is its own."""
    folder = PACKAGES[package]
    sources = folder.glob("*.py") if folder == UI else (folder / "pages").glob("**/*.py")
    found: dict[str, str] = {}
    for file in sorted(sources):
        found |= dict.fromkeys(literals(file.read_text(encoding="utf-8")), str(file.relative_to(ROOT)))
    if folder == UI:
        roles = ROOT / "shared" / "access.py"
        found |= dict.fromkeys(_role_names(roles.read_text(encoding="utf-8")), str(roles.relative_to(ROOT)))
        papers = UI / "papers" / "archive.py"
        found |= dict.fromkeys(literals(papers.read_text(encoding="utf-8")), str(papers.relative_to(ROOT)))
    for file in sorted((folder / "templates").glob("**/*.html")):
        options = {"trim_blocks": "true", "lstrip_blocks": "true", "silent": "false"}
        for _, message, _, _ in extract("jinja2.ext:babel_extract", BytesIO(file.read_bytes()), options=options):
            found[message if isinstance(message, str) else message[0]] = str(file.relative_to(ROOT))
    if folder != UI:
        shared = said_by("shared.ui")
        found = {sentence: where for sentence, where in found.items() if sentence not in shared}
    return found


def literals(source: str) -> Iterator[str]:
    """Every literal with a Chinese letter that is no docstring."""
    tree = ast.parse(source)
    documented = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    docstrings = {
        id(statement.value)
        for node in ast.walk(tree)
        if isinstance(node, documented)
        for statement in node.body
        if isinstance(statement, ast.Expr)
    }
    said = [node for node in ast.walk(tree) if isinstance(node, ast.Constant) and id(node) not in docstrings]
    return iter([node.value for node in said if isinstance(node.value, str) and CHINESE.search(node.value)])


def _role_names(source: str) -> list[str]:
    names = next(
        node.value
        for node in ast.parse(source).body
        if isinstance(node, ast.AnnAssign) and getattr(node.target, "id", "") == "ROLE_NAMES"
    )
    return [value.value for value in names.values]  # type: ignore[union-attr]


def catalogue_of(package: str) -> Catalog:
    """The English of a package as it is on disk."""
    file = PACKAGES[package] / "locale" / "en.po"
    return read_po(BytesIO(file.read_bytes()), locale="en") if file.exists() else Catalog(locale="en")


def bring_up(package: str) -> None:
    """Write its catalogue anew: the sentences it says, in order, with the English there is."""
    held = catalogue_of(package)
    made = Catalog(
        locale="en", header_comment=f"# English of the pages of {package}; Chinese is the msgid.", fuzzy=False
    )
    for sentence, where in sorted(said_by(package).items(), key=lambda pair: (pair[1], pair[0])):
        old = held.get(sentence)
        made.add(sentence, old.string if old is not None else "", locations=[(where, None)])
    written = BytesIO()
    write_po(written, made, omit_header=False, include_lineno=False, width=120)
    lines = [
        line
        for line in written.getvalue().decode().splitlines()
        if not re.match(r'"(POT|PO|Project|Report|Last|Language-Team|Generated)-?', line)
    ]
    file = PACKAGES[package] / "locale" / "en.po"
    file.parent.mkdir(exist_ok=True)
    file.write_text("\n".join(lines).rstrip() + "\n", encoding="utf-8")


if __name__ == "__main__":
    for name in PACKAGES:
        bring_up(name)
        missing = sum(1 for one in catalogue_of(name) if one.id and not one.string)
        sys.stdout.write(f"{name}: {missing} to translate\n")
