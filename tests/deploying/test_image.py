"""deploy/Dockerfile: linted, pinned, and holding what it runs. `make image` builds it."""

import re
import subprocess
import sysconfig
import tomllib
from pathlib import Path

from tests.deploying.test_compose import EXACT

ROOT = Path(__file__).parents[2]
DOCKERFILE = (ROOT / "deploy/Dockerfile").read_text(encoding="utf-8")
HADOLINT = str(Path(sysconfig.get_path("scripts")) / "hadolint")


def lint(dockerfile: str) -> tuple[int, str]:
    done = subprocess.run([HADOLINT, "-"], input=dockerfile, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout


def test_hadolint_finds_nothing_and_would_find_something() -> None:
    assert lint(DOCKERFILE) == (0, "")
    assert "DL3025" in lint(DOCKERFILE.replace('CMD ["python", "-m", "bianmin", "--help"]', "CMD python"))[1]
    assert "DL3066" in lint(DOCKERFILE.replace("USER 10001:10001", "USER bianmin"))[1]


def test_its_base_is_pinned_and_its_user_is_not_root() -> None:
    (base,) = re.findall(r"^ARG BASE=(\S+)$", DOCKERFILE, re.M)
    assert EXACT.fullmatch(base)
    assert set(re.findall(r"^FROM (\S+)", DOCKERFILE, re.M)) == {"${BASE}"}
    assert re.findall(r"^USER (\S+)$", DOCKERFILE, re.M) == ["10001:10001"]


def test_what_installs_and_builds_stays_in_the_first_stage() -> None:
    first, last = re.split(r"^FROM .*$", DOCKERFILE, flags=re.M)[1:]
    assert (
        first.count("--require-hashes --no-deps") == first.count("pip install") + first.count("bin/python install") == 2
    )
    assert not re.search(r"pip|npm|apt-get|curl|ADD ", last)
    assert re.findall(r"^COPY (.+)$", last, re.M) == ["--from=build /app /app"]


def test_it_holds_what_it_runs() -> None:
    ignored = (ROOT / ".dockerignore").read_text(encoding="utf-8")
    for names in re.findall(r"^COPY (?!--from)(.+) \S+$", DOCKERFILE, re.M):
        for path in names.split():
            assert (ROOT / path).exists(), path
            assert f"!{path}" in ignored.splitlines(), path


def test_what_fetches_the_browsers_files_is_locked_as_it_is_for_development() -> None:
    group = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["dependency-groups"]["build"]
    locked = {name: pins(ROOT / name) for name in ("deploy/build.lock", "requirements-dev.lock")}
    assert {re.split(r"[><=]", one)[0] for one in group} <= set(locked["deploy/build.lock"])
    assert locked["deploy/build.lock"].items() <= locked["requirements-dev.lock"].items()


def pins(file: Path) -> dict[str, str]:
    return dict(re.findall(r"^([a-z0-9-]+)==(\S+)", file.read_text(encoding="utf-8"), re.M))
