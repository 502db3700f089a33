"""A site with its people, and jobs brought to any point of their life, as messages and actions would."""

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from uuid import UUID

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from services.finance.actions import cash_difference, charge, hand_over, receipt, receipt_book, refund, settlement
from services.finance.models import CashDifference, HandOver, Receipt, ReceiptBook, Refund
from services.finance.rules.receipt import Method
from services.finance.rules.refund import RefundMethod
from services.finance.tasks import check_cash, close_months, hear_damage_reported, hear_site_changed
from shared.ids import new_id
from shared.messages import (
    DamageReported,
    FeeItem,
    FineConfirmed,
    NoticeIssued,
    SiteChanged,
    StatisticsAgreed,
    WorkAccepted,
    WorkerShare,
    WorkTerminated,
)
from shared.people import Actor, known_site
from tests.people import employ, open_site

MORNING = datetime(2026, 4, 1, 2, 0, tzinfo=UTC)
"""10:00 of 1 April 2026 in Shanghai."""

CLOSING = datetime(2026, 4, 1, 10, 0, tzinfo=UTC)
"""18:00 of that day: the site closes."""

NEXT_MORNING = datetime(2026, 4, 2, 1, 0, tzinfo=UTC)
"""09:00 of the next day: what is missing opens a case."""

MONTH_END = datetime(2026, 4, 30, 10, 30, tzinfo=UTC)
"""18:30 of 30 April: the month closes."""

MAY_FIRST = datetime(2026, 5, 1, 1, 0, tzinfo=UTC)


@dataclass
class Office:
    """One site of a service under test, and everybody who matters there."""

    session: Session
    code: str = "BK"
    jobs: int = 0
    site_id: UUID = field(init=False)
    clerk: Actor = field(init=False)
    desk_head: Actor = field(init=False)
    worker: Actor = field(init=False)
    mate: Actor = field(init=False)
    cashier: Actor = field(init=False)
    lead: Actor = field(init=False)
    leader: Actor = field(init=False)

    def __post_init__(self) -> None:
        self.site_id = open_site(self.session, self.code)
        self.clerk = self.employ("clerk", "front_desk")
        self.desk_head = self.employ("desk_head", "front_desk")
        self.worker = self.employ("worker", "engineering")
        self.mate = self.employ("worker", "engineering")
        self.cashier = self.employ("cashier", "finance")
        self.lead = self.employ("finance_lead", "finance")
        self.leader = self.employ("leader", "management")
        self.book()

    def employ(self, role: str, department: str, token: str = "") -> Actor:
        name = f"{role}-{self.code}"
        return employ(
            self.session, role, department, self.site_id, name=name, token=token or f"{role}-{self.code}-{new_id()}"
        )

    def book(self, first: int = 1, last: int = 60) -> ReceiptBook:
        """A book of receipts issued to the desk."""
        issued = receipt_book.issue(
            self.session, site_id=self.site_id, first=first, last=last, actor=self.cashier, now=MORNING
        )
        self.session.flush()
        return issued

    def begin(self, now: datetime = MORNING) -> None:
        """hr tells of the site: its first day and month begin."""
        site = known_site(self.session, self.site_id)
        hear_site_changed(
            self.session,
            SiteChanged(
                site_id=site.id, version=2, code=site.code, name=site.name, zone=site.zone, closing=site.closing
            ),
            now=now,
        )

    def notice(self, *, fee_fen: int = 10000, department: str = "engineering", request_id: UUID | None = None) -> UUID:
        message = self.notice_issued(fee_fen=fee_fen, department=department, request_id=request_id)
        charge.noticed(self.session, message)
        return message.request_id

    def notice_issued(
        self, *, fee_fen: int = 10000, department: str = "engineering", request_id: UUID | None = None
    ) -> NoticeIssued:
        self.jobs += 1
        return NoticeIssued(
            request_id=request_id or new_id(),
            notice_number=f"TZ-{self.code}-20260401-{self.jobs:04d}",
            site_id=self.site_id,
            department=department,
            trade="water",
            channel="phone",
            owner_name="欧阳建国",
            address="3-2-1502",
            phone="13800138000",
            description="水龙头漏水",
            visit_from=MORNING,
            visit_to=MORNING + timedelta(hours=1),
            fee_fen=fee_fen,
            items=[FeeItem(code="tap", name="换水龙头", unit="个", quantity=1, unit_fen=fee_fen, amount_fen=fee_fen)],
            price_version=1,
            issued_at=MORNING,
        )

    def work_accepted(
        self,
        request_id: UUID,
        *,
        workers: dict[UUID, int] | None = None,
        fee_fen: int = 10000,
        department: str = "engineering",
        round_: int = 0,
    ) -> WorkAccepted:
        workers = {self.worker.person_id: 1} if workers is None else workers
        return WorkAccepted(
            request_id=request_id,
            round=round_,
            site_id=self.site_id,
            department=department,
            workers=[WorkerShare(person_id=id_, name="师傅", weight=weight) for id_, weight in workers.items()],
            fee_fen=fee_fen,
            signer_name="欧阳建国",
            relation="owner",
            signed_hash="0" * 64,
            arrived_at=MORNING,
            arrived_late=False,
            accepted_at=MORNING,
        )

    def work_terminated(self, request_id: UUID, *, round_: int = 0) -> WorkTerminated:
        return WorkTerminated(
            request_id=request_id,
            round=round_,
            site_id=self.site_id,
            department="engineering",
            cause="unable",
            reason="设备不熟悉",
            terminated_at=MORNING,
        )

    def accepted(
        self, *, fee_fen: int = 10000, workers: dict[UUID, int] | None = None, department: str = "engineering"
    ) -> UUID:
        """A job whose owner has signed: its fee is due."""
        request_id = self.notice(fee_fen=fee_fen, department=department)
        charge.accepted(
            self.session, self.work_accepted(request_id, fee_fen=fee_fen, workers=workers, department=department)
        )
        self.session.flush()
        return request_id

    def collect(
        self,
        request_id: UUID,
        *,
        actor: Actor | None = None,
        method: Method = Method.CASH,
        amount_fen: int = 10000,
        reference: str | None = None,
        receipt_id: UUID | None = None,
        now: datetime = MORNING,
    ) -> Receipt:
        used = receipt.collect(
            self.session,
            request_id=request_id,
            method=method,
            amount_fen=amount_fen,
            reference=reference,
            receipt_id=receipt_id,
            actor=actor or self.clerk,
            now=now,
        )
        self.session.flush()
        return used

    def paid(
        self,
        fee_fen: int = 10000,
        *,
        workers: dict[UUID, int] | None = None,
        actor: Actor | None = None,
        department: str = "engineering",
        now: datetime = MORNING,
    ) -> Receipt:
        """A job whose fee was taken in cash."""
        request_id = self.accepted(fee_fen=fee_fen, workers=workers, department=department)
        return self.collect(request_id, amount_fen=fee_fen, actor=actor, now=now)

    def offer(
        self, giver: Actor, receiver: Actor, *, receipt_ids: list[UUID] | None = None, now: datetime = MORNING
    ) -> HandOver:
        offered = hand_over.offer(
            self.session,
            site_id=self.site_id,
            to_person_id=receiver.person_id,
            receipt_ids=receipt_ids,
            actor=giver,
            now=now,
        )
        self.session.flush()
        return offered

    def hand_over(self, giver: Actor, receiver: Actor, *, now: datetime = MORNING) -> HandOver:
        """All the giver holds, offered and counted."""
        offered = self.offer(giver, receiver, now=now)
        counted = hand_over.count(
            self.session, hand_over_id=offered.id, counted_fen=offered.amount_fen, actor=receiver, now=now
        )
        self.session.flush()
        return counted

    def count(self, offered: HandOver, receiver: Actor, counted_fen: int, *, now: datetime = MORNING) -> HandOver:
        counted = hand_over.count(
            self.session, hand_over_id=offered.id, counted_fen=counted_fen, actor=receiver, now=now
        )
        self.session.flush()
        return counted

    def short(
        self, giver: Actor, receiver: Actor, missing_fen: int, *, confirmed_by: Actor | None = None
    ) -> CashDifference:
        """All the giver holds is handed over but for what is missing, and both put their names to it."""
        offered = self.offer(giver, receiver)
        self.count(offered, receiver, offered.amount_fen - missing_fen)
        cash_difference.settle_difference(
            self.session, hand_over_id=offered.id, reason="少了", actor=receiver, now=MORNING
        )
        cash_difference.confirm_difference(
            self.session, hand_over_id=offered.id, actor=confirmed_by or giver, now=MORNING
        )
        self.session.flush()
        self.session.expire_all()
        return self.session.scalars(select(CashDifference).where(CashDifference.hand_over_id == offered.id)).one()

    def make_good(self, difference: CashDifference, *, now: datetime = MORNING) -> CashDifference:
        made_good = cash_difference.make_good(
            self.session,
            difference_id=difference.id,
            counted_fen=difference.amount_fen,
            actor=self.cashier,
            now=now,
        )
        self.session.flush()
        return made_good

    def propose_refund(
        self, used: Receipt, amount_fen: int, *, method: RefundMethod = RefundMethod.BANK, now: datetime = MORNING
    ) -> Refund:
        proposed = refund.propose(
            self.session,
            receipt_id=used.id,
            amount_fen=amount_fen,
            reason="业主不满意",
            method=method,
            actor=self.lead,
            now=now,
        )
        self.session.flush()
        return proposed

    def refunded(
        self, used: Receipt, amount_fen: int, *, method: RefundMethod = RefundMethod.BANK, now: datetime = MORNING
    ) -> Refund:
        """Proposed by finance, approved by the leader."""
        proposed = self.propose_refund(used, amount_fen, method=method, now=now)
        decided = refund.decide(
            self.session, refund_id=proposed.id, approve=True, reason="同意", actor=self.leader, now=now
        )
        self.session.flush()
        self.session.expire_all()
        return decided

    def fine(self, person: Actor, amount_fen: int, *, month: str = "2026-04", number: str = "CF-1") -> FineConfirmed:
        return FineConfirmed(
            case_id=new_id(),
            case_number=number,
            site_id=self.site_id,
            person_id=person.person_id,
            person_name=person.name,
            offence="private_job",
            month=month,
            amount_fen=amount_fen,
            confirmed_at=MORNING,
        )

    def statistics_agreed(self, month: str = "2026-04") -> None:
        settlement.statistics_agreed(
            self.session, StatisticsAgreed(site_id=self.site_id, month=month, agreed_at=MONTH_END)
        )

    def damage(self, description: str = "打碎了洗手盆") -> UUID:
        """Damage on a visit, as the department reports it."""
        damage = DamageReported(
            damage_id=new_id(),
            request_id=new_id(),
            round=0,
            site_id=self.site_id,
            department="engineering",
            description=description,
            estimate_fen=30000,
            reported_by=self.worker.person_id,
            reported_at=MORNING,
        )
        hear_damage_reported(self.session, damage, now=MORNING)
        return damage.damage_id

    def end_month(self, now: datetime = MAY_FIRST, *, month: str = "2026-04") -> None:
        """Every day of the month is checked, the month closed, its statistics and accounts agreed."""
        sweep_all(self.session, check_cash, now=now)
        sweep_all(self.session, close_months, now=now)
        self.statistics_agreed(month)
        for actor in (self.desk_head, self.lead):
            settlement.agree_accounts(self.session, site_id=self.site_id, month=month, actor=actor, now=now)
            self.session.flush()

    def balance(self, account: str, person: Actor | None = None) -> int:
        """What an account holds: debit +, credit −."""
        return int(
            self.session.execute(
                text("""SELECT coalesce(sum(amount_fen), 0) FROM journal_lines
                        WHERE account = :account AND site_id = :site_id
                          AND (CAST(:person_id AS uuid) IS NULL OR person_id = :person_id)"""),
                {"account": account, "site_id": self.site_id, "person_id": person.person_id if person else None},
            ).scalar_one()
        )

    def books_balance(self) -> None:
        """Make the database check now what it checks at every commit."""
        self.session.flush()
        self.session.execute(text("SET CONSTRAINTS ALL IMMEDIATE"))
        self.session.execute(text("SET CONSTRAINTS ALL DEFERRED"))


def sweep_all(session: Session, sweep, *, now: datetime) -> int:
    """Run a sweep as the pump does: until it finds nothing more."""
    session.flush()
    total = 0
    while done := sweep(session, now=now):
        total += done
    session.expire_all()
    return total


def day(number: int) -> date:
    return date(2026, 4, number)
