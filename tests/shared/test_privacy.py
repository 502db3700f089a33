"""What strangers are shown of owners [D26]."""

import pytest

from shared.privacy import mask_phone


@pytest.mark.parametrize(
    ("phone", "masked"), [("13800138000", "138****8000"), ("87654321", "876****4321"), ("87654", "****54")]
)
def test_a_masked_number_can_be_recognised_and_not_called(phone: str, masked: str) -> None:
    assert mask_phone(phone) == masked
