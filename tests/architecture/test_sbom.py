"""The bill of materials has what the locks pin, and is CycloneDX (ASVS 15.1.2)."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

from tests.architecture.sbom import LOCK, bill, browser_components

NPM = {
    "packages": {
        "": {"name": "ours"},
        "node_modules/htmx.org": {"version": "2.0.4"},
        "node_modules/@scope/part": {"version": "1.0.0"},
        "node_modules/checker": {"version": "3.0.0", "dev": True},
    }
}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    npm = tmp_path_factory.mktemp("npm") / "package-lock.json"
    npm.write_text(json.dumps(NPM))
    return bill(npm)


def test_the_bill_is_valid_against_the_schema_of_cyclonedx(made: dict[str, Any]) -> None:
    validator = JsonStrictValidator(SchemaVersion.from_version(made["specVersion"]))
    assert validator.validate_str(json.dumps(made)) is None
    assert validator.validate_str(json.dumps(made | {"components": [{"name": "of no type"}]})) is not None


def test_every_pinned_package_is_in_the_bill_with_its_version_and_hashes(made: dict[str, Any]) -> None:
    pinned = re.findall(r"^([A-Za-z0-9._-]+)==([^\s;\\]+)", LOCK.read_text(encoding="utf-8"), re.MULTILINE)
    assert len(pinned) > 50
    python = [c for c in made["components"] if c["purl"].startswith("pkg:pypi/")]
    assert sorted((c["name"], c["version"]) for c in python) == sorted(pinned)
    assert all(c["externalReferences"][0]["hashes"] for c in python)


def test_what_browsers_run_is_in_it_too_and_what_only_checks_it_is_not(made: dict[str, Any], tmp_path: Path) -> None:
    npm = [c["purl"] for c in made["components"] if c["purl"].startswith("pkg:npm/")]
    assert npm == ["pkg:npm/%40scope/part@1.0.0", "pkg:npm/htmx.org@2.0.4"]
    assert browser_components(tmp_path / "none.json") == []
