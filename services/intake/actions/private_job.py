"""Somebody tells the desk that a person took a paid job privately [R54]; hr opens the case [R81-R83, D20]."""

from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from services.intake.models import Person, PrivateJobReport
from services.intake.rules.access import MAY
from services.intake.rules.private_job import check_report
from shared.access import check_four_eyes
from shared.bus.outbox import publish
from shared.errors import NotFound
from shared.ids import new_id
from shared.messages import PrivateJobReported
from shared.people import Actor, site_for


def report(
    session: Session,
    *,
    site_id: UUID,
    person_id: UUID,
    happened_at: datetime,
    evidence: str,
    actor: Actor,
    now: datetime,
) -> PrivateJobReport:
    """Record what was told of a person of the site, and tell hr."""
    site = site_for(session, actor, site_id)
    person = session.get(Person, person_id)
    if person is None or not (person.all_sites or site.id in person.site_ids):
        raise NotFound("person", person_id)
    check_report(happened_at=happened_at, now=now)
    check_four_eyes(MAY["report_private_job"], actor, subject=person_id)
    made = PrivateJobReport(
        id=new_id(),
        site_id=site.id,
        person_id=person_id,
        happened_at=happened_at,
        evidence=evidence,
        reported_by=actor.person_id,
        reported_at=now,
    )
    session.add(made)
    publish(
        session,
        PrivateJobReported(
            report_id=made.id,
            site_id=site.id,
            person_id=person_id,
            happened_at=happened_at,
            evidence=evidence,
            reported_by=actor.person_id,
            reported_at=now,
        ),
    )
    return made
