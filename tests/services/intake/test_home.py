"""Homes the desk looks up, and requests that may repeat others [R13-R15]."""

from typing import Any

import pytest

from services.intake.actions import request
from services.intake.models import Request
from services.intake.queries.homes import homes
from services.intake.queries.requests import registered
from services.intake.rules.request import Channel
from shared.people import Actor
from shared.phone import phone_digits
from tests.people import employ, open_site
from tests.services.intake.desk import NOW, Desk


def register(desk: Desk, **facts: Any) -> Request:
    form = {
        "channel": Channel.PHONE,
        "owner_name": "欧阳建国",
        "address": "3-2-1502",
        "phone": "138 0013 8000",
        "description": "水龙头漏水",
        "trade": "water",
    }
    made = request.register(
        desk.session,
        site_id=desk.site_id,
        form=request.RegistrationForm(**form | facts),  # type: ignore[arg-type]
        actor=desk.clerk,
        now=NOW,
    )
    desk.session.flush()
    return made


def found(desk: Desk, actor: Actor | None = None, *, phone: str = "", room: str = "") -> list[tuple[str, int]]:
    """(address, how many requests) of every home found."""
    known = homes(desk.session, actor or desk.clerk, phone=phone, room=room)
    return sorted((home.address, len(home.requests)) for home in known)


def duplicates(desk: Desk, made: Request) -> list[str]:
    view = registered(desk.session, desk.clerk, made.id)
    return [row.number for row in view.possible_duplicates]


def test_a_home_is_found_by_the_digits_of_a_phone_number_first_then_by_the_beginning_of_its_address(desk: Desk) -> None:
    register(desk)
    register(desk, address="3 - 2 - 1502", phone="13900139000", owner_name="王丽")
    register(desk, address="3-2-15_", phone="13700137000")
    assert found(desk, phone="138-0013-8000") == [("3 - 2 - 1502", 2)]
    assert found(desk, phone="138", room="3-2-1502") == [("3 - 2 - 1502", 2)]
    assert found(desk, room="3-2") == [("3 - 2 - 1502", 2), ("3-2-15_", 1)]
    assert found(desk, room="3-2-15_") == [("3-2-15_", 1)]
    assert found(desk, phone="abc", room="%") == []
    (home,) = homes(desk.session, desk.clerk, phone="13800138000", room="")
    assert home.owner_names == ["王丽", "欧阳建国"]


def test_a_home_shows_its_last_ten_requests_and_every_open_one_the_newest_first(desk: Desk) -> None:
    oldest = register(desk)
    for _ in range(12):
        desk.cancel(register(desk))
    (home,) = homes(desk.session, desk.clerk, phone="13800138000", room="")
    assert len(home.requests) == 11
    assert (home.requests[-1].id, home.requests[-1].open) == (oldest.id, True)
    assert {row.state for row in home.requests[:-1]} == {"cancelled"}


def test_homes_of_other_sites_are_not_found(desk: Desk) -> None:
    register(desk)
    stranger = employ(desk.session, "clerk", "front_desk", open_site(desk.session, "ZJ"))
    assert found(desk, stranger, phone="13800138000", room="3-2-1502") == []


def test_an_open_request_of_the_same_home_or_phone_and_trade_is_pointed_out(desk: Desk) -> None:
    same_home = register(desk, phone="13900139000")
    same_phone = register(desk, address="9-9-9", phone="138-0013-8000")
    register(desk, trade="cleaning")
    register(desk, address="1-1-1", phone="13700137000")
    desk.cancel(register(desk))
    assert duplicates(desk, register(desk)) == [same_home.number, same_phone.number]
    assert duplicates(desk, register(desk, trade="appliance")) == []


@pytest.mark.parametrize(
    ("phone", "digits"),
    [
        ("13800138000", "13800138000"),
        ("+86 138 0013 8000", "13800138000"),
        ("0086-138-0013-8000", "13800138000"),
        ("8613800138000", "13800138000"),
        ("013800138000", "13800138000"),
        ("010-6123 4567", "1061234567"),
        ("+86 10 6123 4567", "1061234567"),
        ("+86 010 6123 4567", "1061234567"),
        ("8612 3456", "86123456"),  # a number of eight digits without its area
        ("abc", ""),
        ("", ""),
    ],
)
def test_a_number_is_the_same_with_and_without_the_countrys_code(phone: str, digits: str) -> None:
    assert phone_digits(phone) == digits


@pytest.mark.parametrize("asked", ["138 0013 8000", "+86 138 0013 8000", "0086-13800138000"])
@pytest.mark.parametrize("stored", ["13800138000", "+8613800138000", "0086 138-0013-8000"])
def test_a_home_is_found_however_its_number_was_written_down(desk: Desk, stored: str, asked: str) -> None:
    register(desk, phone=stored)
    assert found(desk, phone=asked) == [("3-2-1502", 1)]
