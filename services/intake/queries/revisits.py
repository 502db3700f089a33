"""Calls to owners after the work, and the list of those that are due [R37-R39]."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import and_, select, tuple_
from sqlalchemy.orm import Session, selectinload

from services.intake.models import Request, Revisit
from services.intake.queries.visits import VisitView, visit_view
from services.intake.rules.price import stored_items
from services.intake.rules.revisit import Survey
from shared.access import at_sites_of
from shared.messages import FeeItem
from shared.paging import Page
from shared.people import Actor
from shared.privacy import mask_phone


@dataclass(frozen=True)
class AttemptView:
    """A call that did not reach the owner."""

    at: datetime
    by: UUID
    note: str


@dataclass(frozen=True)
class RevisitView:
    """A call to the owner after a visit; `told` is the department that was told of a problem [R38]."""

    round: int
    due_at: datetime
    listed_at: datetime | None
    failed_attempts: int
    attempts: list[AttemptView]
    unreachable_at: datetime | None
    done_at: datetime | None
    satisfied: bool | None
    note: str | None
    survey: Survey | None
    told: str | None


@dataclass(frozen=True)
class RevisitDue:
    """A row of the revisit list with the content of both forms: what was asked for, agreed, done and signed [R37]."""

    request_id: UUID
    site_id: UUID
    round: int
    due_at: datetime
    failed_attempts: int
    attempts: list[AttemptView]
    last_attempt_at: datetime | None
    unreachable_at: datetime | None
    request_number: str
    owner_name: str
    address: str
    phone: str
    trade: str
    description: str
    windows: list[list[str]]
    department: str | None
    notice_number: str | None
    visit_from: datetime | None
    visit_to: datetime | None
    fee_fen: int | None
    items: list[FeeItem]
    receipt_number: str | None
    received_fen: int | None
    visit: VisitView


def _attempt_views(revisit: Revisit) -> list[AttemptView]:
    """The calls of a revisit that did not reach the owner, in order."""
    return [AttemptView(attempt.at, attempt.by, attempt.note) for attempt in revisit.attempts]


def _survey_of(revisit: Revisit) -> Survey | None:
    """What the owner answered; None when he was not asked."""
    if revisit.quality is None or revisit.attitude is None or revisit.price_as_agreed is None:
        return None
    return Survey(revisit.quality, revisit.attitude, revisit.price_as_agreed)


def revisit_view(revisit: Revisit, *, department: str | None) -> RevisitView:
    """A revisit as shown, loaded with its attempts; `department` is the one that is told of a problem."""
    return RevisitView(
        round=revisit.round,
        due_at=revisit.due_at,
        listed_at=revisit.listed_at,
        failed_attempts=revisit.failed_attempts,
        attempts=_attempt_views(revisit),
        unreachable_at=revisit.unreachable_at,
        done_at=revisit.done_at,
        satisfied=revisit.satisfied,
        note=revisit.note,
        survey=_survey_of(revisit),
        told=department if revisit.satisfied is False else None,
    )


def revisits_due(
    session: Session, actor: Actor, *, unreachable: bool = False, after: UUID | None = None, limit: int = 100
) -> Page[RevisitDue]:
    """The desk's list: revisits whose time has come and that are not done, the oldest first [R37].

    Owners who count as unreachable are on a list of their own. A page begins after a request, whose last revisit
    keeps its place in the order when it is done meanwhile.
    """
    query = (
        select(Revisit)
        .where(
            Revisit.done_at.is_(None),
            Revisit.unreachable_at.is_not(None)
            if unreachable
            else and_(Revisit.listed_at.is_not(None), Revisit.unreachable_at.is_(None)),
            at_sites_of(actor, Revisit.site_id),
        )
        .order_by(Revisit.due_at, Revisit.request_id)
        .limit(limit + 1)
        .options(
            selectinload(Revisit.attempts),
            selectinload(Revisit.request).options(selectinload(Request.notice), selectinload(Request.visits)),
        )
    )
    if after is not None:
        place = (
            select(Revisit.due_at)
            .where(Revisit.request_id == after, at_sites_of(actor, Revisit.site_id))
            .order_by(Revisit.round.desc())
            .limit(1)
        )
        query = query.where(tuple_(Revisit.due_at, Revisit.request_id) > tuple_(place.scalar_subquery(), after))
    rows = session.scalars(query).all()
    shown = rows[:limit]
    return Page([_revisit_due(row) for row in shown], shown[-1].request_id if len(rows) > limit else None)


def _revisit_due(revisit: Revisit) -> RevisitDue:
    request = revisit.request
    attempts = _attempt_views(revisit)
    return RevisitDue(
        request_id=revisit.request_id,
        site_id=revisit.site_id,
        round=revisit.round,
        due_at=revisit.due_at,
        failed_attempts=revisit.failed_attempts,
        attempts=attempts,
        last_attempt_at=attempts[-1].at if attempts else None,
        unreachable_at=revisit.unreachable_at,
        request_number=request.number,
        owner_name=request.owner_name,
        address=request.address,
        phone=mask_phone(request.phone),
        trade=request.trade,
        description=request.description,
        windows=request.windows,
        department=request.department,
        notice_number=request.notice.number if request.notice else None,
        visit_from=request.visit_from,
        visit_to=request.visit_to,
        fee_fen=request.fee_fen,
        items=stored_items(request.items),
        receipt_number=request.receipt_number,
        received_fen=request.received_fen,
        visit=visit_view(next(visit for visit in request.visits if visit.round == revisit.round)),
    )
