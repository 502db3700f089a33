"""`make sbom` writes the bill of materials: every package the product runs with, as CycloneDX JSON (ASVS 15.1.2).

What Python runs is what requirements.lock pins; what browsers run, where there is any, what package-lock.json does.
"""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent.parent
LOCK = ROOT / "requirements.lock"
BROWSER_LOCK = ROOT / "package-lock.json"


def bill(browser_lock: Path = BROWSER_LOCK) -> dict[str, Any]:
    """The bill, the same for the same locks."""
    argv = [sys.executable, "-W", "ignore", "-m", "cyclonedx_py", "requirements", str(LOCK), "--output-reproducible"]
    argv += ["--pyproject", str(ROOT / "pyproject.toml"), "--of", "JSON", "-o", "-"]
    made: dict[str, Any] = json.loads(subprocess.run(argv, check=True, capture_output=True, text=True).stdout)
    for component in made["components"]:
        component.pop("description")  # the line of the lock, again
    made["components"] += browser_components(browser_lock)
    return made


def browser_components(lock: Path) -> list[dict[str, Any]]:
    """The packages of npm that are not for development alone."""
    if not lock.exists():
        return []
    packages = json.loads(lock.read_text(encoding="utf-8"))["packages"]
    return [
        {
            "bom-ref": f"package-lock:{path}",
            "name": path.rpartition("node_modules/")[2],
            "purl": f"pkg:npm/{path.rpartition('node_modules/')[2].replace('@', '%40')}@{package['version']}",
            "type": "library",
            "version": package["version"],
        }
        for path, package in sorted(packages.items())
        if path and not package.get("dev")
    ]


if __name__ == "__main__":
    target = ROOT / "results" / "sbom.json"
    target.parent.mkdir(exist_ok=True)
    target.write_text(json.dumps(bill(), ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    sys.stdout.write(f"{target.relative_to(ROOT)}\n")
