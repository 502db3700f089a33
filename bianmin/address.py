"""Where a running installation is found."""

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path

from bianmin.engines import CannotStart


@dataclass(frozen=True)
class Address:
    """Where a running installation is found; kept in the data folder for the other commands."""

    base_url: str
    database_url: str
    broker_url: str
    founder_secret: str
    pid: int

    def write(self, data: Path) -> None:
        """Keep it, readable by the owner of the folder alone."""
        half = data / "address.new"
        half.unlink(missing_ok=True)
        with os.fdopen(os.open(half, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "w") as file:
            json.dump(asdict(self), file)
        half.rename(data / "address.json")  # whole or not at all

    @classmethod
    def read(cls, data: Path) -> "Address":
        """Raises CannotStart when nothing runs in this data folder."""
        try:
            address = cls(**json.loads((data / "address.json").read_text()))
            os.kill(address.pid, 0)  # a killed installation could not remove its address
        except (FileNotFoundError, ProcessLookupError):
            raise CannotStart(f"nothing runs in {data}: start it with `bianmin up`") from None
        return address
