"""What is done with an owner's personal data at hr: taken out; each time written down [D26].

Nothing here is erased: what is kept are facts about people of the company, with the number of a request beside them.
"""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import select, union
from sqlalchemy.orm import Session

from services.hr.models import MissedCallback, Override
from shared.access import at_sites_of
from shared.people import Actor
from shared.privacy_rows import PrivacyAct, note_acts


def export(session: Session, *, request_ids: Sequence[UUID], reason: str, actor: Actor, now: datetime) -> None:
    """Write down that all that is held of these requests' owner is taken out; of most there is nothing."""
    found = union(
        *(
            select(table.request_id, table.site_id).where(
                table.request_id.in_(request_ids), at_sites_of(actor, table.site_id)
            )
            for table in (Override, MissedCallback)
        )
    )
    taken = [(id_, site_id) for id_, site_id in session.execute(found)]
    note_acts(session, PrivacyAct.EXPORT, taken, by=actor.person_id, reason=reason, now=now)
