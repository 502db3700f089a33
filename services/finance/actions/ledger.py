"""Posting to the ledger, which only ever grows, and telling hr how far it has grown."""

from collections.abc import Sequence
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import delete, select, text, update
from sqlalchemy.orm import Session

from services.finance.models import (
    LEDGER_ANCHOR,
    LEDGER_SEAL,
    ChainLink,
    LedgerAnchor,
    UnsealedJournal,
)
from services.finance.queries.daily_checks import business_day_at
from services.finance.rules.ledger import JournalKind, Line
from shared.bus.outbox import publish
from shared.ids import new_id
from shared.messages import LedgerAnchored

_POST = text("""
    WITH journal AS (
        INSERT INTO journals (id, site_id, kind, at, day, reference)
        VALUES (:id, :site_id, :kind, :at, :day, :reference) RETURNING id
    )
    INSERT INTO journal_lines (journal_id, line, account, site_id, person_id, amount_fen)
    SELECT journal.id, l.line, l.account, :site_id, l.person_id, l.amount_fen
    FROM journal, unnest(CAST(:accounts AS text[]), CAST(:people AS uuid[]), CAST(:amounts AS bigint[]))
                  WITH ORDINALITY AS l (account, person_id, amount_fen, line)
""")


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
    entry = {
        "id": new_id(),
        "site_id": site_id,
        "kind": kind,
        "at": now,
        "day": day or business_day_at(session, site_id, now=now),
        "reference": reference,
        "accounts": [line.account for line in lines],
        "people": [line.person_id for line in lines],
        "amounts": [line.amount_fen for line in lines],
    }
    with session.no_autoflush:  # whoever posts is in the middle of writing
        session.execute(_POST, entry)


def seal_due(session: Session, *, now: datetime) -> int:
    """Give journals that were closed their places in the chain, and move the balances; how many.

    One after the other however many tickers there are: a trigger locks the ledger before a row is taken.
    """
    waiting = LEDGER_SEAL.claim(UnsealedJournal.journal_id, now=now)
    sealed = delete(UnsealedJournal).where(UnsealedJournal.journal_id.in_(waiting))
    return len(session.scalars(sealed.returning(UnsealedJournal.journal_id)).all())


def anchor_due(session: Session, *, now: datetime) -> int:
    """Tell hr the head of the chain, at most an hour after the first journal it has not been told of."""
    # no journal is sealed meanwhile: it would be neither below this head nor ask for the next one
    session.execute(text("SELECT lock_ledger()"))
    due = update(LedgerAnchor).where(LedgerAnchor.due_at.in_(LEDGER_ANCHOR.claim(LedgerAnchor.due_at, now=now)))
    told = session.execute(due.values(told_at=now).returning(LedgerAnchor.due_at)).all()
    if told:
        head = session.scalars(select(ChainLink).order_by(ChainLink.seq.desc()).limit(1)).one()
        publish(session, LedgerAnchored(seq=head.seq, hash=head.hash, anchored_at=now))
    return len(told)
