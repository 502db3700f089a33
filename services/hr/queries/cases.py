"""Discipline cases, each with its person and what was added to it."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import Select, or_, select
from sqlalchemy.orm import Session, joinedload, selectinload

from services.hr.models import Case
from services.hr.rules.case import CaseState
from services.hr.rules.ladder import Offence
from shared.access import at_sites_of
from shared.errors import NotFound
from shared.paging import Page, page_of
from shared.people import Actor
from shared.walls import across_sites


@dataclass(frozen=True)
class EvidenceView:
    """What somebody added to a case."""

    text: str
    added_by: UUID
    added_at: datetime


@dataclass(frozen=True)
class CaseView:
    """A discipline case (fen): `opened_by` None was opened by missing cash, `source_id` is what it was told by.

    From `rung` to `month` is what follows from it, known when it is final.
    """

    id: UUID
    number: str
    offence: str
    site_id: UUID
    person_id: UUID
    person_name: str
    state: str
    opened_by: UUID | None
    opened_at: datetime
    happened_at: datetime
    in_working_hours: bool
    evidence: str
    amount_fen: int | None
    cash_returned_at: datetime | None
    added: list[EvidenceView]
    statement: str | None
    attended: bool | None
    heard_by: UUID | None
    heard_at: datetime | None
    decided_by: UUID | None
    decided_at: datetime | None
    reason: str | None
    appeal_due_at: datetime | None
    accepted_at: datetime | None
    appealed_at: datetime | None
    appeal: str | None
    appeal_decided_by: UUID | None
    appeal_decided_at: datetime | None
    appeal_reason: str | None
    final_at: datetime | None
    rung: int | None
    fine_fen: int | None
    points: int | None
    step: str | None
    month: str | None
    source_id: UUID | None
    override_id: UUID | None


def _case_view(c: Case) -> CaseView:
    """A case loaded with its person and what was added, as shown."""
    return CaseView(
        id=c.id,
        number=c.number,
        offence=c.offence,
        site_id=c.site_id,
        person_id=c.person_id,
        person_name=c.person.name,
        state=c.state,
        opened_by=c.opened_by,
        opened_at=c.opened_at,
        happened_at=c.happened_at,
        in_working_hours=c.in_working_hours,
        evidence=c.evidence,
        amount_fen=c.amount_fen,
        cash_returned_at=c.cash_returned_at,
        added=[EvidenceView(one.text, one.added_by, one.added_at) for one in c.added],
        statement=c.statement,
        attended=c.attended,
        heard_by=c.heard_by,
        heard_at=c.heard_at,
        decided_by=c.decided_by,
        decided_at=c.decided_at,
        reason=c.reason,
        appeal_due_at=c.appeal_due_at,
        accepted_at=c.accepted_at,
        appealed_at=c.appealed_at,
        appeal=c.appeal,
        appeal_decided_by=c.appeal_decided_by,
        appeal_decided_at=c.appeal_decided_at,
        appeal_reason=c.appeal_reason,
        final_at=c.final_at,
        rung=c.rung,
        fine_fen=c.fine_fen,
        points=c.points,
        step=c.step,
        month=c.month,
        source_id=c.source_id,
        override_id=c.override_id,
    )


def _whole_cases() -> Select[Case]:
    return select(Case).options(joinedload(Case.person), selectinload(Case.added))


def case_by_id(session: Session, actor: Actor, case_id: UUID) -> CaseView:
    """One case of the person's sites, or about himself wherever it is. Raises NotFound."""
    session.flush()
    his = or_(at_sites_of(actor, Case.site_id), Case.person_id == actor.person_id)
    query = _whole_cases().where(Case.id == case_id, his).execution_options(populate_existing=True)
    case = session.scalars(query).one_or_none()
    if case is None:
        raise NotFound("case", case_id)
    return _case_view(case)


@dataclass(frozen=True)
class LookedCases:
    """What somebody looks for among cases; nothing asks for all."""

    state: CaseState | None = None
    offence: Offence | None = None
    site_id: UUID | None = None
    person_id: UUID | None = None


def cases(
    session: Session,
    actor: Actor,
    *,
    state: CaseState | None = None,
    looked: LookedCases | None = None,
    newest: bool = False,
    after: UUID | None,
    limit: int,
) -> Page[CaseView]:
    """Cases of the person's sites in the order they were opened, or the newest first, of one state or all."""
    looked = looked or LookedCases(state)
    wanted = {
        Case.state: looked.state,
        Case.offence: looked.offence,
        Case.site_id: looked.site_id,
        Case.person_id: looked.person_id,
    }
    query = _whole_cases().where(
        at_sites_of(actor, Case.site_id), *(column == value for column, value in wanted.items() if value is not None)
    )
    return page_of(session, query, Case.id, _case_view, after=after, limit=limit, newest=newest)


def waiting_cases(session: Session, actor: Actor, *, limit: int) -> list[CaseView]:
    """Cases of the person's sites that wait for a leader: heard, or appealed against; the oldest first."""
    waiting = _whole_cases().where(
        at_sites_of(actor, Case.site_id), Case.state.in_([CaseState.HEARD, CaseState.APPEALED])
    )
    return [_case_view(case) for case in session.scalars(waiting.order_by(Case.id).limit(limit))]


def own_case(session: Session, actor: Actor, case_id: UUID) -> CaseView:
    """A case against the person asking, wherever it is. Raises NotFound."""
    query = _whole_cases().where(Case.id == case_id, Case.person_id == actor.person_id)
    with across_sites(session):
        case = session.scalars(query.execution_options(populate_existing=True)).one_or_none()
        if case is None:
            raise NotFound("case", case_id)
        return _case_view(case)


@dataclass(frozen=True)
class OpenedCaseView:
    """A case as whoever opened it follows it: where it stands, and nothing of what was said in it."""

    id: UUID
    number: str
    offence: str
    site_id: UUID
    person_id: UUID
    state: str
    opened_at: datetime


def opened_cases(session: Session, actor: Actor, *, after: UUID | None, limit: int) -> Page[OpenedCaseView]:
    """The cases the person asking opened at his sites, the newest first."""

    def view(c: Case) -> OpenedCaseView:
        return OpenedCaseView(c.id, c.number, c.offence, c.site_id, c.person_id, c.state, c.opened_at)

    query = select(Case).where(at_sites_of(actor, Case.site_id), Case.opened_by == actor.person_id)
    return page_of(session, query, Case.id, view, after=after, limit=limit, newest=True)


def own_cases(session: Session, actor: Actor, *, after: UUID | None, limit: int) -> Page[CaseView]:
    """The cases against the person asking, wherever they are."""
    query = _whole_cases().where(Case.person_id == actor.person_id)
    with across_sites(session):
        return page_of(session, query, Case.id, _case_view, after=after, limit=limit)
