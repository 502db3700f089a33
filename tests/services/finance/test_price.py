"""The price book [R55-R57, D10]."""

from dataclasses import replace
from datetime import date

import pytest
from sqlalchemy import text

from services.finance import queries
from services.finance.actions import price
from shared.errors import Malformed, NotFound, RuleBroken
from shared.ids import new_id
from shared.messages import PriceItem, PricePublished
from tests.people import published
from tests.services.finance.office import MORNING, Office

TAP = PriceItem(code="tap", trade="water", name="换水龙头", unit="个", min_fen=3000, max_fen=8000)
LAMP = PriceItem(code="lamp", trade="electricity", name="换灯", unit="个", min_fen=2000, max_fen=2000)


def draft(office: Office, *items: PriceItem):
    version = price.draft(
        office.session, effective_from=date(2026, 4, 1), items=items or (TAP, LAMP), actor=office.lead, now=MORNING
    )
    office.session.flush()
    return version


def test_versions_are_numbered_as_they_are_drafted_and_tell_nobody(office: Office) -> None:
    assert [draft(office).number for _ in range(3)] == [1, 2, 3]
    assert published(office.session) == []


def test_an_approved_version_is_published_whole(office: Office) -> None:
    version = draft(office)
    office.session.expire_all()
    price.approve(office.session, version_id=version.id, actor=office.leader, now=MORNING)
    assert published(office.session) == [("PricePublished", "intake")]
    told = office.session.execute(text("SELECT body FROM outbox")).scalar_one()
    assert PricePublished.model_validate(told) == PricePublished(
        version=1, effective_from=date(2026, 4, 1), items=[LAMP, TAP], approved_at=MORNING
    )


def test_a_version_is_approved_once_and_not_by_who_drafted_it(office: Office) -> None:
    version = draft(office)
    promoted = replace(office.lead, role="leader")
    with pytest.raises(RuleBroken) as refused, office.session.begin_nested():
        price.approve(office.session, version_id=version.id, actor=promoted, now=MORNING)
    assert refused.value.code == "not_four_eyes"
    price.approve(office.session, version_id=version.id, actor=office.leader, now=MORNING)
    with pytest.raises(RuleBroken, match="approved"):
        price.approve(office.session, version_id=version.id, actor=office.leader, now=MORNING)


def test_a_version_with_a_code_twice_is_refused_and_an_unknown_one_is_not_found(office: Office) -> None:
    with pytest.raises(Malformed):
        draft(office, TAP, TAP)
    with pytest.raises(NotFound):
        price.approve(office.session, version_id=new_id(), actor=office.leader, now=MORNING)


def test_versions_are_listed_in_pages(office: Office) -> None:
    made = [draft(office).id for _ in range(3)]
    first = queries.price_versions(office.session, after=None, limit=2)
    rest = queries.price_versions(office.session, after=first.next, limit=2)
    assert [v.id for v in first.items + rest.items] == made
    assert rest.next is None
