"""deploy/nginx.conf on Debian's nginx: only where things are differs from the container."""

import os
import re
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from bianmin.children import Child
from tests.debian import needs

ROOT = Path(__file__).parents[2]


@dataclass
class Nginx:
    """It listens on two ports of 127.0.0.1; `upstreams` says at which port each service's web process is.

    In `folder`: what it writes. In `secrets`: what deploy/secrets.sh made.
    """

    folder: Path
    secrets: Path
    tls: int
    plain: int
    upstreams: Mapping[str, int]

    def child(self) -> Child:
        """Its process, not yet started."""
        program = needs("nginx", "nginx-light")
        here = {
            "/run/secrets/": f"{self.secrets}/",
            "/tmp/": f"{self.folder}/",
            "listen 8443 ": f"listen 127.0.0.1:{self.tls} ",
            "listen 8080;": f"listen 127.0.0.1:{self.plain};",
            **{f"{service}-web:8000": f"127.0.0.1:{port}" for service, port in self.upstreams.items()},
        }
        said = (ROOT / "deploy/nginx.conf").read_text(encoding="utf-8")
        assert [word for word in here if word not in said] == []
        site = re.sub("|".join(map(re.escape, here)), lambda found: here[found[0]], said)
        self.folder.mkdir(exist_ok=True)
        file = self.folder / "nginx.conf"
        file.write_text(("user root;\n" if os.geteuid() == 0 else "") + site)
        argv = [program, "-p", str(self.folder), "-e", "stderr", "-c", str(file), "-g", "daemon off;"]
        return Child("proxy", argv, log=self.folder / "log")

    @property
    def url(self) -> str:
        return f"https://localhost:{self.tls}"

    @property
    def trust(self) -> ssl.SSLContext:
        """What a browser knows that trusts the installation's own authority."""
        return ssl.create_default_context(cafile=str(self.secrets / "ca.pem"))
