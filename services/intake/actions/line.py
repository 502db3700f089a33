"""A line of the month's statistics is disputed, and settled by both sides [R41]."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from services.intake.actions.statistics import check_signer, month_under_comparison, void_signatures
from services.intake.models import LineEntry, Month
from services.intake.queries.statistics import month_lines
from services.intake.rules.access import MAY
from services.intake.rules.statistics import Item, Line, LineStep, Said, after, check_accepts, check_figure, line_of
from shared.access import check_four_eyes
from shared.alerts import Alert, raise_alerts
from shared.ids import new_id
from shared.people import Actor


def _say(session: Session, found: Month, said: Said, *, actor: Actor, now: datetime) -> LineEntry:
    entry = LineEntry(
        id=new_id(),
        site_id=found.site_id,
        month=found.month,
        by=actor.person_id,
        by_department=actor.department,
        at=now,
        **vars(said),
    )
    session.add(entry)
    return entry


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
    """A department that signs does not accept a line, be its figures the same; signatures given are void.

    Both sides are told [R41].
    """
    found = month_under_comparison(session, actor, site_id, month)
    check_signer(actor)
    said = Said(department, item, LineStep.DISPUTE, None, reason)
    line = line_of(month_lines(session, site_id, month), department, item)
    after(line, said)
    void_signatures(session, found)
    entry = _say(session, found, said, actor=actor, now=now)
    _tell_sides(session, entry, line.compared_with, now=now)
    return found


def _tell_sides(session: Session, entry: LineEntry, compared_with: str, *, now: datetime) -> None:
    """Who has to come to a figure is told of a dispute: the desk head, and the other side unless it disputes."""
    facts: dict[str, str | int] = {"month": entry.month, "department": entry.department, "item": entry.item}
    sides = {
        "front_desk": Alert("line_disputed", entry.site_id, entry.id, role="desk_head", facts=facts),
        compared_with: Alert("line_disputed", entry.site_id, entry.id, role="finance_lead", facts=facts)
        if compared_with == "finance"
        else Alert("line_disputed", entry.site_id, entry.id, role="head", department=entry.department, facts=facts),
    }
    raise_alerts(session, [alert for side, alert in sides.items() if side != entry.by_department], now=now)


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


def _who_settled(session: Session, found: Month, line: Line) -> UUID | None:
    """Who proposed the line's figure last, if anybody did."""
    return session.scalars(
        select(LineEntry.by)
        .where(
            LineEntry.site_id == found.site_id,
            LineEntry.month == found.month,
            LineEntry.department == line.department,
            LineEntry.item == line.item,
            LineEntry.step == LineStep.SETTLE,
        )
        .order_by(LineEntry.id.desc())
        .limit(1)
    ).one_or_none()


def accept(
    session: Session, *, site_id: UUID, month: str, department: str, item: Item, note: str, actor: Actor, now: datetime
) -> Month:
    """The department the line is compared with accepts the desk's figure: the line is settled [R41]."""
    found = month_under_comparison(session, actor, site_id, month)
    line = line_of(month_lines(session, site_id, month), department, item)
    check_accepts(line, actor.department)
    check_four_eyes(MAY["accept_line"], actor, proposer=_who_settled(session, found, line))
    said = Said(department, item, LineStep.ACCEPT, line.figure, note)
    after(line, said)
    _say(session, found, said, actor=actor, now=now)
    return found
