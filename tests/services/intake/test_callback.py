"""The ten minutes [R48, D3]."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from sqlalchemy.orm import Session

from services.intake.actions import callback, request
from services.intake.actions.price import published as price_published
from services.intake.models import Request
from services.intake.rules.request import Channel
from shared.errors import RuleBroken
from shared.messages import PriceItem, PricePublished
from shared.people import Actor
from tests.people import employ, open_site, published

RECORDED = datetime(2026, 4, 1, 2, 0, tzinfo=UTC)


@pytest.fixture
def desk(session_of: Callable[[str], Session]) -> tuple[Session, UUID, Actor]:
    session = session_of("intake")
    site_id = open_site(session)
    price_published(
        session,
        PricePublished(
            version=1,
            effective_from=RECORDED.date(),
            items=[PriceItem(code="tap", trade="water", name="换水龙头", unit="个", min_fen=3000, max_fen=8000)],
            approved_at=RECORDED,
        ),
    )
    return session, site_id, employ(session, "clerk", "front_desk", site_id)


def register(desk: tuple[Session, UUID, Actor], channel: Channel = Channel.PHONE, trade: str = "water") -> Request:
    session, site_id, clerk = desk
    form = request.RegistrationForm(
        channel=channel,
        owner_name="欧阳建国",
        address="3-2-1502",
        phone="13800138000",
        description="水龙头漏水",
        trade=trade,
    )
    made = request.register(session, site_id=site_id, form=form, actor=clerk, now=RECORDED)
    session.flush()
    return made


def agree(desk: tuple[Session, UUID, Actor], made: Request, *, now: datetime, fee_fen: int = 5000) -> Request:
    session, _, clerk = desk
    return request.agree_visit(
        session,
        request_id=made.id,
        visit_from=RECORDED + timedelta(hours=5),
        visit_to=RECORDED + timedelta(hours=6),
        price_code="tap",
        fee_fen=fee_fen,
        actor=clerk,
        now=now,
    )


def test_an_owner_reached_at_the_tenth_minute_is_reached_in_time(desk: tuple[Session, UUID, Actor]) -> None:
    made = register(desk)
    agree(desk, made, now=RECORDED + timedelta(minutes=10))
    desk[0].flush()
    assert callback.miss_due(desk[0], now=RECORDED + timedelta(minutes=11)) == 0
    assert not made.callback_missed


def test_a_callback_is_missed_only_after_the_tenth_minute_and_hr_is_told(
    desk: tuple[Session, UUID, Actor],
) -> None:
    made = register(desk)
    session, _, clerk = desk
    request.log_attempt(session, request_id=made.id, note="无人接听", actor=clerk, now=RECORDED + timedelta(minutes=3))
    assert callback.miss_due(session, now=RECORDED + timedelta(minutes=10)) == 0
    assert callback.miss_due(session, now=RECORDED + timedelta(minutes=10, seconds=1)) == 1
    assert callback.miss_due(session, now=RECORDED + timedelta(minutes=12)) == 0
    assert published(session) == [("CallbackMissed", "hr")]


def test_a_missed_callback_stays_missed_when_the_owner_is_reached_later(
    desk: tuple[Session, UUID, Actor],
) -> None:
    made = register(desk)
    session = desk[0]
    callback.miss_due(session, now=RECORDED + timedelta(minutes=11))
    session.expire_all()
    agree(desk, made, now=RECORDED + timedelta(minutes=12))
    assert made.callback_missed
    assert made.reached_at == RECORDED + timedelta(minutes=12)


def test_an_owner_at_the_desk_has_no_clock(desk: tuple[Session, UUID, Actor]) -> None:
    assert register(desk, Channel.WALK_IN).callback_due_at is None


def test_a_fee_outside_the_approved_price_is_refused(desk: tuple[Session, UUID, Actor]) -> None:
    made = register(desk)
    with pytest.raises(RuleBroken, match="R57") as refused:
        agree(desk, made, now=RECORDED, fee_fen=8001)
    assert refused.value.allowed == ("¥30.00 to ¥80.00",)


def test_a_trade_out_of_scope_is_refused_with_its_reason_and_has_no_clock(
    desk: tuple[Session, UUID, Actor],
) -> None:
    made = register(desk, trade="appliance")
    assert (made.state, made.callback_due_at) == ("refused", None)
    assert "R9" in (made.refusal or "")
