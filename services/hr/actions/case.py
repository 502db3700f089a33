"""Cases are opened by people and by messages; the accused is heard and a leader decides.

A message only ever opens a case: nothing is decided by one [R78-R88, D6, D19].
"""

from datetime import datetime
from uuid import UUID

from sqlalchemy import false, or_, select, text
from sqlalchemy.orm import Session

from services.hr.models import Case, CaseEvidence, Override, Person, Post, Site
from services.hr.rules.access import MAY
from services.hr.rules.appeal import AppealPolicy, appeal_due
from services.hr.rules.case import (
    CASE,
    CaseState,
    CaseStep,
    Charge,
    case_series,
    check_charge,
    check_override,
)
from services.hr.rules.ladder import Offence
from services.hr.rules.shift import in_working_hours
from shared.access import at_sites_of, check_four_eyes, check_own
from shared.alerts import Alert, raise_alerts
from shared.audit import on_behalf_of
from shared.calendar import local, moment
from shared.errors import NotFound
from shared.ids import new_id
from shared.messages import CashNotHandedOver, CashReturned, DutyNeglected, PrivateJobReported
from shared.papers import next_number
from shared.people import Actor, known_site, site_for
from shared.people import Site as SiteFacts
from shared.policy_rows import in_force
from shared.walls import act_everywhere


def open_(session: Session, *, charge: Charge, actor: Actor, now: datetime) -> Case:
    """Somebody found an offence: a case for the leader to decide [R78-R88]."""
    site = site_for(session, actor, charge.site_id)
    person = session.get(Person, charge.person_id)
    then = _post_at(session, person, charge.happened_at) if person is not None else None
    if person is None or then is None or not any(post.all_sites or site.id in post.site_ids for post in (then, person)):
        raise NotFound("person", charge.person_id)
    check_charge(charge, accused_role=then.role, now=now)
    if charge.override_id is not None:
        override = session.get(Override, charge.override_id)
        if override is None or override.site_id != site.id:
            raise NotFound("override", charge.override_id)
        check_override(charge, head_id=override.head_id)
    return _record(session, charge, site, person, opened_by=actor.person_id, now=now)


def _record(
    session: Session, charge: Charge, site: SiteFacts, person: Person, *, opened_by: UUID | None, now: datetime
) -> Case:
    """The case as opened; the accused and hr are told at once."""
    in_hours = charge.in_working_hours
    if in_hours is None:  # a duty is neglected and cash withheld in working hours by their nature
        in_hours = charge.offence is not Offence.PRIVATE_JOB or _at_work(session, person, site, charge.happened_at)
    case = Case(
        id=new_id(),
        number=next_number(session, case_series(site_code=site.code, year=local(now, site.zone).year)),
        offence=charge.offence,
        site_id=site.id,
        person_id=person.id,
        state=CaseState.OPEN,
        opened_by=opened_by,
        opened_at=now,
        happened_at=charge.happened_at,
        in_working_hours=in_hours,
        evidence=charge.evidence,
        amount_fen=charge.amount_fen,
        source_id=charge.source_id or charge.override_id,
        override_id=charge.override_id,
    )
    session.add(case)
    raise_alerts(session, [alert("case_opened", case), alert("case_opened", case, to_hr=True)], now=now)
    return case


def alert(kind: str, case: Case, *, to_hr: bool = False) -> Alert:
    """What the accused, or hr, is told of a case."""
    return Alert(
        kind,
        case.site_id,
        case.id,
        person_id=None if to_hr else case.person_id,
        role="hr" if to_hr else None,
        facts={"case_number": case.number, "offence": case.offence.value},
    )


# --- opened by messages -----------------------------------------------------------------------------------------


def _told_already(session: Session, source_id: UUID, override_id: UUID | None = None) -> bool:
    cites = Case.override_id == override_id if override_id is not None else false()
    query = select(Case.id).where(or_(Case.source_id == source_id, cites)).limit(1)
    return session.scalars(query).one_or_none() is not None


def _known_person(session: Session, person_id: UUID) -> Person:
    person = session.get(Person, person_id)
    if person is None:
        raise NotFound("person", person_id)
    return person


def cash_not_handed_over(session: Session, message: CashNotHandedOver, *, now: datetime) -> None:
    """Cash of a day is still missing the next morning: its holder has a case, opened by nobody [D6, D7]."""
    if _told_already(session, message.missing_id):
        return
    site, holder = known_site(session, message.site_id), _known_person(session, message.holder_id)
    charge = Charge(
        offence=Offence.WITHHELD_CASH,
        site_id=site.id,
        person_id=holder.id,
        happened_at=moment(message.day, site.closing, site.zone),
        evidence=f"cash of {message.day} not handed over, receipts {', '.join(message.receipt_numbers)}",
        amount_fen=message.amount_fen,
        source_id=message.missing_id,
    )
    _record(session, charge, site, holder, opened_by=None, now=now)


def duty_neglected(session: Session, message: DutyNeglected, *, now: datetime) -> None:
    """Regular work was left undone for paid work: the head answers, once for each override he gave [R50, R78, D8]."""
    if _told_already(session, message.neglect_id, message.override_id):
        return
    site, head = known_site(session, message.site_id), _known_person(session, message.head_id)
    charge = Charge(
        offence=Offence.NEGLECT,
        site_id=site.id,
        person_id=head.id,
        happened_at=min(moment(message.day, site.closing, site.zone), message.found_at),
        evidence=f"regular work of {message.day} undone: {message.reason}",
        override_id=message.override_id,
        source_id=message.neglect_id,
    )
    _record(session, charge, site, head, opened_by=message.found_by, now=now)


def private_job_reported(session: Session, message: PrivateJobReported, *, now: datetime) -> None:
    """The desk was told of a job somebody took privately; his shift says whether in working hours [R54, R81, D20]."""
    if _told_already(session, message.report_id):
        return
    site, person = known_site(session, message.site_id), _known_person(session, message.person_id)
    charge = Charge(
        offence=Offence.PRIVATE_JOB,
        site_id=site.id,
        person_id=person.id,
        happened_at=message.happened_at,
        evidence=message.evidence,
        source_id=message.report_id,
    )
    _record(session, charge, site, person, opened_by=message.reported_by, now=now)


def _at_work(session: Session, person: Person, site: SiteFacts, at: datetime) -> bool:
    """Whether the person's shift of that time was on; who has left is at work no more."""
    post = _post_at(session, person, at)
    if isinstance(post, Post) and post.until is not None and post.until <= at:
        return False
    return in_working_hours(
        local(at, site.zone),
        shift_start=post.shift_start,
        shift_end=post.shift_end,
        holidays=session.get_one(Site, site.id).holidays,
    )


def _post_at(session: Session, person: Person, at: datetime) -> Post | Person:
    """The last post the person had got by then; of a time before the first one known, what he is now."""
    given = select(Post).where(Post.person_id == person.id, Post.since <= at)
    return session.scalars(given.order_by(Post.since.desc(), Post.id.desc()).limit(1)).one_or_none() or person


_RETURNED = text("""
    UPDATE cases SET cash_returned_at = :returned_at
    WHERE source_id = :missing_id AND offence = 'withheld_cash' RETURNING 1
""")


def cash_returned(session: Session, message: CashReturned) -> bool:
    """The cash is with finance after all [D7], which ends no case; False while the case has not been opened."""
    return session.execute(_RETURNED, message.model_dump()).one_or_none() is not None


# --- heard and decided ------------------------------------------------------------------------------------------


def case_for(session: Session, actor: Actor, case_id: UUID) -> Case:
    """A case at a site of the person asking, or about himself wherever it is, locked. Raises NotFound."""
    locked = select(Case).where(Case.id == case_id).with_for_update().execution_options(populate_existing=True)
    case = session.scalars(locked.where(at_sites_of(actor, Case.site_id))).one_or_none()
    if case is None:
        act_everywhere(session)
        case = session.scalars(locked.where(Case.person_id == actor.person_id)).one_or_none()
    if case is None:
        raise NotFound("case", case_id)
    return case


def add_evidence(session: Session, *, case_id: UUID, words: str, actor: Actor, now: datetime) -> Case:
    """Something more is known, for or against the accused; what was said before stays."""
    case = case_for(session, actor, case_id)
    check_own(MAY["add_evidence"], actor, case.person_id)
    CASE.move(case.state, CaseStep.ADD_EVIDENCE)
    session.add(CaseEvidence(case_id=case.id, text=words, added_by=actor.person_id, added_at=now))
    return case


def hear(session: Session, *, case_id: UUID, statement: str, attended: bool, actor: Actor, now: datetime) -> Case:
    """What the accused said, or that he did not come: nobody is judged unheard [D19]."""
    case = case_for(session, actor, case_id)
    check_own(MAY["hear_case"], actor, case.person_id)
    if actor.person_id != case.person_id:
        on_behalf_of(session, case.person_id)
    case.state = CASE.move(case.state, CaseStep.HEAR)
    case.statement, case.attended, case.heard_by, case.heard_at = statement, attended, actor.person_id, now
    return case


def decide(session: Session, *, case_id: UUID, confirm: bool, reason: str, actor: Actor, now: datetime) -> Case:
    """The leader confirms the case, against which the accused may appeal, or dismisses it [D19]."""
    case = case_for(session, actor, case_id)
    state = CASE.move(case.state, CaseStep.CONFIRM if confirm else CaseStep.DISMISS)
    check_four_eyes(MAY["decide_case"], actor, opener=case.opened_by, subject=case.person_id)
    policy = in_force(session, AppealPolicy, site_id=case.site_id, at=now)
    case.state, case.decided_by, case.decided_at, case.reason = state, actor.person_id, now, reason
    case.appeal_due_at = appeal_due(now, policy) if confirm else None
    raise_alerts(session, [alert("case_decided", case)], now=now)
    return case
