"""Calling the owner after the work, and free rework until he is satisfied [R37-R39, D25]."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import select, tuple_, update
from sqlalchemy.orm import Session

from services.intake.actions.request import end_request, request_for
from services.intake.models import REVISIT, Notice, Request, Revisit, RevisitAttempt, Visit
from services.intake.rules.notice import check_window
from services.intake.rules.request import REQUEST, RequestStep
from services.intake.rules.revisit import RevisitPolicy, Survey, is_unreachable, rework_assign_due
from shared.alerts import Alert, raise_alerts
from shared.bus.outbox import publish
from shared.calendar import business_month
from shared.errors import RuleBroken
from shared.ids import new_id
from shared.messages import ReworkOrdered
from shared.people import Actor, known_site
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


def _answered(
    session: Session,
    revisit: Revisit,
    *,
    satisfied: bool | None,
    note: str,
    survey: Survey | None,
    actor: Actor,
    now: datetime,
) -> None:
    """The revisit is over, in the month of today: with the owner's answers, or given up without any."""
    site = known_site(session, revisit.site_id)
    revisit.done_at, revisit.done_by, revisit.satisfied, revisit.note = now, actor.person_id, satisfied, note
    revisit.done_month = business_month(now, zone=site.zone, closing=site.closing)
    if survey is not None:
        revisit.quality, revisit.attitude = survey.quality, survey.attitude
        revisit.price_as_agreed = survey.price_as_agreed


def not_reached(session: Session, *, request_id: UUID, note: str, actor: Actor, now: datetime) -> Request:
    """The owner did not answer: the call is kept, and after so many the desk head is told to decide [R37, D4]."""
    request = request_for(session, actor, request_id)
    revisit = _open_revisit(session, request)
    call = RevisitAttempt(
        id=new_id(), request_id=request.id, round=revisit.round, at=now, by=actor.person_id, note=note
    )
    session.add(call)
    revisit.failed_attempts += 1
    policy = in_force(session, RevisitPolicy, site_id=request.site_id, at=now)
    if revisit.unreachable_at is None and is_unreachable(revisit.failed_attempts, policy):
        revisit.unreachable_at = now
        # about this call and not the request, whose owner may be unreachable again after a rework
        told = Alert(
            "owner_unreachable",
            request.site_id,
            call.id,
            role="desk_head",
            facts={"request_id": str(request.id), "request_number": request.number, "calls": revisit.failed_attempts},
        )
        raise_alerts(session, [told], now=now)
    return request


def close_unreachable(session: Session, *, request_id: UUID, reason: str, actor: Actor, now: datetime) -> Request:
    """The desk head ends a request whose owner cannot be asked; it never counts as satisfied [R39, D25]."""
    request = request_for(session, actor, request_id)
    revisit = _open_revisit(session, request)
    if revisit.unreachable_at is None:
        raise RuleBroken(
            "owner_can_be_called",
            f"after {revisit.failed_attempts} calls the owner does not count as unreachable",
            rule="R37",
            allowed=["not_reached", "satisfied", "problem"],
        )
    request.state = REQUEST.move(request.state, RequestStep.CLOSE_UNREACHABLE)
    _answered(session, revisit, satisfied=None, note=reason, survey=None, actor=actor, now=now)
    end_request(session, request, ending=reason, now=now)
    return request


def satisfied(session: Session, *, request_id: UUID, note: str, survey: Survey, actor: Actor, now: datetime) -> Request:
    """The owner is satisfied: the request is closed [R39]."""
    request = request_for(session, actor, request_id)
    revisit = _open_revisit(session, request)
    request.state = REQUEST.move(request.state, RequestStep.SATISFY)
    _answered(session, revisit, satisfied=True, note=note, survey=survey, actor=actor, now=now)
    end_request(session, request, ending="owner satisfied", now=now)
    return request


def problem_found(
    session: Session,
    *,
    request_id: UUID,
    problem: str,
    survey: Survey,
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
    _answered(session, revisit, satisfied=False, note=problem, survey=survey, actor=actor, now=now)
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
