"""Only the front desk can create a job: no other route, role or message makes a work order or a charge [R11, R52-R54].

What the acts of the other services make is counted where they are all done (tests/bad_input/acts.py, is_done_once).
"""

import json
import re
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from uuid import UUID

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

import services
from services.dispatch.tasks import tasks as dispatch_tasks
from services.finance.tasks import tasks as finance_tasks
from shared.bus import inbox
from shared.bus.outbox import Envelope
from shared.db import SERVICES, WORKER, database
from shared.errors import NotYet, Problem
from shared.ids import new_id
from shared.messages import CATALOGUE, NoticeIssued, ReworkOrdered
from tests.contracts.test_messages import NOW, SAMPLES
from tests.rulebook.company import open_site_known_as
from tests.security.routes import table_of
from tests.signed import signatures, signed

JOBS = {"dispatch": ("work_orders", dispatch_tasks), "finance": ("charges", finance_tasks)}
"""Where jobs are that are not the desk's own: the table, and what the service hears."""

DESK = frozenset({"clerk", "desk_head"})

MADE_BY = [("dispatch", NoticeIssued), ("dispatch", ReworkOrdered), ("finance", NoticeIssued)]


def jobs(session: Session, service: str) -> int:
    """How many there are."""
    return int(session.execute(text(f"SELECT count(*) FROM {JOBS[service][0]}")).scalar_one())


def body_of(kind: str) -> dict[str, str]:
    """The first sample of a message."""
    body: dict[str, str] = json.loads((SAMPLES / f"{kind}.json").read_text(encoding="utf-8"))
    return body


@pytest.mark.parametrize("service", JOBS)
def test_of_all_messages_only_a_notice_and_a_rework_make_a_job(
    session_of: Callable[[str], Session], service: str
) -> None:
    session, made = session_of(service), set()
    for kind, handler in JOBS[service][1].handlers.items():
        body, undone = body_of(kind), session.begin_nested()
        if "site_id" in body and kind != "SiteChanged":
            open_site_known_as(session, UUID(body["site_id"]))
        before = jobs(session, service)
        try:
            handler(session, CATALOGUE[kind].model_validate(body), now=NOW)
            session.flush()
            made |= {kind} if jobs(session, service) > before else set()
        except (NotYet, Problem, IntegrityError):
            assert kind not in {"NoticeIssued", "ReworkOrdered"}
        finally:
            undone.rollback()
    assert made == {message.__name__ for receiver, message in MADE_BY if receiver == service}
    assert {CATALOGUE[kind].sender for kind in made} == {"intake"}


@pytest.mark.usefixtures("installation")
@pytest.mark.parametrize(("service", "message"), MADE_BY)
def test_a_notice_that_anybody_but_intake_says_is_refused_and_makes_no_job(service: str, message: type) -> None:
    body = body_of(message.__name__)
    known = database(service, WORKER)
    with known.session() as session:
        open_site_known_as(session, UUID(body["site_id"]))
    handlers = JOBS[service][1].handlers

    def told(sender: str, by: str) -> str:
        """What becomes of it when somebody says it in the name of the sender."""
        envelope = Envelope(str(new_id()), message.__name__, sender, service, "", body)
        delivery = signed(envelope, by=by) if by else asdict(envelope)
        return inbox.receive(known, handlers, delivery, signatures=signatures(service), task=message.__name__)

    others = sorted(set(SERVICES) - {"intake"})
    in_their_own_name = [(other, other) for other in others]
    in_the_name_of_intake = [("intake", other) for other in others if other != service]
    nobodys = [("nobody", service), ("nobody", ""), ("intake", "")]
    for sender, by in in_their_own_name + in_the_name_of_intake + nobodys:
        assert told(sender, by) == "refused", (sender, by)
        with known.session() as session:
            assert jobs(session, service) == 0
    assert told("intake", "intake") == "handled"
    with known.session() as session:
        assert jobs(session, service) == 1


def test_one_statement_of_dispatch_and_one_of_finance_write_a_job() -> None:
    root = Path(services.__file__ or "").parent
    wrote = re.compile(
        r"\binsert\((?:WorkOrder|Charge)\)|(?<!class )\b(?:WorkOrder|Charge)\(|INSERT INTO (?:work_orders|charges)\b"
    )
    found = {
        str(path.relative_to(root)): len(wrote.findall(path.read_text(encoding="utf-8")))
        for service in ("dispatch", "finance")
        for path in sorted((root / service).rglob("*.py"))
        if "migrations" not in path.parts and wrote.search(path.read_text(encoding="utf-8"))
    }
    assert found == {"dispatch/actions/work_order.py": 1, "finance/actions/charge.py": 1}


def test_only_the_desk_may_take_arrange_and_order_again() -> None:
    table = table_of("intake")
    for action in ("register_request", "import_requests", "agree_visit", "issue_notice", "record_revisit"):
        assert table[action].roles == DESK, action
