"""Being somebody without a password: in a simulation, which nobody's money is in, and nowhere else."""

from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from services.hr.actions.session import begin
from services.hr.models import Person
from services.hr.rules import demo
from shared import clock
from shared.errors import NotFound
from shared.sessions import Claims


def check_simulated(session: Session) -> None:
    """Raises NotHere unless the installation is a simulation, as the database says in this transaction."""
    demo.check_simulated(simulated=clock.is_simulated(session))


def sign_in(session: Session, *, person_id: UUID, agent: str, now: datetime) -> Claims:
    """A session of that person, as any other, whatever his role needs elsewhere. Raises NotFound for who left."""
    check_simulated(session)
    person = session.get(Person, person_id, with_for_update=True)
    if person is None or not person.active or person.service_account:
        raise NotFound("person", person_id)
    return begin(session, person, agent=agent, now=now)
