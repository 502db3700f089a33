"""What the heads of a department are told of its orders, at once [D4, D24]."""

from typing import Any
from uuid import UUID

from sqlalchemy import Row

from services.dispatch.models import WorkOrder
from services.dispatch.rules.work_order import promise_of
from shared.alerts import Alert

TOLD = (WorkOrder.id, WorkOrder.site_id, WorkOrder.department, WorkOrder.notice_number, WorkOrder.revision)
"""What a sweep returns of the orders it marked, for the heads' alerts."""

Told = WorkOrder | Row[*tuple[Any, ...]]
"""An order, or what a sweep returned of it."""


def for_head(kind: str, order: Told, subject_id: UUID | None = None, **facts: str | int) -> Alert:
    """An alert to the heads of an order's department at its site; about the order, or something that happened on it."""
    return Alert(
        kind,
        order.site_id,
        subject_id or order.id,
        role="head",
        department=order.department,
        facts={"notice_number": order.notice_number, **facts},
    )


def missed(kind: str, order: Told) -> Alert:
    """An alert to the heads that what the order's notice promises as it stands was not kept [D4]."""
    return for_head(kind, order, promise_of(order.id, order.revision))
