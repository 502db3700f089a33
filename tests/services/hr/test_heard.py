"""Facts for appraisals are kept as heard, once [R43, R48, D8]."""

from datetime import datetime
from uuid import UUID

import pytest
from sqlalchemy.orm import Session

from services.hr.queries.missed_callbacks import missed_callbacks
from services.hr.queries.overrides import overrides
from services.hr.queries.reports import reports
from services.hr.tasks import hear_callback_missed, hear_duty_overridden, hear_month_reported, tasks
from shared.ids import new_id
from shared.messages import CATALOGUE, CallbackMissed, DutyOverridden, MonthReported, ReportLine
from shared.people import Actor
from tests.people import employ, open_site

LINES = [
    ReportLine(item="requests", value=7),
    ReportLine(department="engineering", person_id=new_id(), name="张师傅", item="jobs", value=3),
]


@pytest.fixture
def readers(session: Session, site_id: UUID) -> tuple[Actor, Actor]:
    """Hr of the site and hr of another."""
    return employ(session, "hr", "hr", site_id), employ(session, "hr", "hr", open_site(session, "XH"))


def test_hr_hears_every_message_meant_for_it() -> None:
    assert set(tasks.handlers) == {name for name, message in CATALOGUE.items() if "hr" in message.receivers}


def test_a_missed_callback_is_kept_once(
    session: Session, site_id: UUID, readers: tuple[Actor, Actor], now: datetime
) -> None:
    told = CallbackMissed(
        request_id=new_id(), request_number="DJ-BK-20260401-0001", site_id=site_id, clerk_id=new_id(), due_at=now
    )
    for _ in range(2):
        hear_callback_missed(session, told, now=now)
    here, elsewhere = (missed_callbacks(session, reader, after=None, limit=10).items for reader in readers)
    assert [vars(view) for view in here] == [told.model_dump()]
    assert elsewhere == []


def test_an_override_is_kept_once(session: Session, site_id: UUID, readers: tuple[Actor, Actor], now: datetime) -> None:
    told = DutyOverridden(
        override_id=new_id(),
        request_id=new_id(),
        site_id=site_id,
        department="environment",
        worker_id=new_id(),
        head_id=new_id(),
        reason="业主急需",
        overridden_at=now,
    )
    for _ in range(2):
        hear_duty_overridden(session, told, now=now)
    here, elsewhere = (overrides(session, reader, after=None, limit=10).items for reader in readers)
    assert [vars(view) for view in here] == [told.model_dump(exclude={"override_id"}) | {"id": told.override_id}]
    assert elsewhere == []


def test_a_month_is_reported_once(session: Session, site_id: UUID, readers: tuple[Actor, Actor], now: datetime) -> None:
    told = MonthReported(site_id=site_id, month="2026-03", report={"requests": 7}, lines=LINES, reported_at=now)
    for _ in range(2):
        hear_month_reported(session, told, now=now)
    here, elsewhere = (reports(session, reader, after=None, limit=10).items for reader in readers)
    assert [(view.site_id, view.month, view.report, view.lines, view.reported_at) for view in here] == [
        (site_id, "2026-03", {"requests": 7}, LINES, now)
    ]
    assert elsewhere == []
