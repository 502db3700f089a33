"""How many cases a test tries: the usual number, or what BIANMIN_CASES says, as `make nightly` does."""

import os


def cases(usual: int) -> int:
    """The number of cases to try: BIANMIN_CASES where it is set, else `usual`."""
    return int(os.environ.get("BIANMIN_CASES", usual))
