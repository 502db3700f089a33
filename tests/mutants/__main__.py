"""`make mutants`: every guard is taken away once; prints who noticed, and fails when nobody did."""

import re
import sys
from pathlib import Path

from tests.mutants.guards import MUTANTS
from tests.mutants.hunt import Outcome, hunt
from tests.simulation.__main__ import a_company, say

PAGE = Path("docs/reliability.md")
BEGIN, END = "<!-- mutants:begin -->", "<!-- mutants:end -->"


def table(outcomes: list[Outcome]) -> str:
    """The outcomes as Markdown."""
    lines = ["| guard taken away | what would happen | noticed by |", "|---|---|---|"]
    for outcome in outcomes:
        name, sentence = outcome.mutant.name, outcome.mutant.sentence
        where = outcome.noticed_by.replace("tests/", "").replace(".py::", ": ").replace("_", " ")
        lines.append(f"| {name} | {sentence} | {where or '**nobody**'} |")
    return "\n".join(lines)


def write(page: Path, text: str) -> None:
    """Put the table between its marks in the page; a page that is not there is begun."""
    before = page.read_text(encoding="utf-8") if page.exists() else f"{BEGIN}\n{END}\n"
    marked = re.compile(f"{re.escape(BEGIN)}.*?{re.escape(END)}", re.DOTALL)
    page.write_text(marked.sub(lambda _: f"{BEGIN}\n{text}\n{END}", before), encoding="utf-8")


def main() -> int:
    """Hunt them all, or those named."""
    wanted = sys.argv[1:]
    outcomes = []
    with a_company() as company:
        for mutant in MUTANTS:
            if wanted and mutant.name not in wanted:
                continue
            outcome = hunt(mutant, company)
            outcomes.append(outcome)
            say(f"{mutant.name}: {'noticed by ' + outcome.noticed_by if outcome.noticed_by else 'SURVIVED'}")
            say("    " + outcome.how[:300].replace("\n", "\n    "))
    if not wanted:
        write(PAGE, table(outcomes))
    say(table(outcomes))
    survived = [outcome.mutant.name for outcome in outcomes if not outcome.noticed_by]
    say(f"{len(outcomes)} guards taken away; survived: {survived or 'none'}")
    return int(bool(survived) or not outcomes)


if __name__ == "__main__":
    sys.exit(main())
