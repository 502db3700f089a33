"""Telling what is held of an owner [D26]."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from services.dispatch.models import WorkOrder
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
    )
    return [
        asdict(work_order_view(one))
        | {
            "phone": one.phone,
            "signature": one.signature.signature if one.signature else None,
            "witness_name": one.signature.witness_name if one.signature else None,
        }
        for one in found
    ]
