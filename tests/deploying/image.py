"""`make image`: deploy/Dockerfile built without an engine, and the image tried as a container runs it.

As root, on Debian. The base is not that of Docker Hub: debootstrap makes one of Debian's packages.
"""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parents[2]
BUILDAH = ("buildah", "--storage-driver", "overlay")
PACKAGES = "ca-certificates,python3,python3-venv"
CERTIFICATES = "/etc/ssl/certs"
BASE = f"""FROM scratch
ADD base.tar /
ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
ENV PIP_CERT={CERTIFICATES}/ca-certificates.crt NODE_EXTRA_CA_CERTS={CERTIFICATES}/ca-certificates.crt
"""
"""Whom this machine trusts, the build trusts too."""

TRY = """
set -eu
mount --make-rprivate /
mount --bind "$1" "$1"
mount -t tmpfs -o mode=1777 tmp "$1/tmp"
mount --rbind /proc "$1/proc"
mount --rbind /dev "$1/dev"
mount -o remount,bind,ro "$1"
root=$1
shift
exec chroot "$root" env -i -C /app PATH=/app/.venv/bin:/usr/bin:/bin PYTHONPATH=/app HOME=/ \\
    setpriv --reuid=10001 --regid=10001 --clear-groups --inh-caps=-all --bounding-set=-all --no-new-privs "$@"
"""


def run(*command: str) -> str:
    """Raises CalledProcessError when it fails; what it says of itself goes through."""
    return subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True).stdout.strip()


def inside(root: str, *command: str) -> subprocess.CompletedProcess[str]:
    """A command in the image: nothing to write to but /tmp, its user, no capability."""
    enter = ["unshare", "--mount", "sh", "-c", TRY, "sh", root, *command]
    return subprocess.run(enter, capture_output=True, text=True, check=False)


def build(folder: Path) -> None:
    """The base, and ours upon it."""
    run("debootstrap", "--variant=minbase", f"--include={PACKAGES}", "bookworm", str(folder / "base"))
    (folder / "base/usr/bin/python").symlink_to("python3")
    left = ["--exclude=./var/cache/apt/archives/*.deb", "--exclude=./var/lib/apt/lists/*"]
    run("tar", "-C", str(folder / "base"), *left, "-cf", str(folder / "base.tar"), ".")
    (folder / "Dockerfile").write_text(BASE)
    chroot = ("build", "--quiet", "--isolation", "chroot")
    run(*BUILDAH, *chroot, "--tag", "localhost/bianmin-base", str(folder))
    certificates = ("--volume", f"{CERTIFICATES}:{CERTIFICATES}:ro")
    given = ("--build-arg", "BASE=localhost/bianmin-base", "--file", "deploy/Dockerfile")
    run(*BUILDAH, *chroot, *certificates, *given, "--tag", "bianmin:latest", ".")


def tried(root: str) -> list[str]:
    """What is not as it should be, in sentences."""
    wrong = []
    helped = inside(root, "python", "-m", "bianmin", "--help")
    if helped.returncode or "prepare" not in helped.stdout:
        wrong.append(f"the command does not run: {helped.stderr}")
    services = [f"services.{service}.main" for service in ("intake", "dispatch", "finance", "hr")]
    settings = [
        "BIANMIN_DATABASE_URL=postgresql+psycopg://x@localhost/x",
        "BIANMIN_BROKER_URL=redis://localhost/0",
        "BIANMIN_ALLOW_WEAK_SECRETS=true",  # nothing is asked of either
    ]
    imported = inside(root, "env", *settings, "python", "-c", f"import {', '.join(services)}")
    if imported.returncode:
        wrong.append(f"a service cannot be imported: {imported.stderr}")
    papers = inside(root, "python", "-c", "import shared.ui.papers.engine, shared.ui.assets")
    if papers.returncode:
        wrong.append(f"papers or pages cannot be drawn: {papers.stderr}")
    for path in ("/app/x", "/app/shared/ui/static/x", "/etc/x", "/keys/x"):
        if inside(root, "touch", path).returncode == 0:
            wrong.append(f"{path} can be written")
    for program in ("pip", "npm", "node", "gcc", "cc", "curl", "git"):
        if inside(root, "sh", "-c", f"command -v {program}").returncode == 0:
            wrong.append(f"{program} is in the image")
    if (found := {path.name for path in Path(root, "app/shared/ui/static/vendor").iterdir()}) != {
        "htmx.min.js",
        "signature_pad.umd.min.js",
    }:
        wrong.append(f"the browser's files are {found}")
    if not list(Path(root, "app/bianmin/__pycache__").glob("cli.*.pyc")):
        wrong.append("there is no bytecode, and nobody can write it")
    return wrong


def main() -> int:
    """Exit code 1 when something is wrong."""
    if os.geteuid() != 0:
        sys.stderr.write("only root makes root file systems\n")
        return 2
    subprocess.run(["apt-get", "install", "-y", "-q", "--no-install-recommends", "buildah", "debootstrap"], check=True)
    with tempfile.TemporaryDirectory(dir="/var/tmp") as folder:
        build(Path(folder))
    container = run(*BUILDAH, "from", "bianmin:latest")
    try:
        wrong = tried(run(*BUILDAH, "mount", container))
    finally:
        run(*BUILDAH, "rm", container)
    sizes = run(*BUILDAH, "images", "--format", "{{.Name}} {{.Size}}")
    sys.stdout.write("\n".join([*wrong, sizes, "as it should be" if not wrong else "WRONG"]) + "\n")
    return int(bool(wrong))


if __name__ == "__main__":
    sys.exit(main())
