"""`python -m tests.faults.table`: writes the figures of results/faults.json into docs/reliability.md."""

import sys
from pathlib import Path

from tests.faults.results import recorded

PAGE = Path(__file__).parents[2] / "docs" / "reliability.md"
BEGIN, END = "<!-- matrix:begin -->", "<!-- matrix:end -->"
HEAD = """
| fault | seeds | acts | messages | lost | doubled | slowest drain, s | bound, s |
|---|--:|--:|--:|--:|--:|--:|--:|
"""


def table() -> str:
    """A row for each fault: sums over its seeds, and the slowest drain."""
    lines = [HEAD]
    cases = recorded()
    for fault in dict.fromkeys(case["fault"] for case in cases):
        of_fault = [case for case in cases if case["fault"] == fault]
        seeds = len({case["seed"] for case in of_fault})
        sums = [sum(case[part] for case in of_fault) for part in ("acts", "messages", "lost", "doubled")]
        slowest, bound = (max(case[part] for case in of_fault) for part in ("drain_seconds", "bound_seconds"))
        cells = [fault, seeds, *(f"{number:,}" for number in sums), f"{slowest:.1f}", f"{bound:g}"]
        lines.append("| " + " | ".join(str(cell) for cell in cells) + " |\n")
    return "".join(lines)


def main() -> None:
    """Put the table between its markers; everything else of the page stays."""
    page = PAGE.read_text(encoding="utf-8")
    if page.count(BEGIN) != 1 or page.count(END) != 1 or not recorded():
        sys.exit(f"{PAGE} has not both markers once, or no case was recorded")
    before, rest = page.split(BEGIN)
    PAGE.write_text(f"{before}{BEGIN}\n{table()}\n{END}{rest.split(END)[1]}", encoding="utf-8")


if __name__ == "__main__":
    main()
