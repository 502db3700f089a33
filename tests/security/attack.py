"""Generated requests, lawful and unlawful, against every operation of every service's OpenAPI description.

BIANMIN_CASES asks for so many cases an operation; the suite asks for a few. An answer must be of a documented status
and of the documented shape, and no defect; what does not fit the description must be refused. `attack` sends each
request for itself; `follow` goes on with what was answered, along the links schemathesis finds between operations.
"""

import random
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any
from unittest import SkipTest

import schemathesis
from fastapi.routing import APIRoute, iter_route_contexts
from httpx2 import Response
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis.errors import Flaky, Unsatisfiable
from schemathesis import Case, GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.core.failures import FailureGroup
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    negative_data_rejection,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from shared.errors import Problem
from shared.ids import new_id
from tests.bad_input.acts import UUID
from tests.bad_input.house import OTHER, House, web_of
from tests.bad_input.test_acts import ACTS

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]


@dataclass
class Attacked:
    """What became of an attack: how many cases had which status, and every distinct failure with its request."""

    operations: int = 0
    links: int = 0
    cases: int = 0
    statuses: Counter[int] = field(default_factory=Counter)
    failures: dict[str, str] = field(default_factory=dict)

    def add(self, other: "Attacked") -> None:
        self.operations += other.operations
        self.links += other.links
        self.cases += other.cases
        self.statuses.update(other.statuses)
        self.failures.update(other.failures)


def attack(house: House, *, cases: int, first_seed: int = 1) -> Attacked:
    """So many cases against each operation of a service, half of them lawful as far as the description says."""
    done = Attacked()
    schema = schemathesis.openapi.from_dict(web_of(house.service).openapi())
    chance = random.Random(first_seed)
    things = _things(house)
    for found in schema.get_all_operations():
        operation = found.ok()
        done.operations += 1
        roles = _roles(house, operation.method.upper(), operation.path)
        for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE):
            for case in _cases(operation, mode, max(1, cases // 2), first_seed):
                if mode == GenerationMode.POSITIVE:
                    case.path_parameters = _with_things(case.path_parameters, things, chance)
                    case.body = _with_things(case.body, things, chance)
                # a lawful case whose ids were replaced is taken for an unlawful one by what made it
                checks = CHECKS if mode == GenerationMode.POSITIVE else [*CHECKS, negative_data_rejection]
                _send(house, case, checks, chance.choice(roles) + chance.choice(("", OTHER)), done)
    return done


STEPS = 10
"""How far a chain of requests goes at most."""

AT_ONCE = 10
"""Chains of one seed."""


def follow(house: House, *, chains: int, first_seed: int = 1) -> Attacked:
    """So many chains of requests: each step takes what an answer before it said, or begins anew.

    The links are those schemathesis finds in the description: what creates, lists or shows a thing, to what is done
    with it.
    """
    done = Attacked()
    schema = schemathesis.openapi.from_dict(web_of(house.service).openapi())
    done.links = schema.analysis.inject_links()
    chance = random.Random(first_seed)
    things = _things(house)

    class Chain(schema.as_state_machine()):  # type: ignore[misc]
        """One chain; a failure is written down, and the chain goes on."""

        def setup(self) -> None:
            self.side = chance.choice(("", "", "", OTHER))

        def before_call(self, case: Case) -> None:
            case.path_parameters = _with_things(case.path_parameters, things, chance)
            case.body = _with_things(case.body, things, chance)

        def call(self, case: Case, **_: Any) -> Any:
            unlawful = case.meta is not None and case.meta.generation.mode == GenerationMode.NEGATIVE
            checks = [*CHECKS, negative_data_rejection] if unlawful else CHECKS
            roles = _roles(house, case.operation.method.upper(), case.operation.path)
            answer = _send(house, case, checks, chance.choice(roles) + self.side, done)
            if answer.is_success:
                things.extend({found[0] for found in UUID.finditer(answer.text)}.difference(things))
            return schemathesis.Response.from_any(answer)

        def validate_response(self, *_: Any, **__: Any) -> None:
            """Done where it was sent, for the first failure must not end the attack."""

    for first in range(0, chains, AT_ONCE):
        asked = settings(
            max_examples=min(AT_ONCE, chains - first),
            stateful_step_count=STEPS,
            database=None,
            deadline=None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        with suppress(Flaky):  # what is answered differs from chain to chain: hypothesis ends, the next seed goes on
            seed(first_seed + first)(Chain).run(settings=asked)
    return done


def _things(house: House) -> list[str]:
    """The ids of all there is after every action of the service was prepared for: a case may mean one of them."""
    for act in ACTS:
        if act.service == house.service:
            with suppress(AssertionError, Problem, SQLAlchemyError):  # some cannot stand together
                act.prepare(house)
    with house.session() as session:
        tables = session.execute(text(_TABLES), {"service": house.service}).scalars().all()
        found = [
            session.execute(text(f"SELECT id::text FROM {table} ORDER BY id LIMIT 20")).scalars() for table in tables
        ]
        return sorted({id_ for ids in found for id_ in ids})


_TABLES = """
    SELECT table_name FROM information_schema.columns
    WHERE table_schema = :service AND column_name = 'id' AND data_type = 'uuid' ORDER BY table_name
"""


def _with_things(part: Any, things: list[str], chance: random.Random) -> Any:
    """The same with half of the ids of nothing replaced by those of something that exists."""
    if isinstance(part, dict):
        return {key: _with_things(value, things, chance) for key, value in part.items()}
    if isinstance(part, list):
        return [_with_things(value, things, chance) for value in part]
    if isinstance(part, str) and UUID.fullmatch(part) and part not in things and chance.random() < 0.5:
        return chance.choice(things)
    return part


def _cases(operation: Any, mode: GenerationMode, number: int, first_seed: int) -> Iterator[Case]:
    """The cases first, the requests afterwards: what a service answers changes nothing of what it is sent."""
    drawn: list[Case] = []

    @seed(first_seed)
    @settings(
        max_examples=number,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(operation.as_strategy(generation_mode=mode))
    def draw(case: Case) -> None:
        drawn.append(case)

    try:
        draw()
    except (Unsatisfiable, SkipTest):
        return  # an operation without parameters cannot be asked unlawfully
    yield from drawn


def _roles(house: House, method: str, path: str) -> list[str]:
    """Who may take the operation; anybody where nobody is asked who he is."""
    for context in iter_route_contexts(web_of(house.service).routes):
        route = context.original_route
        if isinstance(route, APIRoute) and str(context.path) == path and method in route.methods:
            for dependency in route.dependant.dependencies:
                if hasattr(dependency.call, "allowed"):
                    return sorted(dependency.call.allowed)
    return ["auditor"]


def _send(house: House, case: Case, checks: list[Any], who: str, done: Attacked) -> Response:
    sent = case.as_transport_kwargs(base_url="http://testserver")
    headers = {name: value for name, value in (sent.get("headers") or {}).items() if name.lower() != "authorization"}
    headers = {"Idempotency-Key": str(new_id()), **headers, "Authorization": f"Bearer {who}"}
    body = {"json": sent["json"]} if "json" in sent else {"content": sent["data"]} if sent.get("data") else {}
    answer = house.client.request(sent["method"], sent["url"], params=sent.get("params"), headers=headers, **body)
    done.cases += 1
    done.statuses[answer.status_code] += 1
    try:
        case.validate_response(answer, checks=checks, headers=headers)
    except FailureGroup as group:
        for failure in group.exceptions:
            what = f"{house.service} {case.method} {case.path}: {failure.title} {answer.status_code}"
            done.failures.setdefault(what, f"{sent} -> {answer.text[:500]} {failure}")
    return answer
