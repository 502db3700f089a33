"""Registering, agreeing, giving up [R6-R20, R46, R49, R55-R57]."""

from datetime import UTC, datetime, timedelta
from itertools import product

import pytest

from services.intake.actions import request
from services.intake.queries.prices import prices
from services.intake.queries.requests import request_by_id, requests
from services.intake.queries.sites import sites
from services.intake.queries.statistics import months
from services.intake.rules.notice import Copy, Form, check_window, paper_series
from services.intake.rules.request import ENDED, REQUEST, Channel, RequestState, RequestStep
from services.intake.rules.scope import TradePolicy, trade_of
from shared.errors import Malformed, NotFound, NotYet, RuleBroken
from shared.ids import new_id
from shared.messages import PersonChanged, SiteChanged
from shared.people import Actor
from tests.people import employ, open_site, published
from tests.services.intake.desk import NOW, Desk, minutes, price_book


def elsewhere(desk: Desk) -> Actor:
    return employ(desk.session, "clerk", "front_desk", open_site(desk.session, "ZJ"))


@pytest.mark.parametrize(("state", "step"), list(product(RequestState, RequestStep)))
def test_a_step_of_a_request_is_in_the_table_or_is_refused_with_what_is_allowed(
    state: RequestState, step: RequestStep
) -> None:
    if REQUEST.allows(state, step):
        assert REQUEST.move(state, step) in RequestState
    else:
        with pytest.raises(RuleBroken) as refused:
            REQUEST.move(state, step)
        assert refused.value.allowed == tuple(REQUEST.steps_from(state))


def test_of_the_ended_only_what_was_withdrawn_too_late_can_still_be_done_by_the_department() -> None:
    assert {(state, step) for state, step in REQUEST.table if state in ENDED} == {
        (RequestState.CANCELLED, RequestStep.ACCEPT),
        (RequestState.CANCELLED, RequestStep.TERMINATE),
    }


def test_water_and_electricity_go_to_engineering_cleaning_and_greening_to_environment() -> None:
    assert {trade.code: trade.department for trade in TradePolicy().trades if trade.department} == {
        "water": "engineering",
        "electricity": "engineering",
        "cleaning": "environment",
        "greening": "environment",
    }


@pytest.mark.parametrize(
    ("trade", "reason"),
    [
        ("appliance", "家电维修暂不列入有偿服务范围"),
        ("renovation", "房屋修缮暂不列入有偿服务范围"),
        ("other", "不属于居民家庭便民服务"),
    ],
)
def test_a_trade_out_of_scope_is_recorded_as_refused_with_its_reason_and_has_no_clock(
    desk: Desk, trade: str, reason: str
) -> None:
    made = desk.register(trade=trade)
    assert (made.state, made.callback_due_at, made.ended_at) == ("refused", None, NOW)
    assert made.refusal == reason
    with pytest.raises(RuleBroken):
        desk.agree(made)


def test_an_unknown_trade_is_malformed_and_the_known_ones_are_named() -> None:
    with pytest.raises(Malformed) as refused:
        trade_of(TradePolicy(), "magic")
    assert refused.value.allowed == tuple(trade.code for trade in TradePolicy().trades)


def test_a_request_is_registered_only_at_a_site_of_the_clerk(desk: Desk) -> None:
    for site_id in (new_id(), open_site(desk.session, "ZJ")):
        with pytest.raises(NotFound):
            request.register(
                desk.session,
                site_id=site_id,
                form=request.RegistrationForm(Channel.PHONE, "欧阳建国", "3-2", "13800138000", "漏水", "water"),
                actor=desk.clerk,
                now=NOW,
            )


def test_registration_forms_are_numbered_without_gaps_and_count_in_the_sites_business_month(desk: Desk) -> None:
    assert [desk.register().number for _ in range(2)] == ["DJ-BK-20260401-0001", "DJ-BK-20260401-0002"]
    form = request.RegistrationForm(Channel.PHONE, "欧阳建国", "3-2", "13800138000", "漏水", "water")
    at_closing = datetime(2026, 4, 30, 10, 0, tzinfo=UTC)
    late = request.register(desk.session, site_id=desk.site_id, form=form, actor=desk.clerk, now=at_closing)
    assert (late.number, late.month) == ("DJ-BK-20260430-0001", "2026-05")


def test_papers_have_a_series_for_each_form_site_and_day() -> None:
    assert paper_series(Form.NOTICE, site_code="BK", day=NOW.date()) == "TZ-BK-20260401"


@pytest.mark.parametrize("fee_fen", [2999, 8001])
def test_a_fee_outside_the_approved_price_is_refused(desk: Desk, fee_fen: int) -> None:
    with pytest.raises(RuleBroken, match="R57") as refused:
        desk.agree(desk.register(), fee_fen=fee_fen)
    assert refused.value.allowed == ("¥30.00 to ¥80.00",)


@pytest.mark.parametrize("fee_fen", [3000, 8000])
def test_a_fee_at_the_ends_of_the_range_is_agreed(desk: Desk, fee_fen: int) -> None:
    assert desk.agree(desk.register(), fee_fen=fee_fen).fee_fen == fee_fen


def test_a_fee_needs_an_item_of_the_requests_own_trade(desk: Desk) -> None:
    with pytest.raises(RuleBroken, match="no approved price"):
        desk.agree(desk.register(trade="electricity"))
    with pytest.raises(RuleBroken, match="no approved price"):
        desk.agree(desk.register(), price_code="magic")


def test_the_version_in_force_on_the_sites_day_counts_and_is_frozen_on_the_request(desk: Desk) -> None:
    made = desk.agree(desk.register(), fee_fen=8000)
    tomorrow = NOW + timedelta(days=1)
    desk.handle(price_book(2, effective_from=tomorrow, max_fen=4000))
    desk.handle(price_book(2, effective_from=tomorrow, max_fen=9999))  # the same version again changes nothing
    assert desk.agree(desk.register(), fee_fen=8000).price_version == 1
    midnight_there = datetime(2026, 4, 1, 16, 0, tzinfo=UTC)
    later = {"visit_from": midnight_there, "visit_to": midnight_there + timedelta(hours=1)}
    with pytest.raises(RuleBroken, match="R57"):
        desk.agree(desk.register(), now=midnight_there, fee_fen=8000, **later)
    assert (made.price_version, made.fee_fen) == (1, 8000)
    assert [row.max_fen for row in prices(desk.session, desk.clerk, now=midnight_there)] == [4000]
    assert [row.max_fen for row in prices(desk.session, desk.clerk, now=NOW)] == [8000]


def test_a_visit_has_a_length_and_is_not_over_yet() -> None:
    check_window(minutes(-10), minutes(10), now=NOW)
    for start, end in ((10, 10), (20, 10), (-10, 0)):
        with pytest.raises(RuleBroken, match="R49"):
            check_window(minutes(start), minutes(end), now=NOW)


def test_time_and_fee_may_be_agreed_anew_until_the_notice_is_out(desk: Desk) -> None:
    made = desk.agree(desk.agree(desk.register()), fee_fen=6000)
    assert made.fee_fen == 6000
    with pytest.raises(RuleBroken) as refused:
        desk.agree(desk.issue(made))
    assert "agree" not in refused.value.allowed


def test_a_request_of_another_site_is_not_found_by_any_action_or_read(desk: Desk) -> None:
    made, stranger = desk.register(), elsewhere(desk)
    with pytest.raises(NotFound):
        request.cancel(desk.session, request_id=made.id, reason="x", actor=stranger, now=NOW)
    with pytest.raises(NotFound):
        request_by_id(desk.session, stranger, made.id)
    page = requests(desk.session, stranger, state=None, after=None, limit=10)
    assert page.items == []


def test_requests_are_listed_in_pages_by_state(desk: Desk) -> None:
    first, second, other = desk.register(), desk.register(), desk.register(trade="appliance")
    page = requests(desk.session, desk.clerk, state="recorded", after=None, limit=1)
    rest = requests(desk.session, desk.clerk, state="recorded", after=page.next, limit=1)
    assert [row.id for row in page.items + rest.items] == [first.id, second.id]
    assert rest.next is None
    everything = requests(desk.session, desk.clerk, state=None, after=None, limit=10)
    assert [row.id for row in everything.items] == [first.id, second.id, other.id]


def test_a_request_given_up_before_its_notice_tells_nobody(desk: Desk) -> None:
    made = desk.cancel(desk.agree(desk.register()))
    assert (made.state, made.ended_at, made.ending) == ("cancelled", NOW, "业主不需要了")
    assert published(desk.session) == []
    with pytest.raises(RuleBroken):
        desk.cancel(made)


def test_a_withdrawn_notice_is_told_to_those_who_hold_it(desk: Desk) -> None:
    made = desk.cancel(desk.noticed())
    assert published(desk.session)[-2:] == [("NoticeCancelled", "dispatch"), ("NoticeCancelled", "finance")]
    view = desk.view(made)
    assert view.notice is not None
    assert (view.notice.cancelled_at, set(view.notice.copies)) == (NOW, set(Copy))


def test_the_fee_stands_on_the_request_whenever_finance_has_it(desk: Desk) -> None:
    made = desk.noticed()
    desk.hear("FeeCollected", made)  # before the acceptance was heard of
    view = desk.view(made)
    assert (view.receipt_number, view.received_fen, view.received_month) == ("SJ-BK-20260401-0001", 5000, "2026-04")
    with pytest.raises(NotYet):
        desk.hear("FeeCollected", request.Request(id=new_id()))


def test_what_hr_says_of_sites_and_people_is_kept_and_the_older_word_ignored(desk: Desk) -> None:
    site = SiteChanged(site_id=new_id(), version=2, code="HX", name="湖心", zone="Asia/Shanghai", closing=NOW.time())
    person = PersonChanged(
        person_id=new_id(),
        version=2,
        name="赵",
        role="clerk",
        department="front_desk",
        site_ids=[site.site_id],
        all_sites=False,
        active=True,
        token_hash="x",
    )
    for message in (site, site.model_copy(update={"version": 1, "name": "旧名"})):
        desk.handle(message)
    for told in (person, person.model_copy(update={"version": 1, "name": "旧名"})):
        desk.handle(told)
    clerk = Actor(person.person_id, "赵", "clerk", "front_desk", frozenset({site.site_id}))
    assert [row.name for row in sites(desk.session, clerk)] == ["湖心"]
    assert [month.month for month in months(desk.session, clerk, month="2026-04")] == ["2026-04"]
