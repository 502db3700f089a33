"""The front desk of a site, and requests brought as far as a test needs them."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from services.intake.actions import notice, price, request, revisit
from services.intake.models import Request
from services.intake.queries.requests import RequestView, request_by_id
from services.intake.rules.price import Wanted
from services.intake.rules.request import Channel
from services.intake.rules.revisit import Survey
from services.intake.tasks import tasks
from shared.bus.personal import opened_body
from shared.ids import new_id
from shared.messages import (
    CATALOGUE,
    DepartmentFiguresGiven,
    FinanceFiguresGiven,
    Message,
    PriceItem,
    PricePublished,
)
from shared.people import Actor
from tests.people import employ, open_site

NOW = datetime(2026, 4, 1, 2, 0, tzinfo=UTC)
"""Ten in the morning of 1 April 2026 in Shanghai."""

MONTH_END = datetime(2026, 4, 30, 10, 30, tzinfo=UTC)
"""18:30 of 30 April there: the statistics begin."""


def minutes(number: float) -> datetime:
    """So many minutes after NOW."""
    return NOW + timedelta(minutes=number)


@dataclass
class Desk:
    """The desk of a site with its people, and the departments as they answer."""

    session: Session
    site_id: UUID
    clerk: Actor
    head: Actor

    def register(self, channel: Channel = Channel.PHONE, trade: str = "water", **facts: Any) -> Request:
        form = request.RegistrationForm(
            channel=channel,
            owner_name="欧阳建国",
            address="3-2-1502",
            phone="13800138000",
            description="水龙头漏水",
            trade=trade,
            **facts,
        )
        made = request.register(self.session, site_id=self.site_id, form=form, actor=self.clerk, now=NOW)
        self.session.flush()
        return made

    def agree(
        self, made: Request, *, now: datetime = NOW, fee_fen: int = 5000, price_code: str = "tap", **facts: Any
    ) -> Request:
        """Agree, unless `items` says otherwise, on one item at that price."""
        agreed = {
            "visit_from": minutes(300),
            "visit_to": minutes(360),
            "items": [Wanted(price_code, 1, fee_fen)],
        }
        request.agree_visit(self.session, request_id=made.id, actor=self.clerk, now=now, **agreed | facts)
        self.session.flush()
        return made

    def issue(self, made: Request, *, now: datetime = NOW) -> Request:
        notice.issue(self.session, request_id=made.id, actor=self.clerk, now=now)
        self.session.flush()
        return made

    def noticed(self) -> Request:
        """A request whose notice is out."""
        return self.issue(self.agree(self.register()))

    def cancel(self, made: Request, *, now: datetime = NOW) -> Request:
        request.cancel(self.session, request_id=made.id, reason="业主不需要了", actor=self.clerk, now=now)
        self.session.flush()
        return made

    def hear(self, kind: str, made: Request, *, now: datetime = NOW, **facts: Any) -> None:
        """A message about a request of ours, as its sender would say it."""
        known = {
            "request_id": made.id,
            "round": 0,
            "site_id": self.site_id,
            "department": "engineering",
            "workers": [{"person_id": new_id(), "name": "张师傅", "weight": 1}],
            "fee_fen": 5000,
            "signer_name": "欧阳建国",
            "relation": "owner",
            "signed_hash": "0" * 64,
            "arrived_at": NOW,
            "arrived_late": False,
            "cause": "unable",
            "reason": "管道在墙内",
            "for_safety": False,
            "worker_id": new_id(),
            "acknowledged_by": new_id(),
            "receipt_number": "SJ-BK-20260401-0001",
            "amount_fen": 5000,
            "revision": 0,
            "declined_by": new_id(),
            "received_by": new_id(),
            "request_ids": [made.id],
            "returned_by": new_id(),
            "damage_id": new_id(),
            "description": "地板进水",
            "estimate_fen": 20000,
            "reported_by": new_id(),
            "due_at": now,
            "method": "cash",
            "month": "2026-04",
            "collected_by": new_id(),
        }
        moments = (
            *("acknowledged_at", "assigned_at", "accepted_at", "terminated_at", "requested_at", "collected_at"),
            *("declined_at", "received_at", "returned_at", "reported_at"),
        )
        message = CATALOGUE[kind].model_validate(known | dict.fromkeys(moments, now) | facts)
        self.handle(message, now=now)

    def handle(self, message: Message, *, now: datetime = NOW) -> None:
        self.session.flush()
        tasks.handlers[type(message).__name__](self.session, message, now=now)
        self.session.flush()
        self.session.expire_all()

    def accepted(self) -> Request:
        """A request whose owner signed."""
        made = self.noticed()
        self.hear("WorkAccepted", made)
        return made

    def problem(self, made: Request, *, now: datetime = NOW) -> Request:
        found = revisit.problem_found(
            self.session,
            request_id=made.id,
            problem="还在漏水",
            survey=Survey(quality=2, attitude=4, price_as_agreed=True),
            visit_from=now + timedelta(hours=1),
            visit_to=now + timedelta(hours=2),
            actor=self.clerk,
            now=now,
        )
        self.session.flush()
        return found

    def satisfied(self, made: Request) -> Request:
        survey = Survey(quality=5, attitude=5, price_as_agreed=True)
        return revisit.satisfied(
            self.session, request_id=made.id, note="满意", survey=survey, actor=self.clerk, now=NOW
        )

    def not_reached(self, made: Request, times: int = 1, *, now: datetime = NOW) -> Request:
        """So many calls that nobody answered."""
        for _ in range(times):
            revisit.not_reached(self.session, request_id=made.id, note="无人接听", actor=self.clerk, now=now)
        self.session.flush()
        return made

    def view(self, made: Request, actor: Actor | None = None) -> RequestView:
        return request_by_id(self.session, actor or self.clerk, made.id)

    def begin_month(self) -> None:
        """The site's month of statistics, April, begins."""
        self.session.execute(
            text("INSERT INTO months (site_id, month, closes_at) VALUES (:site_id, '2026-04', :closes_at)"),
            {"site_id": self.site_id, "closes_at": MONTH_END},
        )

    def figures(self, *, accepted: int = 0, receipts: int = 0, received_fen: int = 0, now: datetime) -> None:
        """Dispatch and finance answer: engineering did this, environment nothing."""
        for department, share in (("engineering", 1), ("environment", 0)):
            facts = {"site_id": self.site_id, "month": "2026-04", "department": department, "asked_at": now}
            self.handle(
                DepartmentFiguresGiven.model_validate(facts | {"accepted": accepted * share, "terminated": 0}), now=now
            )
            self.handle(
                FinanceFiguresGiven.model_validate(
                    facts | {"receipts": receipts * share, "received_fen": received_fen * share}
                ),
                now=now,
            )

    def alerts(self, kind: str) -> set[tuple[str | None, str | None, bool]]:
        """(role, department, whether to one person) of every alert of this kind raised."""
        self.session.flush()
        rows = self.session.execute(
            text("SELECT role, department, person_id IS NOT NULL FROM alerts WHERE kind = :kind"), {"kind": kind}
        )
        return {(row[0], row[1], row[2]) for row in rows}

    def messages(self, kind: str) -> list[dict[str, Any]]:
        """The bodies of this kind we have said, one for each message."""
        first = "SELECT DISTINCT ON (message_id) message_id, body, sequence FROM outbox"
        rows = self.session.execute(text(f"{first} WHERE type = :kind ORDER BY message_id"), {"kind": kind})
        return [
            opened_body(CATALOGUE[kind], str(row.message_id), row.body)
            for row in sorted(rows, key=lambda row: int(row.sequence))
        ]


def price_book(version: int = 1, *, effective_from: datetime = NOW, max_fen: int = 8000) -> PricePublished:
    """A version of the price book with one item."""
    return PricePublished(
        version=version,
        effective_from=effective_from.date(),
        items=[PriceItem(code="tap", trade="water", name="换水龙头", unit="个", min_fen=3000, max_fen=max_fen)],
        approved_at=NOW,
    )


def open_desk(session: Session, code: str = "BK", *, tokens: bool = False) -> Desk:
    """A new site with its desk, and the first price book; with `tokens` each person's token is his role."""
    site_id = open_site(session, code)
    price.published(session, price_book())
    return Desk(
        session,
        site_id,
        employ(session, "clerk", "front_desk", site_id, token="clerk" if tokens else ""),
        employ(session, "desk_head", "front_desk", site_id, token="desk_head" if tokens else ""),
    )
