"""What people of the desk and the departments are told at once, damage, and private jobs [D3, D24, R54, R63]."""

from datetime import datetime, timedelta
from uuid import UUID

import pytest
from sqlalchemy import text

from services.intake.actions import callback, consultation, private_job
from services.intake.models import Request
from services.intake.queries.private_jobs import private_jobs
from services.intake.rules.private_job import check_report
from services.intake.rules.request import Channel
from shared.errors import Malformed, NotFound, NotYet
from shared.ids import new_id
from shared.people import Actor
from tests.people import employ, open_site, published
from tests.services.intake.desk import NOW, Desk, minutes
from tests.services.intake.test_consultation import ask

HEAD = ("head", "engineering", False)
DESK_HEAD = ("desk_head", None, False)
CLERK = ("clerk", None, False)


def alerts_raised(desk: Desk) -> int:
    return int(desk.session.execute(text("SELECT count(*) FROM alerts")).scalar_one())


def report(
    desk: Desk, person: UUID, *, at: datetime = NOW, actor: Actor | None = None, site_id: UUID | None = None
) -> UUID:
    made = private_job.report(
        desk.session,
        site_id=site_id or desk.site_id,
        person_id=person,
        happened_at=at,
        evidence="业主反映",
        actor=actor or desk.clerk,
        now=NOW,
    )
    desk.session.flush()
    return made.id


@pytest.mark.parametrize("channel", list(Channel))
def test_the_head_of_the_department_is_told_of_a_request_recorded_and_nobody_of_one_refused(
    desk: Desk, channel: Channel
) -> None:
    desk.register(channel, trade="appliance")
    assert desk.alerts("request_recorded") == set()
    desk.register(channel)
    assert desk.alerts("request_recorded") == {HEAD}


def test_at_eight_minutes_the_clerk_who_recorded_it_and_the_head_are_told_and_at_ten_the_desk_head_and_the_head(
    desk: Desk,
) -> None:
    desk.register()
    callback.warn_due(desk.session, now=minutes(8.1))
    assert desk.alerts("callback_warning") == {(None, None, True), HEAD}
    callback.miss_due(desk.session, now=minutes(10.1))
    assert desk.alerts("callback_missed") == {DESK_HEAD, HEAD}


def test_a_promised_reply_that_was_not_given_is_told_to_the_desk_head(desk: Desk) -> None:
    ask(desk, desk.register())
    consultation.miss_due(desk.session, now=minutes(31))
    assert desk.alerts("reply_missed") == {DESK_HEAD}


@pytest.mark.parametrize(("for_safety", "kind"), [(True, "stopped_for_safety"), (False, "support_requested")])
def test_each_call_for_support_or_stop_for_safety_is_told_to_the_desk_once(
    desk: Desk, for_safety: bool, kind: str
) -> None:
    made = desk.noticed()
    before = alerts_raised(desk)
    for at in (minutes(9), minutes(9), minutes(4)):
        desk.hear("SupportRequested", made, now=at, for_safety=for_safety)
    assert desk.alerts(kind) == {CLERK, DESK_HEAD}
    assert alerts_raised(desk) - before == 4


def test_a_notice_that_was_not_acknowledged_in_time_is_told_to_the_desk_head_once(desk: Desk) -> None:
    made = desk.noticed()
    before = alerts_raised(desk)
    for _ in range(2):
        desk.hear("AcknowledgementMissed", made, now=minutes(5))
    assert desk.alerts("acknowledgement_missed") == {DESK_HEAD}
    assert alerts_raised(desk) - before == 1
    with pytest.raises(NotYet):
        desk.hear("AcknowledgementMissed", Request(id=new_id()))


def test_damage_is_kept_with_its_request_and_told_to_the_desk_head_once(desk: Desk) -> None:
    made, damage_id = desk.noticed(), new_id()
    for _ in range(2):
        desk.hear("DamageReported", made, damage_id=damage_id)
    (damage,) = desk.view(made).damages
    assert (damage.id, damage.description, damage.estimate_fen) == (damage_id, "地板进水", 20000)
    assert desk.alerts("damage_reported") == {DESK_HEAD}
    with pytest.raises(NotYet):
        desk.hear("DamageReported", Request(id=new_id()))


def test_an_alert_has_no_personal_data(desk: Desk) -> None:
    made = desk.noticed()
    callback.miss_due(desk.session, now=minutes(11))
    for kind in ("SupportRequested", "WorkDeclined", "DamageReported"):
        desk.hear(kind, made)
    told = desk.session.execute(text("SELECT string_agg(facts::text, ' ') FROM alerts")).scalar_one()
    for word in ("13800138000", "欧阳建国", "3-2-1502"):
        assert word not in told


def test_a_private_job_is_reported_after_it_happened() -> None:
    check_report(happened_at=NOW, now=NOW)
    with pytest.raises(Malformed):
        check_report(happened_at=NOW + timedelta(seconds=1), now=NOW)


def test_a_private_job_is_kept_told_to_hr_and_seen_at_the_desk_of_its_site(desk: Desk) -> None:
    worker = employ(desk.session, "worker", "engineering", desk.site_id)
    everywhere = employ(desk.session, "worker", "engineering")
    made = report(desk, worker.person_id)
    report(desk, everywhere.person_id)
    assert published(desk.session) == [("PrivateJobReported", "hr")] * 2
    told = desk.messages("PrivateJobReported")[0]
    assert (told["report_id"], told["person_id"]) == (str(made), str(worker.person_id))
    assert (told["reported_by"], told["evidence"]) == (str(desk.clerk.person_id), "业主反映")
    rows = private_jobs(desk.session, desk.head, after=None, limit=10).items
    assert [row.person_id for row in rows] == [worker.person_id, everywhere.person_id]
    other = open_site(desk.session, "ZJ")
    stranger = employ(desk.session, "clerk", "front_desk", other)
    assert private_jobs(desk.session, stranger, after=None, limit=10).items == []
    for unknown in (worker.person_id, new_id()):
        with pytest.raises(NotFound):
            report(desk, unknown, actor=stranger, site_id=other)
    with pytest.raises(NotFound):
        report(desk, worker.person_id, actor=stranger)
