"""docs/rulebook.md: each rule of docs/rules.md, where in the code it lives, and the test that proves it.

    python -m tests.rulebook.rulebook

writes it anew. A rule lives where a text of services/*/rules or services/*/actions cites its number in brackets,
alone or in a range, [R48] or [R13-R17], or where a step is refused by it: rule="R57". A test proves the rule its
name begins with, test_r048_…, or, where it is one of several parameters, the rule its id begins with, r013_….
"""

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
TESTS = Path(__file__).parent
PAGE = ROOT / "docs" / "rulebook.md"
PLACES_SHOWN = 3

GOALS = {
    "R1": "A promise to an owner is a deadline, and one that is not kept is counted for ever and reported [R43].",
    "R2": "Every request is before the desk and the department's head as soon as it is recorded [R44, R47].",
    "R3": "Nobody leaves for a paid job before his regular duties are done [R50].",
    "R4": "Four trades, one desk, and a price the owner hears before he agrees [R7, R8, R22].",
    "R5": "Each step is in a table and any other is refused with the rule behind it; money is in a ledger that only"
    " grows, each fen of cash in one person's hands [D5].",
    "R95": "A job begins, changes and ends at the desk's service; the others hear of it by its messages [R52].",
    "R96": "Only clerk and desk head register, agree, issue, withdraw and revisit [R11, R52].",
    "R97": "The desk speaks with the owner, and each report of a department comes back to it [R19, R61, R101].",
    "R98": "What departments have to tell each other about an owner's job passes through the desk's notice and the"
    " reports on it: no department orders work of another.",
}
"""How the system serves what is a goal and no single rule."""

PARTLY = {
    "R59": "nothing bought can be charged, and the worker states before he starts that the owner has bought it; that"
    " nobody buys it privately is left to people",
}
"""What a tested rule still lacks."""


@dataclass(frozen=True)
class Rule:
    """A row of docs/rules.md."""

    number: str
    sentence: str
    chapter: str


@dataclass(frozen=True)
class Place:
    """A text that cites a number: the file, the name it stands under, and how many numbers it cites at once."""

    path: str
    name: str
    numbers: int


@dataclass(frozen=True)
class Proof:
    """A test of a rule."""

    path: str
    function: str
    parameter: str = ""

    @property
    def label(self) -> str:
        return f"{self.function}[{self.parameter}]" if self.parameter else self.function


def rules() -> list[Rule]:
    """Every requirement and decision, in the order of docs/rules.md."""
    found, chapter = [], ""
    for line in (ROOT / "docs" / "rules.md").read_text(encoding="utf-8").splitlines():
        if heading := re.match(r"##+ (.+)", line):
            chapter = heading[1]
        if re.match(r"\| [RD]\d+ \|", line):
            number, first, second, *_ = (cell.strip() for cell in line.strip("|\n ").split(" | "))
            found.append(Rule(number, second if number.startswith("R") else f"*{first}*<br>{second}", chapter))
    return found


_CITATION = re.compile(r"\[([RD]\d+(?:-[RD]\d+)?(?:, ?[RD]\d+(?:-[RD]\d+)?)*)\]")


def cited(text: str) -> Iterator[list[str]]:
    """The numbers of each pair of brackets in a text, its ranges written out."""
    for brackets in _CITATION.findall(text):
        numbers = []
        for part in re.split(r", ?", brackets):
            first, _, last = part.partition("-")
            end = int(last[1:]) if last else int(first[1:])
            numbers += [f"{first[0]}{number}" for number in range(int(first[1:]), end + 1)]
        yield numbers


def _texts(node: ast.AST, name: str) -> Iterator[tuple[str, str]]:
    """(the name it stands under, the text) of every string of a module, and the rule of every refusal."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Constant) and isinstance(child.value, str):
            yield name, child.value
        if isinstance(child, ast.keyword) and child.arg == "rule" and isinstance(child.value, ast.Constant):
            yield name, f"[{child.value.value}]"
        named = isinstance(child, ast.FunctionDef | ast.ClassDef)
        inside = child.name if isinstance(child, ast.FunctionDef | ast.ClassDef) and not name else name
        yield from _texts(child, inside if named else name)


def places() -> dict[str, list[Place]]:
    """Number -> the files whose text cites it, the most specific first: fewest numbers at once, rules before actions.

    Of a file the most specific text counts.
    """
    best: dict[tuple[str, str], Place] = {}
    for kind in ("rules", "actions"):
        for file in sorted(ROOT.glob(f"services/*/{kind}/*.py")):
            path = str(file.relative_to(ROOT))
            for name, text in _texts(ast.parse(file.read_text(encoding="utf-8")), ""):
                for numbers in cited(text):
                    for number in numbers:
                        place, known = Place(path, name, len(numbers)), best.get((number, path))
                        if known is None or _specific(place) < _specific(known):
                            best[number, path] = place
    found: dict[str, list[Place]] = {}
    for (number, _), place in best.items():
        found.setdefault(number, []).append(place)
    return {number: sorted(those, key=_specific) for number, those in found.items()}


def _specific(place: Place) -> tuple[int, bool, bool, str]:
    return place.numbers, not place.name, "/actions/" in place.path, place.path


def proofs() -> dict[str, list[Proof]]:
    """Number -> the tests of this folder that prove it."""
    found: dict[str, list[Proof]] = {}
    for file in sorted(TESTS.glob("test_*.py")):
        path = str(file.relative_to(ROOT))
        for function in ast.parse(file.read_text(encoding="utf-8")).body:
            if isinstance(function, ast.FunctionDef) and function.name.startswith("test_"):
                ids = [id_ for id_ in _parameter_ids(function) if _number(id_)]
                for id_ in ids:
                    found.setdefault(_number(id_), []).append(Proof(path, function.name, id_))
                if not ids and (number := _number(function.name.removeprefix("test_"))):
                    found.setdefault(number, []).append(Proof(path, function.name))
    return found


def _number(name: str) -> str:
    """'r048_phone_…' -> 'R48'; '' for a name that begins otherwise."""
    match = re.match(r"(r\d{3}|d\d{2})_", name)
    return f"{name[0].upper()}{int(match[1][1:])}" if match else ""


def _parameter_ids(function: ast.FunctionDef) -> Iterator[str]:
    for decorator in function.decorator_list:
        for node in ast.walk(decorator):
            if isinstance(node, ast.keyword) and node.arg == "id" and isinstance(node.value, ast.Constant):
                yield str(node.value.value)


def without_test() -> set[str]:
    """The numbers, goals apart, that no test proves."""
    return {rule.number for rule in rules()} - set(GOALS) - set(proofs())


def _where(found: list[Place]) -> str:
    links = [
        f"[{place.path.removeprefix('services/')}](../{place.path}){f' `{place.name}`' if place.name else ''}"
        for place in found[:PLACES_SHOWN]
    ]
    return "<br>".join(links) or "–"


def _proven(number: str, found: list[Proof]) -> str:
    said = [GOALS[number]] if number in GOALS else []
    said += [f"[`{proof.label}`](../{proof.path})" for proof in found]
    if number in PARTLY:
        said.append(f"*Partly: {PARTLY[number]}.*")
    return "<br>".join(said) or "**not yet**"


_HEAD = (
    "Written by `python -m tests.rulebook.rulebook` from [rules.md](rules.md), from the numbers that the texts of"
    f" `services/*/rules` and `services/*/actions` cite (the most specific first, at most {PLACES_SHOWN}), and from the"
    " names of the tests in [tests/rulebook](../tests/rulebook). A goal is served by the system as a whole; a sentence"
    " says how."
)


def _count(everything: list[Rule], missing: set[str]) -> str:
    tested = len(everything) - len(GOALS) - len(missing)
    told = f"Of {len(everything)} numbers {tested} have a test and {len(GOALS)} are goals"
    named = ", ".join(rule.number for rule in everything if rule.number in missing)
    return f"{told}; {named} have neither." if named else f"{told}."


def page() -> str:
    """The whole of docs/rulebook.md."""
    where, tests, missing = places(), proofs(), without_test()
    everything = rules()
    lines = [
        "# The rulebook: each rule, where it lives, and the test that proves it",
        "",
        _HEAD,
        "",
        _count(everything, missing),
    ]
    chapter = ""
    for rule in everything:
        if rule.chapter != chapter:
            chapter = rule.chapter
            lines += ["", f"## {chapter}", "", "| # | rule | where it lives | proof |", "|---|---|---|---|"]
        cells = (
            rule.number,
            rule.sentence,
            _where(where.get(rule.number, [])),
            _proven(rule.number, tests.get(rule.number, [])),
        )
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
