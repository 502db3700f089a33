"""A picture of a job is kept [R32, R63]."""

from datetime import datetime
from hashlib import sha256
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from services.dispatch.actions.work_order import work_order_for
from services.dispatch.models import Photo, PhotoKind
from services.dispatch.rules.photo import check_photo
from shared.ids import new_id
from shared.people import Actor
from shared.uploads import Picture


def add(
    session: Session, *, work_order_id: UUID, kind: PhotoKind, picture: Picture, actor: Actor, now: datetime
) -> Photo:
    """Keep a picture that was drawn anew, under a name of our own."""
    order = work_order_for(session, actor, work_order_id)
    digest = sha256(picture.content).hexdigest()
    kept, same = session.execute(
        select(func.count(), func.coalesce(func.bool_or(Photo.sha256 == digest), False)).where(
            Photo.work_order_id == order.id
        )
    ).one()
    check_photo(order.arrived_at, kept=kept, same=same)
    photo = Photo(
        id=new_id(),
        work_order_id=order.id,
        kind=kind,
        media_type=picture.media_type,
        content=picture.content,
        sha256=digest,
        width=picture.width,
        height=picture.height,
        added_by=actor.person_id,
        added_at=now,
    )
    session.add(photo)
    return photo
