"""Certificates people hold, and the word to holder and head before one ends [R66]."""

from datetime import datetime
from typing import cast

from sqlalchemy import delete, or_, select, tuple_, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from services.dispatch.models import CERTIFICATE, HeldCertificate, Person, Site
from services.dispatch.queries.people import HOME_SITE
from services.dispatch.rules.certificate import CertificatePolicy, ending_at, warn_at
from shared.alerts import Alert, raise_alerts
from shared.db import held_by
from shared.errors import NotYet
from shared.ids import new_id
from shared.messages import Department, PersonChanged
from shared.policy_rows import in_force


def held(session: Session, message: PersonChanged, *, now: datetime) -> None:
    """Keep what a person holds now; who has left holds nothing. Raises NotYet while no site of his is known."""
    certificates = message.certificates if message.active else []
    keys = [(one.kind, one.number, one.valid_until) for one in certificates]
    key = tuple_(HeldCertificate.kind, HeldCertificate.number, HeldCertificate.valid_until)
    session.execute(delete(HeldCertificate).where(HeldCertificate.person_id == message.person_id, key.not_in(keys)))
    if not certificates:
        return
    home = session.execute(
        select(Site.id, Site.zone).join(Person, Site.id == HOME_SITE).where(Person.id == message.person_id)
    ).one_or_none()
    if home is None:
        raise NotYet(f"no site of person {message.person_id} is known yet")
    policy = in_force(session, CertificatePolicy, site_id=home.id, at=now)
    rows = [
        {
            "id": new_id(),
            "person_id": message.person_id,
            **held_by(HeldCertificate, one),
            "warn_at": warn_at(one.valid_until, policy, zone=home.zone),
        }
        for one in certificates
    ]
    session.execute(insert(HeldCertificate).values(rows).on_conflict_do_nothing())


def note_ending(session: Session, *, now: datetime) -> int:
    """The days before a certificate ends have come: its holder and his heads are told, once [R66]."""
    ending = session.scalars(
        update(HeldCertificate)
        .where(HeldCertificate.id.in_(CERTIFICATE.claim(HeldCertificate.id, now=now)))
        .values(warned_at=now)
        .returning(HeldCertificate.id)
    ).all()
    rows = session.execute(
        select(HeldCertificate, Person.name, Person.department, Site.id.label("site_id"))
        .join(Person, Person.id == HeldCertificate.person_id)
        .join(Site, or_(Person.all_sites, Site.id == Person.site_ids.any_()))
        .where(HeldCertificate.id.in_(ending))
        .order_by(Site.code)
    )
    alerts = []
    for one, name, department, site_id in rows:
        facts: dict[str, str | int] = {
            "person_id": str(one.person_id),
            "name": name,
            "certificate": one.kind,
            "number": one.number,
            "valid_until": one.valid_until.isoformat(),
        }
        alerts += [
            Alert("certificate_ending", site_id, one.id, person_id=one.person_id, facts=facts),
            Alert(
                "certificate_ending",
                site_id,
                ending_at(one.id, site_id),
                role="head",
                department=cast("Department", department),
                facts=facts,
            ),
        ]
    raise_alerts(session, alerts, now=now)
    return len(ending)
