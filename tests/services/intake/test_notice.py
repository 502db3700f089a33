"""The service notice and what the departments report on it [R24-R32, R62, R67]."""

from datetime import UTC, datetime

import pytest

from services.intake.actions import notice
from services.intake.models import Person, Request
from services.intake.rules.notice import Copy
from shared.errors import NotFound, NotYet, RuleBroken
from shared.ids import new_id
from tests.people import employ, open_site, published
from tests.services.intake.desk import NOW, Desk, minutes

REPORTS = ("WorkAcknowledged", "WorkAssigned", "WorkAccepted", "WorkTerminated", "SupportRequested")


def view_name(desk: Desk) -> str:
    """The clerk's name as hr has it."""
    return desk.session.get_one(Person, desk.clerk.person_id).name


def test_a_notice_is_numbered_in_three_copies_and_sent_to_finance_and_the_department(desk: Desk) -> None:
    made = desk.noticed()
    view = desk.view(made)
    assert view.notice is not None
    assert (view.notice.number, view.state) == ("TZ-BK-20260401-0001", "noticed")
    assert {copy: (seen.state, seen.received_by) for copy, seen in view.notice.copies.items()} == {
        Copy.FINANCE: ("sent", None),
        Copy.DEPARTMENT: ("sent", None),
        Copy.ARCHIVE: ("received", view_name(desk)),
    }
    assert published(desk.session) == [
        *(("NoticeIssued", "dispatch"), ("NoticeIssued", "finance"), ("OwnerLinkGiven", "dispatch")),
    ]
    (body,) = desk.messages("NoticeIssued")
    assert (body["fee_fen"], body["price_version"], body["department"]) == (5000, 1, "engineering")
    assert [(item["code"], item["quantity"], item["amount_fen"]) for item in body["items"]] == [("tap", 1, 5000)]


def test_a_notice_is_issued_once_after_time_and_fee_were_agreed_and_by_the_desk_of_the_site(desk: Desk) -> None:
    made = desk.register()
    with pytest.raises(RuleBroken):
        desk.issue(made)
    desk.agree(made)
    stranger = employ(desk.session, "clerk", "front_desk", open_site(desk.session, "ZJ"))
    with pytest.raises(NotFound):
        notice.issue(desk.session, request_id=made.id, actor=stranger, now=NOW)
    desk.issue(made)
    with pytest.raises(RuleBroken):
        desk.issue(made)


@pytest.mark.parametrize("kind", REPORTS)
def test_a_report_on_a_visit_that_is_not_known_waits(desk: Desk, kind: str) -> None:
    for request_id, round_ in ((new_id(), 0), (desk.noticed().id, 1)):
        with pytest.raises(NotYet):
            desk.hear(kind, Request(id=request_id), round=round_)


def test_the_department_acknowledges_its_copy_and_says_who_comes(desk: Desk) -> None:
    made, by = desk.noticed(), new_id()
    desk.hear("WorkAcknowledged", made, now=minutes(3), acknowledged_by=by)
    desk.hear("WorkAssigned", made, now=minutes(4))
    view = desk.view(made)
    assert view.notice is not None
    assert view.notice.copies[Copy.DEPARTMENT].received_at == minutes(3)
    assert (view.visits[0].acknowledged_at, view.visits[0].workers) == (minutes(3), ["张师傅"])


def test_of_two_choices_of_workers_the_later_one_stands_in_whatever_order_they_come(desk: Desk) -> None:
    made = desk.noticed()
    desk.hear("WorkAssigned", made, now=minutes(9), workers=[{"person_id": new_id(), "name": "李师傅", "weight": 1}])
    desk.hear("WorkAssigned", made, now=minutes(4))
    assert desk.view(made).visits[0].workers == ["李师傅"]


def test_the_latest_call_for_support_is_shown_in_whatever_order_they_come(desk: Desk) -> None:
    made = desk.noticed()
    desk.hear("SupportRequested", made, now=minutes(9), reason="电线裸露")
    desk.hear("SupportRequested", made, now=minutes(4), reason="需要电工")
    assert desk.view(made).visits[0].support_reason == "电线裸露"


def test_what_the_owner_signed_is_accepted_once_with_a_revisit_a_day_later(desk: Desk) -> None:
    made = desk.noticed()
    for _ in range(2):
        desk.hear("WorkAccepted", made, arrived_late=True)
    view = desk.view(made)
    assert (view.state, view.visits[0].signer_name, view.visits[0].arrived_late) == ("accepted", "欧阳建国", True)
    assert [(r.round, r.due_at) for r in view.revisits] == [(0, minutes(24 * 60))]


def test_work_accepted_from_closing_time_of_the_last_day_on_counts_in_the_next_month(desk: Desk) -> None:
    for at, month in (
        (datetime(2026, 4, 30, 9, 59, tzinfo=UTC), "2026-04"),
        (datetime(2026, 4, 30, 10, 0, tzinfo=UTC), "2026-05"),
    ):
        made = desk.noticed()
        desk.hear("WorkAccepted", made, now=at)
        assert desk.view(made).visits[0].accepted_month == month


def test_a_job_ended_undone_ends_its_request_once_and_has_no_revisit(desk: Desk) -> None:
    made = desk.noticed()
    for _ in range(2):
        desk.hear("WorkTerminated", made)
    view = desk.view(made)
    assert (view.state, view.ending, view.visits[0].cause, view.revisits) == (
        "terminated",
        "管道在墙内",
        "unable",
        [],
    )


@pytest.mark.parametrize(("report", "state"), [("WorkAccepted", "accepted"), ("WorkTerminated", "terminated")])
def test_a_withdrawal_that_came_too_late_gives_way_to_how_the_visit_ended(desk: Desk, report: str, state: str) -> None:
    made = desk.cancel(desk.noticed())
    desk.hear(report, made)
    view = desk.view(made)
    assert view.notice is not None
    assert (view.state, view.notice.cancelled_at) == (state, None)
    assert (view.ended_at is None) == (state == "accepted")


def test_a_report_that_contradicts_what_is_known_is_refused(desk: Desk) -> None:
    made = desk.accepted()
    desk.satisfied(made)
    desk.session.flush()
    with pytest.raises(NotYet):
        desk.hear("WorkAccepted", made, round=1)
    assert desk.view(made).state == "closed"


def test_a_notice_for_a_visit_that_would_be_over_is_not_issued_until_another_is_agreed(desk: Desk) -> None:
    made = desk.agree(desk.register())
    with pytest.raises(RuleBroken, match="R49"), desk.session.begin_nested():
        desk.issue(made, now=minutes(360))
    desk.session.expire_all()
    desk.agree(made, now=minutes(361), visit_from=minutes(400), visit_to=minutes(460))
    assert desk.issue(made, now=minutes(361)).state == "noticed"


@pytest.mark.parametrize(("first", "then"), [("WorkAccepted", "WorkTerminated"), ("WorkTerminated", "WorkAccepted")])
@pytest.mark.parametrize("round_", [0, 1])
def test_a_visit_does_not_end_in_two_ways(desk: Desk, first: str, then: str, round_: int) -> None:
    made = desk.noticed() if round_ == 0 else desk.problem(desk.accepted())
    desk.hear(first, made, round=round_, fee_fen=5000 if round_ == 0 else 0)
    state = desk.view(made).state
    with pytest.raises(RuleBroken, match="ended otherwise"):
        desk.hear(then, made, round=round_)
    desk.session.expire_all()
    assert desk.view(made).state == state
