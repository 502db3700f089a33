"""Owners' personal data at the desk: sealed, shown on purpose, taken out, erased by hand or after its time [D26]."""

from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from services.intake.actions import privacy
from services.intake.models import Request
from services.intake.queries.homes import homes
from services.intake.queries.privacy import held_of, requests_of_owner
from services.intake.rules.privacy import RetentionPolicy, check_erase, check_reveal, erase_due
from services.intake.rules.request import ENDED, RequestState
from shared.errors import NotFound, RuleBroken
from shared.ids import new_id
from shared.people import Actor
from shared.policy_rows import change
from shared.privacy import ERASED
from shared.privacy_rows import PrivacyActView, privacy_acts
from shared.sealing import SealBroken
from tests.people import employ, open_site, published
from tests.services.intake.desk import NOW, Desk, minutes, open_desk
from tests.services.intake.test_revision import revise

TWO_YEARS_ON = datetime(2028, 4, 1, 2, 0, tzinfo=UTC)
"""When what ended at NOW has been kept for the 24 months of the default policy."""


@pytest.fixture
def administrator(desk: Desk) -> Actor:
    return employ(desk.session, "administrator", "management", desk.site_id)


def acts(desk: Desk) -> list[PrivacyActView]:
    return privacy_acts(desk.session, desk.clerk, request_id=None, after=None, limit=100).items


def everything(desk: Desk) -> str:
    """All rows of all tables of the service, as text."""
    desk.session.flush()
    tables = desk.session.execute(
        text("SELECT table_name FROM information_schema.tables WHERE table_schema = 'intake' ORDER BY 1")
    ).scalars()
    rows = (desk.session.execute(text(f"SELECT t::text FROM intake.{table} t")).scalars() for table in tables)
    return "\n".join(line for lines in rows for line in lines)


def erase(desk: Desk, administrator: Actor, *made: Request) -> int:
    ids = [one.id for one in made]
    erased = privacy.erase(desk.session, request_ids=ids, reason="业主要求", actor=administrator, now=minutes(60))
    desk.session.expire_all()
    return len(erased)


def closed(desk: Desk) -> Request:
    """A request with a revised notice and a damage, whose owner was called until he was satisfied."""
    made = desk.noticed()
    desk.hear("DamageReported", made, description="欧阳建国家进水", damage_id=new_id())
    revise(desk, made, owner_name="王丽萍", address="9-9-0907", phone="13900139000")
    desk.hear("WorkAccepted", made, revision=1, signer_name="王丽萍")
    desk.not_reached(made)
    return desk.satisfied(made)


def test_a_number_is_stored_sealed_and_opens_in_its_own_row_alone(desk: Desk) -> None:
    one, other = desk.register(), desk.register()
    assert one.phone == "13800138000"
    assert one.phone_sealed is not None
    assert one.phone_sealed.startswith("sealed:")
    assert one.phone_sealed != other.phone_sealed
    assert "13800138000" not in everything(desk)
    desk.session.execute(
        text("UPDATE requests SET phone_sealed = :other WHERE id = :id"), {"other": other.phone_sealed, "id": one.id}
    )
    desk.session.expire_all()
    with pytest.raises(SealBroken):
        _ = one.phone


def test_what_a_notice_says_of_its_owner_is_sealed_in_the_outbox(desk: Desk) -> None:
    made = desk.noticed()
    bodies = desk.session.execute(text("SELECT body::text FROM outbox WHERE type = 'NoticeIssued'")).scalars().all()
    for word in ("13800138000", "欧阳建国", "3-2-1502", "水龙头漏水"):
        assert word not in "".join(bodies), word
    (said,) = desk.messages("NoticeIssued")
    assert (said["phone"], said["owner_name"], said["request_id"]) == ("13800138000", "欧阳建国", str(made.id))


@pytest.mark.parametrize("state", RequestState)
def test_a_number_is_shown_while_the_request_is_open(state: RequestState) -> None:
    if state in ENDED:
        with pytest.raises(RuleBroken, match="stays masked"):
            check_reveal(state)
    else:
        check_reveal(state)


def test_showing_a_number_is_written_down_with_who_and_why_and_cannot_be_unsaid(desk: Desk) -> None:
    made = desk.register()
    shown = privacy.reveal(desk.session, request_id=made.id, reason="回电", actor=desk.clerk, now=NOW)
    assert shown.phone == "13800138000"
    (act,) = acts(desk)
    said = (act.act, act.request_id, act.site_id, act.by, act.reason, act.at)
    assert said == ("reveal", made.id, desk.site_id, desk.clerk.person_id, "回电", NOW)
    stranger = employ(desk.session, "clerk", "front_desk", open_site(desk.session, "ZJ"))
    assert privacy_acts(desk.session, stranger, request_id=None, after=None, limit=9).items == []
    with pytest.raises(NotFound):
        privacy.reveal(desk.session, request_id=made.id, reason="看看", actor=stranger, now=NOW)
    with pytest.raises(DBAPIError, match=r"permission denied|append-only"):
        desk.session.execute(text("DELETE FROM privacy_acts"))


def test_the_acts_come_in_pages_and_by_request(desk: Desk) -> None:
    one, other = desk.register(), desk.register()
    for made in (one, other, one):
        privacy.reveal(desk.session, request_id=made.id, reason="回电", actor=desk.clerk, now=NOW)
    first = privacy_acts(desk.session, desk.clerk, request_id=None, after=None, limit=2)
    rest = privacy_acts(desk.session, desk.clerk, request_id=None, after=first.next, limit=2)
    assert ([act.request_id for act in first.items + rest.items], rest.next) == ([one.id, other.id, one.id], None)
    of_other = privacy_acts(desk.session, desk.clerk, request_id=other.id, after=None, limit=9).items
    assert [act.request_id for act in of_other] == [other.id]


def test_an_owner_is_found_by_his_number_and_by_his_home_at_the_sites_of_the_person_asking(
    desk: Desk, administrator: Actor
) -> None:
    made = desk.register()

    def found(actor: Actor = administrator, *, phone: str = "", address: str = "") -> list[str]:
        return [one.number for one in requests_of_owner(desk.session, actor, phone=phone, address=address)]

    assert found(phone="+86 138-0013-8000") == found(address="3 - 2 - 1502") == [made.number]
    assert found(phone="13800138000", address="9-9") == [made.number]
    assert found(phone="1380013800") == found(address="3-2-150") == found(phone="abc") == found() == []
    stranger = employ(desk.session, "administrator", "management", open_site(desk.session, "ZJ"))
    assert found(stranger, phone="13800138000") == []


def test_what_is_held_of_an_owner_is_taken_out_whole_and_written_down(desk: Desk, administrator: Actor) -> None:
    made = closed(desk)
    asked = {"request_ids": [made.id], "reason": "业主要求", "now": NOW}
    privacy.export(desk.session, actor=administrator, **asked)
    (held,) = held_of(desk.session, [made.id])
    assert (held["phone"], held["owner_name"], held["address"]) == ("13900139000", "王丽萍", "9-9-0907")
    assert held["visits"][0]["signer_name"] == "王丽萍"
    assert [(act.act, act.by) for act in acts(desk)] == [("export", administrator.person_id)]
    stranger = employ(desk.session, "administrator", "management", open_site(desk.session, "ZJ"))
    with pytest.raises(NotFound):
        privacy.export(desk.session, actor=stranger, **asked)


def test_an_owner_who_is_erased_is_nowhere_any_more_and_money_and_papers_stay(desk: Desk, administrator: Actor) -> None:
    made = closed(desk)
    before = desk.view(made)
    assert erase(desk, administrator, made) == 1
    after = desk.view(made)
    assert (after.owner_name, after.address, after.phone, after.description) == (ERASED,) * 4
    assert after.visits[0].signer_name == ERASED
    left = everything(desk)
    for word in ("王丽萍", "欧阳建国", "9-9-0907", "3-2-1502", "13900139000", "13800138000", "139****9000", "无人接听"):
        assert word not in left, word
    kept = ("number", "fee_fen", "items", "visit_from", "ended_at", "received_fen", "month", "trade")
    assert {name: getattr(after, name) for name in kept} == {name: getattr(before, name) for name in kept}
    assert after.notice is not None
    assert before.notice is not None
    assert (after.notice.number, after.notice.revision) == (before.notice.number, before.notice.revision)
    assert published(desk.session)[-2:] == [("OwnerErased", "dispatch"), ("OwnerErased", "finance")]
    assert homes(desk.session, desk.clerk, phone="13900139000", room="9-9-0907") == []
    assert requests_of_owner(desk.session, administrator, phone="13900139000", address="") == []
    assert [(act.act, act.by) for act in acts(desk)] == [("erase", administrator.person_id)]


def test_what_is_written_of_damage_at_his_home_is_erased_with_him_and_is_not_when_it_comes_later(
    desk: Desk, administrator: Actor
) -> None:
    made = closed(desk)
    assert erase(desk, administrator, made) == 1
    desk.hear("DamageReported", made, description="王家的花瓶")
    desk.session.expire_all()
    assert [(one.description, one.estimate_fen) for one in desk.view(made).damages] == [(ERASED, 20000)] * 2
    assert "王家" not in everything(desk)


def test_erasing_again_changes_nothing_and_says_nothing(desk: Desk, administrator: Actor) -> None:
    made = closed(desk)
    assert erase(desk, administrator, made) == 1
    said = published(desk.session)
    assert erase(desk, administrator, made) == 0
    assert (published(desk.session), len(acts(desk))) == (said, 1)


def test_open_requests_are_named_and_nothing_is_erased_before_they_end(desk: Desk, administrator: Actor) -> None:
    ended, opened = closed(desk), desk.register()
    with pytest.raises(RuleBroken, match=opened.number) as refused:
        erase(desk, administrator, ended, opened)
    assert refused.value.code == "requests_open"
    assert desk.view(ended).owner_name == "王丽萍"
    check_erase([])


CHANGES = [
    "UPDATE notice_revisions SET fee_fen = 1",
    "UPDATE notice_revisions SET reason = 'x'",
    "DELETE FROM notice_revisions",
    "UPDATE revisit_attempts SET at = now()",
    "UPDATE damages SET estimate_fen = 1",
]
"""Of what is append-only, none of which erases."""


@pytest.mark.parametrize("change_", CHANGES)
def test_of_what_is_append_only_the_service_changes_nothing(desk: Desk, change_: str) -> None:
    closed(desk)
    desk.session.flush()
    with pytest.raises(DBAPIError, match="permission denied"):
        desk.session.execute(text(change_))


@pytest.mark.parametrize("change_", CHANGES)
def test_of_what_is_append_only_not_even_the_owner_of_the_tables_changes_but_what_is_erased(
    owner_of: Callable[[str], Connection], change_: str
) -> None:
    owner = Session(owner_of("intake"), join_transaction_mode="create_savepoint")
    owner.info["service"] = "intake"
    closed(open_desk(owner))
    owner.flush()
    with pytest.raises(DBAPIError, match="append-only"):
        owner.execute(text(change_))


@pytest.mark.parametrize(
    ("ended", "months", "due"),
    [
        (datetime(2026, 4, 1, 2, tzinfo=UTC), 24, datetime(2028, 4, 1, 2, tzinfo=UTC)),
        (datetime(2026, 12, 31, tzinfo=UTC), 14, datetime(2028, 2, 29, tzinfo=UTC)),
        (datetime(2026, 12, 31, tzinfo=UTC), 16, datetime(2028, 4, 30, tzinfo=UTC)),
        (datetime(2028, 2, 29, tzinfo=UTC), 24, datetime(2030, 2, 28, tzinfo=UTC)),
    ],
)
def test_the_time_ends_on_the_same_day_so_many_months_later(ended: datetime, months: int, due: datetime) -> None:
    assert erase_due(ended, RetentionPolicy(months=months)) == due


def test_the_policy_cannot_be_shorter_than_what_is_remembered_of_messages() -> None:
    with pytest.raises(ValueError, match="greater than or equal to 14"):
        RetentionPolicy(months=13)


def test_an_owner_is_forgotten_when_his_request_ended_so_long_ago_and_no_moment_sooner(desk: Desk) -> None:
    made, opened = closed(desk), desk.register()
    assert privacy.erase_due(desk.session, now=TWO_YEARS_ON) == 0
    later = TWO_YEARS_ON.replace(second=1)
    assert privacy.erase_due(desk.session, now=later) == 1
    assert privacy.erase_due(desk.session, now=later) == 0
    desk.session.expire_all()
    assert (desk.view(made).owner_name, desk.view(opened).owner_name) == (ERASED, "欧阳建国")
    assert [(act.act, act.request_id, act.by) for act in acts(desk)] == [("erase", made.id, None)]
    assert published(desk.session)[-2:] == [("OwnerErased", "dispatch"), ("OwnerErased", "finance")]


def test_the_time_is_that_of_the_policy_when_the_request_ended(desk: Desk, administrator: Actor) -> None:
    first = desk.cancel(desk.register())
    change(
        desk.session,
        RetentionPolicy(months=14),
        site_id=desk.site_id,
        effective_from=minutes(1),
        reason="短一些",
        actor=administrator,
        now=NOW,
    )
    second = desk.cancel(desk.register(), now=minutes(2))
    refused = desk.register(trade="renovation")
    assert first.erase_due_at == TWO_YEARS_ON
    assert second.erase_due_at == minutes(2).replace(year=2027, month=6)
    assert refused.state in ENDED
    assert refused.erase_due_at == TWO_YEARS_ON


def test_a_request_that_goes_on_after_all_is_not_forgotten(desk: Desk) -> None:
    made = desk.cancel(desk.noticed())
    assert made.erase_due_at is not None
    desk.hear("WorkAccepted", made)
    assert made.erase_due_at is None
