"""A notice that changes after it was issued, is declined, and comes back [R24-R28, D10, D23, D27]."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from services.intake.actions import copy, revision
from services.intake.models import Request
from services.intake.rules.notice import Copy, CopyState, changes, copy_state
from services.intake.rules.price import Price, Wanted, fee_of, settlement_list
from shared.errors import Malformed, NotFound, NotYet, RuleBroken
from shared.ids import new_id
from tests.people import employ, open_site
from tests.services.intake.desk import NOW, Desk, minutes, price_book

TAP = Price(1, "tap", "water", "换水龙头", "个", 3000, 8000)
VALVE = Price(1, "valve", "water", "换阀门", "个", 1000, 2000)


def revise(desk: Desk, made: Request, *, now: Any = NOW, actor: Any = None, **facts: Any) -> None:
    revision.revise(
        desk.session,
        request_id=made.id,
        revision=revision.Revision(**facts),
        reason="业主改主意",
        actor=actor or desk.clerk,
        now=now,
    )
    desk.session.flush()


def reprint(desk: Desk, made: Request) -> None:
    copy.reprint(desk.session, request_id=made.id, copy=Copy.DEPARTMENT, reason="打湿了", actor=desk.clerk, now=NOW)
    desk.session.flush()


def test_the_fee_is_the_sum_of_quantity_times_price_of_every_item() -> None:
    wanted = [Wanted("tap", 2, 5000), Wanted("valve", 3, 1500)]
    items = settlement_list({"tap": TAP, "valve": VALVE}, wanted, trade="water")
    assert [(item.name, item.quantity, item.amount_fen) for item in items] == [
        ("换水龙头", 2, 10000),
        ("换阀门", 3, 4500),
    ]
    assert fee_of(items) == 14500


@pytest.mark.parametrize(
    ("wanted", "trade", "code"),
    [
        (Wanted("tap", 1, 2999), "water", "fee_outside_price"),
        (Wanted("tap", 100, 8001), "water", "fee_outside_price"),
        (Wanted("tap", 1, 5000), "electricity", "no_approved_price"),
        (Wanted("lamp", 1, 5000), "water", "no_approved_price"),
    ],
)
def test_an_item_is_refused_that_no_approved_price_of_the_trade_allows(wanted: Wanted, trade: str, code: str) -> None:
    with pytest.raises(RuleBroken) as refused:
        settlement_list({"tap": TAP}, [wanted], trade=trade)
    assert (refused.value.code, refused.value.rule) == (code, "R57")


def test_an_item_is_named_once() -> None:
    with pytest.raises(Malformed):
        settlement_list({"tap": TAP}, [Wanted("tap", 1, 5000), Wanted("tap", 1, 6000)], trade="water")


def test_a_copy_is_sent_then_received_then_returned_in_whatever_order_that_is_heard() -> None:
    assert copy_state(received_at=None, returned_at=None) is CopyState.SENT
    assert copy_state(received_at=NOW, returned_at=None) is CopyState.RECEIVED
    assert copy_state(received_at=None, returned_at=NOW) is CopyState.RETURNED


def test_what_changes_is_kept_with_what_stood_there_and_a_change_of_nothing_is_refused() -> None:
    assert changes({"a": 1, "b": 2}, {"a": 1, "b": 3}) == {"b": 2}
    with pytest.raises(RuleBroken, match="says that already"):
        changes({"a": 1}, {"a": 1})
    with pytest.raises(RuleBroken):
        changes({}, {})


def test_a_revision_is_numbered_told_whole_and_kept_with_what_stood_there_before(desk: Desk) -> None:
    made = desk.noticed()
    revise(desk, made, items=[Wanted("tap", 2, 4000)], phone="13900139000", visit_to=minutes(400))
    revise(desk, made, owner_name="王丽", now=minutes(5))
    first, second = desk.messages("NoticeRevised")
    assert (first["revision"], first["fee_fen"], first["items"][0]["quantity"]) == (1, 8000, 2)
    assert (second["revision"], second["owner_name"], second["fee_fen"]) == (2, "王丽", 8000)
    assert (first["phone"], first["price_version"], first["reason"]) == ("13900139000", 1, "业主改主意")
    view = desk.view(made)
    assert view.notice is not None
    assert (view.notice.revision, view.owner_name, view.fee_fen) == (2, "王丽", 8000)
    assert [(r.revision, r.fee_fen, sorted(r.changed)) for r in view.notice.revisions] == [
        (0, 5000, []),
        (1, 8000, ["fee_fen", "items", "phone", "visit_to"]),
        (2, 8000, ["owner_name"]),
    ]
    assert view.notice.revisions[1].changed["phone"] == "138****8000"
    assert {(c.revision, c.sent_at) for c in view.notice.copies.values()} == {(2, minutes(5))}


def test_what_was_once_agreed_on_a_notice_cannot_be_changed_in_the_table(desk: Desk) -> None:
    desk.noticed()
    with pytest.raises(DBAPIError, match=r"append-only|permission denied"):
        desk.session.execute(text("UPDATE notice_revisions SET fee_fen = 1"))


def test_a_revision_is_agreed_from_the_price_frozen_on_the_job(desk: Desk) -> None:
    made = desk.noticed()
    desk.handle(price_book(2, effective_from=NOW - timedelta(days=1), max_fen=4000))
    desk.handle(price_book(3, effective_from=NOW, max_fen=4000))
    revise(desk, made, items=[Wanted("tap", 1, 8000)])
    assert (made.fee_fen, made.price_version) == (8000, 1)
    with pytest.raises(RuleBroken, match="R57"):
        revise(desk, made, items=[Wanted("tap", 1, 8001)])


@pytest.mark.parametrize("state", ["recorded", "agreed", "accepted", "cancelled", "closed"])
def test_only_a_notice_that_is_out_and_not_signed_for_is_revised(desk: Desk, state: str) -> None:
    made = {
        "recorded": desk.register,
        "agreed": lambda: desk.agree(desk.register()),
        "accepted": desk.accepted,
        "cancelled": lambda: desk.cancel(desk.noticed()),
        "closed": lambda: desk.satisfied(desk.accepted()),
    }[state]()
    with pytest.raises(RuleBroken) as refused:
        revise(desk, made, owner_name="王丽")
    assert "revise_notice" not in refused.value.allowed


def test_a_notice_whose_fee_is_paid_is_not_revised_though_the_signature_was_not_heard_of_yet(desk: Desk) -> None:
    made = desk.noticed()
    desk.hear("FeeCollected", made)
    with pytest.raises(RuleBroken, match="D23"):
        revise(desk, made, owner_name="王丽")


def test_a_revised_visit_has_a_length_and_is_still_to_come(desk: Desk) -> None:
    made = desk.noticed()
    with pytest.raises(RuleBroken, match="R49"), desk.session.begin_nested():
        revise(desk, made, visit_to=minutes(300))
    desk.session.expire_all()
    with pytest.raises(RuleBroken, match="R49"):
        revise(desk, made, visit_from=minutes(-20), visit_to=minutes(-10))


def test_a_notice_of_another_site_is_neither_revised_nor_printed(desk: Desk) -> None:
    made = desk.noticed()
    stranger = employ(desk.session, "clerk", "front_desk", open_site(desk.session, "ZJ"))
    with pytest.raises(NotFound):
        revise(desk, made, owner_name="王丽", actor=stranger)
    with pytest.raises(NotFound):
        copy.reprint(desk.session, request_id=made.id, copy=Copy.ARCHIVE, reason="x", actor=stranger, now=NOW)


def test_time_and_fee_follow_the_revision_that_was_signed_though_a_later_one_was_made(desk: Desk) -> None:
    made = desk.noticed()
    revise(desk, made, items=[Wanted("tap", 2, 4000)], visit_to=minutes(400), phone="13900139000")
    desk.hear("WorkAccepted", made, revision=0, fee_fen=5000)
    view = desk.view(made)
    assert (view.state, view.fee_fen, view.visit_to) == ("accepted", 5000, minutes(360))
    assert [(item.quantity, item.amount_fen) for item in view.items] == [(1, 5000)]
    assert (view.phone, made.phone) == ("139****9000", "13900139000")  # a correction stays


@pytest.mark.parametrize(
    ("facts", "code"), [({"revision": 1}, "unknown_revision"), ({"fee_fen": 5001}, "fee_not_agreed")]
)
def test_a_signature_under_what_was_never_agreed_is_refused(desk: Desk, facts: dict[str, Any], code: str) -> None:
    made = desk.noticed()
    with pytest.raises(RuleBroken) as refused, desk.session.begin_nested():
        desk.hear("WorkAccepted", made, **facts)
    assert refused.value.code == code


def test_a_decline_is_shown_and_told_to_the_desk_once_until_a_revision_answers_it(desk: Desk) -> None:
    made = desk.noticed()
    desk.hear("WorkAcknowledged", made, now=minutes(1))
    for _ in range(2):
        desk.hear("WorkDeclined", made, now=minutes(2), reason="那天没有人手")
    assert desk.alerts("notice_declined") == {("clerk", None, False), ("desk_head", None, False)}
    declined = desk.view(made).declined
    assert declined is not None
    assert (declined.reason, declined.at, declined.revision) == ("那天没有人手", minutes(2), 0)
    revise(desk, made, visit_to=minutes(400), now=minutes(3))
    view = desk.view(made)
    assert view.notice is not None
    assert (view.declined, view.notice.copies["department"].state) == (None, "sent")
    assert view.visits[0].acknowledged_at is None
    desk.hear("WorkAcknowledged", made, now=minutes(1))  # what it said before it declined, late
    assert desk.view(made).visits[0].acknowledged_at is None
    desk.hear("WorkAcknowledged", made, now=minutes(4), revision=1)
    assert desk.view(made).visits[0].acknowledged_at == minutes(4)


def test_a_decline_of_an_older_revision_is_kept_and_is_no_news(desk: Desk) -> None:
    made = desk.noticed()
    revise(desk, made, visit_to=minutes(400))
    desk.hear("WorkDeclined", made, revision=0)
    assert (desk.view(made).declined, desk.alerts("notice_declined")) == (None, set())
    desk.session.expire_all()
    assert desk.session.scalar(text("SELECT count(*) FROM declines")) == 1


def test_a_declined_notice_that_is_withdrawn_waits_for_the_desk_no_more(desk: Desk) -> None:
    made = desk.noticed()
    desk.hear("WorkDeclined", made)
    desk.cancel(made)
    view = desk.view(made)
    assert view.notice is not None
    assert (view.declined, view.notice.state, view.notice.cancel_reason) == (None, "cancelled", "业主不需要了")


def test_a_decline_of_a_revision_we_never_made_is_refused_and_of_an_unknown_notice_waits(desk: Desk) -> None:
    with pytest.raises(RuleBroken, match="no revision 1"):
        desk.hear("WorkDeclined", desk.noticed(), revision=1)
    for unknown in (Request(id=new_id()), desk.register()):
        with pytest.raises(NotYet):
            desk.hear("WorkDeclined", unknown)


def test_finance_says_who_took_its_copies_in_and_the_first_to_say_so_is_kept(desk: Desk) -> None:
    first, second = desk.noticed(), desk.noticed()
    cashier = employ(desk.session, "cashier", "finance", desk.site_id, name="钱会计")
    both = {"request_ids": [first.id, second.id], "received_by": cashier.person_id}
    desk.hear("NoticesReceived", first, now=minutes(9), **both)
    desk.hear("NoticesReceived", first, now=minutes(20), request_ids=[first.id])
    for made in (first, second):
        notice = desk.view(made).notice
        assert notice is not None
        seen = notice.copies["finance"]
        assert (seen.state, seen.received_at, seen.received_by) == ("received", minutes(9), "钱会计")
    with pytest.raises(NotYet):
        desk.hear("NoticesReceived", first, request_ids=[first.id, new_id()])


def test_the_departments_copy_comes_back_after_the_job_and_the_last_return_stands(desk: Desk) -> None:
    made = desk.noticed()
    with pytest.raises(NotYet):
        desk.hear("NoticeReturned", desk.register())
    desk.hear("NoticeReturned", made, now=minutes(90), round=1)
    desk.hear("NoticeReturned", made, now=minutes(60))
    notice = desk.view(made).notice
    assert notice is not None
    assert (notice.copies["department"].state, notice.copies["department"].returned_at) == ("returned", minutes(90))


def test_copies_printed_once_more_are_counted_and_a_cancelled_notice_is_not_printed(desk: Desk) -> None:
    made = desk.noticed()
    for _ in range(2):
        reprint(desk, made)
    notice = desk.view(made).notice
    assert notice is not None
    assert {name: seen.reprints for name, seen in notice.copies.items()} == {
        "archive": 0,
        "department": 2,
        "finance": 0,
    }
    for no_notice in (desk.cancel(made), desk.register()):
        with pytest.raises(RuleBroken, match="R24"):
            reprint(desk, no_notice)


def department_copy(desk: Desk, made: Request) -> tuple[str, Any, Any]:
    """(state, received at, the visit acknowledged at)."""
    view = desk.view(made)
    assert view.notice is not None
    seen = view.notice.copies["department"]
    return seen.state, seen.received_at, view.visits[0].acknowledged_at


def test_a_department_whose_decline_is_heard_after_the_next_revision_does_not_have_that_one(desk: Desk) -> None:
    made = desk.noticed()
    desk.hear("WorkAcknowledged", made, now=minutes(1))
    revise(desk, made, visit_to=minutes(400), now=minutes(3))
    desk.hear("WorkDeclined", made, now=minutes(2), revision=0)
    assert department_copy(desk, made) == ("sent", None, None)
    desk.hear("WorkAcknowledged", made, now=minutes(4), revision=1)
    assert department_copy(desk, made) == ("received", minutes(4), minutes(4))


def test_the_last_acknowledgement_stands_in_whatever_order_they_and_the_decline_between_are_heard(desk: Desk) -> None:
    made = desk.noticed()
    revise(desk, made, visit_to=minutes(400), now=minutes(3))
    desk.hear("WorkAcknowledged", made, now=minutes(4), revision=1)
    desk.hear("WorkAcknowledged", made, now=minutes(1))
    desk.hear("WorkDeclined", made, now=minutes(2), revision=0)
    assert department_copy(desk, made) == ("received", minutes(4), minutes(4))


def test_a_notice_whose_fee_is_paid_is_not_withdrawn(desk: Desk) -> None:
    made = desk.noticed()
    desk.hear("FeeCollected", made)
    with pytest.raises(RuleBroken, match="D23"):
        desk.cancel(made)
