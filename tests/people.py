"""Sites and people for tests, put straight into a service's copies as hr's messages would."""

from datetime import time
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from shared.ids import new_id
from shared.messages import Department, PersonChanged, Role, SiteChanged
from shared.people import Actor, hash_token, person_changed, site_changed

ZONE = "Asia/Shanghai"


def open_site(session: Session, code: str = "BK") -> UUID:
    """A site that closes at 18:00, known to the session's service."""
    site_id = new_id()
    site_changed(
        session,
        SiteChanged(site_id=site_id, version=1, code=code, name=f"{code} 小区", zone=ZONE, closing=time(18)),
    )
    return site_id


def employ(
    session: Session, role: Role, department: Department, *site_ids: UUID, name: str = "", token: str = ""
) -> Actor:
    """A person with a role at the sites given (none: at all sites), known to the session's service."""
    person_id = new_id()
    person_changed(
        session,
        PersonChanged(
            person_id=person_id,
            version=1,
            name=name or f"{role} {str(person_id)[-4:]}",
            role=role,
            department=department,
            site_ids=list(site_ids),
            all_sites=not site_ids,
            active=True,
            token_hash=hash_token(token or str(person_id)),
            shift_start=time(8),
            shift_end=time(17, 30),
        ),
    )
    return Actor(person_id, name or role, role, department, frozenset(site_ids) if site_ids else None)


def published(session: Session) -> list[tuple[str, str]]:
    """(type, receiver) of every message the session's service has put into its outbox, in order."""
    return [tuple(row) for row in session.execute(text("SELECT type, receiver FROM outbox ORDER BY sequence"))]
