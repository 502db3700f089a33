"""docs/asvs.md answers each requirement of levels 1 and 2 of ASVS 5.0.0 once, and names only tests that exist."""

import re
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
PAGE = (ROOT / "docs/asvs.md").read_text(encoding="utf-8")
ROWS = [[cell.strip() for cell in row.split("|")[1:-1]] for row in PAGE.splitlines() if re.match(r"\| \d", row)]

OF_LEVELS_1_AND_2 = """
    1.1.1-2 1.2.1-9 1.3.1-11 1.4.1-3 1.5.1-2 2.1.1-3 2.2.1-3 2.3.1-4 2.4.1 3.2.1-2 3.3.1-4 3.4.1-6 3.5.1-5 3.7.1-2
    4.1.1-3 4.2.1 4.3.1-2 4.4.1-4 5.1.1 5.2.1-3 5.3.1-2 5.4.1-3 6.1.1-3 6.2.1-12 6.3.1-4 6.4.1-4 6.5.1-5 6.6.1-3
    6.8.1-4 7.1.1-3 7.2.1-4 7.3.1-2 7.4.1-5 7.5.1-2 7.6.1-2 8.1.1-2 8.2.1-3 8.3.1 8.4.1 9.1.1-3 9.2.1-4 10.1.1-2
    10.2.1-2 10.3.1-4 10.4.1-11 10.5.1-5 10.6.1-2 10.7.1-3 11.1.1-2 11.2.1-3 11.3.1-3 11.4.1-4 11.5.1 11.6.1
    12.1.1-3 12.2.1-2 12.3.1-4 13.1.1 13.2.1-5 13.3.1-2 13.4.1-5 14.1.1-2 14.2.1-4 14.3.1-3 15.1.1-3 15.2.1-3
    15.3.1-7 16.1.1 16.2.1-5 16.3.1-4 16.4.1-3 16.5.1-3 17.1.1 17.2.1-4 17.3.1-2
"""
"""Section by section, as the standard numbers them: 1.2.1-9 are 1.2.1 to 1.2.9."""


def ids() -> list[str]:
    found = []
    for part in OF_LEVELS_1_AND_2.split():
        section, _, numbers = part.rpartition(".")
        for some in numbers.split(","):
            first, _, last = some.partition("-")
            found += [f"{section}.{number}" for number in range(int(first), int(last or first) + 1)]
    return found


def test_each_of_the_253_requirements_is_answered_once_in_their_order() -> None:
    assert len(ids()) == 253
    assert [row[0] for row in ROWS] == ids()
    assert {row[1] for row in ROWS} == {"1", "2"}


def test_every_answer_is_one_of_three_and_says_how_or_why() -> None:
    answers = Counter(row[2] for row in ROWS)
    assert set(answers) == {"pass", "n.a.", "weaker"}
    assert f"{answers['pass']} pass, {answers['n.a.']} n.a., {answers['weaker']} weaker." in PAGE
    assert all(len(row) == 5 and row[3] for row in ROWS)


def test_every_test_that_is_named_exists() -> None:
    named = {path for row in ROWS for path in re.findall(r"`([^`]+)`", row[4])}
    assert len(named) > 30
    assert [path for path in named if not (path.startswith("tests/") and (ROOT / path).is_file())] == []
