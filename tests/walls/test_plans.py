"""However many rows other sites have, a page, an act and a tick read what is asked for, and no table whole.

Every statement of a month that was lived, and of every GET by everybody who may ask it, is asked again among twenty
sites and two years of rows: by the people of a site opened lately, by those of an old one, by one of all sites and by
the workers, each with the wall in the plan. `BIANMIN_CASES=1000000` makes it a million rows.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from sqlalchemy import NullPool, create_engine, text
from sqlalchemy.engine import make_url

from shared import db
from shared.db import SERVICES, WORKER, Database
from tests.cases import cases
from tests.walls.house import LivedTown, questions
from tests.walls.lives import live_again
from tests.walls.plans import asked_in_life, rows_looked_at
from tests.walls.statements import Statements, noted

ROWS = max(20_000, min(cases(20_000), 1_000_000))
"""Of each of the largest tables."""

OLD = 24 * 3 + 5
"""A life at a site that has a twentieth of everything."""

PART = 8
"""No statement looks at more than one row in so many of a large table: a site has a twentieth, a month less."""

WHOLE = {
    ("finance", "services/finance/queries/export.py", "*"): "the books of all sites, from the first day on",
    ("finance", "services/finance/queries/ledger.py balances", "*"): "every account of all sites",
    ("finance", "services/finance/queries/reserves.py reserves", "*"): "the funds of all sites, from the first day on",
    (
        "intake",
        "services/intake/queries/callbacks.py kept_today",
        "*",
    ): "today at every site: no index serves all at once",
    ("intake", "services/intake/queries/figures.py", "*"): "the month of every site: no index serves all at once",
    ("intake", "services/intake/queries/measures.py", "*"): "the last day of every site, which is most of these rows",
    ("intake", "services/intake/queries/notice_list.py find_notices", ""): "a number looked for by its last digits",
    ("dispatch", "services/dispatch/queries/work_orders.py notices_out", "*"): "notices out at every site at once",
    ("finance", "services/finance/queries/charges.py charges", ""): "a notice looked for by its last digits",
    ("finance", "services/finance/queries/hand_overs.py open_hand_overs", "*"): "cash under way at every site at once",
    ("intake", "shared/ops.py bus_view", ""): "whose owner will be erased once are counted, from an index alone",
}
"""Service, where it is asked, for which sites (none: for whichever) -> why it reads more."""


@dataclass(frozen=True)
class Many:
    """The database with the many rows, what is asked of it, and how many rows each table has."""

    url: str
    statements: Statements
    staying: set[str]
    rows: dict[tuple[str, str], int]


def ask_everything(town: LivedTown) -> Statements:
    """What every GET sends, asked by everybody who may, at one site and at all."""
    with noted() as found:
        for service in SERVICES:
            for question in questions(town, service):
                for role in sorted(question.roles):
                    town.client.raw(town.here[role], question.path)
                for person in (town.cast.auditor, town.cast.leader):
                    town.client.raw(person, question.path)
    return found


def let_go(town: LivedTown) -> None:
    """Nobody is connected to the database of the month, which is then copied."""
    db.close_databases()
    town.client.town._engine.dispose()


@pytest.fixture(scope="module")
def many(town: LivedTown) -> Iterator[Many]:
    """The lived month, and many more lives around it."""
    statements = town.statements | ask_everything(town)
    let_go(town)
    server = create_engine(
        make_url(town.url).set(database="postgres"), isolation_level="AUTOCOMMIT", poolclass=NullPool
    )
    with server.connect() as connection:
        connection.execute(text("CREATE DATABASE many_rows TEMPLATE two_sites STRATEGY file_copy"))
    url = make_url(town.url).set(database="many_rows").render_as_string(hide_password=False)
    owner = create_engine(url, poolclass=NullPool)
    with owner.begin() as connection:
        live_again(connection, ROWS)
    with owner.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("VACUUM ANALYZE"))
        staying = {str(id_) for id_ in connection.execute(text("SELECT id FROM public.staying")).scalars()}
        counted = connection.execute(text("SELECT schemaname, relname, n_live_tup FROM pg_stat_user_tables"))
        rows = {(schema, table): there for schema, table, there in counted}
    yield Many(url, statements, staying, rows)
    with server.connect() as connection:
        connection.execute(text("DROP DATABASE many_rows WITH (FORCE)"))


@pytest.mark.parametrize("service", SERVICES)
def test_no_page_no_act_and_no_tick_reads_a_large_table_whole(many: Many, service: str) -> None:
    asked = [one for one in many.statements.values() if one.service == service]
    assert len(asked) > 150
    database = Database(service, many.url, pool_size=1, limits=WORKER)
    too_much = []
    for one in asked:
        for again in (one, asked_in_life(one, OLD, many.staying)):
            with database.engine.connect() as connection:
                looked_at = rows_looked_at(connection, again)
            for table, howmany in looked_at.items():
                there = many.rows.get((service, table), 0)
                if there > ROWS // 4 and howmany > there // PART and not _may(service, again.by, again.sites):
                    too_much.append(f"{again.by} for {again.sites}: {howmany} of {there} {table}\n{one.statement}")
    database.engine.dispose()
    assert not too_much, "\n\n".join(too_much)


def _may(service: str, by: str, sites: str) -> bool:
    return any(service == of and by.startswith(where) and whose in {"", sites} for of, where, whose in WHOLE)


def test_there_are_as_many_rows_as_the_test_means(many: Many) -> None:
    for table in (("intake", "requests"), ("dispatch", "work_orders"), ("finance", "receipts"), ("hr", "audit_log")):
        assert many.rows[table] > ROWS * 0.9, table
