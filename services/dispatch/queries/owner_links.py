"""What whoever comes by an owner's link is shown: the settlement list of that one job [R31, R32]."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session, selectinload

from services.dispatch.models import OwnerLink, WorkOrder
from services.dispatch.queries.acceptances import settlement_list
from services.dispatch.rules.acceptance import SettlementList
from shared.owner_link import link_opens
from shared.people import hash_token, known_site
from shared.walls import across_sites, act_at


class NoSuchLink(Exception):
    """The link never was, was replaced or erased, or its time is over: nobody is told which."""


def open_link(session: Session, code: str, *, now: datetime, lock: bool = False) -> WorkOrder:
    """The last order of the link's request, with its workers and its signature.

    From here on the transaction acts for its site alone. Raises NoSuchLink, also while no order has come.
    """
    with across_sites(session):
        found = session.execute(
            select(OwnerLink.request_id, OwnerLink.site_id).where(OwnerLink.link_hash == hash_token(code))
        ).one_or_none()
    if found is None:
        raise NoSuchLink
    act_at(session, found.site_id)
    last = (
        select(WorkOrder.id).where(WorkOrder.request_id == found.request_id).order_by(WorkOrder.round.desc()).limit(1)
    )
    order_id = session.scalars(last).one_or_none()
    if lock:
        session.execute(select(WorkOrder.id).where(WorkOrder.id == order_id).with_for_update())
    order = session.scalars(
        select(WorkOrder)
        .where(WorkOrder.id == order_id, WorkOrder.erased_at.is_(None))
        .options(selectinload(WorkOrder.workers), selectinload(WorkOrder.signature))
        .execution_options(populate_existing=True)
    ).one_or_none()
    ended = (order.accepted_at, order.terminated_at, order.cancelled_at) if order else ()
    if order is None or not link_opens(next((at for at in ended if at), None), now=now):
        raise NoSuchLink
    return order


@dataclass(frozen=True)
class OwnersList:
    """The settlement list as its owner sees it on his own phone, with the hash of exactly that (fen)."""

    order_id: UUID
    state: str
    site_name: str
    zone: str
    owner_name: str
    address: str
    finished_at: datetime | None
    signer_name: str | None
    signed_at: datetime | None
    shown: SettlementList
    hash: str


def owners_list(session: Session, order: WorkOrder) -> OwnersList:
    """What the page shows of the order that `open_link` found."""
    site = known_site(session, order.site_id)
    shown = settlement_list(order)
    return OwnersList(
        order_id=order.id,
        state=order.state,
        site_name=site.name,
        zone=site.zone,
        owner_name=order.owner_name,
        address=order.address,
        finished_at=order.finished_at,
        signer_name=order.signature.signer_name if order.signature else None,
        signed_at=order.accepted_at,
        shown=shown,
        hash=shown.sha256(),
    )
