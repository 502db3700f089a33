"""What hr holds of an owner's requests is taken out, and that is noted; who of the company it was is not his [D26]."""

from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from services.hr.actions import privacy
from services.hr.queries.privacy import held_of
from services.hr.tasks import hear_callback_missed, hear_duty_overridden
from shared.ids import new_id
from shared.messages import CallbackMissed, DutyOverridden
from shared.privacy_rows import privacy_acts
from tests.people import employ, open_site


def test_a_late_call_and_an_override_of_his_requests_are_taken_out_without_names(
    session: Session, site_id: UUID, now: datetime
) -> None:
    boss = employ(session, "administrator", "administration", site_id)
    elsewhere = employ(session, "administrator", "administration", open_site(session, "XH"))
    request_id, worker, head = new_id(), new_id(), new_id()
    number = "DJ-BK-20260401-0001"
    missed = CallbackMissed(
        request_id=request_id, request_number=number, site_id=site_id, clerk_id=new_id(), due_at=now
    )
    hear_callback_missed(session, missed, now=now)
    overridden = DutyOverridden(
        override_id=new_id(),
        request_id=request_id,
        site_id=site_id,
        department="environment",
        worker_id=worker,
        head_id=head,
        reason="业主急需",
        overridden_at=now,
    )
    hear_duty_overridden(session, overridden, now=now)
    asked = [request_id, new_id()]
    for actor in (boss, elsewhere):
        privacy.export(session, request_ids=asked, reason="业主要求", actor=actor, now=now)
    late, sent = held_of(session, boss, asked)
    assert (late["kind"], late["request_number"]) == ("missed_callback", number)
    assert (sent["kind"], sent["reason"], sent["request_id"]) == ("duty_overridden", "业主急需", str(request_id))
    assert not any(str(one) in str((late, sent)) for one in (worker, head, missed.clerk_id))
    assert held_of(session, elsewhere, asked) == []
    noted = privacy_acts(session, boss, request_id=None, after=None, limit=10).items
    assert [(one.act, one.request_id, one.by) for one in noted] == [("export", request_id, boss.person_id)]
