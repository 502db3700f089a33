"""Finance's copy of the notice [R26, R31-R33]."""

import pytest

from services.finance.actions import charge
from services.finance.models import Charge
from services.finance.tasks import (
    hear_notice_cancelled,
    hear_notice_issued,
    hear_notice_revised,
    hear_person_changed,
    hear_work_accepted,
    hear_work_terminated,
)
from shared.errors import NotFound, NotYet, RuleBroken
from shared.ids import new_id
from shared.messages import NoticeCancelled, NoticeIssued, NoticeRevised, PersonChanged
from shared.people import identify
from tests.services.finance.office import MORNING, Office


def cancel(office: Office, request_id) -> None:
    hear_notice_cancelled(
        office.session,
        NoticeCancelled(
            request_id=request_id, notice_number="", site_id=office.site_id, reason="不修了", cancelled_at=MORNING
        ),
        now=MORNING,
    )


def accept(office: Office, request_id, **facts) -> None:
    hear_work_accepted(office.session, office.work_accepted(request_id, **facts), now=MORNING)
    office.session.flush()


def charge_of(office: Office, request_id) -> Charge:
    return charge.charge_for(office.session, office.clerk, request_id)


def test_a_notice_becomes_a_charge_once(office: Office) -> None:
    issued = office.notice_issued(fee_fen=8800)
    for _ in range(2):
        hear_notice_issued(office.session, issued, now=MORNING)
    found = charge_of(office, issued.request_id)
    assert (found.state, found.fee_fen, found.revision, found.price_version) == ("noticed", 8800, 0, 1)
    assert [(item["code"], item["amount_fen"]) for item in found.items] == [("tap", 8800)]


def test_a_notice_of_an_unknown_site_waits(office: Office) -> None:
    issued = office.notice_issued().model_copy(update={"site_id": new_id()})
    with pytest.raises(NotYet):
        hear_notice_issued(office.session, issued, now=MORNING)


def test_what_the_owner_signed_is_due_and_its_workers_are_kept(office: Office) -> None:
    request_id = office.notice(fee_fen=10000)
    workers = {office.worker.person_id: 2, office.mate.person_id: 1}
    for _ in range(2):
        accept(office, request_id, fee_fen=9000, workers=workers)
    found = charge_of(office, request_id)
    assert (found.state, found.fee_fen, found.accepted_at) == ("accepted", 9000, MORNING)
    assert {worker.person_id: worker.weight for worker in found.workers} == workers


def test_reports_on_an_unknown_notice_wait(office: Office) -> None:
    with pytest.raises(NotYet):
        accept(office, new_id())
    with pytest.raises(NotYet):
        hear_work_terminated(office.session, office.work_terminated(new_id()), now=MORNING)
    with pytest.raises(NotYet):
        cancel(office, new_id())


def test_rework_is_free(office: Office) -> None:
    accept(office, new_id(), round_=1)
    hear_work_terminated(office.session, office.work_terminated(new_id(), round_=2), now=MORNING)


def test_a_job_without_workers_is_refused(office: Office) -> None:
    with pytest.raises(RuleBroken, match="D15"):
        accept(office, office.notice(), workers={})


def test_a_terminated_job_is_never_billed_and_a_late_cancel_changes_nothing(office: Office) -> None:
    request_id = office.notice()
    for _ in range(2):
        hear_work_terminated(office.session, office.work_terminated(request_id), now=MORNING)
    cancel(office, request_id)
    assert charge_of(office, request_id).state == "terminated"
    with pytest.raises(RuleBroken):
        accept(office, request_id)


def test_a_cancelled_notice_is_never_billed_and_a_late_termination_changes_nothing(office: Office) -> None:
    request_id = office.notice()
    for _ in range(2):
        cancel(office, request_id)
    hear_work_terminated(office.session, office.work_terminated(request_id), now=MORNING)
    assert charge_of(office, request_id).state == "cancelled"


def test_a_withdrawal_that_came_too_late_is_outweighed_by_the_owners_signature_in_whatever_order_both_come(
    office: Office,
) -> None:
    before, after = office.notice(), office.accepted()
    cancel(office, before)
    accept(office, before)
    cancel(office, after)
    for request_id in (before, after):
        assert charge_of(office, request_id).state == "accepted"
        assert office.collect(request_id).state == "used"


def test_a_fee_that_was_collected_is_not_lost_by_a_late_withdrawal(office: Office) -> None:
    request_id = office.paid().request_id
    cancel(office, request_id)
    assert charge_of(office, request_id).state == "collected"


def test_an_accepted_job_cannot_be_terminated(office: Office) -> None:
    request_id = office.accepted()
    with pytest.raises(RuleBroken, match="accepted"):
        hear_work_terminated(office.session, office.work_terminated(request_id), now=MORNING)


def test_a_charge_of_another_site_is_not_found(office: Office) -> None:
    elsewhere = Office(office.session, code="LH")
    with pytest.raises(NotFound):
        charge.charge_for(office.session, elsewhere.clerk, office.notice())


def test_people_are_kept_as_hr_says(office: Office) -> None:
    changed = PersonChanged(
        person_id=office.clerk.person_id,
        version=9,
        name="李梅",
        role="desk_head",
        department="front_desk",
        site_ids=[office.site_id],
        all_sites=False,
        active=True,
        token_hash="b5bb9d8014a0f9b1d61e21e796d78dccdf1352f23cd32812f4850b878ae4944c",
    )
    hear_person_changed(office.session, changed, now=MORNING)
    assert identify(office.session, "foo\n")[0].name == "李梅"


def test_the_list_of_another_revision_than_was_signed_is_not_shown_and_its_own_may_come_later(office: Office) -> None:
    issued = office.notice_issued(fee_fen=8800)
    hear_notice_issued(office.session, issued, now=MORNING)
    signed = office.work_accepted(issued.request_id, fee_fen=9900).model_copy(update={"revision": 1})
    hear_work_accepted(office.session, signed, now=MORNING)
    office.session.flush()
    found = charge_of(office, issued.request_id)
    assert (found.fee_fen, found.revision, found.items) == (9900, 1, [])
    for revision in (2, 1, 1, 0):
        hear_notice_revised(office.session, revised(issued, revision), now=MORNING)
    office.session.flush()
    assert (found.fee_fen, found.revision, found.items[0]["amount_fen"], found.price_version) == (9900, 1, 9900, 1)


def test_a_revision_of_an_unknown_notice_waits(office: Office) -> None:
    with pytest.raises(NotYet):
        hear_notice_revised(office.session, revised(office.notice_issued(), 1), now=MORNING)


def revised(issued: NoticeIssued, revision: int) -> NoticeRevised:
    fee_fen = 8800 + 1100 * revision
    items = [issued.items[0].model_copy(update={"unit_fen": fee_fen, "amount_fen": fee_fen})]
    facts = issued.model_dump() | {
        "revision": revision,
        "fee_fen": fee_fen,
        "items": items,
        "price_version": revision,
        "reason": "加一个",
        "revised_at": MORNING,
    }
    return NoticeRevised(**facts)
