"""Every deadline, policy and setting has a word on the pages that all services have."""

from importlib import import_module

import pytest

from shared.db import SERVICES
from shared.ui.told import DEADLINES, POLICIES


@pytest.mark.parametrize("service", SERVICES)
def test_every_deadline_has_a_word(service: str, template: str) -> None:
    tasks = import_module(f"services.{service}.tasks").tasks
    assert {deadline.kind for deadline in tasks.deadlines} <= DEADLINES.keys()


def test_every_policy_and_setting_has_a_word_and_no_other_has(template: str) -> None:
    policies = [policy for service in SERVICES for policy in import_module(f"services.{service}.main").POLICIES]
    settings = {f"{policy.__name__}.{name}" for policy in policies for name in policy.model_fields}
    assert settings | {policy.__name__ for policy in policies} == POLICIES.keys()
