"""Programs of Debian that some tests need: found, or installed where we are root, or the test says what it lacks."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest


def needs(program: str, package: str) -> str:
    """The path of a program, or of a file named whole; installs its Debian package when it is missing and we are root.

    Otherwise the test is skipped, and says what it lacks.
    """
    found = _where(program)
    if not found and os.geteuid() == 0 and shutil.which("apt-get"):
        patient = ("-o", "DPkg::Lock::Timeout=300")  # another part of the suite may be installing something
        subprocess.run(
            ["apt-get", *patient, "install", "-y", "--no-install-recommends", package], capture_output=True, check=False
        )
        found = _where(program)
    if not found:
        pytest.skip(f"needs {program}: install the Debian package {package}")
    return found


def _where(program: str) -> str | None:
    """Servers lie where an ordinary PATH does not look."""
    named_whole = program if Path(program).is_absolute() and Path(program).exists() else None
    return named_whole or shutil.which(program) or shutil.which(program, path="/usr/sbin")
