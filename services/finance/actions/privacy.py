"""What is done with an owner's personal data at finance: taken out, erased; each time written down [D26].

Vouchers stay as they were written: receipts, refunds and uses of the reserve with their reasons, which the law has kept
for thirty years. What is erased is what a worker wrote of the owner's home.
"""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import exists, select, update
from sqlalchemy.orm import Session

from services.finance.models import Charge, Damage, PrivacyActDone
from shared.access import at_sites_of
from shared.messages import OwnerErased
from shared.people import Actor, known_site
from shared.privacy import ERASED
from shared.privacy_rows import PrivacyAct, note_acts


def export(session: Session, *, request_ids: Sequence[UUID], reason: str, actor: Actor, now: datetime) -> None:
    """Write down that all that is held of these requests' owner is taken out; not every request has a charge."""
    found = select(Charge.request_id, Charge.site_id).where(
        Charge.request_id.in_(request_ids), at_sites_of(actor, Charge.site_id)
    )
    taken = [(id_, site_id) for id_, site_id in session.execute(found)]
    note_acts(session, PrivacyAct.EXPORT, taken, by=actor.person_id, reason=reason, now=now)


def owner_erased(session: Session, message: OwnerErased, *, now: datetime) -> None:
    """The desk erased an owner: so do we; what is still to come of damage at his home is kept without its words."""
    known_site(session, message.site_id)
    session.execute(update(Damage).where(Damage.request_id == message.request_id).values(description=ERASED))
    owner = [(message.request_id, message.site_id)]
    note_acts(session, PrivacyAct.ERASE, owner, by=message.by, reason=message.reason, now=now)


def is_erased(session: Session, request_id: UUID) -> bool:
    """Whether the owner of this request was erased here."""
    acts = exists().where(PrivacyActDone.request_id == request_id, PrivacyActDone.act == PrivacyAct.ERASE)
    return session.scalars(select(acts)).one()
