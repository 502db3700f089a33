"""A RabbitMQ of Debian's package for tests: its own node, ports, folder, cookie and port mapper, and all gone after."""

import contextlib
import json
import os
import signal
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path

import trustme

from bianmin.children import Child, wait_until
from shared.broker import queue_lengths
from tests.debian import needs
from tests.recovery.test_containers import free_port


class RabbitServer:
    """One node. Its queues are on disk, as of the real one, so it can be killed and started again."""

    def __init__(self, folder: Path, definitions: Mapping[str, object]) -> None:
        needs("rabbitmq-server", "rabbitmq-server")
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.port, self.tls_port = free_port(), free_port()
        self._epmd_port, self._dist_port = free_port(), free_port()
        self._node = f"bianmin{self.port}@localhost"
        self._process: subprocess.Popen[bytes] | None = None
        (folder / "definitions.json").write_text(json.dumps(definitions))
        (folder / "plugins").write_text("[].")
        lines = [
            f"listeners.tcp.1 = 127.0.0.1:{self.port}",
            f"listeners.ssl.1 = 127.0.0.1:{self.tls_port}",
            "ssl_options.versions.1 = tlsv1.3",
            "ssl_options.versions.2 = tlsv1.2",
            *(f"ssl_options.{name} = {path}" for name, path in self._certificate().items()),
            f"load_definitions = {folder / 'definitions.json'}",
            "vm_memory_high_watermark.relative = 0.8",
        ]
        (folder / "rabbitmq.conf").write_text("\n".join([*lines, ""]))
        self._epmd = Child(
            "epmd", [needs("epmd", "erlang-base"), "-port", str(self._epmd_port)], log=folder / "epmd.log"
        )

    def _certificate(self) -> dict[str, Path]:
        """Of an authority of its own, for the name localhost."""
        authority = trustme.CA()
        own = authority.issue_cert("localhost")
        files = {name: self.folder / f"{name}.pem" for name in ("cacertfile", "certfile", "keyfile")}
        authority.cert_pem.write_to_path(files["cacertfile"])
        own.cert_chain_pems[0].write_to_path(files["certfile"])
        own.private_key_pem.write_to_path(files["keyfile"])
        return files

    def plain_url(self, account: str, password: str) -> str:
        """Where an account finds it on this machine, without TLS."""
        return f"amqp://{account}:{password}@127.0.0.1:{self.port}/bianmin"

    def url(self, account: str, password: str, *, ca: Path | None = None, host: str = "localhost") -> str:
        """Where an account finds it, as from another machine."""
        proof = f"ssl_cert_reqs=required&ssl_ca_certs={ca or self.folder / 'cacertfile.pem'}"
        return f"amqps://{account}:{password}@{host}:{self.tls_port}/bianmin?{proof}"

    def start(self) -> None:
        """Start it, without waiting."""
        if not self._epmd.alive:
            self._epmd.start()
        environment = {
            **os.environ,
            "HOME": str(self.folder),
            "ERL_EPMD_PORT": str(self._epmd_port),
            "RABBITMQ_NODENAME": self._node,
            "RABBITMQ_DIST_PORT": str(self._dist_port),
            "RABBITMQ_MNESIA_BASE": str(self.folder / "mnesia"),
            "RABBITMQ_LOG_BASE": str(self.folder / "log"),
            "RABBITMQ_CONFIG_FILE": str(self.folder / "rabbitmq.conf"),
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(self.folder / "plugins"),
            "RABBITMQ_CONF_ENV_FILE": str(self.folder / "none"),
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "+S 2:2 +sbwt none",
        }
        with (self.folder / "server.log").open("ab") as log:
            self._process = subprocess.Popen(
                ["/usr/lib/rabbitmq/bin/rabbitmq-server"],
                env=environment,
                stdout=log,
                stderr=log,
                stdin=subprocess.DEVNULL,
                start_new_session=True,
            )

    def await_up(self, url: str) -> None:
        """Wait until it answers an account."""

        def answers_or_ended() -> bool:
            assert self._process is not None
            assert self._process.poll() is None, (self.folder / "server.log").read_text(errors="replace")[-2000:]
            return queue_lengths(url, ["hr"]) is not None

        wait_until("RabbitMQ to answer", answers_or_ended, seconds=300, every=0.2)

    def kill(self) -> None:
        """kill -9 of all its processes."""
        if self._process is None:
            return
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        self._process = None

    def stop(self) -> None:
        """It and its port mapper."""
        self.kill()
        self._epmd.stop()


@contextlib.contextmanager
def rabbitmq(folder: Path, definitions: Mapping[str, object]) -> Iterator[RabbitServer]:
    """A server that starts, and is gone at the end."""
    server = RabbitServer(folder, definitions)
    try:
        server.start()
        yield server
    finally:
        server.stop()
