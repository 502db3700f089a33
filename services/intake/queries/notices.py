"""The service notice of a request, its three copies and its revisions [R24-R28, D27]."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from services.intake.models import Notice, Request
from services.intake.rules.notice import MATERIALS, NoticeState, copy_state
from services.intake.rules.price import stored_items
from services.intake.rules.request import RequestState
from shared.messages import FeeItem


@dataclass(frozen=True)
class CopyView:
    """One copy of a notice: its holder, the revision sent to him, and whether he has it; `received_by` is a name."""

    copy: str
    state: str
    revision: int
    sent_at: datetime
    received_at: datetime | None
    received_by: str | None
    returned_at: datetime | None
    reprints: int


@dataclass(frozen=True)
class RevisionView:
    """A notice as issued (0) or revised: what was agreed (fee in fen), what stood there before, and why."""

    revision: int
    visit_from: datetime
    visit_to: datetime
    fee_fen: int
    items: list[FeeItem]
    changed: dict[str, Any]
    reason: str
    made_by: UUID
    made_at: datetime


@dataclass(frozen=True)
class NoticeView:
    """A service notice, its three copies and its revisions."""

    number: str
    state: str
    revision: int
    issued_at: datetime
    issued_by: UUID
    cancelled_at: datetime | None
    cancel_reason: str | None
    materials: str
    copies: dict[str, CopyView]
    revisions: list[RevisionView]


@dataclass(frozen=True)
class DeclineView:
    """The department declined the notice's last revision: the desk revises or withdraws it [D27]."""

    revision: int
    department: str
    reason: str
    by: UUID
    at: datetime


def notice_view(notice: Notice) -> NoticeView:
    """A notice as shown, loaded with its copies and revisions."""
    return NoticeView(
        number=notice.number,
        state=NoticeState.CANCELLED if notice.cancelled_at else NoticeState.VALID,
        revision=notice.revision,
        issued_at=notice.issued_at,
        issued_by=notice.issued_by,
        cancelled_at=notice.cancelled_at,
        cancel_reason=notice.cancel_reason,
        materials=MATERIALS,
        copies={
            copy.copy: CopyView(
                copy=copy.copy,
                state=copy_state(received_at=copy.received_at, returned_at=copy.returned_at),
                revision=copy.revision,
                sent_at=copy.sent_at,
                received_at=copy.received_at,
                received_by=copy.receiver.name if copy.receiver else None,
                returned_at=copy.returned_at,
                reprints=len(copy.reprints),
            )
            for copy in notice.copies
        },
        revisions=[
            RevisionView(
                r.revision,
                r.visit_from,
                r.visit_to,
                r.fee_fen,
                stored_items(r.items),
                r.changed,
                r.reason,
                r.made_by,
                r.made_at,
            )
            for r in notice.revisions
        ],
    )


def decline_view(request: Request) -> DeclineView | None:
    """What the department says against the notice as it stands; a later revision or a withdrawal answers it."""
    if request.notice is None or request.state is not RequestState.NOTICED:
        return None
    return next(
        (
            DeclineView(d.revision, d.department, d.reason, d.declined_by, d.declined_at)
            for d in request.declines
            if d.revision == request.notice.revision
        ),
        None,
    )
