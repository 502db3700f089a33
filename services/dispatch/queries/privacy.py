"""Telling what is held of an owner [D26]."""

from base64 import b64encode
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from services.dispatch.models import Photo, WorkOrder
from services.dispatch.queries.work_orders import WHOLE, work_order_view
from shared.access import at_sites_of
from shared.people import Actor


def held_of(session: Session, actor: Actor, request_ids: Sequence[UUID]) -> list[dict[str, Any]]:
    """All that is held of these requests, number and signature in full."""
    found = session.scalars(
        select(WorkOrder)
        .where(WorkOrder.request_id.in_(request_ids), at_sites_of(actor, WorkOrder.site_id))
        .options(*WHOLE)
        .order_by(WorkOrder.id)
        .execution_options(populate_existing=True)
    ).all()
    pictures = _pictures(session, [one.id for one in found])
    return [
        asdict(work_order_view(one))
        | {
            "phone": one.phone,
            "signature": one.signature.signature if one.signature else None,
            "witness_name": one.signature.witness_name if one.signature else None,
            "stops": [{"reason": stop.reason, "stopped_at": stop.stopped_at} for stop in one.stops],
            "photos": pictures.get(one.id, []),
        }
        for one in found
    ]


def _pictures(session: Session, order_ids: Sequence[UUID]) -> dict[UUID, list[dict[str, Any]]]:
    """The pictures of each order, whole, in base64."""
    taken: dict[UUID, list[dict[str, Any]]] = {}
    query = select(Photo).where(Photo.work_order_id.in_(order_ids)).order_by(Photo.id)
    for photo in session.scalars(query):
        content = b64encode(photo.content).decode()
        facts = {"kind": photo.kind, "media_type": photo.media_type, "added_at": photo.added_at, "content": content}
        taken.setdefault(photo.work_order_id, []).append(facts)
    return taken
