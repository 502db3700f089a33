"""A month lived at two sites side by side, what is of the other one, and requests of people of the first."""

import io
import re
import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from typing import Any, get_args
from urllib.parse import urlencode

from fastapi.routing import APIRoute, iter_route_contexts
from sqlalchemy import text
from sqlalchemy.orm import Session

from bianmin.client import Person
from bianmin.month.cast import PRICES, Cast, Founding, Team
from services.hr.rules.post import DEPARTMENTS
from shared.db import SERVICES, WEB, Database
from shared.messages import Role
from tests.bad_input.house import web_of
from tests.bianmin.town import TownClient
from tests.papers.printing import pdf_file, words
from tests.walls.statements import Statements

WALLED = text("""
    SELECT relname FROM pg_class
    WHERE relnamespace = CAST(CAST(:service AS text) AS regnamespace) AND relkind = 'r' AND relrowsecurity
    ORDER BY relname
""")

CODE_WORD = re.compile(r"[a-z_]+|\d{4}-\d\d(-\d\d.*)?")
"""A word of the program, as a state, or a moment: tells nothing of a site."""


@dataclass(frozen=True)
class LivedTown:
    """Where the month was lived, by whom, and one person of each role at the first site alone."""

    url: str
    client: TownClient
    cast: Cast
    here: dict[Role, Person]
    webhooks: dict[str, str]
    """A site's code -> the webhook of it."""
    statements: Statements = field(default_factory=dict)
    """What the services sent to the database while the month was lived."""

    @property
    def home(self) -> Team:
        """The site of those who ask."""
        return self.cast.teams[0]

    @property
    def other(self) -> Team:
        """The site they must see nothing of."""
        return self.cast.teams[1]


def hire_everybody(client: TownClient, cast: Cast) -> tuple[dict[Role, Person], dict[str, str]]:
    """One person of each role who belongs to the first site and no other; and a webhook of each site."""
    home = cast.teams[0]
    founding = Founding.__new__(Founding)
    founding.client, founding.administrator = client, cast.administrator
    here: dict[Role, Person] = {
        "desk_head": home.desk_head,
        "clerk": home.clerks[0],
        "head": home.heads["engineering"],
        "worker": home.workers["engineering"][0],
        "cashier": home.cashier,
    }
    for role in get_args(Role):
        if role not in here:
            department = next(iter(DEPARTMENTS[role]))
            here[role] = founding.hire(f"{home.code} {role}", role, department, home.site_id)
    webhooks = {
        team.code: client.post(
            cast.administrator, "/hr/api/webhooks", url=f"https://93.184.215.14/{team.code}", site_id=team.site_id
        )["webhook"]["id"]
        for team in cast.teams
    }
    client.town.settle()
    return here, webhooks


@contextmanager
def seen_from(url: str, service: str, sites: str) -> Iterator[Session]:
    """A transaction of the service that acts for these sites."""
    database = Database(service, url, pool_size=1, limits=WEB)
    with database.session() as session:
        session.execute(text("SELECT set_config('app.sites', :sites, true)"), {"sites": sites})
        yield session
    database.engine.dispose()


def rows_of(session: Session, service: str) -> dict[str, list[Any]]:
    """Every row that the transaction sees of every walled table, as JSON.

    But the audit log's: what it tells of a row stands in that row's own table, and its traces are those of messages,
    which whoever watches the bus sees.
    """
    return {
        table: list(session.execute(text(f"SELECT to_jsonb(t) FROM {table} t")).scalars())
        for table in session.execute(WALLED, {"service": service}).scalars()
        if table != "audit_log"
    }


def words_in(part: Any) -> Iterator[str]:
    """The strings at any depth of JSON."""
    if isinstance(part, str):
        yield part
    for child in part.values() if isinstance(part, dict) else part if isinstance(part, list) else ():
        yield from words_in(child)


def telling(words: Iterator[str]) -> set[str]:
    """Those by which a row could be known: ids, names, numbers, addresses, what was said."""
    return {word for word in words if len(word) >= 6 and not CODE_WORD.fullmatch(word)}


def strangers(town: LivedTown) -> set[str]:
    """Ids and names of the people who belong to the other site alone."""
    team = town.other
    theirs = [team.desk_head, *team.clerks, team.cashier, *team.heads.values(), *chain(*team.workers.values())]
    return {known for person in theirs for known in (person.id, person.name)}


def canaries(town: LivedTown) -> set[str]:
    """What is told by rows of the other site, in whatever service, and by nothing that people of the first may know."""
    theirs = strangers(town) | {town.other.site_id}
    ours = {item["name"] for item in PRICES}
    ours |= {known for one in [*town.cast.everybody(), *town.here.values()] for known in (one.id, one.name)} - theirs
    for service in SERVICES:
        for site, known in ((town.other.site_id, theirs), (town.home.site_id, ours)):
            with seen_from(town.url, service, site) as session:
                known.update(telling(words_in(rows_of(session, service))))
    return theirs - ours


# --- asking -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Question:
    """A GET that people of these roles may ask; `said` is what is in it that only the asker knew."""

    route: str
    path: str
    roles: frozenset[Role]
    said: frozenset[str]


def first_of(rows: dict[str, list[Any]], table: str, column: str, **wanted: str) -> str:
    """A value of the site's first row of a table, of those with these values if some are wanted."""
    return str(next(row for row in rows[table] if wanted.items() <= row.items())[column])


def values_at(town: LivedTown, team: Team) -> dict[str, str]:
    """What may stand in a path or a query, about this site."""
    rows: dict[str, list[Any]] = {}
    for service, tables in {
        "dispatch": ["work_orders"],
        "finance": ["receipt_books", "receipts", "hand_overs"],
        "hr": ["payouts", "cases"],
    }.items():
        with seen_from(town.url, service, team.site_id) as session:
            seen = rows_of(session, service)
            rows |= {table: seen[table] for table in tables}
    with seen_from(town.url, "finance", team.site_id) as session:
        version = str(session.execute(text("SELECT id FROM price_versions LIMIT 1")).scalar_one())
    worker = team.workers["engineering"][1].id
    return {
        "site_id": team.site_id,
        "request_id": first_of(rows, "work_orders", "request_id"),
        "work_order_id": first_of(rows, "work_orders", "id"),
        "settlement_id": first_of(rows, "payouts", "settlement_id"),
        "webhook_id": str(town.webhooks[team.code]),
        "version_id": version,
        "person_id": worker,
        "holder_id": worker,
        "book_id": first_of(rows, "receipt_books", "id"),
        "receipt_id": first_of(rows, "receipts", "id", state="used"),
        "hand_over_id": first_of(rows, "hand_overs", "id"),
        "case_id": first_of(rows, "cases", "id", state="final"),
        "file_type": "pdf",
        "department": "engineering",
        "item": "accepted",
        "month": "2026-04",
        "on": "2026-04-15",
        "day": "2026-05-02",
    }


def roles_of(route: APIRoute) -> frozenset[str]:
    """The roles a route lets in; of one that asks nobody, none."""
    return next((one.call.allowed for one in route.dependant.dependencies if hasattr(one.call, "allowed")), frozenset())


NOT_ASKED = (
    *("/live", "/ready", "/sessions/current", "/verify/{code}"),
    *("/changes", "/hand-overs/on-behalf", "/my-cases/{case_id}"),
    *("/photos/{photo_id}", "/cases/mine/{case_id}/decision-letter.{file_type}"),
    *("/policies/{name}", "/static/{name}", "/sign-on/{provider}", "/sign-on/{provider}/return"),
    "/service-accounts/{account_id}",
)
"""Routes that tell of no site, of the asker's session, or of a paper in his hands; and what none of the askers has."""


def questions(town: LivedTown, service: str) -> list[Question]:
    """Every GET of a service about our site and about the other, with and without what narrows it."""
    asked, values = [], [values_at(town, team) for team in (town.home, town.other)]
    for context in iter_route_contexts(web_of(service).routes):
        route = context.original_route
        if isinstance(route, APIRoute) and "GET" in route.methods and not route.path.endswith(NOT_ASKED):
            for of_site in values:
                asked += list(_questions(f"/{service}{context.path}", route, of_site))
    return list(dict.fromkeys(asked))


def _questions(path: str, route: APIRoute, values: dict[str, str]) -> Iterator[Question]:
    roles = cast_roles(roles_of(route))
    known = {field.name: bool(field.field_info.is_required()) for field in route.dependant.query_params}
    in_path = {name: value for name, value in values.items() if f"{{{name}}}" in path}
    for narrowed in (False, True):
        query = {name: values[name] for name, required in known.items() if name in values and (required or narrowed)}
        query |= {"limit": "1000"} if "limit" in known else {}
        said = frozenset([*in_path.values(), *query.values()])
        yield Question(path, path.format(**in_path) + f"?{urlencode(query)}", roles, said)


def cast_roles(names: frozenset[str]) -> frozenset[Role]:
    """Names of roles as roles."""
    return frozenset(role for role in get_args(Role) if role in names)


def told(town: LivedTown, question: Question, role: Role) -> tuple[int, str]:
    """The status and everything readable in the answer, headers too."""
    answer = town.client.raw(town.here[role], question.path)
    body = answer.content
    if body.startswith(b"PK"):
        with zipfile.ZipFile(io.BytesIO(body)) as parts:
            body = b"\n".join(parts.read(name) for name in parts.namelist())
    if body.startswith(b"%PDF"):
        with tempfile.TemporaryDirectory() as folder:
            body = words(pdf_file(Path(folder), body)).encode()
    return answer.status_code, f"{answer.headers}\n{body.decode()}"
