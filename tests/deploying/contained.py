"""docker-compose.yml, run without an engine: each service a process in namespaces of its own, as a container is.

Of a container it has the root file system that nobody can write to, the user, no capability and no way to gain one, the
secrets, volumes and temporary folders at their places, the environment and nothing else of ours, an address of its own
with the names of the others in /etc/hosts, its command, its health check, and its turn. It has no bound of memory, and
its programs are this machine's: Debian's PostgreSQL, Redis and nginx, and the worktree instead of the image.
"""

import os
import shlex
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from bianmin.children import Child, wait_until
from tests.debian import needs

ROOT = Path(__file__).parents[2]
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))
NETWORK = "172.30.77"
"""One of those that BIANMIN_TRUSTED_PROXIES names."""

NAME = "bianmin.example.cn"
"""What people type into their browsers."""
NAMES = {"root": 0, "nginx": 101, "postgres": 999, "bianmin": 10001}
USERS = "".join(f"{name}:x:{number}:{number}::/:/bin/sh\n" for name, number in NAMES.items())
GROUPS = "".join(f"{name}:x:{number}:\n" for name, number in NAMES.items())
OURS = "10001:10001"
OWNERS = {"postgres": "999:999", "socket": "999:999", "redis": "999:999"} | dict.fromkeys(
    ("keys", "session-public", "session-private"), OURS
)
"""Whose a new volume is, as the image has the folder it is mounted at; root's by default."""

ENTRY = """#!/bin/sh
set -eu
case "$1" in
postgres) # before its first start; this PostgreSQL knows no provider of locales by the name `builtin`
    PGDATA=/var/lib/postgresql/18/docker
    export PGDATA
    if [ ! -e "$PGDATA/PG_VERSION" ]; then
        initdb --username="$POSTGRES_USER" --pwfile="$POSTGRES_PASSWORD_FILE" --auth=scram-sha-256 --auth-local=trust \\
            $(echo "$POSTGRES_INITDB_ARGS" | sed s/--locale-provider=builtin//)
        pg_ctl --options="-c listen_addresses=" --wait start
        createdb --username="$POSTGRES_USER" "$POSTGRES_DB"
        pg_ctl --wait stop
        echo "listen_addresses = '*'" >> "$PGDATA/postgresql.conf"
    fi
    ;;
redis-server) # this Redis has no CLIENT SETINFO
    sed -i 's/ +client|setinfo//' users.acl
    ;;
esac
exec "$@"
"""
"""The entry point of the images of PostgreSQL and Redis, as far as it does something."""


@dataclass
class Containers:
    """The services of the compose file, in `place`; `only` some of them."""

    place: Path
    only: tuple[str, ...]
    children: dict[str, Child] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.secrets = self.place / "secrets"
        self.addresses = {name: f"{NETWORK}.{number}" for number, name in enumerate(self.only, start=10)}
        self.programs = self.place / "programs"
        self.programs.mkdir()
        postgres = max(Path("/usr/lib/postgresql").glob("*/bin"))
        self.path = f"{self.programs}:{ROOT}/.venv/bin:{postgres}:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin"
        (self.programs / "redis-server").symlink_to(needs("redis-check-rdb", "redis-tools"))
        (self.programs / "redis-cli").symlink_to(needs("redis-cli", "redis-tools"))
        file = self.programs / "docker-entrypoint.sh"
        file.write_text(ENTRY)
        file.chmod(0o755)

    # --- the machine ---------------------------------------------------------------------------------------------

    @contextmanager
    def network(self) -> Iterator[None]:
        """A bridge, and one namespace for each service with an address on it."""
        run("ip", "link", "add", "bm-compose", "type", "bridge")
        try:
            run("ip", "address", "add", f"{NETWORK}.1/24", "dev", "bm-compose")
            run("ip", "link", "set", "bm-compose", "up")
            for number, (name, address) in enumerate(self.addresses.items()):
                space, outer = namespace(name), f"bm-c{number}"
                run("ip", "netns", "add", space)
                run("ip", "link", "add", outer, "type", "veth", "peer", "name", "eth0", "netns", space)
                run("ip", "link", "set", outer, "master", "bm-compose", "up")
                run("ip", "-n", space, "address", "add", f"{address}/24", "dev", "eth0")
                for link in ("lo", "eth0"):
                    run("ip", "-n", space, "link", "set", link, "up")
            yield
        finally:
            for name in self.addresses:
                subprocess.run(["ip", "netns", "delete", namespace(name)], check=False, capture_output=True)
            run("ip", "link", "delete", "bm-compose")

    # --- one service ---------------------------------------------------------------------------------------------

    def child(self, name: str) -> Child:
        """Its process, not yet started."""
        service = COMPOSE["services"][name]
        assert service["read_only"] is True
        assert service["cap_drop"] == ["ALL"]
        assert "cap_add" not in service
        assert service["security_opt"] == ["no-new-privileges:true"]
        folder = self.place / "roots" / name
        folder.mkdir(parents=True)
        script = self.place / "roots" / f"{name}.sh"
        script.write_text("\n".join(["set -eu", *self.mounts(name, folder)]) + f'\nexec chroot {folder} "$@"\n')
        log = self.place / "logs" / f"{name}.log"
        log.parent.mkdir(exist_ok=True)
        log.touch()
        log.chmod(0o666)  # /dev/stdout is opened anew by who is not root
        return Child(
            name,
            [
                *("ip", "netns", "exec", namespace(name), "unshare", "--mount", "sh", str(script)),
                *self.as_inside(name, [*self.entry(name), *service["command"]]),
            ],
            log=log,
            stop_signal=signal.SIGINT if name == "postgres" else signal.SIGTERM,
        )

    def mounts(self, name: str, root: Path) -> list[str]:
        """The lines of a script that make its root file system."""
        service = COMPOSE["services"][name]
        (etc := self.place / "etc").mkdir(exist_ok=True)
        (etc / "passwd").write_text(USERS)
        (etc / "group").write_text(GROUPS)
        hosts = [f"{address} {other}" for other, address in self.addresses.items() if self.meet(name, other)]
        (etc / f"hosts-{name}").write_text("\n".join(["127.0.0.1 localhost", *hosts]) + "\n")
        lines = [
            "mount --make-rprivate /",
            f"mount -t tmpfs -o mode=755 root {root}",
            f"for link in bin sbin lib lib64; do ln -s usr/$link {root}/$link; done",
            f"mkdir -p {root}/tmp {root}/run/secrets {root}/var {root}/etc",
            f"ln -s ../run {root}/var/run",
            bind("/usr", root, "/usr"),
            *(bind(f"/{part}", root, f"/{part}", "rbind") for part in ("proc", "dev")),
            *(
                bind(f"/etc/{part}", root, f"/etc/{part}")
                for part in ("ssl", "ld.so.cache", "nsswitch.conf", "alternatives")
            ),
            *(bind(str(etc / part), root, f"/etc/{part}") for part in ("passwd", "group")),
            bind(str(etc / f"hosts-{name}"), root, "/etc/hosts"),
        ]
        for spot in service["tmpfs"]:
            path, _, options = spot.partition(":")
            lines += [f"mkdir -p {root}{path}", f"mount -t tmpfs -o {options or 'mode=1777'} tmpfs {root}{path}"]
        for here in {ROOT, Path(sys.base_prefix), self.programs}:
            lines.append(bind(str(here), root, str(here)))
        for secret in service.get("secrets", []):
            source, target = (secret, secret) if isinstance(secret, str) else (secret["source"], secret["target"])
            lines.append(bind(str(self.secrets / source), root, f"/run/secrets/{target}"))
        for volume in service.get("volumes", []):
            lines.append(self.volume(volume, root))
        lines.append(f"mount -o remount,ro {root}")
        return lines

    def meet(self, one: str, other: str) -> bool:
        """Whether they are in a network of both, so that one knows the other's name."""
        services = COMPOSE["services"]
        return bool({*services[one]["networks"]} & {*services[other]["networks"]})

    def volume(self, volume: str | Mapping[str, Any], root: Path) -> str:
        """The line that mounts it."""
        if isinstance(volume, str):
            source, target, *mode = volume.split(":")
            read_only, subpath = mode == ["ro"], ""
        else:
            source, target, subpath = volume["source"], volume["target"], volume["volume"]["subpath"]
            read_only = volume["read_only"]
        if source.startswith("./"):
            return bind(str(ROOT / source), root, target)
        folder = self.place / "volumes" / source
        if not folder.exists():
            folder.mkdir(parents=True)
            uid, gid = OWNERS.get(source, "0:0").split(":")
            os.chown(folder, int(uid), int(gid))
        return bind(str(folder / subpath), root, target, "bind" if not read_only else "bind,ro")

    def entry(self, name: str) -> list[str]:
        """What its image starts before its command."""
        return ["docker-entrypoint.sh"] if image_of(name) in {"postgres", "redis"} else []

    def as_inside(self, name: str, command: list[str]) -> list[str]:
        """A command with its environment and as its user, without capabilities."""
        service = COMPOSE["services"][name]
        user, group = str(service.get("user", OURS)).split(":")
        said = {key: str(value) for key, value in service.get("environment", {}).items()}
        environment = {"PATH": self.path, "PYTHONPATH": str(ROOT), "LANG": "C.UTF-8", "HOME": "/"} | said
        place = service.get("working_dir", str(ROOT))
        return [
            *("env", "-i", "-C", place, *(f"{key}={value}" for key, value in environment.items())),
            *("setpriv", f"--reuid={user}", f"--regid={group}", "--clear-groups", "--inh-caps=-all"),
            *("--bounding-set=-all", "--no-new-privs", "--pdeathsig=KILL", *command),
        ]

    # --- all of them ---------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Each when those it depends on are as far as it asks, and the one before it is healthy: two cores are few."""
        waiting = list(self.only)
        while waiting:
            name = next(
                one for one in waiting if not set(COMPOSE["services"][one].get("depends_on", {})) & set(waiting)
            )
            waiting.remove(name)
            for other, asked in COMPOSE["services"][name].get("depends_on", {}).items():
                self.await_condition(other, asked["condition"])
            self.children[name] = self.child(name)
            self.children[name].start()
            if COMPOSE["services"][name]["healthcheck"] != {"disable": True}:
                self.await_condition(name, "service_healthy")

    def await_condition(self, name: str, condition: str) -> None:
        child = self.children[name]
        if condition == "service_completed_successfully":
            wait_until(f"{name} to end", lambda: not child.alive, seconds=600)
            assert child.process is not None
            assert child.process.returncode == 0, child.tail()
        else:
            assert condition == "service_healthy"
            wait_until(f"{name} to be healthy", lambda: not child.alive or self.healthy(name), seconds=600, every=0.5)
            assert child.alive, child.tail()

    def healthy(self, name: str) -> bool:
        """What its health check says."""
        kind, *rest = COMPOSE["services"][name]["healthcheck"]["test"]
        command = ["sh", "-c", rest[0].replace("$$", "$")] if kind == "CMD-SHELL" else rest
        return self.inside(name, command).returncode == 0

    def inside(self, name: str, command: list[str]) -> subprocess.CompletedProcess[str]:
        """A command run in its container, as `docker compose exec` runs it."""
        process = self.children[name].process
        assert process is not None
        enter = ["nsenter", "--target", str(process.pid), "--mount", "--net", "--root", "--wd"]
        return subprocess.run(
            [*enter, *self.as_inside(name, command)], capture_output=True, text=True, check=False, timeout=60
        )

    def stop(self) -> None:
        for child in reversed(self.children.values()):
            child.stop()


@contextmanager
def containers(place: Path, *only: str) -> Iterator[Containers]:
    """Those services, started in their order; stopped at the end."""
    needs("ip", "iproute2")
    needs("nginx", "nginx-light")
    needs("pg_ctlcluster", "postgresql")
    needs("curl", "curl")
    made = Containers(place, only)
    try:
        subprocess.run(
            ["sh", str(ROOT / "deploy/secrets.sh"), str(made.secrets), NAME],
            check=True,
            capture_output=True,
        )
        subprocess.run(
            [sys.executable, "-m", "bianmin", "data-key", "new", str(made.secrets / "data-keys")], check=True
        )
        shutil.chown(made.secrets / "data-keys", 10001, 10001)
        made.secrets.chmod(0o755)
        with made.network():
            try:
                made.start()
                yield made
            finally:
                made.stop()
    finally:
        shutil.rmtree(place, ignore_errors=True)


def image_of(name: str) -> str:
    """'postgres' of 'postgres:18.6-trixie'."""
    return str(COMPOSE["services"][name]["image"]).split(":")[0]


def namespace(name: str) -> str:
    return f"bm-{name}"


def bind(source: str, root: Path, target: str, how: str = "bind,ro") -> str:
    """The line that shows `source` at `target` inside; makes what it is mounted at."""
    place = shlex.quote(f"{root}{target}")
    make = f"[ -d {source} ] && mkdir -p {place} || {{ mkdir -p $(dirname {place}); [ -e {place} ] || touch {place}; }}"
    kind, *flags = how.split(",")
    again = f"; mount -o remount,bind,ro {place}" if flags else ""
    return f"{make}; mount --{kind} {source} {place}{again}"


def run(*command: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{shlex.join(command)}: {done.stderr}"
