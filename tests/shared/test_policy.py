"""Policies: what the company decided, from a moment on, for all sites or for one."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from pydantic import ValidationError
from sqlalchemy import text
from sqlalchemy.exc import DatabaseError
from sqlalchemy.orm import Session

from services.finance.rules.split import SplitPolicy
from services.hr.rules.ladder import LadderPolicy, Penalty, PenaltyStep
from services.intake.actions import request
from services.intake.rules.callback import CallbackPolicy
from services.intake.rules.request import Channel
from shared.errors import NotFound, RuleBroken
from shared.people import Actor
from shared.policy_rows import change, in_force, in_force_at, views
from tests.people import employ, open_site

NOW = datetime(2026, 4, 10, 2, tzinfo=UTC)
DAY = timedelta(days=1)


@pytest.fixture
def intake(session_of: Callable[[str], Session]) -> Session:
    return session_of("intake")


def set_minutes(
    session: Session, actor: Actor, minutes: int, *, site_id: UUID | None = None, at: datetime = NOW
) -> None:
    change(
        session,
        CallbackPolicy(minutes=minutes, warn_at=minutes - 1),
        site_id=site_id,
        effective_from=at,
        reason="春节 the holidays",
        actor=actor,
        now=NOW,
    )


def test_a_fresh_installation_does_what_the_decision_says(intake: Session) -> None:
    site = open_site(intake)
    assert in_force(intake, CallbackPolicy, site_id=site, at=NOW) == CallbackPolicy(minutes=10, warn_at=8)


def test_a_sites_own_policy_goes_before_the_companys_whichever_is_newer(intake: Session) -> None:
    one, other = open_site(intake, "ONE"), open_site(intake, "OTHER")
    boss = employ(intake, "administrator", "administration")
    set_minutes(intake, boss, 20, site_id=one)
    set_minutes(intake, boss, 15, at=NOW + DAY)
    held = in_force_at(intake, CallbackPolicy, site_ids=[one, other], at=NOW + 2 * DAY)
    assert (held[one].minutes, held[other].minutes) == (20, 15)


def test_a_change_holds_from_its_moment_on_and_never_before(intake: Session) -> None:
    site, boss = open_site(intake), employ(intake, "administrator", "administration")
    set_minutes(intake, boss, 15, at=NOW + DAY)
    minutes = [in_force(intake, CallbackPolicy, site_id=site, at=NOW + n * DAY).minutes for n in (0, 1, 2)]
    assert minutes == [10, 15, 15]


def test_the_past_cannot_be_changed(intake: Session) -> None:
    boss = employ(intake, "administrator", "administration")
    with pytest.raises(RuleBroken, match="never the past"):
        set_minutes(intake, boss, 15, at=NOW - timedelta(seconds=1))


def test_a_policy_of_a_site_of_others_cannot_be_changed(intake: Session) -> None:
    mine, theirs = open_site(intake, "MINE"), open_site(intake, "THEIRS")
    boss = employ(intake, "administrator", "administration", mine)
    with pytest.raises(NotFound):
        set_minutes(intake, boss, 15, site_id=theirs)


def test_a_change_once_made_stays_in_the_history_with_who_and_why(intake: Session) -> None:
    boss = employ(intake, "administrator", "administration")
    set_minutes(intake, boss, 15)
    (view,) = views(intake, boss, (CallbackPolicy,))
    assert (view.decision, view.default) == ("D3", {"minutes": 10, "warn_at": 8})
    (made,) = view.changes
    assert (made["changed_by"], made["reason"], made["settings"]["minutes"]) == (
        boss.person_id,
        "春节 the holidays",
        15,
    )
    with pytest.raises(DatabaseError, match=r"append-only|permission denied"):
        intake.execute(text("DELETE FROM policies"))


def test_a_request_is_timed_by_the_policy_of_its_site_at_its_moment(intake: Session) -> None:
    site, boss = open_site(intake), employ(intake, "administrator", "administration")
    clerk = employ(intake, "clerk", "front_desk", site)
    set_minutes(intake, boss, 5, site_id=site, at=NOW + DAY)
    form = request.RegistrationForm(
        channel=Channel.PHONE,
        owner_name="欧阳建国",
        address="3-2-1502",
        phone="13800138000",
        description="漏水",
        trade="water",
    )
    for at, minutes in ((NOW, 10), (NOW + 2 * DAY, 5)):
        made = request.register(intake, site_id=site, form=form, actor=clerk, now=at)
        assert made.callback_due_at == at + timedelta(minutes=minutes)


@pytest.mark.parametrize(
    "settings",
    [{"minutes": 5}, {"minutes": 0}, {"minutes": 8.5}, {"minutes": "12"}, {"hours": 1}, {"minutes": 10**9}],
)
def test_settings_that_mean_nothing_are_refused(settings: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        CallbackPolicy.model_validate(settings)


def test_the_parts_of_the_split_are_always_the_whole() -> None:
    with pytest.raises(ValidationError, match="100 together"):
        SplitPolicy(company=50, workers=35, reserve=14)


def test_a_ladder_climbs_rung_by_rung_and_never_pays_for_a_breach() -> None:
    with pytest.raises(ValidationError, match="in order"):
        LadderPolicy(neglect=(Penalty(PenaltyStep.FINE, 100_00, rung=2),))
    with pytest.raises(ValidationError, match="0 fen or more"):
        LadderPolicy(neglect=(Penalty(PenaltyStep.FINE, -1, rung=1),))


def test_a_ladder_comes_back_from_its_row_as_it_was_set() -> None:
    ladder = LadderPolicy()
    assert LadderPolicy.model_validate(ladder.model_dump(mode="json")) == ladder
