"""How many cases Hypothesis tries: few enough for every run, or as many as the environment says for a night."""

import os


def cases(usual: int) -> int:
    """The usual number of cases, or that of BIANMIN_CASES."""
    return int(os.environ.get("BIANMIN_CASES", usual))
