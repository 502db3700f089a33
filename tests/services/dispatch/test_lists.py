"""What people list: their own, by an index, in as many statements for many rows as for one."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import event, text

from services.dispatch.actions import consultation
from services.dispatch.queries.consultations import consultations
from services.dispatch.queries.duties import duties, prescribed_duties
from services.dispatch.queries.hours import hours
from services.dispatch.queries.teams import candidates, candidates_to_assign, workers
from services.dispatch.queries.work_orders import open_orders, work_orders
from shared.ids import new_id
from shared.messages import ConsultationAsked
from shared.people import Actor
from tests.people import employ, open_site
from tests.services.dispatch.crew import NOW, Crew

List = Callable[[Crew, Actor], Any]

PAGE: dict[str, Any] = {"after": None, "limit": 10}

LISTS: dict[str, List] = {
    "work orders": lambda crew, actor: work_orders(crew.session, actor, state=None, **PAGE).items,
    "open questions": lambda crew, actor: consultations(crew.session, actor, unanswered=True, **PAGE).items,
    "prescribed duties": lambda crew, actor: prescribed_duties(crew.session, actor, **PAGE).items,
    "open orders": lambda crew, actor: open_orders(crew.session, actor, limit=10),
    "workers": lambda crew, actor: workers(crew.session, actor, now=NOW),
    "duties": lambda crew, actor: duties(crew.session, actor, day=date(2026, 4, 1), now=NOW),
    "hours": lambda crew, actor: hours(crew.session, actor, month="2026-04", now=NOW),
}


def live(crew: Crew) -> None:
    """Something of everything at the crew's site, done by a further worker."""
    crew.worker = employ(crew.session, "worker", "engineering", crew.site_id)
    crew.prescribe(str(new_id()), person_id=crew.worker.person_id)
    order = crew.assigned()
    crew.override(order)
    crew.tell_owner(crew.arrive(order))
    crew.finish(order, now=NOW + timedelta(minutes=5))
    asked = ConsultationAsked(
        consultation_id=new_id(),
        request_id=order.request_id,
        site_id=crew.site_id,
        department="engineering",
        question="能换吗?",
        reply_due_at=NOW,
    )
    consultation.asked(crew.session, asked, now=NOW)
    crew.session.flush()
    crew.session.expire_all()


@contextmanager
def statements(crew: Crew) -> Iterator[list[tuple[str, Any]]]:
    """What is asked of the database meanwhile."""
    said: list[tuple[str, Any]] = []

    def note(_connection: Any, _cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
        said.append((statement, parameters))

    connection = crew.session.connection()
    event.listen(connection, "before_cursor_execute", note)
    yield said
    event.remove(connection, "before_cursor_execute", note)


@pytest.mark.parametrize("name", LISTS)
def test_a_list_takes_as_many_statements_for_many_rows_as_for_one(crew: Crew, name: str) -> None:
    asked, found = [], []
    for _ in range(2):
        live(crew)
        with statements(crew) as said:
            found.append(len(LISTS[name](crew, crew.head)))
        asked.append(len(said))
        live(crew)
    assert asked[0] == asked[1]
    assert found[0] < found[1]


def test_candidates_take_as_many_statements_for_many_workers_as_for_few(crew: Crew) -> None:
    order = crew.receive()
    asked = []
    for _ in range(2):
        live(crew)
        with statements(crew) as said:
            candidates(crew.session, crew.head, order.id, now=NOW)
        asked.append(len(said))
    assert asked[0] == asked[1]


def test_candidates_take_as_many_statements_for_many_orders_as_for_one(crew: Crew) -> None:
    asked, found = [], []
    for _ in range(2):
        crew.acknowledge(crew.receive(request_id=new_id()))
        with statements(crew) as said:
            found.append(candidates_to_assign(crew.session, crew.head, now=NOW))
        asked.append(len(said))
    assert asked[0] == asked[1]
    assert [len(some) for some in found] == [1, 2]
    for order_id, some in found[1].items():
        assert some == candidates(crew.session, crew.head, order_id, now=NOW)


@pytest.mark.parametrize("name", LISTS)
def test_nothing_of_a_site_is_listed_to_the_people_of_another(crew: Crew, name: str) -> None:
    live(crew)
    other = open_site(crew.session, "ZJ")
    assert LISTS[name](crew, crew.head)
    assert not LISTS[name](crew, employ(crew.session, "head", "engineering", other))
    assert not LISTS[name](crew, employ(crew.session, "auditor", "administration", other))


@pytest.mark.parametrize(
    ("name", "who", "index"),
    [
        ("open questions", "head", "ix_consultations_open"),
        ("duties", "head", "ix_prescribed_duties_site_id"),
        ("work orders", "worker", "Index Only Scan using ix_assignments_person_id"),
    ],
)
def test_what_is_listed_all_day_is_found_by_an_index(crew: Crew, name: str, who: str, index: str) -> None:
    live(crew)
    crew.session.execute(text("SET LOCAL enable_seqscan = off; SET LOCAL enable_bitmapscan = off"))
    with statements(crew) as said:
        LISTS[name](crew, getattr(crew, who))
    plans = [
        "\n".join(crew.session.connection().exec_driver_sql(f"EXPLAIN {statement}", parameters).scalars())
        for statement, parameters in said
        if statement.lstrip().startswith(("SELECT", "WITH"))
    ]
    assert index in "\n".join(plans)
