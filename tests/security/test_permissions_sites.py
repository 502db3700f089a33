"""What belongs to a site is not there for people of another: by id, list, filter or export [R6, 8.2.2]."""

import re
import sys
from collections.abc import Callable
from typing import Any

import pytest
from fastapi.dependencies.utils import get_flat_params
from fastapi.params import Query
from sqlalchemy import text

from shared.access import Own
from shared.db import SERVICES
from shared.ids import new_id
from tests.bad_input import of_dispatch as dispatch
from tests.bad_input import of_finance_books as books
from tests.bad_input import of_finance_cash as cash
from tests.bad_input import of_hr_delivery as delivery
from tests.bad_input import of_hr_people as people
from tests.bad_input import of_intake_desk as desk
from tests.bad_input import of_intake_followup as followup
from tests.bad_input.acts import Call
from tests.bad_input.house import OTHER, House, house_of
from tests.security.routes import PLACES, Route, routes_of, table_of

Prepare = Callable[[House], Call]

LIVED: dict[str, list[tuple[str, Prepare]]] = {
    "intake": [
        ("clerk", desk.a_reply),
        ("clerk", desk.a_report),
        ("desk_head", desk.an_answer),
        ("desk_head", lambda house: followup.a_month(house, "sign")),
    ],
    "dispatch": [
        ("worker", dispatch.finished),
        ("head", dispatch.a_duty),
        ("head", dispatch.a_question),
        ("desk_head", dispatch.a_neglect),
        ("worker", lambda house: dispatch.started(house, "photos", dispatch.picture())),
    ],
    "finance": [
        ("cashier", cash.at("/cash-differences/{}/make-good", cash.short, {"counted_fen": 100})),
        ("leader", books.a_computed_month),
        ("leader", books.a_reward),
    ],
    "hr": [
        ("leader", people.an_appeal_decision),
        ("hr", people.a_task),
        ("hr", people.a_payment),
        ("hr", people.a_wage),
        ("administrator", people.a_leader),
        ("administrator", people.a_holiday),
        ("administrator", delivery.a_webhook),
    ],
}
"""What happens at the site: who does what, so that there is something to be found."""

FOUND_BY = {
    "request_id": "SELECT {request_id} FROM {requests} WHERE site_id = :site LIMIT 1",
    "work_order_id": "SELECT id FROM work_orders WHERE site_id = :site ORDER BY id DESC LIMIT 1",
    "photo_id": "SELECT p.id FROM photos p JOIN work_orders w ON w.id = p.work_order_id WHERE site_id = :site",
    "webhook_id": "SELECT id FROM webhook_endpoints WHERE site_id = :site LIMIT 1",
    "settlement_id": "SELECT settlement_id FROM payouts WHERE site_id = :site LIMIT 1",
    "person_id": "SELECT id FROM people WHERE :site = ANY(site_ids) AND role = 'worker' LIMIT 1",
    "receipt_id": "SELECT coalesce((SELECT id FROM receipts WHERE site_id = :site LIMIT 1), gen_random_uuid())",
    "hand_over_id": "SELECT coalesce((SELECT id FROM hand_overs WHERE site_id = :site LIMIT 1), gen_random_uuid())",
    "case_id": "SELECT coalesce((SELECT id FROM cases WHERE site_id = :site LIMIT 1), gen_random_uuid())",
    "site_id": "SELECT CAST(:site AS uuid)",
}
"""How a thing of the site is found for a name in a path or query."""

COMPANY_WIDE = frozenset({"version_id"})
"""Ids of what is the company's: the price book."""

SITES_OF_TABLES = text("""
    SELECT s.table_name FROM information_schema.columns s
    JOIN information_schema.columns i USING (table_schema, table_name)
    WHERE table_schema = :service AND s.column_name = 'site_id' AND i.column_name = 'id' AND i.data_type = 'uuid'
""")


def live(house: House) -> None:
    """All that happens at the site."""
    for who, prepare in LIVED[house.service]:
        call = prepare(house)
        house.did(who, call.path, call.body)


def of_the_site(house: House) -> set[str]:
    """The site, its people, and every id of anything that has it in a column."""
    with house.session() as session:
        tables = session.scalars(SITES_OF_TABLES, {"service": house.service}).all()
        asked = [f"SELECT id FROM {table} WHERE site_id = :site" for table in tables]  # the catalogue's own names
        asked += ["SELECT id FROM people WHERE site_ids = ARRAY[CAST(:site AS uuid)]"]
        ids = session.scalars(text(" UNION ".join(asked)), {"site": house.site_id}).all()
    return {str(house.site_id), *map(str, ids)}


def found(house: House, name: str) -> str:
    """The id of a thing of the site."""
    if (house.service, name) == ("hr", "request_id"):  # of which hr holds only what the others told
        return str(new_id())
    known_by = {"intake": ("id", "requests"), "dispatch": ("request_id", "work_orders")}
    requests = known_by.get(house.service, ("request_id", "charges"))
    asked = FOUND_BY[name].format(request_id=requests[0], requests=requests[1])
    with house.session() as session:
        return str(session.execute(text(asked), {"site": house.site_id}).scalar_one())


def path_of(house: House, route: Route) -> str:
    """The route's path with the ids of things of the site."""

    def place(name: re.Match[str]) -> str:
        return PLACES.get(name[1]) or found(house, name[1])

    return re.sub(r"\{(\w+)\}", place, route.path)


def queries_of(house: House, route: Route) -> list[dict[str, Any]]:
    """What is asked for besides: what must be, and where there are filters by an id, with ids of the site too."""
    asked = get_flat_params(route.route.dependant)
    params = {field.alias: field for field in asked if isinstance(field.field_info, Query)}
    known = {"month": "2026-04", "on": "2026-05-01", "day": "2026-04-01"}
    needed = {
        name: known.get(name) or found(house, name) for name, field in params.items() if field.field_info.is_required()
    }
    ids = {"holder_id": "person_id", "actor_id": "person_id"}
    filters = {name: found(house, ids.get(name, name)) for name in params if name.endswith("_id")}
    return [needed, needed | filters] if filters else [needed]


def readable(service: str) -> list[Route]:
    """Every GET that is limited to somebody's sites."""
    rows = table_of(service)
    return [
        route
        for route in routes_of(service)
        if route.method == "GET"
        and route.action
        and (
            route.path.startswith("/api")
            or set(re.findall(r"\{(\w+)\}", route.path)) <= FOUND_BY.keys() | PLACES.keys()
        )
        and Own.COMPANY not in rows[route.action].own.values()
        and not COMPANY_WIDE & set(re.findall(r"\{(\w+)\}", route.path))
    ]


@pytest.mark.usefixtures("installation")
@pytest.mark.parametrize("service", SERVICES)
def test_nothing_of_a_site_is_there_for_the_people_of_another(service: str, capsys: pytest.CaptureFixture[str]) -> None:
    with house_of(service) as house:
        live(house)
        secrets, cells, shown, asked = of_the_site(house), 0, set(), set()
        for route in readable(service):
            path = path_of(house, route)
            for query in queries_of(house, route):
                asked.add(route.path)
                for role in table_of(service)[route.action].own:
                    mine, theirs = (
                        house.client.get(path, params=query, headers={"Authorization": f"Bearer {who}"})
                        for who in (role, role + OTHER)
                    )
                    cells += 1
                    if any(secret in mine.text for secret in secrets):
                        shown.add(route.path)
                    if re.search(r"_id\}", route.path) or "site_id" in query:
                        assert theirs.status_code in (403, 404), f"{path} {query} as {role}: {theirs.status_code}"
                    asked_for = " ".join((path, *query.values()))
                    leaked = {one for one in secrets if one in theirs.text and one not in asked_for}
                    assert not leaked, f"{path} {query} as {role}: {theirs.text[:500]}"
        assert len(shown) > len(asked) / 2, f"too little happened to be found: {sorted(asked - shown)}"
        with capsys.disabled():
            sys.stdout.write(f" {service}: {cells} cells")
