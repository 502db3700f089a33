"""What each person reads of his own payouts."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from services.hr.models import Case, Payout, PayoutLine, Site
from services.hr.queries.payouts import WITH_PAYMENT, PayoutLineView, line_view
from shared.access import at_sites_of
from shared.errors import NotFound
from shared.people import Actor
from shared.walls import across_sites


@dataclass(frozen=True)
class FineView:
    """A fine behind a statement (fen), by the number of its case."""

    case_number: str
    offence: str
    fine_fen: int


@dataclass(frozen=True)
class StatementView:
    """What the person asking gets for a month at one site, so that he can check every fen of it [R92-R94]."""

    settlement_id: UUID
    site_id: UUID
    site_name: str
    month: str
    line: PayoutLineView
    fines: list[FineView]


def statement(
    session: Session, actor: Actor, *, settlement_id: UUID, person_id: UUID
) -> tuple[StatementView, datetime]:
    """What one of the actor's sites, or he himself, gets of a payout, and when it was approved. Raises NotFound."""
    query = (
        select(PayoutLine, Payout, Site.name)
        .join(Payout, Payout.settlement_id == PayoutLine.settlement_id)
        .join(Site, Site.id == Payout.site_id)
        .where(
            PayoutLine.settlement_id == settlement_id,
            PayoutLine.person_id == person_id,
            or_(at_sites_of(actor, Payout.site_id), PayoutLine.person_id == actor.person_id),
        )
        .options(WITH_PAYMENT)
    )
    found = session.execute(query).one_or_none()
    if found is None:
        raise NotFound("payout of the person", person_id)
    line, payout, site_name = found
    cases = session.scalars(select(Case).where(Case.number.in_(line.case_numbers), Case.person_id == person_id))
    fines = sorted((FineView(case.number, case.offence, case.fine_fen or 0) for case in cases), key=_by_number)
    view = StatementView(payout.settlement_id, payout.site_id, site_name, payout.month, line_view(line), fines)
    return view, payout.approved_at


def _by_number(fine: FineView) -> str:
    return fine.case_number


def own_statements(session: Session, actor: Actor, *, month: str | None) -> list[StatementView]:
    """What the person asking gets, at each site where he has a line, with the fines behind it [R92-R94]."""
    query = (
        select(PayoutLine, Payout, Site.name)
        .join(Payout, Payout.settlement_id == PayoutLine.settlement_id)
        .join(Site, Site.id == Payout.site_id)
        .where(PayoutLine.person_id == actor.person_id)
        .options(WITH_PAYMENT)
        .order_by(Payout.month, Site.code)
    )
    if month is not None:
        query = query.where(Payout.month == month)
    with across_sites(session):
        rows = session.execute(query).all()
        numbers = {number for line, *_ in rows for number in line.case_numbers}
        fines = {
            case.number: FineView(case.number, case.offence, case.fine_fen or 0)
            for case in session.scalars(select(Case).where(Case.number.in_(numbers), Case.person_id == actor.person_id))
        }
    return [
        StatementView(
            payout.settlement_id,
            payout.site_id,
            site_name,
            payout.month,
            line_view(line),
            [fines[number] for number in line.case_numbers if number in fines],
        )
        for line, payout, site_name in rows
    ]
