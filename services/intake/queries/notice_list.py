"""Notices as a list is looked through: where each of the three copies is [R25-R28]."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session, selectinload

from services.intake.models import Notice, NoticeCopy, Request
from services.intake.rules.notice import NoticeState, copy_state
from shared.access import at_sites_of
from shared.paging import Page
from shared.people import Actor


@dataclass(frozen=True)
class NoticeRow:
    """A notice in a list, and where each copy is (fee in fen)."""

    request_id: UUID
    site_id: UUID
    number: str
    state: str
    revision: int
    address: str
    owner_name: str
    trade: str
    department: str | None
    visit_from: datetime | None
    fee_fen: int | None
    issued_at: datetime
    issued_by: UUID
    finance: str
    department_copy: str
    archive: str


def find_notices(
    session: Session, actor: Actor, *, site_id: UUID | None, words: str, out: bool, after: UUID | None, limit: int
) -> Page[NoticeRow]:
    """Notices, the last issued first; `out`: those of which the department has not given its copy back."""
    query = (
        select(Notice, Request)
        .join(Request, Request.id == Notice.request_id)
        .where(at_sites_of(actor, Notice.site_id))
        .order_by(Notice.id.desc())
        .limit(limit + 1)
        .options(selectinload(Notice.copies))
    )
    if site_id is not None:
        query = query.where(Notice.site_id == site_id)
    if words:
        query = query.where(
            Notice.number.icontains(words, autoescape=True)
            | Request.owner_name.icontains(words, autoescape=True)
            | Request.address_key.startswith("".join(words.split()).lower(), autoescape=True)
        )
    if out:
        not_back = Notice.copies.any((NoticeCopy.copy == "department") & NoticeCopy.returned_at.is_(None))
        query = query.where(Notice.cancelled_at.is_(None), not_back)
    if after is not None:
        query = query.where(Notice.id < after)
    found = session.execute(query).all()
    rows = [_row(notice, request) for notice, request in found[:limit]]
    return Page(rows, found[limit - 1][0].id if len(found) > limit else None)


def _row(notice: Notice, request: Request) -> NoticeRow:
    where = {
        str(copy.copy): str(copy_state(received_at=copy.received_at, returned_at=copy.returned_at))
        for copy in notice.copies
    }
    return NoticeRow(
        request_id=request.id,
        site_id=notice.site_id,
        number=notice.number,
        state=NoticeState.CANCELLED if notice.cancelled_at else NoticeState.VALID,
        revision=notice.revision,
        address=request.address,
        owner_name=request.owner_name,
        trade=request.trade,
        department=request.department,
        visit_from=request.visit_from,
        fee_fen=request.fee_fen,
        issued_at=notice.issued_at,
        issued_by=notice.issued_by,
        finance=where["finance"],
        department_copy=where["department"],
        archive=where["archive"],
    )
