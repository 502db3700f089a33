"""Discipline cases, each with its person and what was added to it."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import Select, or_, select
from sqlalchemy.orm import Session, joinedload, selectinload

from services.hr.models import Case
from services.hr.rules.case import CaseState
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


def cases(session: Session, actor: Actor, *, state: CaseState | None, after: UUID | None, limit: int) -> Page[CaseView]:
    """Cases of the person's sites in the order they were opened, of one state or all."""
    query = _whole_cases().where(at_sites_of(actor, Case.site_id))
    if state is not None:
        query = query.where(Case.state == state)
    return page_of(session, query, Case.id, _case_view, after=after, limit=limit)


def own_cases(session: Session, actor: Actor, *, after: UUID | None, limit: int) -> Page[CaseView]:
    """The cases against the person asking, wherever they are."""
    query = _whole_cases().where(Case.person_id == actor.person_id)
    with across_sites(session):
        return page_of(session, query, Case.id, _case_view, after=after, limit=limit)
