"""Payouts as the company's HR system gets them."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Select, select
from sqlalchemy.orm import Session, joinedload

from services.hr.models import (
    Delivery,
)
from shared.access import at_sites_of
from shared.errors import NotFound
from shared.people import Actor


@dataclass(frozen=True)
class DeliveryTotals:
    """What some deliveries come to (fen): how many, their lines, what is paid and what wages bear."""

    deliveries: int
    lines: int
    net_fen: int
    from_wage_fen: int


def totals(rows: Iterable[Any]) -> DeliveryTotals:
    """The totals of deliveries, or of payouts counted with their lines."""
    counted = [(row.line_count, row.net_fen, row.from_wage_fen) for row in rows]
    lines, net_fen, from_wage_fen = (sum(column) for column in zip(*counted, strict=True)) if counted else (0, 0, 0)
    return DeliveryTotals(len(counted), lines, net_fen, from_wage_fen)


@dataclass(frozen=True)
class DeliveryView:
    """A delivery: its payload in the schema it names, and when the HR system acknowledged it."""

    id: UUID
    sequence: int
    site_id: UUID
    made_at: datetime
    payload: dict[str, Any]
    acknowledged_at: datetime | None
    acknowledged_by: UUID | None
    reference: str | None


@dataclass(frozen=True)
class DeliveryPage:
    """Some deliveries in order, what they come to, and after which the next page begins (None: this is the last)."""

    items: list[DeliveryView]
    totals: DeliveryTotals
    next: int | None


def deliveries(session: Session, actor: Actor, *, after: int, limit: int) -> DeliveryPage:
    """The deliveries after a sequence number."""
    found = session.scalars(_deliveries(actor).where(Delivery.sequence > after).limit(limit + 1)).all()
    shown = found[:limit]
    return DeliveryPage(
        [_delivery_view(d) for d in shown], totals(shown), shown[-1].sequence if len(found) > limit else None
    )


def latest_deliveries(session: Session, actor: Actor, *, before: int | None, limit: int) -> DeliveryPage:
    """The same, the newest first; the next page is what came before a sequence number."""
    query = _deliveries(actor).order_by(None).order_by(Delivery.sequence.desc())
    if before is not None:
        query = query.where(Delivery.sequence < before)
    found = session.scalars(query.limit(limit + 1)).all()
    shown = found[:limit]
    return DeliveryPage(
        [_delivery_view(d) for d in shown], totals(shown), shown[-1].sequence if len(found) > limit else None
    )


def delivery_by_id(session: Session, actor: Actor, delivery_id: UUID) -> DeliveryView:
    """One delivery. Raises NotFound."""
    found = session.scalars(_deliveries(actor).where(Delivery.id == delivery_id)).one_or_none()
    if found is None:
        raise NotFound("delivery", delivery_id)
    return _delivery_view(found)


def _deliveries(actor: Actor) -> Select[Delivery]:
    return (
        select(Delivery)
        .where(at_sites_of(actor, Delivery.site_id))
        .options(joinedload(Delivery.acknowledgement))
        .order_by(Delivery.sequence)
    )


def _delivery_view(d: Delivery) -> DeliveryView:
    taken = d.acknowledgement
    return DeliveryView(
        d.id,
        d.sequence,
        d.site_id,
        d.made_at,
        json.loads(d.body),
        taken.acknowledged_at if taken else None,
        taken.acknowledged_by if taken else None,
        taken.reference if taken else None,
    )
