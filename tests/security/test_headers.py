"""Security headers on every answer (ASVS 3.4.1, 3.4.3-3.4.6, 5.4.1, 14.3.2, 16.5.1)."""

import json
import re
import unicodedata
from collections.abc import Callable, Iterator

import pytest
from fastapi.routing import iter_route_contexts
from fastapi.testclient import TestClient
from httpx2 import Response
from sqlalchemy import Engine, text

from bianmin.gateway import NOT_PUBLIC, SERVICES, make_app
from shared.headers import ALWAYS, attachment
from shared.ids import new_id
from shared.settings import settings
from tests.bad_input.house import House, web_of
from tests.security.conftest import paper

WANTED = {
    "strict-transport-security": re.compile(r"max-age=(3153\d{4}|[4-9]\d{7}|\d{9,}); includeSubDomains"),
    "content-security-policy": re.compile(
        r"(?=.*default-src 'none')(?=.*object-src 'none')"
        r"(?=.*base-uri 'none')(?=.*frame-ancestors 'none')(?!.*unsafe).*"
    ),
    "x-content-type-options": re.compile("nosniff"),
    "referrer-policy": re.compile("same-origin"),
    "permissions-policy": re.compile(r".*camera=\(\).*"),
    "cross-origin-opener-policy": re.compile("same-origin"),
    "cross-origin-resource-policy": re.compile("same-origin"),
    "cache-control": re.compile("(private, )?no-store"),
}


def check_headers(answer: Response) -> None:
    for name, pattern in WANTED.items():
        said = answer.headers.get_list(name)
        assert len(said) == 1, f"{name}: {said} in {answer.status_code} of {answer.request.url}"
        assert pattern.fullmatch(said[0]), f"{name}: {said[0]}"


def calls(service: str) -> Iterator[tuple[str, str]]:
    """Every method and path a service declares, with ids that are nobody's."""
    for context in iter_route_contexts(web_of(service).routes):
        for method in sorted(context.original_route.methods or ()):
            path = re.sub(r"{[a-z_]*month}", "2026-04", str(context.path))
            yield method, re.sub(r"{[a-z_]+}", str(new_id()), path)


@pytest.mark.parametrize("service", SERVICES)
def test_every_route_answers_with_every_header_whatever_it_answers(
    service: str, open_house: Callable[[str], House]
) -> None:
    house = open_house(service)
    seen = set()
    for method, path in calls(service):
        for who in ("", "auditor", "operator", "worker", "head"):
            headers = {"Authorization": f"Bearer {who}"} if who else {}
            answer = house.client.request(method, path, headers=headers)
            check_headers(answer)
            seen.add(answer.status_code)
        check_headers(odd := house.client.request("PATCH", path))
        seen.add(odd.status_code)
    check_headers(house.client.get("/nowhere"))
    assert seen >= {200, 401, 403, 404, 405, 422}


@pytest.mark.parametrize("service", SERVICES)
def test_a_defect_is_answered_with_every_header_and_nothing_but_an_id(
    service: str, open_house: Callable[[str], House], committing: Engine
) -> None:
    house = open_house(service)
    with committing.begin() as owner:
        owner.execute(text(f"ALTER TABLE {service}.people RENAME TO nobody"))
    try:
        answer = house.get("auditor", "/policies")
    finally:
        with committing.begin() as owner:
            owner.execute(text(f"ALTER TABLE {service}.nobody RENAME TO people"))
    assert answer.status_code == 500
    check_headers(answer)
    assert re.fullmatch("[0-9a-f]{32}", answer.headers["X-Trace-Id"])
    assert not re.search("people|relation|psycopg|SELECT|Traceback|\\.py", answer.text)


def test_what_is_refused_before_it_is_read_is_answered_with_every_header(
    open_house: Callable[[str], House],
) -> None:
    client = open_house("intake").client
    refused = [
        client.get("/live", headers={"X-Large": "x" * 20_000}),
        client.get(f"/live?q={'x' * 9_000}"),
        client.post("/api/requests", content=b"x" * 1_100_000),
    ]
    assert [answer.status_code for answer in refused] == [431, 414, 413]
    for answer in refused:
        check_headers(answer)
        assert answer.headers["X-Trace-Id"]


@pytest.fixture
def gateway(installation: str) -> TestClient:
    return TestClient(make_app(), raise_server_exceptions=False)


def test_the_one_port_has_the_headers_too_and_does_not_describe_itself(gateway: TestClient) -> None:
    for path in ("/", "/nowhere", "/intake", "/intake/live", "/hr/api/people"):
        check_headers(gateway.get(path))
    assert "openapi" not in gateway.get("/").text
    for service in SERVICES:
        for path in NOT_PUBLIC:
            hidden = gateway.get(f"/{service}{path}")
            assert hidden.status_code == 404
            check_headers(hidden)
    for trick in ("/intake//openapi.json", "/intake/./openapi.json", "/intake/%6fpenapi.json", "/intake/openapi.json/"):
        assert gateway.get(trick, follow_redirects=True).status_code == 404, trick


def test_the_one_port_describes_itself_when_asked_to(installation: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BIANMIN_DESCRIBE_PUBLICLY", "true")
    settings.cache_clear()
    gateway = TestClient(make_app())
    assert gateway.get("/intake/openapi.json").json()["info"]["title"] == "Bianmin intake"
    assert gateway.get("/intake/ops/metrics").status_code == 401


@pytest.mark.parametrize("file_type", ["pdf", "svg"])
def test_a_paper_is_handed_out_with_every_header_and_needs_nothing_that_they_forbid(
    file_type: str, open_house: Callable[[str], House]
) -> None:
    answer = paper(open_house("intake"), file_type=file_type)
    assert answer.status_code == 200
    check_headers(answer)
    if file_type == "svg":
        assert not re.search(r"<(script|style|image|foreignObject)|\s(on\w+|style)=", answer.text)
        assert set(re.findall(r"href=.(.)", answer.text)) == {"#"}


NAMES = {
    "payout-BK-2026-03.csv": 'attachment; filename="payout-BK-2026-03.csv"',
    "../../etc/passwd": "attachment; filename=\"_.._etc_passwd\"; filename*=UTF-8''.._.._etc_passwd",
    "a\r\nSet-Cookie: x=1": "attachment; filename=\"aSet-Cookie__x_1\"; filename*=UTF-8''aSet-Cookie%3A%20x%3D1",
    'a";b.png': "attachment; filename=\"a__b.png\"; filename*=UTF-8''a%22%3Bb.png",
    "evil\u202egnp.exe": 'attachment; filename="evilgnp.exe"',
    "照片.png": "attachment; filename=\"__.png\"; filename*=UTF-8''%E7%85%A7%E7%89%87.png",
    "": 'attachment; filename="file"',
    "..": "attachment; filename=\"file\"; filename*=UTF-8''..",
}


@pytest.mark.parametrize(("name", "said"), NAMES.items(), ids=map(json.dumps, NAMES))
def test_a_download_is_named_without_paths_line_ends_or_turned_letters(name: str, said: str) -> None:
    assert attachment(name)["Content-Disposition"] == said
    assert not any(unicodedata.category(letter).startswith("C") for letter in said)


def test_no_header_that_is_always_said_can_be_said_otherwise() -> None:
    assert set(map(str.lower, ALWAYS)) <= set(WANTED)
