"""What finance holds of an owner: taken out, and erased but for the vouchers [D26]."""

from uuid import UUID

import pytest
from sqlalchemy import text

from services.finance.actions import privacy
from services.finance.models import Damage
from services.finance.queries.privacy import held_of
from services.finance.rules.receipt import Method
from services.finance.tasks import hear_damage_reported, tasks
from shared.messages import CATALOGUE, DamageReported, OwnerErased
from shared.people import Actor
from shared.privacy import ERASED
from shared.privacy_rows import privacy_acts
from tests.people import employ, open_site
from tests.services.finance.office import MORNING, Office

HIS = "欧阳建国家的洗手盆"


@pytest.fixture
def boss(office: Office) -> Actor:
    return employ(office.session, "administrator", "administration", office.site_id)


def damage(office: Office, request_id: UUID) -> DamageReported:
    (known,) = [UUID(str(office.damage(HIS)))]
    held = office.session.get_one(Damage, known)
    facts = {name: getattr(held, name) for name in DamageReported.model_fields if name != "request_id"}
    office.session.delete(held)
    office.session.flush()
    return DamageReported(request_id=request_id, **facts)


def erased(office: Office, request_id: UUID) -> OwnerErased:
    return OwnerErased(request_id=request_id, site_id=office.site_id, by=None, reason="业主要求", erased_at=MORNING)


def acts(office: Office, reader: Actor) -> list[tuple[str, UUID, UUID | None]]:
    page = privacy_acts(office.session, reader, request_id=None, after=None, limit=10)
    return [(one.act, one.request_id, one.by) for one in page.items]


def test_what_an_owner_was_charged_paid_got_back_and_what_was_damaged_is_taken_out_and_that_is_noted(
    office: Office, boss: Actor
) -> None:
    request_id = office.accepted(fee_fen=10000)
    used = office.collect(request_id, amount_fen=10000, method=Method.BANK, reference="4200001")
    office.refunded(used, 4000)
    hear_damage_reported(office.session, damage(office, request_id), now=MORNING)
    other = office.accepted()
    privacy.export(office.session, request_ids=[request_id], reason="业主要求", actor=boss, now=MORNING)
    (held,) = held_of(office.session, boss, [request_id])
    assert (held["request_id"], held["fee_fen"]) == (str(request_id), 10000)
    (receipt,) = held["receipts"]
    assert (receipt["number"], receipt["amount_fen"], receipt["reference"]) == (used.number, 10000, "4200001")
    assert [(one["amount_fen"], one["state"]) for one in held["refunds"]] == [(4000, "approved")]
    assert [one["description"] for one in held["damages"]] == [HIS]
    assert str(office.clerk.person_id) not in str(held)
    assert acts(office, boss) == [("export", request_id, boss.person_id)]
    elsewhere = employ(office.session, "administrator", "administration", open_site(office.session, "XH"))
    assert held_of(office.session, elsewhere, [request_id, other]) == []
    privacy.export(office.session, request_ids=[request_id], reason="x", actor=elsewhere, now=MORNING)
    assert len(acts(office, boss)) == 1


def test_of_an_erased_owner_the_vouchers_stay_and_what_was_written_of_his_home_does_not(
    office: Office, boss: Actor
) -> None:
    request_id = office.accepted(fee_fen=10000)
    used = office.collect(request_id, amount_fen=10000, method=Method.BANK, reference="4200001")
    office.refunded(used, 4000)
    hear_damage_reported(office.session, damage(office, request_id), now=MORNING)
    before = held_of(office.session, boss, [request_id])
    assert set(tasks.handlers) == {name for name, message in CATALOGUE.items() if "finance" in message.receivers}
    tasks.handlers["OwnerErased"](office.session, erased(office, request_id), now=MORNING)
    office.session.expire_all()
    (after,) = held_of(office.session, boss, [request_id])
    assert [one.pop("description") for one in after["damages"]] == [ERASED]
    before[0]["damages"][0].pop("description")
    assert [after] == before
    assert acts(office, boss) == [("erase", request_id, None)]
    logged = office.session.execute(text("SELECT string_agg(l::text, '') FROM audit_log l")).scalar_one()
    assert HIS not in logged


def test_a_damage_that_comes_after_the_erasure_is_kept_without_its_words(office: Office) -> None:
    request_id = office.accepted()
    told = damage(office, request_id)
    privacy.owner_erased(office.session, erased(office, request_id), now=MORNING)
    hear_damage_reported(office.session, told, now=MORNING)
    held = office.session.get_one(Damage, told.damage_id)
    assert (held.description, held.estimate_fen) == (ERASED, told.estimate_fen)
