"""Owners' personal data at the departments: sealed, shown on purpose, erased when the desk says so [D26]."""

from base64 import b64decode
from collections.abc import Callable

import pytest
from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from services.dispatch.actions import damage, privacy, visit
from services.dispatch.models import Photo, WorkOrder
from services.dispatch.queries.privacy import held_of
from services.dispatch.queries.work_orders import work_order_by_id
from services.dispatch.rules.privacy import check_reveal
from services.dispatch.rules.work_order import ENDED, WorkState
from services.dispatch.tasks import tasks
from shared.errors import NotFound, NotYet, RuleBroken
from shared.ids import new_id
from shared.messages import OwnerErased
from shared.privacy import ERASED
from shared.privacy_rows import PrivacyActView, privacy_acts
from shared.sealing import SealBroken
from tests.people import employ
from tests.services.dispatch.crew import NOW, Crew, hire


def acts(crew: Crew) -> list[PrivacyActView]:
    return privacy_acts(crew.session, crew.head, request_id=None, after=None, limit=100).items


def everything(crew: Crew) -> str:
    """All rows of all tables of the service, as text."""
    crew.session.flush()
    tables = crew.session.execute(
        text("SELECT table_name FROM information_schema.tables WHERE table_schema = 'dispatch' ORDER BY 1")
    ).scalars()
    rows = (crew.session.execute(text(f"SELECT t::text FROM dispatch.{table} t")).scalars() for table in tables)
    return "\n".join(line for lines in rows for line in lines)


PICTURE = b"a picture of his floor"


def erased(order: WorkOrder) -> OwnerErased:
    return OwnerErased(
        request_id=order.request_id, site_id=order.site_id, by=new_id(), reason="业主要求", erased_at=NOW
    )


def accepted(crew: Crew) -> WorkOrder:
    """An order whose owner was told something and signed."""
    order = crew.started()
    crew.tell_owner(order)
    visit.check_materials(
        crew.session, work_order_id=order.id, complete=True, note="欧阳家的水管", actor=crew.worker, now=NOW
    )
    damage.report(
        crew.session,
        work_order_id=order.id,
        description="欧阳家的地板",
        estimate_fen=20000,
        actor=crew.worker,
        now=NOW,
    )
    picture = {"media_type": "image/png", "content": PICTURE, "sha256": "0", "width": 1, "height": 1}
    taken = Photo(work_order_id=order.id, kind="damage", added_by=crew.worker.person_id, added_at=NOW, **picture)
    crew.session.add(taken)
    crew.accept(crew.finish(order), signature="<svg>drawn by hand</svg>", witness_name="赵见证")
    return order


def test_number_and_signature_are_stored_sealed_and_open_in_their_own_row_alone(crew: Crew) -> None:
    one, other = accepted(crew), crew.receive()
    left = everything(crew)
    assert "13800138000" not in left
    assert "drawn by hand" not in left
    (held,) = held_of(crew.session, crew.head, [one.request_id])
    assert (held["phone"], held["signature"]) == ("13800138000", "<svg>drawn by hand</svg>")
    assert [b64decode(one["content"]) for one in held["photos"]] == [PICTURE]
    crew.session.execute(
        text("UPDATE work_orders SET phone_sealed = :other WHERE id = :id"), {"other": one.phone_sealed, "id": other.id}
    )
    crew.session.expire_all()
    with pytest.raises(SealBroken):
        work_order_by_id(crew.session, crew.head, other.id)


@pytest.mark.parametrize("state", WorkState)
def test_a_number_is_shown_while_the_order_is_open(state: WorkState) -> None:
    if state in ENDED:
        with pytest.raises(RuleBroken, match="stays masked"):
            check_reveal(state)
    else:
        check_reveal(state)


def test_a_number_is_shown_to_the_worker_assigned_and_his_head_who_say_why(crew: Crew) -> None:
    order = crew.assigned()
    assert work_order_by_id(crew.session, crew.worker, order.id).phone == "138****8000"
    asked = {"work_order_id": order.id, "reason": "到门口无人", "now": NOW}
    for actor in (crew.worker, crew.head):
        assert privacy.reveal(crew.session, actor=actor, **asked).phone == "13800138000"
    for stranger in (crew.mate, employ(crew.session, "head", "environment", crew.site_id)):
        with pytest.raises(NotFound):
            privacy.reveal(crew.session, actor=stranger, **asked)
    by = [(act.act, act.request_id, act.by) for act in acts(crew)]
    assert by == [("reveal", order.request_id, one.person_id) for one in (crew.worker, crew.head)]
    with pytest.raises(DBAPIError, match=r"permission denied|append-only"):
        crew.session.execute(text("DELETE FROM privacy_acts"))


def test_an_owner_the_desk_erased_is_nowhere_any_more_and_the_work_stays(crew: Crew) -> None:
    order = accepted(crew)
    before = work_order_by_id(crew.session, crew.head, order.id)
    tasks.handlers["OwnerErased"](crew.session, erased(order), now=NOW)
    crew.session.expire_all()
    after = work_order_by_id(crew.session, crew.head, order.id)
    assert (after.owner_name, after.address, after.phone, after.description, after.signer_name) == (ERASED,) * 5
    left = everything(crew)
    for word in (
        *("欧阳建国", "13800138000", "赵见证", "drawn by hand", "业主知道了", "欧阳家的地板", "欧阳家的水管"),
        PICTURE.hex(),
    ):
        assert word not in left, word
    (held,) = held_of(crew.session, crew.head, [order.request_id])
    assert (held["phone"], held["signature"], held["photos"]) == (None, None, [])
    assert [(one["description"], one["estimate_fen"]) for one in held["damages"]] == [(ERASED, 20000)]
    kept = ("notice_number", "fee_fen", "items", "state", "accepted_at", "accepted_month", "signed_hash", "workers")
    assert {name: getattr(after, name) for name in kept} == {name: getattr(before, name) for name in kept}
    assert [(act.act, act.reason) for act in acts(crew)] == [("erase", "业主要求")]


def test_an_erasure_heard_before_its_order_has_come_or_ended_waits(crew: Crew) -> None:
    order = crew.assigned()
    with pytest.raises(NotYet):
        privacy.owner_erased(crew.session, erased(order), now=NOW)
    unknown = erased(order).model_copy(update={"request_id": new_id()})
    with pytest.raises(NotYet):
        privacy.owner_erased(crew.session, unknown, now=NOW)


CHANGES = [
    "UPDATE signatures SET signed_hash = 'x'",
    "UPDATE signatures SET relation = 'occupant'",
    "DELETE FROM signatures",
    "UPDATE tellings SET kind = 'asked'",
    "UPDATE damages SET estimate_fen = 1",
]
"""Of what is append-only, none of which erases."""


@pytest.mark.parametrize("change", CHANGES)
def test_of_what_is_append_only_the_service_changes_nothing(crew: Crew, change: str) -> None:
    accepted(crew)
    crew.session.flush()
    with pytest.raises(DBAPIError, match="permission denied"):
        crew.session.execute(text(change))


@pytest.mark.parametrize("change", CHANGES)
def test_of_what_is_append_only_not_even_the_owner_of_the_tables_changes_but_what_is_erased(
    owner_of: Callable[[str], Connection], change: str
) -> None:
    owner = Session(owner_of("dispatch"), join_transaction_mode="create_savepoint")
    owner.info["service"] = "dispatch"
    accepted(hire(owner))
    owner.flush()
    with pytest.raises(DBAPIError, match="append-only"):
        owner.execute(text(change))
