"""Draws docs/permissions.md from the services' tables: `python -m tests.architecture.permissions`."""

from importlib import import_module
from pathlib import Path

from shared.access import ANYBODY, COMMON, OWN_WORDS, ROLE_NAMES, TIE_WORDS, Own, Permission, Permissions
from shared.db import SERVICES

ROOT = Path(__file__).parent.parent.parent
PAGE = ROOT / "docs" / "permissions.md"

OWN_NAMES = {
    Own.COMPANY: "全公司",
    Own.SITES: "本小区",
    Own.DEPARTMENT: "本部门",
    Own.JOBS: "本人工单",
    Own.CASH: "本人经手",
    Own.GIVEN: "本人交出",
    Own.OFFERED: "交给本人",
    Own.HIMSELF: "本人",
}

HEAD = """# Permissions 权限表

Drawn from the tables in the services' rules and in shared (`python -m tests.architecture.permissions`). What has no row
is nobody's. A cell says how far a role reaches; an empty one is refused (403). *Never* names whoever
leaves the step to somebody else, whatever his role: four eyes, refused (409).

"""


def drawn() -> str:
    """The page."""
    words = "\n".join(f"- **{OWN_NAMES[own]}** {own}: {OWN_WORDS[own]}" for own in Own)
    parts = [HEAD, words, "\n\n## All services alike\n\n[shared/access.py](../shared/access.py)\n\n", _matrix(COMMON)]
    for service in SERVICES:
        path = f"services/{service}/rules/access.py"
        table = import_module(f"services.{service}.rules.access").MAY
        parts.append(f"\n## {service}\n\n[{path}](../{path})\n\n{_matrix(table)}")
    return "".join(parts)


def _matrix(table: Permissions) -> str:
    shown = [role for role in ANYBODY if any(role in row.own for row in table.values())]
    head = " | ".join(f"{role} {ROLE_NAMES[role]}" for role in shown)
    lines = [f"| action | {head} | never | rule |", "|---" * (len(shown) + 3) + "|"]
    lines += [f"| {action} | {_cells(row, shown)} |" for action, row in table.items()]
    return "\n".join(lines) + "\n"


def _cells(row: Permission, shown: list[str]) -> str:
    reach = {str(role): OWN_NAMES[own] for role, own in row.own.items()}
    never = "; ".join(f"whoever {TIE_WORDS[tie]}" for tie in row.never)
    return " | ".join([*(reach.get(role, "") for role in shown), never, row.rule])


if __name__ == "__main__":
    PAGE.write_text(drawn(), encoding="utf-8")
