"""Posting to the ledger, which only ever grows."""

from collections.abc import Sequence
from datetime import date, datetime
from uuid import UUID

from sqlalchemy.orm import Session

from services.finance.models import Journal, JournalLine
from services.finance.queries.daily_checks import business_day_at
from services.finance.rules.ledger import JournalKind, Line
from shared.ids import new_id


def post(
    session: Session,
    *,
    site_id: UUID,
    kind: JournalKind,
    reference: str,
    lines: Sequence[Line],
    now: datetime,
    day: date | None = None,
) -> None:
    """Write one journal, unless nothing moved; the database refuses one that is unbalanced or there already.

    `day` is the business day it counts in, for whoever knows it already.
    """
    if not lines:
        return
    session.add(
        Journal(
            id=new_id(),
            site_id=site_id,
            kind=kind,
            at=now,
            day=day or business_day_at(session, site_id, now=now),
            reference=reference,
            lines=[
                JournalLine(
                    line=number,
                    account=line.account,
                    site_id=site_id,
                    person_id=line.person_id,
                    amount_fen=line.amount_fen,
                )
                for number, line in enumerate(lines, start=1)
            ],
        )
    )
