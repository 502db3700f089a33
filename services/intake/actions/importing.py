"""Taking in requests from elsewhere, row by row: a bad row is told and leaves nothing behind [R20, D2, D3]."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from services.intake.actions.request import RegistrationForm, register_all
from services.intake.models import Request
from services.intake.rules.request import RequestState
from services.intake.rules.scope import TradePolicy, trade_of
from shared.errors import Malformed
from shared.people import Actor, site_for
from shared.policy_rows import in_force
from shared.walls import across_sites


@dataclass(frozen=True)
class ImportedRow:
    """What became of a row: registered, refused (out of scope, with the reason), known (stored before), malformed."""

    row: int
    outcome: str
    request_id: UUID | None
    reason: str


def import_rows(
    session: Session,
    *,
    site_id: UUID,
    source: str,
    forms: Mapping[int, RegistrationForm],
    actor: Actor,
    now: datetime,
) -> list[ImportedRow]:
    """Register what this source has not given us before; keyed by row number.

    Imports of one source wait for each other, so that each sees what the others have stored.
    """
    site = site_for(session, actor, site_id)
    session.execute(_ONE_AT_A_TIME, {"source": source})
    catalogue = in_force(session, TradePolicy, site_id=site.id, at=now)
    unknown = {row: bad for row, form in forms.items() if (bad := _unknown_trade(catalogue, form))}
    forms = {row: form for row, form in forms.items() if row not in unknown}
    known = _known(session, actor, source, [form.source_key for form in forms.values() if form.source_key])
    fresh: dict[str, int] = {}
    for row, form in forms.items():
        if form.source_key not in known:
            fresh.setdefault(str(form.source_key), row)
    made = register_all(session, site=site, forms=[forms[row] for row in fresh.values()], actor=actor, now=now)
    by_row = dict(zip(fresh.values(), made, strict=True))
    told = [
        _outcome(row, by_row[row])
        if row in by_row
        else ImportedRow(row, "known", known.get(str(form.source_key)), "stored before")
        for row, form in forms.items()
    ]
    return [*told, *(ImportedRow(row, "malformed", None, str(bad)) for row, bad in unknown.items())]


_ONE_AT_A_TIME = text("SELECT pg_advisory_xact_lock(hashtextextended('import ' || CAST(:source AS text), 0))")


def _unknown_trade(catalogue: TradePolicy, form: RegistrationForm) -> Malformed | None:
    try:
        trade_of(catalogue, form.trade)
    except Malformed as bad:
        return bad
    return None


def _outcome(row: int, request: Request) -> ImportedRow:
    if request.state is RequestState.REFUSED:
        return ImportedRow(row, "refused", request.id, request.refusal or "")
    return ImportedRow(row, "registered", request.id, "")


def _known(session: Session, actor: Actor, source: str, keys: Sequence[str]) -> dict[str, UUID | None]:
    """The requests stored of these keys, at whatever site; the id only of those the person may see."""
    with across_sites(session):
        rows = session.execute(
            select(Request.source_key, Request.id, Request.site_id).where(
                Request.source == source, Request.source_key.in_(keys)
            )
        ).all()
    return {str(key): id_ if actor.sees(site_id) else None for key, id_, site_id in rows}
