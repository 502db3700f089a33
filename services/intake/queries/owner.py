"""What an owner sees by his link: his own job, in his words, and nothing of anybody else's [R17-R19, R37]."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session, selectinload

from services.intake.models import OwnerActDone, Request, Site
from services.intake.queries.trades import trade_names
from services.intake.rules.owner import OwnerAct, given_name, may_act, movable, offered
from services.intake.rules.price import stored_items
from services.intake.rules.request import RequestState
from shared.access import at_sites_of
from shared.errors import NotFound
from shared.messages import FeeItem
from shared.owner_link import link_opens
from shared.people import Actor, hash_token
from shared.privacy import mask_phone
from shared.walls import across_sites, act_at


class NoSuchLink(Exception):
    """The link never was, was replaced or erased, or its time is over: nobody is told which."""


def open_link(session: Session, code: str, *, now: datetime, lock: bool = False) -> Request:
    """The request of a link; from here on the transaction acts for its site alone. Raises NoSuchLink."""
    with across_sites(session):
        found = session.execute(
            select(Request.id, Request.site_id, Request.ended_at).where(Request.link_hash == hash_token(code))
        ).one_or_none()
    if found is None or not link_opens(found.ended_at, now=now):
        raise NoSuchLink
    act_at(session, found.site_id)
    query = select(Request).where(Request.id == found.id, Request.link_hash == hash_token(code))
    request = session.scalars(query.with_for_update() if lock else query).one_or_none()
    if request is None:
        raise NoSuchLink
    return request


@dataclass(frozen=True)
class OwnerActView:
    """What the owner did on his page; `stars` of his rating, 1 to 5."""

    act: str
    round: int
    visit_from: datetime | None
    visit_to: datetime | None
    stars: int | None
    words: str | None
    done_at: datetime


def owner_act_view(done: OwnerActDone) -> OwnerActView:
    """One act as shown."""
    return OwnerActView(done.act, done.round, done.visit_from, done.visit_to, done.stars, done.words, done.done_at)


@dataclass(frozen=True)
class OwnersJob:
    """A job as its owner is shown it: no number in full, and of who comes the given names alone (fee in fen)."""

    number: str
    site_id: UUID
    site_name: str
    zone: str
    state: str
    trade: str
    trade_name: str
    refusal: str | None
    owner_name: str
    address: str
    phone: str
    description: str
    recorded_at: datetime
    visit_from: datetime | None
    visit_to: datetime | None
    confirmed: bool
    slots: list[tuple[datetime, datetime]]
    offered: bool
    """Whether the desk asks him to choose one of them."""
    fee_fen: int | None
    items: list[FeeItem]
    received_fen: int | None
    refunded_fen: int
    notice_number: str | None
    receipt_number: str | None
    workers: list[str]
    assigned_at: datetime | None
    accepted_at: datetime | None
    ended_at: datetime | None
    rated: OwnerActView | None
    acts: list[OwnerActView]
    may: dict[OwnerAct, bool]
    shown_at: datetime


def owners_job(session: Session, request: Request, *, now: datetime) -> OwnersJob:
    """What the page shows of the request that `open_link` found."""
    session.flush()
    whole = session.scalars(
        select(Request)
        .where(Request.id == request.id)
        .options(
            selectinload(Request.notice),
            selectinload(Request.visits),
            selectinload(Request.refunds),
            selectinload(Request.owner_acts),
        )
        .execution_options(populate_existing=True)
    ).one()
    site = session.get_one(Site, whole.site_id)
    acts = [owner_act_view(one) for one in whole.owner_acts]
    last = whole.visits[-1] if whole.visits else None
    rated = next((one for one in acts if one.act == OwnerAct.RATE and one.round == (last.round if last else 0)), None)
    may = {act: may_act(act, whole.state) for act in OwnerAct}
    slots = slots_of(whole, now=now)
    confirmed = confirms(acts, whole)
    may[OwnerAct.MOVE] &= bool(slots)
    may[OwnerAct.CONFIRM] &= not confirmed and whole.visit_to is not None and whole.visit_to > now
    may[OwnerAct.RATE] &= rated is None
    return OwnersJob(
        number=whole.number,
        site_id=whole.site_id,
        site_name=site.name,
        zone=site.zone,
        state=whole.state,
        trade=whole.trade,
        trade_name=trade_names(session).get(whole.trade, whole.trade),
        refusal=whole.refusal,
        owner_name=whole.owner_name,
        address=whole.address,
        phone=mask_phone(whole.phone),
        description=whole.description,
        recorded_at=whole.recorded_at,
        visit_from=whole.visit_from,
        visit_to=whole.visit_to,
        confirmed=confirmed,
        slots=slots,
        offered=any(slot in slots for slot in stretches(whole.offered)),
        fee_fen=whole.fee_fen,
        items=stored_items(whole.items),
        received_fen=whole.received_fen,
        refunded_fen=sum(one.amount_fen for one in whole.refunds),
        notice_number=whole.notice.number if whole.notice else None,
        receipt_number=whole.receipt_number,
        workers=[given_name(worker["name"]) for worker in (last.workers or [] if last else [])],
        assigned_at=last.assigned_at if last else None,
        accepted_at=last.accepted_at if last else None,
        ended_at=whole.ended_at,
        rated=rated,
        acts=acts,
        may=may,
        shown_at=now,
    )


def slots_of(request: Request, *, now: datetime) -> list[tuple[datetime, datetime]]:
    """The times its owner may move his visit to now: those the desk offered, and before the notice his own too."""
    if request.visit_from is None or request.visit_to is None or request.receipt_number is not None:
        return []
    agreed = (request.visit_from, request.visit_to)
    if not may_act(OwnerAct.MOVE, request.state) or not movable(request.state, request.visit_from, now=now):
        return []
    desks = {slot for slot in stretches(request.offered) if slot[0] > now and slot != agreed}
    if request.state is not RequestState.AGREED:
        return sorted(desks)
    own = offered(stretches(request.windows), visit_from=agreed[0], visit_to=agreed[1], now=now)
    return sorted(desks | {slot for slot in own if slot[0] not in {start for start, _ in desks}})


def stretches(kept: Sequence[Sequence[str]]) -> list[tuple[datetime, datetime]]:
    """Stretches of time as they are kept on a request."""
    return [(datetime.fromisoformat(start), datetime.fromisoformat(end)) for start, end in kept]


def confirms(acts: Sequence[OwnerActView], request: Request) -> bool:
    """Whether the owner said yes to the very time that is agreed now."""
    yes = {(one.visit_from, one.visit_to) for one in acts if one.act in (OwnerAct.CONFIRM, OwnerAct.MOVE)}
    return (request.visit_from, request.visit_to) in yes


@dataclass(frozen=True)
class OwnerLinkView:
    """The link of a request for whoever hands it to the owner; no code when there is none, or none that opens.

    `open` while one can be made: until the owner is erased, or the request ended long ago. `offered` are the times that
    the desk offers him and he may still take; `may_offer` whether others can be offered now.
    """

    request_id: UUID
    code: str | None
    open: bool
    acts: list[OwnerActView]
    may_offer: bool
    offered: list[tuple[datetime, datetime]]


def owner_link(session: Session, actor: Actor, request_id: UUID, *, now: datetime) -> OwnerLinkView:
    """The link of a request at a site of the person asking. Raises NotFound."""
    session.flush()
    request = session.scalars(
        select(Request)
        .where(Request.id == request_id, at_sites_of(actor, Request.site_id))
        .options(selectinload(Request.owner_acts))
        .execution_options(populate_existing=True)
    ).one_or_none()
    if request is None:
        raise NotFound("request", request_id)
    slots = slots_of(request, now=now)
    is_open = request.erased_at is None and link_opens(request.ended_at, now=now)
    return OwnerLinkView(
        request_id=request.id,
        code=request.link if is_open else None,
        open=is_open,
        acts=[owner_act_view(one) for one in request.owner_acts],
        may_offer=_may_offer(request, now=now),
        offered=[slot for slot in stretches(request.offered) if slot in slots],
    )


def _may_offer(request: Request, *, now: datetime) -> bool:
    """Whether the desk may offer its owner other times now."""
    return (
        may_act(OwnerAct.MOVE, request.state)
        and request.receipt_number is None
        and request.visit_from is not None
        and movable(request.state, request.visit_from, now=now)
    )
