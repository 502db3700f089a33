"""Draws docs/states.md from the tables of the state machines: `python -m tests.architecture.states`."""

from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules
from typing import Any

from shared.db import SERVICES
from shared.states import Machine

ROOT = Path(__file__).parent.parent.parent
PAGE = ROOT / "docs" / "states.md"

HEAD = """# State machines

Drawn from the tables in the services' rules (`python -m tests.architecture.states`); a step that is not an arrow is
refused, and the refusal names the steps that are.
"""


def machines() -> list[tuple[str, str, Machine[Any, Any]]]:
    """(service, rule file, machine) of every state machine, in the order of the tree."""
    found = []
    for service in SERVICES:
        rules = import_module(f"services.{service}.rules")
        for module in iter_modules(rules.__path__):
            names = vars(import_module(f"{rules.__name__}.{module.name}"))
            found += [(service, module.name, m) for m in names.values() if isinstance(m, Machine)]
    return found


def drawn() -> str:
    """The page."""
    parts = [HEAD]
    for service, module, machine in machines():
        path = f"services/{service}/rules/{module}.py"
        arrows = "\n".join(f"    {start} --> {end}: {step}" for (start, step), end in machine.table.items())
        first = next(iter(machine.table))[0]
        parts.append(
            f"\n## {service}: {machine.thing}\n\n[{path}](../{path}) [{machine.rule}]\n\n"
            f"```mermaid\nstateDiagram-v2\n    [*] --> {first}\n{arrows}\n```\n"
        )
    return "".join(parts)


if __name__ == "__main__":
    PAGE.write_text(drawn(), encoding="utf-8")
