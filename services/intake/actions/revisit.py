"""Calling the owner after the work, and free rework until he is satisfied [R37-R39, D25]."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import select, tuple_, update
from sqlalchemy.orm import Session

from services.intake.actions.request import request_for
from services.intake.models import REVISIT, Notice, Request, Revisit, Visit
from services.intake.rules.notice import check_window
from services.intake.rules.request import REQUEST, RequestStep
from services.intake.rules.revisit import RevisitPolicy, rework_assign_due
from shared.bus.outbox import publish
from shared.errors import RuleBroken
from shared.messages import ReworkOrdered
from shared.people import Actor
from shared.policy_rows import in_force


def list_due(session: Session, *, now: datetime) -> int:
    """Revisits whose time has come appear on the desk's list."""
    due = REVISIT.claim(Revisit.request_id, Revisit.round, now=now)
    listed = session.execute(
        update(Revisit)
        .where(tuple_(Revisit.request_id, Revisit.round).in_(due))
        .values(listed_at=now)
        .returning(Revisit.request_id)
    )
    return len(listed.all())


def _open_revisit(session: Session, request: Request) -> Revisit:
    revisit = session.scalars(
        select(Revisit).where(Revisit.request_id == request.id, Revisit.done_at.is_(None)).with_for_update()
    ).one_or_none()
    if revisit is None:
        raise RuleBroken("no_revisit_open", f"request is {request.state}: there is no revisit to record", rule="R37")
    return revisit


def not_reached(session: Session, *, request_id: UUID, actor: Actor) -> Request:
    """The owner did not answer: counted, and the revisit stays on the list."""
    request = request_for(session, actor, request_id)
    _open_revisit(session, request).failed_attempts += 1
    return request


def satisfied(session: Session, *, request_id: UUID, note: str, actor: Actor, now: datetime) -> Request:
    """The owner is satisfied: the request is closed [R39]."""
    request = request_for(session, actor, request_id)
    revisit = _open_revisit(session, request)
    request.state = REQUEST.move(request.state, RequestStep.SATISFY)
    revisit.done_at, revisit.done_by, revisit.satisfied, revisit.note = now, actor.person_id, True, note
    request.ended_at, request.ending = now, "owner satisfied"
    return request


def problem_found(
    session: Session,
    *,
    request_id: UUID,
    problem: str,
    visit_from: datetime,
    visit_to: datetime,
    actor: Actor,
    now: datetime,
) -> Request:
    """The owner has a problem: the department is told at once and comes again, free of charge [R38, R39]."""
    request = request_for(session, actor, request_id)
    revisit = _open_revisit(session, request)
    request.state = REQUEST.move(request.state, RequestStep.FIND_PROBLEM)
    check_window(visit_from, visit_to, now=now)
    revisit.done_at, revisit.done_by, revisit.satisfied, revisit.note = now, actor.person_id, False, problem
    round_ = revisit.round + 1
    session.add(
        Visit(
            request_id=request.id, round=round_, site_id=request.site_id, department=request.department, ordered_at=now
        )
    )
    policy = in_force(session, RevisitPolicy, site_id=request.site_id, at=now)
    number = session.scalars(select(Notice.number).where(Notice.request_id == request.id)).one()
    publish(
        session,
        ReworkOrdered.model_validate(
            {
                "request_id": request.id,
                "round": round_,
                "notice_number": number,
                "site_id": request.site_id,
                "department": request.department,
                "trade": request.trade,
                "owner_name": request.owner_name,
                "address": request.address,
                "phone": request.phone,
                "problem": problem,
                "visit_from": visit_from,
                "visit_to": visit_to,
                "assign_due_at": rework_assign_due(now, policy),
                "ordered_at": now,
            }
        ),
    )
    return request
