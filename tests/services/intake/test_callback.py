"""The ten minutes [R48, D3]."""

from datetime import timedelta

import pytest

from services.intake.actions import callback, request
from services.intake.queries.callbacks import callbacks
from services.intake.rules.callback import CallbackPolicy, kept, start_clock
from services.intake.rules.request import Channel
from shared.errors import NotFound, RuleBroken
from tests.people import employ, open_site, published
from tests.services.intake.desk import NOW, Desk, minutes


def test_who_phones_or_writes_is_warned_of_at_eight_minutes_and_promised_ten_and_who_stands_there_has_no_clock() -> (
    None
):
    for channel in (Channel.PHONE, Channel.ONLINE):
        clock = start_clock(channel, NOW, CallbackPolicy())
        assert clock is not None
        assert (clock.warn_at, clock.due_at) == (minutes(8), minutes(10))
    assert start_clock(Channel.WALK_IN, NOW, CallbackPolicy()) is None


def test_the_last_moment_is_in_time() -> None:
    assert kept(NOW, NOW)
    assert not kept(NOW, NOW + timedelta(microseconds=1))


def test_an_owner_reached_at_the_tenth_minute_is_reached_in_time(desk: Desk) -> None:
    made = desk.agree(desk.register(), now=minutes(10))
    assert callback.miss_due(desk.session, now=minutes(11)) == 0
    assert not made.callback_missed


def test_a_callback_is_missed_only_after_the_tenth_minute_and_hr_is_told(desk: Desk) -> None:
    made = desk.register()
    request.log_attempt(desk.session, request_id=made.id, note="无人接听", actor=desk.clerk, now=minutes(3))
    assert callback.miss_due(desk.session, now=minutes(10)) == 0
    assert callback.miss_due(desk.session, now=minutes(10.1)) == 1
    assert callback.miss_due(desk.session, now=minutes(12)) == 0
    assert published(desk.session) == [("CallbackMissed", "hr")]
    (missed,) = desk.messages("CallbackMissed")
    assert (missed["request_number"], missed["clerk_id"]) == (made.number, str(desk.clerk.person_id))
    assert desk.view(made).failed_attempts == 1


def test_a_missed_callback_stays_missed_when_the_owner_is_reached_later(desk: Desk) -> None:
    made = desk.register()
    callback.miss_due(desk.session, now=minutes(11))
    desk.session.expire_all()
    desk.agree(made, now=minutes(12))
    assert made.callback_missed
    assert made.reached_at == minutes(12)


def test_an_owner_reached_too_late_is_missed_even_when_he_was_reached_before_the_sweep_came(desk: Desk) -> None:
    made = desk.agree(desk.register(), now=minutes(10.5))
    assert callback.miss_due(desk.session, now=minutes(11)) == 1
    desk.session.expire_all()
    assert (made.callback_missed, made.reached_at) == (True, minutes(10.5))


def test_a_request_given_up_in_time_is_not_missed_and_one_given_up_too_late_is(desk: Desk) -> None:
    in_time, too_late = desk.register(), desk.register()
    desk.cancel(in_time, now=minutes(10))
    desk.cancel(too_late, now=minutes(10.1))
    assert callback.miss_due(desk.session, now=minutes(11)) == 1
    desk.session.expire_all()
    assert (in_time.callback_missed, too_late.callback_missed) == (False, True)


def test_a_call_that_reaches_nobody_is_logged_only_while_the_owner_waits(desk: Desk) -> None:
    made = desk.agree(desk.register())
    with pytest.raises(RuleBroken, match="D3"):
        request.log_attempt(desk.session, request_id=made.id, note="x", actor=desk.clerk, now=NOW)


def test_the_desk_is_warned_once_after_the_eighth_minute(desk: Desk) -> None:
    made = desk.register()
    desk.agree(desk.register())
    assert callback.warn_due(desk.session, now=minutes(8)) == 0
    assert callback.warn_due(desk.session, now=minutes(8.1)) == 1
    assert callback.warn_due(desk.session, now=minutes(9)) == 0
    desk.session.expire_all()
    assert made.warned_at == minutes(8.1)


def test_who_waits_longest_is_called_first_and_heads_see_the_list_with_masked_phones(desk: Desk) -> None:
    walk_in, first = desk.register(Channel.WALK_IN), desk.register()
    desk.agree(desk.register())
    head = employ(desk.session, "head", "engineering", desk.site_id)
    assert [row.id for row in callbacks(desk.session, desk.clerk)] == [first.id, walk_in.id]
    assert {row.phone for row in callbacks(desk.session, head)} == {"138****8000"}
    assert callbacks(desk.session, employ(desk.session, "head", "environment", desk.site_id)) == []
    elsewhere = employ(desk.session, "clerk", "front_desk", open_site(desk.session, "ZJ"))
    assert callbacks(desk.session, elsewhere) == []
    with pytest.raises(NotFound):
        request.log_attempt(desk.session, request_id=first.id, note="x", actor=elsewhere, now=NOW)
