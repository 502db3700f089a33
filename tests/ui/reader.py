"""Who reads pages, without a browser: he opens pages of a service and sends its forms as a browser would."""

import re
from dataclasses import dataclass
from datetime import datetime
from html import unescape
from typing import Any
from zoneinfo import ZoneInfo

from httpx2 import Response

from shared.ids import new_id
from tests.bad_input.house import House
from tests.people import ZONE


@dataclass
class Reader:
    """The pages of a house's service, as `who` sees them in a language."""

    house: House
    who: str
    language: str = "zh"

    @property
    def _headers(self) -> dict[str, str]:
        return {
            "Authorization": f"Bearer {self.who}",
            "Accept": "text/html",
            "Accept-Language": self.language,
        }

    def opens(self, path: str) -> Response:
        """A page by its path, with the service's name before it or without."""
        return self.house.client.get(self._own(path), headers=self._headers, follow_redirects=False)

    def sends(
        self, path: str, form: dict[str, Any], *, key: str = "", file: tuple[str, bytes] | None = None
    ) -> Response:
        """Send a form; the same key is the same form sent again."""
        sent = {**form, "key": key or str(new_id())}
        files = {"file": file} if file else None
        return self.house.client.post(
            self._own(path), data=sent, files=files, headers=self._headers, follow_redirects=False
        )

    def _own(self, path: str) -> str:
        return path.removeprefix(f"/{self.house.service}")


def words_of(answer: Response) -> str:
    """What a page says, without its markup; fails where the page is none."""
    assert answer.headers["content-type"].startswith("text/html"), answer.text[:300]
    bare = re.sub(r"<(script|style).*?</\1>", "", answer.text, flags=re.DOTALL)
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", bare)).split())


def filled(body: Any, zone: str = ZONE) -> dict[str, Any]:
    """A body of the API as a browser fills in the form of it: dotted names, yuan, times of the site's wall."""
    form: dict[str, Any] = {}

    def fill(part: Any, name: str) -> None:
        if isinstance(part, dict):
            for key, value in part.items():
                fill(value, f"{name}.{key}" if name else key)
        elif isinstance(part, list) and part and isinstance(part[0], dict):
            for number, row in enumerate(part):
                fill(row, f"{name}.{number}")
        elif isinstance(part, list):
            form[name] = [str(one) for one in part]
        elif part is not None:
            form[name] = _as_written(name, part, zone)

    fill(body, "")
    return form


def _as_written(name: str, value: Any, zone: str) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if name.endswith("_fen"):
        return f"{value / 100:.2f}"
    if isinstance(value, str) and re.match(r"\d{4}-\d\d-\d\dT", value):
        return datetime.fromisoformat(value).astimezone(ZoneInfo(zone)).strftime("%Y-%m-%dT%H:%M")
    return str(value)
