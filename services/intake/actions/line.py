"""A line of the month's statistics is disputed, and settled by both sides [R41]."""

from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from services.intake.actions.statistics import check_signer, month_under_comparison, void_signatures
from services.intake.models import LineEntry, Month
from services.intake.queries.statistics import month_lines
from services.intake.rules.statistics import Item, LineStep, Said, after, check_accepts, check_figure, line_of
from shared.people import Actor


def _say(session: Session, found: Month, said: Said, *, actor: Actor, now: datetime) -> None:
    session.add(
        LineEntry(
            site_id=found.site_id,
            month=found.month,
            by=actor.person_id,
            by_department=actor.department,
            at=now,
            **vars(said),
        )
    )


def dispute(
    session: Session,
    *,
    site_id: UUID,
    month: str,
    department: str,
    item: Item,
    reason: str,
    actor: Actor,
    now: datetime,
) -> Month:
    """A department that signs does not accept a line, be its figures the same; signatures given are void [R41]."""
    found = month_under_comparison(session, actor, site_id, month)
    check_signer(actor)
    said = Said(department, item, LineStep.DISPUTE, None, reason)
    after(line_of(month_lines(session, site_id, month), department, item), said)
    void_signatures(session, found)
    _say(session, found, said, actor=actor, now=now)
    return found


def settle(
    session: Session,
    *,
    site_id: UUID,
    month: str,
    department: str,
    item: Item,
    figure: int,
    note: str,
    actor: Actor,
    now: datetime,
) -> Month:
    """The desk names the figure of a disputed line; it counts once the other side has accepted it [R41]."""
    check_figure(item, figure)
    found = month_under_comparison(session, actor, site_id, month)
    said = Said(department, item, LineStep.SETTLE, figure, note)
    after(line_of(month_lines(session, site_id, month), department, item), said)
    _say(session, found, said, actor=actor, now=now)
    return found


def accept(
    session: Session, *, site_id: UUID, month: str, department: str, item: Item, note: str, actor: Actor, now: datetime
) -> Month:
    """The department the line is compared with accepts the desk's figure: the line is settled [R41]."""
    found = month_under_comparison(session, actor, site_id, month)
    line = line_of(month_lines(session, site_id, month), department, item)
    check_accepts(line, actor.department)
    said = Said(department, item, LineStep.ACCEPT, line.figure, note)
    after(line, said)
    _say(session, found, said, actor=actor, now=now)
    return found
