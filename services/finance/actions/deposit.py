"""Finance takes cash of a site's till to the bank [R87]."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from services.finance.actions.ledger import post
from services.finance.models import Deposit, Site
from services.finance.queries.cash import till_fen
from services.finance.rules.deposit import check_in_till, check_new
from services.finance.rules.ledger import JournalKind, cash_deposited
from shared.ids import new_id
from shared.people import Actor, site_for


def deposit(
    session: Session, *, site_id: UUID, amount_fen: int, reference: str, actor: Actor, now: datetime
) -> Deposit:
    """Cash of the till is at the bank now, by the bank's slip; each slip is recorded once."""
    site_for(session, actor, site_id)
    # one payment out of a site's till at a time; money may come in meanwhile
    session.execute(select(Site.id).where(Site.id == site_id).with_for_update(key_share=True))
    recorded = exists().where(Deposit.site_id == site_id, Deposit.reference == reference)
    check_new(reference, known=bool(session.scalar(select(recorded))))
    check_in_till(till_fen=till_fen(session, site_id), amount_fen=amount_fen)
    made = Deposit(
        id=new_id(),
        site_id=site_id,
        amount_fen=amount_fen,
        reference=reference,
        deposited_by=actor.person_id,
        deposited_at=now,
    )
    session.add(made)
    post(
        session,
        site_id=site_id,
        kind=JournalKind.DEPOSIT,
        reference=str(made.id),
        lines=cash_deposited(amount_fen),
        now=now,
    )
    return made
