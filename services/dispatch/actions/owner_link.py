"""By which link an owner comes to sign, as the desk says [R32]."""

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from services.dispatch.models import OwnerLink, WorkOrder
from shared.db import held_by
from shared.messages import OwnerLinkGiven
from shared.people import known_site


def owner_link_given(session: Session, message: OwnerLinkGiven) -> None:
    """The link of a request is this one now; an older one that comes late, or of who was erased, is no news."""
    known_site(session, message.site_id)
    erased = select(func.count()).where(WorkOrder.request_id == message.request_id, WorkOrder.erased_at.is_not(None))
    if session.execute(erased).scalar_one():
        return
    new = insert(OwnerLink).values(**held_by(OwnerLink, message))
    session.execute(
        new.on_conflict_do_update(
            index_elements=["request_id"],
            set_={"link_hash": new.excluded.link_hash, "given_at": new.excluded.given_at},
            where=OwnerLink.given_at < new.excluded.given_at,
        )
    )
