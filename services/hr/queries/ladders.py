"""What a case costs once it is final: the ladder it climbs, and what the person did before [R78-R83, R88, D19]."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from services.hr.models import Case
from services.hr.queries.cases import CaseView
from services.hr.rules.ladder import DisciplinePolicy, LadderPolicy, Offence, Penalty, penalty, points_of
from shared.policy_rows import in_force_together
from shared.walls import across_sites


@dataclass(frozen=True)
class ClimbedView:
    """A final case that climbed a ladder, to the rung it stands on."""

    id: UUID
    person_id: UUID
    offence: Offence
    number: str
    happened_at: datetime
    rung: int | None


@dataclass(frozen=True)
class Standing:
    """What follows from a case if it becomes final now; `ladder` is empty where it climbs none.

    `points` is what the fine becomes where the site takes points.
    """

    ladder: Sequence[Penalty]
    earlier: Sequence[ClimbedView]
    due: Penalty
    points: int | None


def climbed_by(session: Session, people: Collection[UUID]) -> list[ClimbedView]:
    """The cases of these people that climbed a ladder, wherever they were, in the order they were opened."""
    columns = (Case.id, Case.person_id, Case.offence, Case.number, Case.happened_at, Case.rung)
    query = select(*columns).where(Case.person_id.in_(people), Case.rung.is_not(None)).order_by(Case.id)
    with across_sites(session):
        return [ClimbedView(*row) for row in session.execute(query)]


def standings(session: Session, found: Sequence[CaseView]) -> dict[UUID, Standing]:
    """Case -> what follows from it."""
    climbed = climbed_by(session, {case.person_id for case in found}) if found else []
    return {case.id: _standing(session, case, climbed) for case in found}


def _standing(session: Session, case: CaseView, climbed: Sequence[ClimbedView]) -> Standing:
    policies = in_force_together(session, LadderPolicy, DisciplinePolicy, site_id=case.site_id, at=case.happened_at)
    ladders, discipline, offence = policies[LadderPolicy], policies[DisciplinePolicy], Offence(case.offence)
    earlier = [
        one
        for one in climbed
        if (one.person_id, one.offence) == (case.person_id, offence)
        and one.id != case.id
        and ladders.counts(one.happened_at, at=case.happened_at)
    ]
    due = penalty(
        offence,
        earlier=len(earlier),
        in_working_hours=case.in_working_hours,
        amount_fen=case.amount_fen,
        policy=ladders,
    )
    ladder = {Offence.NEGLECT: ladders.neglect, Offence.PRIVATE_JOB: ladders.private_job}.get(offence, ())
    points = points_of(due.fine_fen, discipline) if due.fine_fen and discipline.fines_as_points else None
    return Standing(ladder if due.rung is not None else (), earlier, due, points)
