"""Cases are opened by people and by missing cash, and decided by the leader [R78-R88, D6, D19]."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from services.hr.models import Case, HrTask, Override, Person
from services.hr.rules.case import (
    CASE,
    CaseState,
    CaseStep,
    Charge,
    case_series,
    check_charge,
    check_four_eyes,
    check_override,
)
from services.hr.rules.ladder import LadderPolicy, Offence, Penalty, penalty
from services.hr.rules.task import TaskPolicy, task_due
from shared.bus.outbox import publish
from shared.calendar import business_month, local, moment
from shared.errors import NotFound
from shared.ids import new_id
from shared.messages import CashNotHandedOver, CashReturned, FineConfirmed
from shared.papers import next_number
from shared.people import Actor, Site, known_site, site_for
from shared.policy_rows import in_force


def open_(session: Session, *, charge: Charge, actor: Actor, now: datetime) -> Case:
    """Somebody found an offence: a case for the leader to decide [R78-R88]."""
    site = site_for(session, actor, charge.site_id)
    person = session.get(Person, charge.person_id)
    if person is None or not (person.all_sites or site.id in person.site_ids):
        raise NotFound("person", charge.person_id)
    check_charge(charge, accused_role=person.role, now=now)
    if charge.override_id is not None:
        override = session.get(Override, charge.override_id)
        if override is None or override.site_id != site.id:
            raise NotFound("override", charge.override_id)
        check_override(charge, head_id=override.head_id)
    return _record(session, charge, site, opened_by=actor.person_id, now=now)


def _record(session: Session, charge: Charge, site: Site, *, opened_by: UUID | None, now: datetime) -> Case:
    case = Case(
        id=new_id(),
        number=next_number(session, case_series(site_code=site.code, year=local(now, site.zone).year)),
        offence=charge.offence,
        site_id=site.id,
        person_id=charge.person_id,
        state=CaseState.OPEN,
        opened_by=opened_by,
        opened_at=now,
        happened_at=charge.happened_at,
        in_working_hours=charge.in_working_hours,
        evidence=charge.evidence,
        amount_fen=charge.amount_fen,
        source_id=charge.override_id or charge.missing_id,
    )
    session.add(case)
    return case


def cash_not_handed_over(session: Session, message: CashNotHandedOver, *, now: datetime) -> None:
    """Cash of a day is still missing the next morning: its holder has a case, opened by nobody [D6, D7]."""
    if session.scalars(select(Case.id).where(Case.source_id == message.missing_id)).one_or_none() is not None:
        return
    site = known_site(session, message.site_id)
    if session.get(Person, message.holder_id) is None:
        raise NotFound("person", message.holder_id)
    charge = Charge(
        offence=Offence.WITHHELD_CASH,
        site_id=site.id,
        person_id=message.holder_id,
        happened_at=moment(message.day, site.closing, site.zone),
        evidence=f"cash of {message.day} not handed over, receipts {', '.join(message.receipt_numbers)}",
        amount_fen=message.amount_fen,
        missing_id=message.missing_id,
    )
    _record(session, charge, site, opened_by=None, now=now)


_RETURNED = text("""
    UPDATE cases SET cash_returned_at = :returned_at
    WHERE source_id = :missing_id AND offence = 'withheld_cash' RETURNING 1
""")


def cash_returned(session: Session, message: CashReturned) -> bool:
    """The cash is with finance after all [D7], which ends no case; False while the case has not been opened."""
    return session.execute(_RETURNED, message.model_dump()).one_or_none() is not None


def decide(session: Session, *, case_id: UUID, confirm: bool, reason: str, actor: Actor, now: datetime) -> Case:
    """The leader confirms the case, with the penalty of its ladder, or dismisses it [D19]."""
    case = session.get(Case, case_id, with_for_update=True)
    if case is None or not actor.sees(case.site_id):
        raise NotFound("case", case_id)
    state = CASE.move(case.state, CaseStep.CONFIRM if confirm else CaseStep.DISMISS)
    check_four_eyes(actor.person_id, opened_by=case.opened_by, accused=case.person_id)
    site = site_for(session, actor, case.site_id)
    due = _penalty(session, case) if confirm else None
    case.state, case.decided_by, case.decided_at, case.reason = state, actor.person_id, now, reason
    if due is not None:
        case.rung, case.fine_fen, case.step = due.rung, due.fine_fen, due.step
        case.month = business_month(now, zone=site.zone, closing=site.closing)
        _punish(session, case, due, now=now)
    return case


def _penalty(session: Session, case: Case) -> Penalty:
    """What the case costs, with the person locked: of two cases decided at once, one stands a rung higher."""
    session.get_one(Person, case.person_id, with_for_update=True)
    earlier = session.execute(
        select(func.count()).where(
            Case.person_id == case.person_id, Case.offence == case.offence, Case.rung.is_not(None)
        )
    ).scalar_one()
    return penalty(
        case.offence,
        earlier=earlier,
        in_working_hours=case.in_working_hours,
        amount_fen=case.amount_fen,
        policy=in_force(session, LadderPolicy, site_id=case.site_id, at=case.happened_at),
    )


def _punish(session: Session, case: Case, due: Penalty, *, now: datetime) -> None:
    """A fine goes to finance, which deducts it in the month's settlement [R93]; any other step to HR."""
    if due.fine_fen:
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
                    "amount_fen": due.fine_fen,
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
