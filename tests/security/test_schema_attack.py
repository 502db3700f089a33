"""What no description allows is refused, and no request whatever is a defect (ASVS 2.2.1-2.2.3, promise 23).

`make hostile` asks for more cases, and shows what became of them.
"""

from collections.abc import Callable
from pathlib import Path

import pytest

from shared.db import SERVICES
from tests.bad_input.house import House
from tests.cases import cases
from tests.security.attack import Attacked, attack, follow

CASES = min(cases(6), 400)
"""For each operation; more of them and a night would be too short."""

TOLD = Path("results/hostile.txt")


def _is_clean(service: str, how: str, done: Attacked) -> None:
    TOLD.parent.mkdir(exist_ok=True)
    statuses = ", ".join(f"{status}: {times}" for status, times in sorted(done.statuses.items()))
    with TOLD.open("a", encoding="utf-8") as told:
        told.write(f"{service} {how}: {done.cases} requests, {len(done.failures)} failures; {statuses}\n")
    assert not done.failures, "\n".join(f"{what}\n    {request}" for what, request in done.failures.items())


@pytest.mark.parametrize("service", SERVICES)
def test_generated_requests_meet_no_defect_no_undocumented_answer_and_no_open_door(
    service: str, open_house: Callable[[str], House]
) -> None:
    done = attack(open_house(service), cases=CASES)
    _is_clean(service, f"{done.operations} operations", done)
    assert done.cases > done.operations


@pytest.mark.parametrize("service", SERVICES)
def test_requests_that_go_on_with_what_was_answered_meet_none_either(
    service: str, open_house: Callable[[str], House]
) -> None:
    done = follow(open_house(service), chains=CASES)
    _is_clean(service, f"{done.links} links", done)
    assert done.links
    assert any(status < 300 for status in done.statuses)
