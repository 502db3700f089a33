"""The month's statistics, agreed by four departments and reported [R40-R43, D18]."""

from datetime import time, timedelta
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import text

from services.intake.actions import callback, statistics
from services.intake.models import Month
from services.intake.queries.statistics import MonthView, months
from services.intake.rules.statistics import (
    FIELD_DEPARTMENTS,
    SIGNERS,
    Item,
    StatisticsPolicy,
    check_agreed,
    compare,
)
from shared.errors import NotFound, NotYourRole, RuleBroken
from shared.ids import new_id
from shared.messages import SiteChanged
from shared.people import Actor, known_site
from shared.policy_rows import change
from tests.people import employ, open_site, published
from tests.services.intake.desk import MONTH_END, NOW, Desk, minutes

AFTER = MONTH_END + timedelta(seconds=1)
FIGURES = st.dictionaries(st.tuples(st.sampled_from(FIELD_DEPARTMENTS), st.sampled_from(Item)), st.integers(0, 9))


@pytest.fixture
def signers(desk: Desk) -> dict[str, Actor]:
    return {
        "front_desk": desk.head,
        "finance": employ(desk.session, "finance_lead", "finance", desk.site_id),
        "engineering": employ(desk.session, "head", "engineering", desk.site_id),
        "environment": employ(desk.session, "head", "environment", desk.site_id),
    }


def sign(desk: Desk, actor: Actor) -> Month:
    return statistics.sign(desk.session, site_id=desk.site_id, month="2026-04", actor=actor, now=AFTER)


def ask_again(desk: Desk, *, site_id: UUID | None = None) -> Month:
    return statistics.ask_figures(
        desk.session, site_id=site_id or desk.site_id, month="2026-04", actor=desk.head, now=AFTER
    )


def ended(desk: Desk) -> None:
    """April has ended with one job accepted and paid, and was asked about."""
    made = desk.accepted()
    desk.hear("FeeCollected", made)
    desk.begin_month()
    assert statistics.end_months(desk.session, now=AFTER) == 1
    desk.session.flush()


def seen(desk: Desk, actor: Actor | None = None) -> MonthView:
    desk.session.flush()
    (view,) = months(desk.session, actor or desk.head, month="2026-04")
    return view


@given(ours=FIGURES, theirs=FIGURES)
def test_statistics_agree_when_every_line_has_both_figures_and_they_are_the_same(
    ours: dict[Any, int], theirs: dict[Any, int]
) -> None:
    lines = compare(ours, theirs)
    assert len(lines) == len(FIELD_DEPARTMENTS) * len(Item)
    keys = [(line.department, line.item) for line in lines]
    if all(key in theirs and theirs[key] == ours.get(key, 0) for key in keys):
        check_agreed(lines)
    else:
        with pytest.raises(RuleBroken, match="R41"):
            check_agreed(lines)


def test_a_month_ends_half_an_hour_after_closing_of_its_last_day_and_the_next_begins(desk: Desk) -> None:
    desk.begin_month()
    assert statistics.end_months(desk.session, now=MONTH_END) == 0
    assert statistics.end_months(desk.session, now=AFTER) == 1
    desk.session.flush()
    assert statistics.end_months(desk.session, now=AFTER) == 0
    assert published(desk.session) == [("MonthFiguresAsked", "dispatch"), ("MonthFiguresAsked", "finance")]
    (may,) = months(desk.session, desk.head, month="2026-05")
    assert may.closes_at == MONTH_END + timedelta(days=31)


@pytest.mark.parametrize(("minutes_after", "site_only"), [(60, True), (45, False)])
def test_how_long_after_closing_the_statistics_begin_is_a_policy(
    desk: Desk, minutes_after: int, site_only: bool
) -> None:
    change(
        desk.session,
        StatisticsPolicy(minutes_after_closing=minutes_after),
        site_id=desk.site_id if site_only else None,
        effective_from=MONTH_END,
        reason="闭店盘点较久",
        actor=employ(desk.session, "administrator", "management"),
        now=MONTH_END - timedelta(days=29),
    )
    site = known_site(desk.session, desk.site_id)
    for month in ("2026-04", "2026-05"):
        statistics.open_month(desk.session, site, month)
    closes = {month: desk.session.get_one(Month, (desk.site_id, month)).closes_at for month in ("2026-04", "2026-05")}
    assert closes["2026-04"] == MONTH_END  # the policy of its closing time, before the change
    assert closes["2026-05"] == MONTH_END + timedelta(days=31, minutes=minutes_after - 30)


def test_the_desks_own_count_is_of_paid_jobs_and_money_in_their_month(desk: Desk) -> None:
    ended(desk)
    free = desk.problem(desk.accepted())
    desk.hear("WorkAccepted", free, round=1, fee_fen=0)
    desk.hear("WorkTerminated", desk.noticed())
    desk.hear("WorkTerminated", desk.noticed(), now=AFTER)
    ours = {(line.department, line.item): line.ours for line in seen(desk).lines if line.ours}
    assert ours == {
        ("engineering", Item.ACCEPTED): 2,
        ("engineering", Item.TERMINATED): 1,
        ("engineering", Item.RECEIPTS): 1,
        ("engineering", Item.RECEIVED_FEN): 5000,
    }


def test_nobody_signs_what_is_missing_or_differs(desk: Desk, signers: dict[str, Actor]) -> None:
    desk.begin_month()
    with pytest.raises(RuleBroken, match="not over"):
        sign(desk, desk.head)
    ended_without_figures = seen(desk)
    assert not ended_without_figures.all_agree
    statistics.end_months(desk.session, now=AFTER)
    desk.session.flush()
    with pytest.raises(RuleBroken, match="do not agree"):
        sign(desk, desk.head)
    desk.figures(accepted=1, now=AFTER)
    with pytest.raises(RuleBroken, match="engineering accepted: 0 / 1"):
        sign(desk, signers["finance"])


def test_with_the_fourth_signature_finance_may_close_and_administration_has_the_report(
    desk: Desk, signers: dict[str, Actor]
) -> None:
    desk.register()
    callback.miss_due(desk.session, now=minutes(11))
    ended(desk)
    desk.figures(accepted=1, receipts=1, received_fen=5000, now=AFTER)
    for department in SIGNERS:
        assert seen(desk).agreed_at is None
        sign(desk, signers[department])
    view = seen(desk)
    assert (view.agreed_at, view.signed) == (AFTER, sorted(SIGNERS))
    assert published(desk.session)[-2:] == [("StatisticsAgreed", "finance"), ("MonthReported", "hr")]
    (body,) = desk.messages("MonthReported")
    assert body["report"] == view.report
    assert view.report is not None
    expected = {
        "requests": 2,
        "refused": 0,
        "callbacks": 2,
        "callbacks_kept": 1,
        "callbacks_missed": 1,
        "rework_rounds": 0,
        "arrived_late": 0,
        "engineering.accepted": 1,
        "engineering.received_fen": 5000,
        "environment.accepted": 0,
    }
    assert {name: view.report[name] for name in expected} == expected
    with pytest.raises(RuleBroken, match="agreed already"):
        sign(desk, desk.head)
    with pytest.raises(RuleBroken, match="agreed already"):
        ask_again(desk)


def test_a_department_signs_once(desk: Desk, signers: dict[str, Actor]) -> None:
    ended(desk)
    desk.figures(accepted=1, receipts=1, received_fen=5000, now=AFTER)
    sign(desk, desk.head)
    with pytest.raises(RuleBroken, match="has signed"):
        sign(desk, desk.head)


def test_only_the_four_departments_sign_and_a_month_of_another_site_is_not_found(desk: Desk) -> None:
    ended(desk)
    with pytest.raises(NotYourRole):
        sign(desk, employ(desk.session, "leader", "management", desk.site_id))
    with pytest.raises(NotFound):
        sign(desk, employ(desk.session, "head", "engineering", open_site(desk.session, "ZJ")))
    with pytest.raises(NotFound):
        ask_again(desk, site_id=new_id())


def test_figures_asked_for_again_replace_those_before_and_void_the_signatures(
    desk: Desk, signers: dict[str, Actor]
) -> None:
    ended(desk)
    desk.figures(accepted=1, receipts=1, received_fen=5000, now=AFTER)
    sign(desk, desk.head)
    assert seen(desk).signed == ["front_desk"]
    ask_again(desk)
    assert seen(desk).signed == []
    desk.figures(accepted=2, receipts=1, received_fen=5000, now=AFTER + timedelta(hours=1))
    desk.figures(accepted=1, receipts=1, received_fen=5000, now=AFTER)  # an answer to the first asking comes late
    assert not seen(desk).all_agree


def test_figures_are_not_asked_for_again_before_the_month_is_over(desk: Desk) -> None:
    desk.begin_month()
    with pytest.raises(RuleBroken, match="not over"):
        ask_again(desk)


def test_signatures_and_months_are_shown_to_people_of_the_site_only(desk: Desk) -> None:
    ended(desk)
    stranger = employ(desk.session, "desk_head", "front_desk", open_site(desk.session, "ZJ"))
    assert months(desk.session, stranger, month="2026-04") == []


def test_nothing_is_signed_on_figures_of_an_earlier_asking(desk: Desk, signers: dict[str, Actor]) -> None:
    ended(desk)
    desk.figures(accepted=1, receipts=1, received_fen=5000, now=AFTER)
    again = AFTER + timedelta(hours=1)
    statistics.ask_figures(desk.session, site_id=desk.site_id, month="2026-04", actor=desk.head, now=again)
    desk.session.flush()
    with pytest.raises(RuleBroken, match="1 / None"):
        sign(desk, desk.head)
    desk.figures(accepted=1, receipts=1, received_fen=5000, now=again)
    sign(desk, desk.head)
    assert seen(desk).signed == ["front_desk"]


def test_what_is_reported_is_what_was_signed_read_once(
    desk: Desk, signers: dict[str, Actor], statements: list[str]
) -> None:
    ended(desk)
    desk.figures(accepted=1, receipts=1, received_fen=5000, now=AFTER)
    for department in SIGNERS[:-1]:
        sign(desk, signers[department])
    statements.clear()
    sign(desk, signers[SIGNERS[-1]])
    assert len([one for one in statements if "FROM month_figures" in one]) == 1


def test_a_month_under_way_ends_by_the_sites_new_hours_and_one_that_is_over_stays(desk: Desk) -> None:
    desk.begin_month()
    desk.session.execute(
        text("INSERT INTO months (site_id, month, closes_at, asked_at) VALUES (:site_id, '2026-03', :at, :at)"),
        {"site_id": desk.site_id, "at": NOW},
    )
    changed = SiteChanged(
        site_id=desk.site_id, version=99, code="BK", name="碧湖", zone="Asia/Shanghai", closing=time(20, 0)
    )
    desk.handle(changed)
    closes = {month: desk.session.get_one(Month, (desk.site_id, month)).closes_at for month in ("2026-03", "2026-04")}
    assert closes == {"2026-03": NOW, "2026-04": MONTH_END + timedelta(hours=2)}
