"""What no description allows is refused, and no request whatever is a defect (ASVS 2.2.1-2.2.3, promise 23)."""

from collections.abc import Callable

import pytest
import structlog

from shared.db import SERVICES
from tests.bad_input.house import House
from tests.cases import cases
from tests.security.attack import attack

log = structlog.get_logger()


@pytest.mark.parametrize("service", SERVICES)
def test_generated_requests_meet_no_defect_no_undocumented_answer_and_no_open_door(
    service: str, open_house: Callable[[str], House]
) -> None:
    done = attack(open_house(service), cases=cases(6))
    log.info("attacked", service=service, cases=done.cases, operations=done.operations, statuses=dict(done.statuses))
    assert not done.failures, "\n".join(f"{what}\n    {how}" for what, how in done.failures.items())
    assert done.cases > done.operations
