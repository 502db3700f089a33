"""What is done with an owner's personal data: shown in full, taken out, erased; each time written down [D26]."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import delete, func, select, text, update
from sqlalchemy.orm import Session

from services.dispatch.actions.work_order import work_order_for
from services.dispatch.models import OwnerLink, Photo, WorkOrder
from services.dispatch.rules.privacy import check_reveal
from services.dispatch.rules.work_order import ENDED
from shared.access import at_sites_of
from shared.errors import NotYet
from shared.messages import OwnerErased
from shared.people import Actor
from shared.privacy import ERASED
from shared.privacy_rows import PrivacyAct, note_acts

# what was sent and answered is remembered too
_ERASE_SENT = text("""
    UPDATE outbox SET body = body || (SELECT jsonb_object_agg(name, CAST(:erased AS text))
        FROM jsonb_object_keys(body) AS name WHERE name IN ('signer_name', 'description'))
    WHERE body->>'request_id' = :id AND body ?| ARRAY['signer_name', 'description']
""")
_ERASE_ANSWERED = text("""
    UPDATE idempotency_keys SET answer = answer || (SELECT jsonb_object_agg(name, CAST(:erased AS text))
        FROM unnest(ARRAY['owner_name', 'address', 'phone', 'description', 'signer_name']) AS name)
        || jsonb_build_object('damages', jsonb_build_array(), 'tellings', jsonb_build_array())
    WHERE answer->>'request_id' = :id AND answer ? 'phone'
""")


def reveal(session: Session, *, work_order_id: UUID, reason: str, actor: Actor, now: datetime) -> WorkOrder:
    """Show the owner's number in full to the assigned worker or his head, who says why, while the order is open."""
    order = work_order_for(session, actor, work_order_id)
    check_reveal(order.state)
    owner = [(order.request_id, order.site_id)]
    note_acts(session, PrivacyAct.REVEAL, owner, by=actor.person_id, reason=reason, now=now)
    return order


def export(session: Session, *, request_ids: Sequence[UUID], reason: str, actor: Actor, now: datetime) -> None:
    """Write down that all that is held of these requests' owner is taken out; not every request has an order."""
    owners = session.execute(
        select(WorkOrder.request_id, WorkOrder.site_id)
        .where(WorkOrder.request_id.in_(request_ids), at_sites_of(actor, WorkOrder.site_id))
        .distinct()
    ).all()
    taken = [(id_, site_id) for id_, site_id in owners]
    note_acts(session, PrivacyAct.EXPORT, taken, by=actor.person_id, reason=reason, now=now)


def owner_erased(session: Session, message: OwnerErased, *, now: datetime) -> None:
    """The desk erased an owner: so do we, in every round. Raises NotYet before one has come, or while one is open."""
    states = session.scalars(
        select(WorkOrder.state).where(WorkOrder.request_id == message.request_id).with_for_update()
    ).all()
    if not states or not ENDED.issuperset(states):
        raise NotYet(f"the orders of request {message.request_id} have not all come and ended")
    session.execute(
        update(WorkOrder)
        .where(WorkOrder.request_id == message.request_id)
        .values(owner_name=ERASED, address=ERASED, description=ERASED, phone_sealed=None, erased_at=message.erased_at)
    )
    orders = select(WorkOrder.id).where(WorkOrder.request_id == message.request_id)
    session.execute(
        update(WorkOrder)
        .where(WorkOrder.id.in_(orders), WorkOrder.materials_note.is_not(None))
        .values(materials_note=ERASED)
    )
    session.execute(delete(OwnerLink).where(OwnerLink.request_id == message.request_id))
    session.execute(delete(Photo).where(Photo.work_order_id.in_(orders)))
    session.execute(select(func.erase_append_only([message.request_id], ERASED)))
    asked = {"id": str(message.request_id), "erased": ERASED}
    if message.by is not None:  # the policy erases later than these are remembered
        session.execute(_ERASE_SENT, asked)
        session.execute(_ERASE_ANSWERED, asked)
    owner = [(message.request_id, message.site_id)]
    note_acts(session, PrivacyAct.ERASE, owner, by=message.by, reason=message.reason, now=now)
