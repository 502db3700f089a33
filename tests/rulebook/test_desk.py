"""The front desk until the owner signed: form, fee, notice in three copies, and who is told [R13-R29, R44-R59]."""

from datetime import timedelta
from typing import Any

import pytest

from services.intake.actions import answer, callback, consultation, copy, private_job, revision
from services.intake.models import Request
from services.intake.queries.consultations import consultations
from services.intake.queries.homes import homes
from services.intake.queries.notices import CopyView
from services.intake.queries.prices import price_lookup
from services.intake.queries.requests import registered
from services.intake.rules.notice import Copy
from services.intake.rules.price import Wanted
from services.intake.rules.request import Channel
from services.intake.rules.scope import Trade, TradePolicy
from shared.messages import PriceItem, PricePublished
from shared.policy_rows import change
from tests.people import employ, published
from tests.rulebook.company import refused
from tests.services.intake.desk import NOW, Desk, minutes
from tests.services.intake.test_api import House
from tests.services.intake.test_consultation import ask

SECOND = timedelta(seconds=1)


def revise(desk: Desk, made: Request, **facts: Any) -> None:
    revision.revise(
        desk.session,
        request_id=made.id,
        revision=revision.Revision(**facts),
        reason="业主改主意",
        actor=desk.clerk,
        now=NOW,
    )
    desk.session.flush()


def copies(desk: Desk, made: Request) -> dict[str, CopyView]:
    """The three copies of its notice by their holders."""
    notice = desk.view(made).notice
    assert notice is not None
    return notice.copies


def catalogue(desk: Desk, *trades: Trade) -> None:
    """The site's own catalogue holds from now on."""
    before = NOW - SECOND
    policy = TradePolicy(trades=trades)
    site_id = desk.site_id
    change(desk.session, policy, site_id=site_id, effective_from=NOW, reason="公司决定", actor=desk.head, now=before)


def two_items(desk: Desk) -> None:
    """A price book with a second item for water, and one for electricity."""
    items = [
        PriceItem(code="tap", trade="water", name="换水龙头", unit="个", min_fen=3000, max_fen=8000),
        PriceItem(code="valve", trade="water", name="换阀门", unit="个", min_fen=1000, max_fen=2000),
        PriceItem(code="lamp", trade="electricity", name="换灯", unit="盏", min_fen=1000, max_fen=2000),
    ]
    desk.handle(PricePublished(version=2, effective_from=NOW.date(), items=items, approved_at=NOW))


def test_r008_what_the_company_takes_on_is_a_catalogue_it_can_change(desk: Desk) -> None:
    catalogue(desk, Trade(code="pests", name="除虫", department="environment"))
    assert desk.register(trade="pests").department == "environment"
    with refused(desk.session, "D2", code="unknown_trade"):
        desk.register(trade="greening")


def test_r009_what_is_refused_today_may_be_taken_on_from_a_day_on_and_what_was_refused_stays_so(desk: Desk) -> None:
    before = desk.register(trade="appliance")
    catalogue(desk, Trade(code="appliance", name="家电", department="engineering"))
    assert (desk.register(trade="appliance").state, before.state) == ("recorded", "refused")


def test_r015_a_caller_is_known_by_his_number_with_all_his_home_has_asked_for(desk: Desk) -> None:
    old, open_ = desk.cancel(desk.register()), desk.register()
    (home,) = homes(desk.session, desk.clerk, phone="+138 0013-8000", room="")
    assert (home.address, home.owner_names) == ("3-2-1502", ["欧阳建国"])
    assert [(row.id, row.open) for row in home.requests] == [(open_.id, True), (old.id, False)]


def test_r017_every_window_that_suits_the_owner_is_kept(desk: Desk) -> None:
    windows = [(minutes(60), minutes(120)), (minutes(300), minutes(360))]
    shown = desk.view(desk.register(windows=windows)).windows
    assert shown == [[start.isoformat(), end.isoformat()] for start, end in windows]


def test_r018_the_fee_is_agreed_item_by_item_and_is_their_sum(desk: Desk) -> None:
    two_items(desk)
    made = desk.agree(desk.register(), items=[Wanted("tap", 2, 5000), Wanted("valve", 1, 1500)])
    view = desk.view(made)
    assert (view.fee_fen, [item.amount_fen for item in view.items]) == (11500, [10000, 1500])


def test_r019_a_department_that_answers_twice_is_believed_the_last_time(desk: Desk) -> None:
    made = desk.register()
    asked = ask(desk, made)
    for said, at in (("八十元", 9), ("五十元", 4)):
        facts: dict[str, Any] = {"consultation_id": asked.id, "answer": said, "answered_at": minutes(at)}
        desk.hear("ConsultationAnswered", made, answered_by=desk.head.person_id, **facts)
    (seen,) = consultations(desk.session, desk.clerk, after=None, limit=10).items
    assert seen.answer == "八十元"


def test_r020_a_form_that_may_repeat_an_open_one_is_pointed_out_and_taken_all_the_same(desk: Desk) -> None:
    first = desk.register()
    second = registered(desk.session, desk.clerk, desk.register().id)
    assert (second.state, [row.id for row in second.possible_duplicates]) == ("recorded", [first.id])


def test_r022_the_desk_finds_price_and_answer_while_the_owner_is_on_the_phone(desk: Desk) -> None:
    question = {"question": "换水龙头要多久?", "answer": "半小时", "trade": "water"}
    answer.give(desk.session, site_id=desk.site_id, **question, actor=desk.head, now=NOW)
    told = price_lookup(desk.session, desk.clerk, q="水龙头", trade="water", now=NOW)
    assert ([p.max_fen for p in told.prices], [a.answer for a in told.answers]) == ([8000], ["半小时"])


def test_r023_a_reply_that_was_promised_and_not_given_is_told_to_the_desk_head(desk: Desk) -> None:
    ask(desk, desk.register())
    consultation.miss_due(desk.session, now=minutes(30))
    assert desk.alerts("reply_missed") == set()
    consultation.miss_due(desk.session, now=minutes(30) + SECOND)
    assert desk.alerts("reply_missed") == {("desk_head", None, False)}


def test_r024_the_notice_carries_over_everything_the_form_says_of_the_work(desk: Desk) -> None:
    made = desk.issue(desk.agree(desk.register(Channel.WALK_IN), owner_waits=True))
    (body,) = desk.messages("NoticeIssued")
    view = desk.view(made)
    assert body["phone"] == made.phone
    same = (
        *("site_id", "department", "trade", "channel", "owner_name", "address", "description"),
        *("fee_fen", "price_version", "owner_waits"),
    )
    assert {field: body[field] for field in same} == {
        field: str(getattr(view, field)) if field == "site_id" else getattr(view, field) for field in same
    }
    assert body["items"] == [item.model_dump() for item in view.items]
    assert (body["visit_from"][:16], body["visit_to"][:16]) == ("2026-04-01T07:00", "2026-04-01T08:00")


def test_r025_a_revision_goes_to_all_three_holders_and_a_copy_printed_again_is_counted(desk: Desk) -> None:
    made = desk.noticed()
    revise(desk, made, visit_to=minutes(400))
    copy.reprint(desk.session, request_id=made.id, copy=Copy.FINANCE, reason="丢失", actor=desk.clerk, now=NOW)
    seen = copies(desk, made)
    assert {name: (one.revision, one.reprints) for name, one in seen.items()} == {
        "finance": (1, 1),
        "department": (1, 0),
        "archive": (1, 0),
    }
    assert set(published(desk.session)[-2:]) == {("NoticeRevised", "dispatch"), ("NoticeRevised", "finance")}


def test_r026_who_at_finance_took_the_copy_in_is_known_by_name(desk: Desk) -> None:
    made = desk.noticed()
    assert copies(desk, made)["finance"].state == "sent"
    cashier = employ(desk.session, "cashier", "finance", desk.site_id, name="钱会计")
    desk.hear("NoticesReceived", made, now=minutes(5), received_by=cashier.person_id)
    one = copies(desk, made)["finance"]
    assert (one.state, one.received_at, one.received_by) == ("received", minutes(5), "钱会计")


def test_r027_who_at_the_department_took_the_copy_in_is_known_by_name(desk: Desk) -> None:
    made = desk.noticed()
    head = employ(desk.session, "head", "engineering", desk.site_id, name="工程主管")
    desk.hear("WorkAcknowledged", made, now=minutes(3), acknowledged_by=head.person_id)
    one = copies(desk, made)["department"]
    assert (one.state, one.received_at, one.received_by) == ("received", minutes(3), "工程主管")


def test_r028_the_archive_keeps_every_revision_and_a_cancelled_notice_with_its_reason(desk: Desk) -> None:
    made = desk.noticed()
    revise(desk, made, items=[Wanted("tap", 1, 6000)])
    desk.cancel(made)
    notice = desk.view(made).notice
    assert notice is not None
    assert [(one.revision, one.fee_fen, one.changed.get("fee_fen")) for one in notice.revisions] == [
        (0, 5000, None),
        (1, 6000, 5000),
    ]
    assert (notice.state, notice.cancel_reason) == ("cancelled", "业主不需要了")


def test_r029_a_supervisor_who_does_not_take_the_notice_is_reported_to_the_desk_head(desk: Desk) -> None:
    desk.hear("AcknowledgementMissed", desk.noticed(), now=minutes(5))
    assert desk.alerts("acknowledgement_missed") == {("desk_head", None, False)}


def test_r044_the_head_is_called_at_once_for_a_visitor(desk: Desk) -> None:
    desk.register(Channel.WALK_IN)
    assert desk.alerts("request_recorded") == {("head", "engineering", False)}


def test_r045_an_owner_at_the_desk_waits_there_for_who_goes_with_him_and_a_caller_cannot(desk: Desk) -> None:
    visitor = desk.register(Channel.WALK_IN)
    desk.issue(desk.agree(visitor, owner_waits=True, visit_from=NOW, visit_to=minutes(60)))
    (body,) = desk.messages("NoticeIssued")
    assert body["owner_waits"] is True
    for channel in (Channel.PHONE, Channel.ONLINE):
        with refused(desk.session, "R45", code="nobody_at_the_desk"):
            desk.agree(desk.register(channel), owner_waits=True)


def test_r047_the_head_is_called_at_once_for_a_caller(desk: Desk) -> None:
    desk.register(Channel.PHONE)
    assert desk.alerts("request_recorded") == {("head", "engineering", False)}


def test_r048_a_call_not_made_in_ten_minutes_is_told_to_the_desk_head_and_the_head(desk: Desk) -> None:
    desk.register()
    callback.miss_due(desk.session, now=minutes(10))
    assert desk.alerts("callback_missed") == set()
    callback.miss_due(desk.session, now=minutes(10) + SECOND)
    assert desk.alerts("callback_missed") == {("desk_head", None, False), ("head", "engineering", False)}


def test_r054_who_takes_a_job_privately_is_reported_by_the_desk_to_hr_and_nobody_reports_himself(desk: Desk) -> None:
    worker = employ(desk.session, "worker", "engineering", desk.site_id)
    told: dict[str, Any] = {"site_id": desk.site_id, "evidence": "业主反映", "actor": desk.clerk, "now": NOW}
    told |= {"happened_at": NOW}
    with refused(desk.session, "R54", code="not_four_eyes"):
        private_job.report(desk.session, person_id=desk.clerk.person_id, **told)
    with refused(desk.session, "R54", code="not_happened_yet"):
        private_job.report(desk.session, person_id=worker.person_id, **told | {"happened_at": NOW + SECOND})
    private_job.report(desk.session, person_id=worker.person_id, **told)
    assert published(desk.session) == [("PrivateJobReported", "hr")]


def test_r055_every_item_of_a_fee_is_of_the_one_price_book_and_of_the_requests_trade(desk: Desk) -> None:
    two_items(desk)
    for items in ([Wanted("tap", 1, 5000), Wanted("lamp", 1, 1500)], [Wanted("magic", 1, 5000)]):
        with refused(desk.session, "R57", code="no_approved_price"):
            desk.agree(desk.register(), items=items)


@pytest.mark.parametrize("unit_fen", [2999, 8001])
def test_r057_many_of_an_item_cost_each_the_approved_price_before_the_notice_and_after(
    desk: Desk, unit_fen: int
) -> None:
    dear = [Wanted("tap", 3, unit_fen)]
    with refused(desk.session, "R57", code="fee_outside_price"):
        desk.agree(desk.register(), items=dear)
    made = desk.noticed()
    with refused(desk.session, "R57", code="fee_outside_price"):
        revise(desk, made, items=dear)


def test_r058_no_line_for_materials_can_be_made_when_a_notice_is_revised(desk_api: House) -> None:
    made = desk_api.noticed()
    bought = {"materials": [{"name": "水龙头", "amount_fen": 3000}], "reason": "买了材料"}
    assert desk_api.post("clerk", f"/requests/{made}/revise", bought).status_code == 422
    named = {"items": [{"price_code": "水龙头材料", "quantity": 1, "unit_fen": 3000}], "reason": "买了材料"}
    assert desk_api.post("clerk", f"/requests/{made}/revise", named).status_code == 409


def test_r063_damage_done_at_a_home_is_kept_with_the_request_and_told_to_the_desk_head(desk: Desk) -> None:
    made = desk.noticed()
    desk.hear("DamageReported", made)
    assert [one.description for one in desk.view(made).damages] == ["地板进水"]
    assert desk.alerts("damage_reported") == {("desk_head", None, False)}


@pytest.mark.parametrize(("for_safety", "kind"), [(True, "stopped_for_safety"), (False, "support_requested")])
def test_r067_who_cannot_go_on_is_heard_at_the_desk_at_once(desk: Desk, for_safety: bool, kind: str) -> None:
    desk.hear("SupportRequested", desk.noticed(), for_safety=for_safety)
    assert desk.alerts(kind) == {("clerk", None, False), ("desk_head", None, False)}


def test_d02_the_catalogue_in_force_when_a_request_is_recorded_counts_and_is_frozen_on_it(desk: Desk) -> None:
    before = desk.register()
    catalogue(desk, Trade(code="water", name="水", department="environment"))
    after = desk.register()
    assert (before.department, after.department) == ("engineering", "environment")
    assert desk.view(desk.agree(before)).department == "engineering"


def test_d03_at_eight_minutes_the_clerk_and_the_head_are_warned(desk: Desk) -> None:
    desk.register()
    callback.warn_due(desk.session, now=minutes(8))
    assert desk.alerts("callback_warning") == set()
    callback.warn_due(desk.session, now=minutes(8) + SECOND)
    assert desk.alerts("callback_warning") == {(None, None, True), ("head", "engineering", False)}


def test_d10_a_revised_fee_is_agreed_from_the_version_frozen_on_the_job(desk: Desk) -> None:
    made = desk.noticed()
    two_items(desk)  # version 2 has the valve
    with refused(desk.session, "R57", code="no_approved_price"):
        revise(desk, made, items=[Wanted("valve", 1, 1500)])
    revise(desk, made, items=[Wanted("tap", 1, 8000)])
    (body,) = desk.messages("NoticeRevised")
    assert (body["price_version"], body["fee_fen"]) == (1, 8000)


def test_d23_what_was_signed_holds_and_once_signed_the_fee_stands(desk: Desk) -> None:
    made = desk.noticed()
    revise(desk, made, items=[Wanted("tap", 1, 8000)])
    with refused(desk.session, "D23", code="fee_not_agreed"):
        desk.hear("WorkAccepted", made, revision=1, fee_fen=5000)
    with refused(desk.session, "D23", code="unknown_revision"):
        desk.hear("WorkAccepted", made, revision=2, fee_fen=8000)
    desk.session.expire_all()
    desk.hear("WorkAccepted", made, revision=0, fee_fen=5000)  # he signed before the revision reached the worker
    assert desk.view(made).fee_fen == 5000
    with refused(desk.session, "R20", code="step_not_allowed"):
        revise(desk, made, items=[Wanted("tap", 1, 8000)])


def test_d26_a_phone_number_corrected_on_a_notice_is_not_kept_in_its_history(desk: Desk) -> None:
    made = desk.noticed()
    revise(desk, made, phone="13900139000")
    notice = desk.view(made).notice
    assert notice is not None
    assert notice.revisions[1].changed == {"phone": "138****8000"}


def test_d27_a_department_declines_with_a_reason_until_the_desk_agrees_anew_and_returns_its_copy(desk: Desk) -> None:
    made = desk.noticed()
    desk.hear("WorkDeclined", made, reason="那天没有人手")
    declined = desk.view(made).declined
    assert declined is not None
    assert (declined.reason, desk.alerts("notice_declined")) == (
        "那天没有人手",
        {("clerk", None, False), ("desk_head", None, False)},
    )
    revise(desk, made, visit_to=minutes(400))
    assert desk.view(made).declined is None
    desk.hear("NoticeReturned", made, now=minutes(500))
    assert copies(desk, made)["department"].state == "returned"
