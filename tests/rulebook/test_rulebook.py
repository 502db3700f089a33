"""docs/rulebook.md is what the code and the tests say, and what it names is there."""

import ast
import re
from collections import Counter

from tests.rulebook import rulebook

CHAPTERS = {
    "test_scope.py": ("R", range(6, 13)),
    "test_reception.py": ("R", range(13, 24)),
    "test_handling.py": ("R", range(24, 44)),
    "test_cautions.py": ("R", range(44, 68)),
    "test_rewards.py": ("R", range(68, 95)),
    "test_coordination.py": ("R", range(95, 102)),
    "test_decisions.py": ("D", range(1, 28)),
}


def test_the_rulebook_is_written_anew_when_rules_code_or_tests_change() -> None:
    assert rulebook.PAGE.read_text(encoding="utf-8") == rulebook.page(), "run python -m tests.rulebook.rulebook"


def test_the_rulebook_has_every_requirement_and_decision_once() -> None:
    numbers = re.findall(r"^\| ([RD]\d+) \|", rulebook.page(), re.M)
    assert numbers == [f"R{n}" for n in range(1, 102)] + [f"D{n}" for n in range(1, 28)]


def test_every_path_and_every_test_the_rulebook_names_exists() -> None:
    page = rulebook.PAGE.read_text(encoding="utf-8")
    paths = re.findall(r"\]\(([^)]+)\)", page)
    assert len(paths) > 200
    for path in set(paths):
        assert (rulebook.PAGE.parent / path).exists(), path
    named = re.findall(r"\[`(test_\w+)(?:\[(\w+)\])?`\]\(\.\./([^)]+)\)", page)
    assert len(named) >= 101 - len(rulebook.GOALS)
    for function, parameter, path in named:
        text = (rulebook.ROOT / path).read_text(encoding="utf-8")
        assert function in {node.name for node in ast.parse(text).body if isinstance(node, ast.FunctionDef)}
        assert f'id="{parameter}"' in text or not parameter


def test_no_two_tests_of_a_number_have_the_same_name() -> None:
    labels = Counter((number, proof.label) for number, found in rulebook.proofs().items() for proof in found)
    assert [twice for twice, howmany in labels.items() if howmany > 1] == []


def test_a_chapters_file_has_the_tests_of_its_numbers_and_every_test_claims_one() -> None:
    for number, found in rulebook.proofs().items():
        for proof in found:
            kind, chapter = CHAPTERS.get(proof.path.rsplit("/", 1)[1], (number[0], range(1, 102)))
            assert (number[0], int(number[1:]) in chapter) == (kind, True), proof
    for file in set(rulebook.TESTS.glob("test_*.py")) - {rulebook.TESTS / "test_rulebook.py"}:
        text = file.read_text(encoding="utf-8")
        assert re.findall(r"^def (test_(?!r\d{3}_|d\d{2}_)\w+)", text, re.M) == [], file


def test_every_number_has_a_test_or_is_a_goal() -> None:
    assert rulebook.without_test() == set()


def test_a_goal_is_told_in_a_sentence_and_what_is_partly_there_has_a_test() -> None:
    assert set(rulebook.GOALS) == {f"R{n}" for n in (1, 2, 3, 4, 5, 95, 96, 97, 98)}
    assert set(rulebook.PARTLY) <= set(rulebook.proofs())


def test_numbers_are_cited_alone_in_lists_and_in_ranges() -> None:
    text = "the fee [R33], the split [R69-R71, D13] and nothing else [see above]"
    assert list(rulebook.cited(text)) == [["R33"], ["R69", "R70", "R71", "D13"]]
