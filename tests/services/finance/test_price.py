"""The price book [R55-R57, D10]."""

from dataclasses import replace
from datetime import date

import pytest
from sqlalchemy import text

from services.finance.actions import price
from services.finance.queries.prices import price_difference, price_version_in_force, price_versions
from services.finance.rules.price import ChangedItem
from shared.errors import Malformed, NotFound, RuleBroken
from shared.ids import new_id
from shared.messages import PriceItem, PricePublished
from tests.people import published
from tests.services.finance.office import MORNING, Office

TAP = PriceItem(code="tap", trade="water", name="换水龙头", unit="个", min_fen=3000, max_fen=8000)
LAMP = PriceItem(code="lamp", trade="electricity", name="换灯", unit="个", min_fen=2000, max_fen=2000)


def draft(office: Office, *items: PriceItem, since: date = date(2026, 4, 1)):
    version = price.draft(
        office.session, effective_from=since, items=items or (TAP, LAMP), actor=office.lead, now=MORNING
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
    first = price_versions(office.session, after=None, limit=2)
    rest = price_versions(office.session, after=first.next, limit=2)
    assert [v.id for v in first.items + rest.items] == made
    assert rest.next is None


def approved(office: Office, *items: PriceItem, since: date = date(2026, 4, 1)):
    version = draft(office, *items, since=since)
    return price.approve(office.session, version_id=version.id, actor=office.leader, now=MORNING)


def test_a_version_is_not_approved_for_a_day_that_is_over_at_every_site(office: Office) -> None:
    late = draft(office, since=date(2026, 3, 31))
    with pytest.raises(RuleBroken, match="2026-03-31 is over") as refused, office.session.begin_nested():
        price.approve(office.session, version_id=late.id, actor=office.leader, now=MORNING)
    assert (refused.value.rule, refused.value.allowed) == ("D10", ("a version from 2026-04-01 on",))
    office.session.execute(text("UPDATE sites SET zone = 'Pacific/Honolulu'"))  # where it is still March
    assert price.approve(office.session, version_id=late.id, actor=office.leader, now=MORNING).state == "approved"


def test_a_draft_is_withdrawn_once_and_never_approved_afterwards(office: Office) -> None:
    version = draft(office)
    withdrawn = price.withdraw(office.session, version_id=version.id, actor=office.lead, now=MORNING)
    assert (withdrawn.state, withdrawn.withdrawn_by) == ("withdrawn", office.lead.person_id)
    with pytest.raises(RuleBroken, match="withdrawn"):
        price.withdraw(office.session, version_id=version.id, actor=office.lead, now=MORNING)
    with pytest.raises(RuleBroken, match="withdrawn"):
        price.approve(office.session, version_id=version.id, actor=office.leader, now=MORNING)
    with pytest.raises(RuleBroken, match="approved"):
        price.withdraw(office.session, version_id=approved(office).id, actor=office.lead, now=MORNING)
    assert draft(office).number == 3


def test_the_version_in_force_is_the_approved_one_that_began_last(office: Office) -> None:
    with pytest.raises(NotFound):
        price_version_in_force(office.session, on=date(2026, 4, 1))
    for since in (date(2026, 6, 1), date(2026, 4, 1), date(2026, 6, 1)):
        approved(office, since=since)
    draft(office, since=date(2026, 5, 1))

    def number(*on: int) -> int:
        return price_version_in_force(office.session, on=date(*on)).number

    assert [number(2026, 4, 1), number(2026, 5, 31), number(2026, 6, 1), number(2030, 1, 1)] == [2, 2, 3, 3]


def test_a_version_says_what_it_adds_removes_and_changes_against_the_one_it_follows(office: Office) -> None:
    first = approved(office, TAP, LAMP)
    assert price_difference(office.session, first.id).against is None
    dearer, drain = TAP.model_copy(update={"max_fen": 9000}), TAP.model_copy(update={"code": "drain"})
    approved(office, since=date(2027, 1, 1))
    found = price_difference(office.session, draft(office, dearer, drain, since=date(2026, 5, 1)).id)
    assert (found.version, found.against) == (3, 1)
    assert (found.added, found.removed, found.changed) == ([drain], [LAMP], [ChangedItem(TAP, dearer)])
    with pytest.raises(NotFound):
        price_difference(office.session, new_id())
