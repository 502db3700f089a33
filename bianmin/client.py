"""Talking to the four services as a person does: over HTTP, with his token, repeating safely what got no answer."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from itertools import count
from typing import Any
from uuid import uuid4

import httpx

PATIENCE_SECONDS = 60.0
"""How long a call is repeated while the service cannot be reached; the same Idempotency-Key takes effect once."""


class Refused(Exception):
    """A service said no, with an RFC 9457 problem."""

    def __init__(self, call: str, status: int, problem: dict[str, Any]) -> None:
        rule = f" [{problem['rule']}]" if problem.get("rule") else ""
        allowed = f" (allowed: {', '.join(problem['allowed'])})" if problem.get("allowed") else ""
        super().__init__(f"{call}: {status} {problem.get('detail', '')}{rule}{allowed}")
        self.status = status
        self.code = str(problem.get("type", "")).rpartition(":")[2]


@dataclass(frozen=True)
class Person:
    """Somebody who can act: his id at the company and his token."""

    id: str
    name: str
    role: str
    token: str


class Client:
    """The four services behind one address; closed at the end of a `with`."""

    def __init__(self, base_url: str, *, while_waiting: Callable[[], None] = lambda: None) -> None:
        self.base_url = base_url
        self.while_waiting = while_waiting
        self._acts = count()
        self.acts = 0
        """How many there have been; several threads may act at once."""
        self._http = httpx.Client(base_url=base_url, timeout=30)

    def __enter__(self) -> "Client":
        return self

    def __exit__(self, *_: object) -> None:
        self._http.close()

    def get(self, person: Person, path: str, **query: Any) -> Any:
        """Read, as `person`. Raises Refused."""
        return self._call("GET", path, person=person, params=query)

    def post(self, person: Person | None, path: str, **body: Any) -> Any:
        """Act, as `person`, with a new Idempotency-Key. Raises Refused."""
        self.acts = next(self._acts) + 1
        return self._call("POST", path, person=person, json=body or None, key=str(uuid4()))

    def pages(self, person: Person, path: str, **query: Any) -> list[Any]:
        """Every row of a paged list."""
        rows: list[Any] = []
        after: Any = None
        while True:
            page = self.get(person, path, limit=1000, **query, **({"after": after} if after else {}))
            rows += page["items"]
            after = page["next"]
            if after is None:
                return rows

    def _call(self, method: str, path: str, *, person: Person | None, key: str = "", **parts: Any) -> Any:
        headers = {"Authorization": f"Bearer {person.token}"} if person else {}
        if key:
            headers["Idempotency-Key"] = key
        give_up = time.monotonic() + PATIENCE_SECONDS
        while True:
            try:
                answer = self._http.request(method, path, headers=headers, **parts)
            except httpx.TransportError:
                if time.monotonic() > give_up:
                    raise
            else:
                if answer.is_success:
                    return answer.json()
                if answer.status_code != httpx.codes.SERVICE_UNAVAILABLE or time.monotonic() > give_up:
                    raise Refused(f"{method} {path}", answer.status_code, _problem(answer))
            self.while_waiting()
            time.sleep(0.2)


def _problem(answer: httpx.Response) -> dict[str, Any]:
    try:
        problem = answer.json()
    except ValueError:
        return {"detail": answer.text[:200]}
    return problem if isinstance(problem, dict) else {"detail": str(problem)}
