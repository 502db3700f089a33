"""The sites of the person asking."""

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from services.intake.models import Site
from shared.access import at_sites_of
from shared.people import Actor


@dataclass(frozen=True)
class SiteView:
    """A site of the person asking."""

    id: UUID
    code: str
    name: str


def sites(session: Session, actor: Actor) -> list[SiteView]:
    """The person's sites, by code."""
    query = select(Site.id, Site.code, Site.name).where(at_sites_of(actor, Site.id)).order_by(Site.code)
    return [SiteView(*row) for row in session.execute(query)]
