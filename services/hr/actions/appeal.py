"""A decision is accepted, appealed against or left to stand; once it is final, what it costs follows [R78-R88, D19]."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from services.hr.actions.case import alert, case_for
from services.hr.models import CASE_APPEAL, Case, HrTask, Person
from services.hr.queries.ladders import climbed_by
from services.hr.rules.access import MAY
from services.hr.rules.appeal import check_in_time
from services.hr.rules.case import CASE, CaseState, CaseStep
from services.hr.rules.ladder import DisciplinePolicy, LadderPolicy, Penalty, penalty, points_of
from services.hr.rules.task import TaskPolicy, task_due
from shared.access import check_four_eyes, check_own
from shared.alerts import Alert, raise_alerts
from shared.bus.outbox import publish
from shared.calendar import business_month
from shared.messages import FineConfirmed
from shared.people import Actor, known_site
from shared.policy_rows import in_force


def accept(session: Session, *, case_id: UUID, actor: Actor, now: datetime) -> Case:
    """The accused accepts the decision, which is final at once."""
    case = case_for(session, actor, case_id)
    check_own(MAY["accept_case"], actor, case.person_id)
    state = CASE.move(case.state, CaseStep.ACCEPT)
    case.accepted_at = now
    _finish(session, [case], state, now=now)
    return case


def open_(session: Session, *, case_id: UUID, reason: str, actor: Actor, now: datetime) -> Case:
    """The accused appeals in time; another leader decides."""
    case = case_for(session, actor, case_id)
    check_own(MAY["appeal_case"], actor, case.person_id)
    state = CASE.move(case.state, CaseStep.APPEAL)
    if case.appeal_due_at is not None:
        check_in_time(now, due_at=case.appeal_due_at)
    case.state, case.appealed_at, case.appeal = state, now, reason
    told = Alert("case_appealed", case.site_id, case.id, role="leader", facts={"case_number": case.number})
    raise_alerts(session, [told], now=now)
    return case


def decide(session: Session, *, case_id: UUID, uphold: bool, reason: str, actor: Actor, now: datetime) -> Case:
    """A leader who has not decided the case upholds the decision, which is final, or lifts the penalty [D18, D19]."""
    case = case_for(session, actor, case_id)
    state = CASE.move(case.state, CaseStep.UPHOLD if uphold else CaseStep.LIFT)
    check_four_eyes(MAY["decide_appeal"], actor, opener=case.opened_by, subject=case.person_id, decider=case.decided_by)
    case.appeal_decided_by, case.appeal_decided_at, case.appeal_reason = actor.person_id, now, reason
    if uphold:
        _finish(session, [case], state, now=now)
    else:
        case.state = state
    raise_alerts(session, [alert("appeal_decided", case)], now=now)
    return case


def lapse(session: Session, *, now: datetime) -> int:
    """Decisions against which nobody appealed in time are final."""
    # by person, so that two workers lock people in the same order
    claimed = sorted(session.scalars(CASE_APPEAL.rows(Case, now=now)), key=lambda case: (case.person_id, case.id))
    _finish(session, claimed, CASE.move(CaseState.DECIDED, CaseStep.LAPSE), now=now)
    return len(claimed)


def _finish(session: Session, cases: Sequence[Case], state: CaseState, *, now: datetime) -> None:
    """The penalty of each case holds from now on, and is told."""
    for case in cases:
        due = _penalty(session, case)
        site = known_site(session, case.site_id)
        discipline = in_force(session, DisciplinePolicy, site_id=case.site_id, at=case.happened_at)
        case.state, case.final_at = state, now
        case.rung, case.step, case.fine_fen = due.rung, due.step, due.fine_fen
        case.month = business_month(now, zone=site.zone, closing=site.closing)
        if due.fine_fen and discipline.fines_as_points:
            case.points, case.fine_fen = points_of(due.fine_fen, discipline), 0
        _punish(session, case, due, now=now)


def _penalty(session: Session, case: Case) -> Penalty:
    """What the case costs, with the person locked: of two cases final at once, one stands a rung higher."""
    session.get_one(Person, case.person_id, with_for_update=True)
    policy = in_force(session, LadderPolicy, site_id=case.site_id, at=case.happened_at)
    earlier = [
        one
        for one in climbed_by(session, [case.person_id])
        if one.offence == case.offence and policy.counts(one.happened_at, at=case.happened_at)
    ]
    return penalty(
        case.offence,
        earlier=len(earlier),
        in_working_hours=case.in_working_hours,
        amount_fen=case.amount_fen,
        policy=policy,
    )


def _punish(session: Session, case: Case, due: Penalty, *, now: datetime) -> None:
    """A fine goes to finance, which deducts it in the month's settlement [R93]; any other step to HR."""
    if case.fine_fen:
        publish(
            session,
            FineConfirmed.model_validate(
                {
                    "case_id": case.id,
                    "case_number": case.number,
                    "site_id": case.site_id,
                    "person_id": case.person_id,
                    "person_name": session.get_one(Person, case.person_id).name,
                    "offence": case.offence,
                    "month": case.month,
                    "amount_fen": case.fine_fen,
                    "confirmed_at": now,
                }
            ),
        )
    if due.needs_hr:
        session.add(
            HrTask(
                kind=due.step,
                case_id=case.id,
                site_id=case.site_id,
                person_id=case.person_id,
                due_at=task_due(now, in_force(session, TaskPolicy, site_id=case.site_id, at=now)),
            )
        )
