"""Pictures of a job, for those who see the job."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session, defer

from services.dispatch.models import Photo, WorkOrder
from services.dispatch.queries.work_orders import order_of, orders_of
from shared.errors import NotFound
from shared.people import Actor


@dataclass(frozen=True)
class PhotoView:
    """What is known of a picture; the picture itself is at `…/photos/{id}`."""

    id: UUID
    kind: str
    media_type: str
    width: int
    height: int
    sha256: str
    added_by: UUID
    added_at: datetime


def photo_view(photo: Photo) -> PhotoView:
    """One picture as listed."""
    return PhotoView(
        photo.id,
        photo.kind,
        photo.media_type,
        photo.width,
        photo.height,
        photo.sha256,
        photo.added_by,
        photo.added_at,
    )


def photos_of(session: Session, actor: Actor, work_order_id: UUID) -> list[PhotoView]:
    """The pictures of an order, in the order they came. Raises NotFound when the order is none of the person's."""
    order = order_of(session, actor, work_order_id)
    found = select(Photo).where(Photo.work_order_id == order.id).options(defer(Photo.content)).order_by(Photo.id)
    return [photo_view(photo) for photo in session.scalars(found)]


def photo_by_id(session: Session, actor: Actor, work_order_id: UUID, photo_id: UUID) -> Photo:
    """One picture, whole. Raises NotFound when it is of no order of the person's."""
    found = session.scalars(
        select(Photo)
        .join(WorkOrder, WorkOrder.id == Photo.work_order_id)
        .where(Photo.id == photo_id, WorkOrder.id == work_order_id, orders_of(actor))
    ).one_or_none()
    if found is None:
        raise NotFound("photo", photo_id)
    return found
