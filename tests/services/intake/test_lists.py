"""Lists: as few statements for many rows as for one, found by an index that begins with the site."""

from collections.abc import Callable

import pytest
from sqlalchemy import text

from services.intake.actions import line, revisit, statistics
from services.intake.queries.callbacks import callbacks
from services.intake.queries.consultations import consultations
from services.intake.queries.homes import homes
from services.intake.queries.requests import registered, requests
from services.intake.queries.revisits import revisits_due
from services.intake.queries.statistics import months
from services.intake.rules.statistics import Item
from shared.people import Actor
from tests.people import employ
from tests.services.intake.desk import MONTH_END, Desk, minutes, open_desk
from tests.services.intake.test_consultation import ask

LATER = minutes(60 * 24 * 30)

LISTS: dict[str, Callable[[Desk, Actor], object]] = {
    "requests": lambda desk, actor: requests(desk.session, actor, state=None, after=None, limit=10),
    "callbacks": lambda desk, actor: callbacks(desk.session, actor),
    "consultations": lambda desk, actor: consultations(desk.session, actor, after=None, limit=10),
    "revisits": lambda desk, actor: revisits_due(desk.session, actor, limit=10),
    "homes": lambda desk, actor: homes(desk.session, actor, phone="13800138000", room=""),
    "months": lambda desk, actor: months(desk.session, actor, month="2026-04"),
}


MANY_MORE = text("""
    INSERT INTO requests (id, number, site_id, state, channel, trade, owner_name, address, phone_hash, description,
                          windows, recorded_by, recorded_at, month, callback_missed)
    SELECT gen_random_uuid(), number || '/' || i, site_id, 'closed', channel, trade, owner_name, 'home ' || i,
           '139' || lpad(i::text, 8, '0'), description, windows, recorded_by, recorded_at, month, false
    FROM requests, generate_series(1, 5000) AS i WHERE id = :id
""")


def live_through_april(desk: Desk) -> None:
    """An owner waits, one has his notice, one is to be asked whether he is satisfied; April's figures are disputed."""
    ask(desk, desk.register(), told=False)
    desk.noticed()
    desk.accepted()
    desk.begin_month()
    statistics.end_months(desk.session, now=LATER)
    revisit.list_due(desk.session, now=LATER)
    desk.figures(accepted=1, now=LATER)
    line.dispute(
        desk.session,
        site_id=desk.site_id,
        month="2026-04",
        department="engineering",
        item=Item.ACCEPTED,
        reason="x",
        actor=desk.head,
        now=MONTH_END,
    )
    desk.session.flush()


@pytest.mark.parametrize("name", LISTS)
def test_a_list_takes_as_many_statements_for_the_rows_of_three_sites_as_for_one(
    desk: Desk, statements: list[str], name: str
) -> None:
    everywhere = employ(desk.session, "auditor", "administration")
    live_through_april(desk)
    counts = []
    for code in ("ZJ", "HX", ""):
        desk.session.expire_all()
        statements.clear()
        LISTS[name](desk, everywhere)
        counts.append(len(statements))
        if code:
            live_through_april(open_desk(desk.session, code))
    assert counts == [counts[0]] * 3, statements


@pytest.mark.parametrize("table", ["requests", "consultations", "answers", "private_job_reports", "cash_alerts"])
def test_a_page_of_a_list_is_read_from_an_index_that_begins_with_the_site(desk: Desk, table: str) -> None:
    desk.session.execute(text("SET LOCAL enable_seqscan = off; SET LOCAL enable_sort = off"))
    plan = desk.session.execute(
        text(f"EXPLAIN SELECT * FROM {table} WHERE site_id = :site_id AND id > :id ORDER BY id LIMIT 10"),
        {"site_id": desk.site_id, "id": desk.site_id},
    ).scalars()
    assert f"ix_{table}_site_id" in " ".join(plan)


def test_a_page_of_revisits_does_not_begin_after_a_request_of_another_site(desk: Desk) -> None:
    made = desk.accepted()
    other = open_desk(desk.session, "ZJ")
    other.accepted()
    revisit.list_due(desk.session, now=LATER)
    assert len(revisits_due(desk.session, other.clerk).items) == 1
    assert revisits_due(desk.session, other.clerk, after=made.id).items == []


def test_requests_that_may_be_the_same_are_found_by_home_and_by_number_and_not_among_all_of_the_site(
    desk: Desk, statements: list[str]
) -> None:
    made = desk.register()
    desk.session.execute(MANY_MORE, {"id": made.id})
    statements.clear()
    registered(desk.session, desk.clerk, made.id)
    (asked,) = [one for one in statements if "phone_hash" in one and "LIMIT 20" in one]
    desk.session.execute(text("SET LOCAL enable_seqscan = off"))
    plan = (
        desk.session.connection()
        .exec_driver_sql(f"EXPLAIN {asked}", {"id": made.id, "phone_hashes": [made.phone_hash]})
        .scalars()
    )
    conditions = [line.strip() for line in plan if "Index Cond" in line]
    for key in ("address_key", "phone_hash"):
        assert any("site_id" in condition and key in condition for condition in conditions), conditions
