"""Folders of a test's own."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def reachable_folder() -> Iterator[Path]:
    """A folder that PostgreSQL's user reaches too, so that the database lives in it and goes with it.

    Its path is short enough for a socket's. What a killed process still writes as it goes fails no test.
    """
    with tempfile.TemporaryDirectory(prefix="bm-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        folder.chmod(0o755)
        yield folder
