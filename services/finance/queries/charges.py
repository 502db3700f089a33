"""Charges: finance's copies of the notices [R26, R33]."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session, selectinload

from services.finance.models import Charge
from shared.access import at_sites_of
from shared.errors import NotFound
from shared.messages import FeeItem
from shared.paging import Page, page_of
from shared.people import Actor


@dataclass(frozen=True)
class ChargeWorkerView:
    """Who did the job, and his weight."""

    person_id: UUID
    name: str
    weight: int


@dataclass(frozen=True)
class ChargeView:
    """What an owner owes for a job; `receipt_id` is its receipt, carried or used.

    `items` is the settlement list of `revision`; `received_by` took in finance's copy of the notice.
    """

    request_id: UUID
    notice_number: str
    site_id: UUID
    department: str
    fee_fen: int
    items: list[FeeItem]
    price_version: int
    revision: int
    state: str
    received_by: UUID | None
    received_at: datetime | None
    accepted_at: datetime | None
    workers: list[ChargeWorkerView]
    receipt_id: UUID | None


@dataclass(frozen=True)
class NoticesReceivedView:
    """The copies of notices just taken in."""

    site_id: UUID
    request_ids: list[UUID]
    received_by: UUID
    received_at: datetime


CHARGE = (selectinload(Charge.workers), selectinload(Charge.receipt))


def _charge_view(charge: Charge) -> ChargeView:
    return ChargeView(
        request_id=charge.request_id,
        notice_number=charge.notice_number,
        site_id=charge.site_id,
        department=charge.department,
        fee_fen=charge.fee_fen,
        items=[FeeItem(**item) for item in charge.items],
        price_version=charge.price_version,
        revision=charge.revision,
        state=charge.state,
        received_by=charge.received_by,
        received_at=charge.received_at,
        accepted_at=charge.accepted_at,
        workers=[ChargeWorkerView(w.person_id, w.name, w.weight) for w in charge.workers],
        receipt_id=charge.receipt.id if charge.receipt else None,
    )


def charges(
    session: Session,
    actor: Actor,
    *,
    state: str | None,
    number: str | None = None,
    after: UUID | None,
    limit: int,
    newest: bool = False,
) -> Page[ChargeView]:
    """Charges in order of registration, of one state or all; `number` ends like the notice's."""
    query = select(Charge).where(at_sites_of(actor, Charge.site_id)).options(*CHARGE)
    if state is not None:
        query = query.where(Charge.state == state)
    if number is not None:
        query = query.where(Charge.notice_number.endswith(number, autoescape=True))
    return page_of(session, query, Charge.request_id, _charge_view, after=after, limit=limit, newest=newest)


@dataclass(frozen=True)
class ToReceiveView:
    """How many copies of a site's notices finance has not taken in yet."""

    site_id: UUID
    notices: int


def notices_to_receive(session: Session, actor: Actor) -> list[ToReceiveView]:
    """Sites with copies of notices that finance has not taken in yet [R26]."""
    query = (
        select(Charge.site_id, func.count())
        .where(Charge.received_at.is_(None), at_sites_of(actor, Charge.site_id))
        .group_by(Charge.site_id)
    )
    return [ToReceiveView(site_id, notices) for site_id, notices in session.execute(query)]


def charge_by_id(session: Session, actor: Actor, request_id: UUID) -> ChargeView:
    """One charge. Raises NotFound when it is none of the person's sites."""
    query = select(Charge).where(Charge.request_id == request_id, at_sites_of(actor, Charge.site_id)).options(*CHARGE)
    charge = session.scalars(query).one_or_none()
    if charge is None:
        raise NotFound("charge", request_id)
    return _charge_view(charge)
