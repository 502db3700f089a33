"""Monthly wages, which the guard on deductions needs [R94, D22]."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from services.hr.actions.post import person_for
from services.hr.models import Wage
from services.hr.rules.access import MAY
from shared.access import check_four_eyes
from shared.bus.outbox import publish
from shared.errors import RuleBroken
from shared.messages import WageChanged
from shared.people import Actor


def set_(session: Session, *, person_id: UUID, monthly_wage_fen: int, actor: Actor, now: datetime) -> Wage:
    """The person's monthly wage from now on; finance's guard on deductions is told [R94, D22]."""
    person = person_for(session, actor, person_id)
    check_four_eyes(MAY["set_wage"], actor, subject=person.id)
    before = session.scalars(
        select(Wage).where(Wage.person_id == person.id).order_by(Wage.version.desc()).limit(1)
    ).one_or_none()
    if before is not None and before.monthly_wage_fen == monthly_wage_fen:
        raise RuleBroken("nothing_changes", f"this is the wage of {person.name} already", rule="D22")
    wage = Wage(
        person_id=person.id,
        version=before.version + 1 if before is not None else 1,
        monthly_wage_fen=monthly_wage_fen,
        changed_by=actor.person_id,
        changed_at=now,
    )
    session.add(wage)
    publish(
        session,
        WageChanged(person_id=person.id, version=wage.version, monthly_wage_fen=monthly_wage_fen, changed_at=now),
    )
    return wage
