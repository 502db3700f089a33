"""What attackers send by hand (ASVS 1.2.1, 1.2.4, 1.3.2, 5.4.1, 14.2.1, 15.3.3, 16.4.1, 16.5.1)."""

import json
import logging
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from io import StringIO
from typing import Any

import pytest
from fastapi.routing import APIRoute, iter_route_contexts
from fastapi.testclient import TestClient
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from bianmin.gateway import make_app
from shared.db import SERVICES
from shared.errors import Problem
from shared.ids import new_id
from shared.log import configure_logging
from tests.bad_input.acts import with_each
from tests.bad_input.house import House, web_of
from tests.bad_input.test_acts import ACTS
from tests.people import employ
from tests.security.conftest import paper
from tests.services.intake.desk import open_desk

MARKUP = [
    '"><svg onload=x>',
    "<script>alert(1)</script>",
    "'><img src=x onerror=x>",
    "</title><b>",
    "&lt;b&gt;",
    "{{7*7}}",
]

HOSTILE = "'; DROP TABLE people; --\" OR 1=1 <svg onload=x> #show(1) =1+1 \u202egnp.%s{0}\\"
"""What would be SQL, HTML, Typst, a formula, a turned name or a format, were it ever taken for one."""

FREE = re.compile(
    r"(^|_)(name|note|reason|description|address|question|answer|problem|decision|words|statement|facts)$"
)
"""Fields that hold what somebody wrote."""


def web_routes(service: str) -> Iterator[tuple[str, APIRoute]]:
    for context in iter_route_contexts(web_of(service).routes):
        if isinstance(context.original_route, APIRoute):
            yield str(context.path), context.original_route


@pytest.mark.parametrize("service", SERVICES)
def test_no_request_may_have_a_field_nobody_named(service: str, template: str) -> None:
    described = web_of(service).openapi()

    def bodies(schema: Any) -> Iterator[str]:
        if isinstance(schema, list):
            for part in schema:
                yield from bodies(part)
        elif isinstance(schema, dict):
            if "$ref" in schema and schema["$ref"] not in seen:
                seen.add(schema["$ref"])
                yield schema["$ref"].rpartition("/")[2]
                yield from bodies(described["components"]["schemas"][schema["$ref"].rpartition("/")[2]])
            for part in schema.values():
                yield from bodies(part)

    seen: set[str] = set()
    names = list(
        bodies(
            [operation.get("requestBody", {}) for path in described["paths"].values() for operation in path.values()]
        )
    )
    assert names
    for name in names:
        schema = described["components"]["schemas"][name]
        assert schema.get("additionalProperties") is False or "enum" in schema, f"{name} takes any field"


def with_all(body: Any, value: Any) -> Any:
    """The body with every free text in it replaced."""
    for _ in range(20):
        changed = next(
            (new for _, new in with_each(body, lambda name: bool(FREE.search(name)), value) if new != body), None
        )
        if changed is None:
            return body
        body = changed
    return body


def row_counts(house: House) -> dict[str, int]:
    with house.session() as session:
        names = "SELECT table_name FROM information_schema.tables WHERE table_schema = :service ORDER BY 1"
        tables = session.execute(text(names), {"service": house.service}).scalars().all()
        counts = {table: session.execute(text(f"SELECT count(*) FROM {table}")).scalar_one() for table in tables}
    if "unsealed_journals" in counts:  # who takes one out puts it into the chain: together they only grow
        counts["ledger_chain"] += counts["unsealed_journals"]
        counts["unsealed_journals"] = 0
    return counts | {"idempotency_keys": 0}  # a refusal in its row is an answer too


@pytest.mark.parametrize("service", SERVICES)
def test_whatever_somebody_writes_is_kept_as_he_wrote_it_or_refused(
    service: str, open_house: Callable[[str], House]
) -> None:
    house = open_house(service)
    taken = tried = 0
    for act in ACTS:
        if act.service != service:
            continue
        try:
            call = act.prepare(house)
        except (AssertionError, Problem, SQLAlchemyError):  # it may not stand beside one prepared before it
            continue
        if not isinstance(call.body, dict) or with_all(call.body, HOSTILE) == call.body:
            continue
        before = row_counts(house)
        for unstorable in ("a\0b", "a\ud800b"):
            raw = json.dumps(with_all(call.body, unstorable)).encode()
            headers = {
                "Authorization": f"Bearer {act.who}",
                "Content-Type": "application/json",
                "Idempotency-Key": str(new_id()),
            }
            answer = house.client.post(f"/api{call.path}", content=raw, headers=headers)
            refused_in_its_row = answer.is_success and {row["outcome"] for row in answer.json()} == {"malformed"}
            assert answer.status_code == 422 or refused_in_its_row, f"{act} {unstorable!r}: {answer.text}"
        assert row_counts(house) == before
        answer = house.post(act.who, call.path, with_all(call.body, HOSTILE))
        assert answer.status_code < 500, f"{act}: {answer.text}"
        after = row_counts(house)
        assert after.keys() == before.keys(), f"{act} lost a table"
        assert all(after[table] >= before[table] for table in before), f"{act} lost rows"
        tried += 1
        taken += answer.is_success and json.dumps(HOSTILE, ensure_ascii=False)[1:-1] in _everything(house)
    assert taken > 0, "something somebody wrote is found as he wrote it"
    assert tried > 0


def _everything(house: House) -> str:
    """Every text of every table of the service."""
    with house.session() as session:
        rows = [
            json.dumps(row, ensure_ascii=False)
            for table in row_counts(house)
            for row in session.execute(text(f"SELECT to_jsonb(t) FROM {table} t")).scalars()
        ]
    return "\n".join(rows)


@pytest.mark.parametrize("service", SERVICES)
def test_a_query_is_a_value_and_never_a_part_of_a_statement(service: str, open_house: Callable[[str], House]) -> None:
    house = open_house(service)
    for act in ACTS:
        if act.service == service:
            with suppress(AssertionError, Problem, SQLAlchemyError):
                act.prepare(house)
    asked = 0
    for path, route in web_routes(service):
        if "GET" not in route.methods or not path.startswith("/api") or "{" in path:
            continue
        asks = [sorted(one.call.allowed) for one in route.dependant.dependencies if hasattr(one.call, "allowed")]
        if not asks:  # whoever looks around in a simulation
            continue
        (allowed,) = asks
        for parameter in route.dependant.query_params:
            answers = [
                house.client.get(
                    path, params={parameter.alias: value}, headers={"Authorization": f"Bearer {allowed[0]}"}
                )
                for value in ("nonsense", "' OR '1'='1", "%", "_", "nonsense'; SELECT pg_sleep(9)--", "\\")
            ]
            assert len({answer.status_code for answer in answers}) == 1, f"{path} {parameter.alias}"
            assert len({re.sub("[0-9a-f]{32}", "", answer.text) for answer in answers}) == 1 or answers[0].is_error, (
                path
            )
            asked += 1
    assert asked


def test_in_a_page_what_somebody_wrote_is_text(open_house: Callable[[str], House]) -> None:
    house = open_house("intake")
    with house.session() as session:
        desk = open_desk(session, "PG")
        made = desk.register()
        made.description, made.owner_name, made.address = " ".join(MARKUP), MARKUP[0], MARKUP[1]
        clerk = employ(session, "clerk", "front_desk", desk.site_id, name=MARKUP[2])
    who = {"Authorization": f"Bearer {clerk.person_id}", "Accept": "text/html"}
    for path in ("/board", "/requests", f"/requests/{made.id}"):
        page = house.client.get(path, headers=who)
        assert page.status_code == 200, path
        assert "alert(1)" in page.text, path
        for markup in MARKUP[:4]:
            assert markup not in page.text, (path, markup)


def test_in_a_paper_what_somebody_wrote_is_no_markup(open_house: Callable[[str], House]) -> None:
    page = paper(open_house("intake"), " ".join(MARKUP), file_type="svg").text
    assert page.count("<svg") == page.count("</svg>") == 1
    assert not re.search(r"<(script|img|b|title|foreignObject)\b|onload|alert", page)


@pytest.mark.parametrize(
    "media_type",
    [
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "application/xml",
        "",
        "application/jsonx",
    ],
)
def test_a_body_that_does_not_call_itself_json_is_not_read_as_json(
    media_type: str, open_house: Callable[[str], House]
) -> None:
    house = open_house("intake")
    act = next(act for act in ACTS if act.route == "/requests")
    call = act.prepare(house)
    headers = {"Authorization": f"Bearer {act.who}", "Idempotency-Key": "k"}
    as_said = headers | ({"Content-Type": media_type} if media_type else {})
    before = row_counts(house)
    answer = house.client.post(f"/api{call.path}", content=json.dumps(call.body).encode(), headers=as_said)
    assert answer.status_code == 422
    assert row_counts(house) == before
    assert house.client.post(f"/api{call.path}", json=call.body, headers=headers).status_code == 201


@pytest.mark.parametrize("number", ["1", "-2.5e-277", "1700000000", " 7 ", "1e9", "inf"])
def test_a_number_is_no_moment_day_or_time(number: str, open_house: Callable[[str], House]) -> None:
    dispatch, hr = open_house("dispatch"), open_house("hr")
    assert dispatch.get("head", f"/duties?day={number}").status_code == 422
    assert dispatch.get("head", "/duties?day=2026-04-01").status_code == 200
    site = {"code": "NN", "name": "x", "zone": "Asia/Shanghai"}
    for closing in (number, float(number) if number != "inf" else 1):
        assert hr.post("administrator", "/sites", site | {"closing": closing}).status_code == 422
    for moment in (number, 1_700_000_000):
        policy = {"value": {}, "effective_from": moment, "reason": "x"}
        assert hr.post("administrator", "/policies/ladder", policy).status_code == 422


def test_a_method_is_what_the_request_line_says(open_house: Callable[[str], House]) -> None:
    house = open_house("intake")
    for name in ("X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override"):
        headers = {"Authorization": "Bearer clerk", name: "POST"}
        assert "items" in house.client.get("/api/requests", headers=headers).json()
        assert house.client.request("PUT", "/api/requests", headers=headers).status_code == 405
    assert "items" in house.client.get("/api/requests?_method=DELETE", headers=headers).json()
    for method in ("TRACE", "CONNECT", "PROPFIND", "get"):
        assert house.client.request(method, "/api/requests", headers=headers).status_code in (200, 405)


TRICKS = [
    "//api/requests",
    "/api//requests",
    "/api/./requests",
    "/api/x/../requests",
    "/api/%2e%2e/api/requests",
    "/api/requests/",
    "/api/requests%2f",
    "/API/requests",
    "/api/requests;x=1",
    "/api/requests%00",
    "/api%5crequests",
    "/.env",
    "/..%2f..%2fetc/passwd",
    "/docs",
    "/redoc",
    "/static/../main.py",
]


@pytest.mark.parametrize("path", TRICKS)
def test_a_path_is_one_of_ours_letter_by_letter_or_none(path: str, installation: str) -> None:
    client = TestClient(make_app(), follow_redirects=False)
    for prefix in ("/intake", ""):
        answer = client.request("GET", f"http://testserver{prefix}{path}", headers={"Authorization": "Bearer clerk"})
        normal = {"/api/./requests", "/api/x/../requests"}  # a client may tidy these up itself
        assert answer.status_code == 404 or (path in normal and answer.status_code == 401), answer.text
        assert "location" not in answer.headers


def test_a_name_that_reaches_a_header_or_a_file_has_no_line_end(open_house: Callable[[str], House]) -> None:
    house = open_house("hr")
    for code in ("A\r\nSet-Cookie: x=1", "A\n", "../A", "A\u202e", "a", "A B", ""):
        body = {"code": code, "name": "x", "zone": "Asia/Shanghai", "closing": "18:00"}
        assert house.post("administrator", "/sites", body).status_code == 422, repr(code)


@contextmanager
def logged() -> Iterator[StringIO]:
    """What is logged meanwhile, as JSON lines."""
    configure_logging(level="info", fmt="json")
    (handler,) = (one for one in logging.getLogger().handlers if isinstance(one, logging.StreamHandler) and one.stream)
    stream, written = handler.stream, StringIO()
    handler.setStream(written)
    try:
        yield written
    finally:
        handler.setStream(stream)


def test_no_request_writes_a_line_of_its_own_into_the_log(open_house: Callable[[str], House]) -> None:
    client = open_house("intake").client
    with logged() as written:
        client.get('/api/%0d%0a{"event":"forged"}%1b[31m')
        client.get("/live", headers={"traceparent": "00-x\x0b-forged", "User-Agent": "forged"})
    lines = [json.loads(line) for line in written.getvalue().splitlines()]
    ours = [line for line in lines if line["event"] == "http_request"]
    assert len(ours) == 2
    assert not any(line["event"] == "forged" for line in lines)
    assert "\x1b" not in written.getvalue()
