"""Deliveries to the HR system and the webhooks that push them."""

from datetime import UTC, datetime
from uuid import UUID

from shared.ids import new_id
from shared.messages import PayoutApproved, PayoutLine
from tests.bad_input.acts import Act, Call
from tests.bad_input.house import House

URL = "https://93.184.216.34/hr"
"""An address of the open internet that needs no DNS; nothing here sends anything."""


def delivered(house: House) -> UUID:
    """A payout of one line was received."""
    worker = house.people["worker"]
    line = PayoutLine(
        person_id=worker.person_id,
        name=worker.name,
        share_fen=10000,
        reward_fen=0,
        fine_fen=0,
        from_bonus_fen=0,
        from_wage_fen=0,
        net_fen=10000,
        case_numbers=[],
    )
    payout = PayoutApproved(
        settlement_id=new_id(),
        site_id=house.site_id,
        month="2026-03",
        lines=[line],
        net_fen=10000,
        from_wage_fen=0,
        approved_by=new_id(),
        approved_at=datetime(2026, 3, 31, 15, tzinfo=UTC),
    )
    house.hear(payout)
    return payout.settlement_id


def a_delivery(house: House) -> Call:
    return Call(f"/deliveries/{delivered(house)}/acknowledge", {"reference": "HR-2026-03-1"})


def a_webhook(house: House) -> Call:
    return Call("/webhooks", {"url": URL, "site_id": str(house.site_id)})


def added(house: House) -> str:
    call = a_webhook(house)
    return str(house.did("administrator", call.path, call.body)["webhook"]["id"])


def an_endpoint(house: House) -> Call:
    return Call(f"/webhooks/{added(house)}/rotate-secret")


def an_enabled_endpoint(house: House) -> Call:
    return Call(f"/webhooks/{added(house)}/disable", {"reason": "the HR system moves"})


def a_disabled_endpoint(house: House) -> Call:
    call = an_enabled_endpoint(house)
    house.did("administrator", call.path, call.body)
    return Call(call.path.replace("/disable", "/enable"))


def a_delivery_before_its_endpoint(house: House) -> Call:
    delivery_id = delivered(house)
    return Call(f"/webhooks/{added(house)}/replay", {"delivery_id": str(delivery_id)})


ACTS = [
    Act("hr", "/deliveries/{delivery_id}/acknowledge", "hr", a_delivery),
    Act("hr", "/webhooks", "administrator", a_webhook),
    Act("hr", "/webhooks/{webhook_id}/rotate-secret", "administrator", an_endpoint),
    Act("hr", "/webhooks/{webhook_id}/disable", "administrator", an_enabled_endpoint),
    Act("hr", "/webhooks/{webhook_id}/enable", "administrator", a_disabled_endpoint),
    Act("hr", "/webhooks/{webhook_id}/replay", "administrator", a_delivery_before_its_endpoint),
]
