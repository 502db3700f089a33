"""What the owner is shown before he signs [R32, D23]."""

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy.orm import Session

from services.dispatch.models import WorkOrder
from services.dispatch.queries.work_orders import fee_items, order_of
from services.dispatch.rules.acceptance import SettlementList
from shared.messages import FeeItem
from shared.people import Actor


@dataclass(frozen=True)
class SettlementListView:
    """The settlement list 结算清单 as the owner is shown it before he signs, with the hash of exactly that (fen)."""

    notice_number: str
    round: int
    revision: int
    description: str
    items: list[FeeItem]
    fee_fen: int
    price_version: int | None
    materials: str
    hash: str


def settlement_list(order: WorkOrder) -> SettlementList:
    """What an owner is shown of an order before he signs, as it stands now [R32, D23]."""
    return SettlementList(
        notice_number=order.notice_number,
        round=order.round,
        revision=order.revision,
        description=order.description,
        items=fee_items(order),
        fee_fen=order.fee_fen,
        price_version=order.price_version,
    )


def settlement_list_by_id(session: Session, actor: Actor, work_order_id: UUID) -> SettlementListView:
    """The settlement list of an order, with its hash. Raises NotFound when it is none of the person's."""
    shown = settlement_list(order_of(session, actor, work_order_id))
    return SettlementListView(**dict(shown), hash=shown.sha256())
