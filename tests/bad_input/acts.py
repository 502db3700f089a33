"""What every action must refuse, given only how to bring something to where the action is allowed."""

import re
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

from fastapi.routing import APIRoute, iter_route_contexts

from shared.ids import new_id
from shared.messages import Role
from tests.bad_input.house import OTHER, House, web_of
from tests.walls.off import checks_off

WRONG_AMOUNTS = (-1, 0, 2**53 + 1, 10.005, "12")
"""Negative, nothing, more than a double can hold, parts of a fen, and not a number at all."""

UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


OF_PEOPLE = ("/people/", "/duty-days/")
"""Acts on a person, who may work at several sites and is not walled: the service alone refuses them elsewhere."""


@dataclass(frozen=True)
class Call:
    """One request, ready to be sent: the path below /api, with ids in it, and the body (bytes: a file)."""

    path: str
    body: dict[str, Any] | bytes | None = None


@dataclass(frozen=True)
class Act:
    """An action: its route as declared, a role that may take it, and how to prepare something to take it on.

    `again` says why taking it twice is allowed; without it the second time is refused. `everywhere` says why the
    same role of another site may take it too. `zero` names amounts that may be nothing.
    """

    service: str
    route: str
    who: Role
    prepare: Callable[[House], Call]
    again: str = ""
    everywhere: str = ""
    zero: frozenset[str] = frozenset()

    def __str__(self) -> str:
        return f"{self.service} {self.route}"


def routes(service: str) -> dict[str, APIRoute]:
    """Every POST of a service's API by its path below /api."""
    found = iter_route_contexts(web_of(service).routes)
    return {
        str(context.path).removeprefix("/api"): context.original_route
        for context in found
        if isinstance(context.original_route, APIRoute)
        and "POST" in context.original_route.methods
        and str(context.path).startswith("/api")
    }


def with_each(body: Any, name: Callable[[str], bool], value: Any) -> Iterator[tuple[str, Any]]:
    """The body with one of its fields of that name, at any depth, replaced; one body for each such field."""

    def paths(part: Any, here: tuple[Any, ...]) -> Iterator[tuple[Any, ...]]:
        inner = part.items() if isinstance(part, dict) else enumerate(part) if isinstance(part, list) else ()
        for key, child in inner:
            if isinstance(key, str) and name(key) and child is not None and not isinstance(child, list | dict):
                yield (*here, key)
            yield from paths(child, (*here, key))

    for path in paths(body, ()):
        changed = deepcopy(body)
        part = changed
        for key in path[:-1]:
            part = part[key]
        part[path[-1]] = value
        yield str(path[-1]), changed


def refuses_what_cannot_be_meant(house: House, act: Act) -> None:
    """Wrong site, unknown ids, wrong amounts, fields nobody knows: refused, and nothing is said.

    Wrong roles are tried at every route by tests/security/test_permissions.py.
    """
    call = act.prepare(house)
    before = house.messages_said()
    if not act.everywhere:
        elsewhere = house.post(act.who + OTHER, call.path, call.body)
        assert elsewhere.status_code == 404, f"at another site: {elsewhere.text}"
    if not act.everywhere and not act.route.startswith(OF_PEOPLE):
        with checks_off():
            walled_off = house.post(act.who + OTHER, call.path, call.body)
        assert walled_off.status_code == 404, f"at another site, by the database alone: {walled_off.text}"
    if UUID.search(call.path):
        unknown = house.post(act.who, UUID.sub(str(new_id()), call.path), call.body)
        assert unknown.status_code == 404, f"unknown id: {unknown.text}"
    for field, body in with_each(call.body, lambda name: name.endswith("_id"), str(new_id())):
        answer = house.post(act.who, call.path, body)
        assert 400 <= answer.status_code < 500, f"unknown {field}: {answer.status_code} {answer.text}"
    for amount in WRONG_AMOUNTS:
        for field, body in with_each(call.body, lambda name: name.endswith("_fen"), amount):
            if amount == 0 and field in act.zero:
                continue
            answer = house.post(act.who, call.path, body)
            assert answer.status_code == 422, f"{field} {amount!r}: {answer.status_code} {answer.text}"
    if isinstance(call.body, dict):
        assert house.post(act.who, call.path, call.body | {"nonsense": 1}).status_code == 422
        assert house.post(act.who, call.path, "nonsense").status_code == 422
    assert house.messages_said() == before


def is_done_once(house: House, act: Act) -> None:
    """The same request again gets the same answer or is refused; another one on the same thing is refused.

    Nor does it make a job: only a notice of the desk does [R52-R54].
    """
    call = act.prepare(house)
    jobs = house.jobs_known()
    key = str(new_id())
    first = house.post(act.who, call.path, call.body, key=key)
    assert first.is_success, first.text
    assert house.jobs_known() == jobs
    said = house.messages_said()
    again = house.post(act.who, call.path, call.body, key=key)
    if again.headers.get("Idempotency-Replayed") == "true":
        assert (again.status_code, again.json()) == (first.status_code, first.json())
        assert house.messages_said() == said
        again = house.post(act.who, call.path, call.body)
    if act.again:
        assert again.is_success, f"{act.again}: {again.text}"
    else:
        assert again.status_code in (403, 404, 409), again.text
        assert house.messages_said() == said


def lets_one_of_two_win(house: House, act: Act) -> None:
    """Two at once: one wins and the other is told, or both are answered where it may be done again."""
    call = act.prepare(house)
    with ThreadPoolExecutor(2) as pool:
        answers = list(pool.map(lambda _: house.post(act.who, call.path, call.body), range(2)))
    won = [answer for answer in answers if answer.is_success]
    lost = [answer for answer in answers if not answer.is_success]
    assert won, [answer.text for answer in answers]
    assert all(answer.status_code in (403, 404, 409) for answer in lost), [answer.text for answer in lost]
    assert act.again or len(won) == 1, [answer.text for answer in answers]
