"""Every message the services send each other: the only place that lists them, their senders and receivers.

A message is a fact in the past tense. Its fields only ever gain optional ones; a change of meaning is a new
message. Moments are UTC with a zone, money is fen, `month` is '2026-04', `round` is 0 for the first visit and
1, 2, … for each free rework.
"""

from datetime import date, datetime, time
from typing import ClassVar, Literal, get_args
from uuid import UUID

from pydantic import BaseModel, ConfigDict

Department = Literal["front_desk", "engineering", "environment", "finance", "management", "hr", "administration"]
"""客服部, 工程部, 环境部（含保洁、绿化）, 财务部, 公司领导, 人事, 行政部."""

FieldDepartment = Literal["engineering", "environment"]
"""The two departments that visit homes [D1]."""

FIELD_DEPARTMENTS: tuple[FieldDepartment, ...] = get_args(FieldDepartment)

Role = Literal[
    "clerk",
    "desk_head",
    "head",
    "worker",
    "cashier",
    "finance_lead",
    "leader",
    "hr",
    "administration",
    "operator",
    "auditor",
    "administrator",
]


class Message(BaseModel):
    """A fact one service tells others. `sender` and `receivers` are the route, fixed for each type."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    sender: ClassVar[str]
    receivers: ClassVar[tuple[str, ...]]
    personal: ClassVar[frozenset[str]] = frozenset()
    """Fields, all of them text, that are sealed wherever the message lies or travels [D26]."""


class Part(BaseModel):
    """A part of a message's body."""

    model_config = ConfigDict(frozen=True, extra="ignore")


# --- said by hr -------------------------------------------------------------------------------------------------


class SiteChanged(Message):
    """A site 小区 was opened or changed; `version` grows, an older one arriving late is ignored."""

    sender = "hr"
    receivers = ("intake", "dispatch", "finance")

    site_id: UUID
    version: int
    code: str
    name: str
    zone: str
    closing: time
    holidays: list[date] = []


class Certificate(Part):
    """A certificate of a person: electrical work needs a valid 低压电工证, a low-voltage electrician's."""

    kind: Literal["low_voltage_electrician"]
    number: str
    valid_until: date


class PersonChanged(Message):
    """A person joined, moved or left; also how the other services know whose token is whose (its SHA-256)."""

    sender = "hr"
    receivers = ("intake", "dispatch", "finance")

    person_id: UUID
    version: int
    name: str
    role: Role
    department: Department
    site_ids: list[UUID]
    all_sites: bool
    active: bool
    token_hash: str
    shift_start: time | None = None
    shift_end: time | None = None
    skills: list[str] | None = None
    """The trades he can do; None: every trade of his department."""
    certificates: list[Certificate] = []
    session_epoch: int = 0
    """Grows when all his sessions end."""


class SessionEnded(Message):
    """Somebody signed out, or was: the session is worth nothing. It would have ended at `until` anyhow."""

    sender = "hr"
    receivers = ("intake", "dispatch", "finance")

    session_hash: str
    until: datetime


class TokenChanged(Message):
    """An API token was issued or revoked; its SHA-256, and what it may be used for as `service:action`."""

    sender = "hr"
    receivers = ("intake", "dispatch", "finance")

    token_id: UUID
    version: int
    person_id: UUID
    token_hash: str
    scopes: list[str]
    expires_at: datetime
    revoked: bool


class WageChanged(Message):
    """A person's monthly wage (fen), which the guard on deductions needs [D22]; `version` grows."""

    sender = "hr"
    receivers = ("finance",)

    person_id: UUID
    version: int
    monthly_wage_fen: int
    changed_at: datetime


class FineConfirmed(Message):
    """A fine the leader confirmed became final [R78-R83, R88]; finance deducts it in `month`'s settlement [R93]."""

    sender = "hr"
    receivers = ("finance",)

    case_id: UUID
    case_number: str
    site_id: UUID
    person_id: UUID
    person_name: str
    offence: str
    month: str
    amount_fen: int
    confirmed_at: datetime


class PayoutReceived(Message):
    """HR holds every line of an approved payout."""

    sender = "hr"
    receivers = ("finance",)

    settlement_id: UUID
    site_id: UUID
    month: str
    line_count: int
    net_fen: int
    received_at: datetime


class PayoutPaid(Message):
    """HR paid a person his line of a payout [R92]."""

    sender = "hr"
    receivers = ("finance",)

    settlement_id: UUID
    site_id: UUID
    person_id: UUID
    net_fen: int
    reference: str
    paid_at: datetime


FailureCause = Literal["unknown_payee", "account_closed", "returned"]
"""Why a person could not be paid: 查无此人, 账户已销, 银行退回."""


class PayoutFailed(Message):
    """A person could not be paid: the payee is unknown, his account is closed, or the bank sent it back."""

    sender = "hr"
    receivers = ("finance",)

    settlement_id: UUID
    site_id: UUID
    person_id: UUID
    attempt: int
    cause: FailureCause
    reason: str
    failed_at: datetime


# --- said by intake ---------------------------------------------------------------------------------------------


class ConsultationAsked(Message):
    """The desk asks a department about time, fee or a technical question [R19, R23]."""

    sender = "intake"
    receivers = ("dispatch",)

    consultation_id: UUID
    request_id: UUID
    site_id: UUID
    department: FieldDepartment
    question: str
    reply_due_at: datetime


class FeeItem(Part):
    """One line of the settlement list 结算清单: amount = quantity × unit price (fen) [R55, D10]."""

    code: str
    name: str
    unit: str
    quantity: int
    unit_fen: int
    amount_fen: int


class NoticeIssued(Message):
    """A service notice 有偿服务通知单 was issued: finance's copy and the department's copy [R24-R27]."""

    sender = "intake"
    receivers = ("dispatch", "finance")
    personal = frozenset({"owner_name", "address", "phone", "description"})

    request_id: UUID
    notice_number: str
    site_id: UUID
    department: FieldDepartment
    trade: str
    channel: Literal["phone", "walk_in", "online"]
    owner_name: str
    address: str
    phone: str
    description: str
    visit_from: datetime
    visit_to: datetime
    fee_fen: int
    items: list[FeeItem] = []
    price_version: int
    owner_waits: bool = False
    issued_at: datetime


class OwnerLinkGiven(Message):
    """The SHA-256 of the secret under which a request's owner comes without signing in; a later one replaces it [R32].

    Nobody makes the link of it. Dispatch shows whoever comes by that link what he signs.
    """

    sender = "intake"
    receivers = ("dispatch",)

    request_id: UUID
    site_id: UUID
    link_hash: str
    given_at: datetime


class NoticeRevised(Message):
    """What was agreed changed after the notice was issued: all three holders get this revision of it [R24-R28].

    `revision` is 1, 2, … (the notice as issued is 0); an older one arriving late is ignored. A changed fee needs
    a new signature [D23].
    """

    sender = "intake"
    receivers = ("dispatch", "finance")
    personal = frozenset({"owner_name", "address", "phone", "description"})

    request_id: UUID
    notice_number: str
    revision: int
    site_id: UUID
    owner_name: str
    address: str
    phone: str
    description: str
    visit_from: datetime
    visit_to: datetime
    fee_fen: int
    items: list[FeeItem]
    price_version: int
    reason: str
    revised_at: datetime


class NoticeCancelled(Message):
    """A notice was withdrawn before anything was done for it."""

    sender = "intake"
    receivers = ("dispatch", "finance")

    request_id: UUID
    notice_number: str
    site_id: UUID
    reason: str
    cancelled_at: datetime


class ReworkOrdered(Message):
    """A revisit found a problem: the department visits again, free of charge [R38, R39, D25]."""

    sender = "intake"
    receivers = ("dispatch",)
    personal = frozenset({"owner_name", "address", "phone", "problem"})

    request_id: UUID
    round: int
    notice_number: str
    site_id: UUID
    department: FieldDepartment
    trade: str
    owner_name: str
    address: str
    phone: str
    problem: str
    visit_from: datetime
    visit_to: datetime
    assign_due_at: datetime
    ordered_at: datetime


class OwnerErased(Message):
    """What was personal of a request's owner was erased at the desk, and is to be everywhere [D26]."""

    sender = "intake"
    receivers = ("dispatch", "finance")

    request_id: UUID
    site_id: UUID
    by: UUID | None
    """Who did it; None: the retention policy."""
    reason: str
    erased_at: datetime


class PrivateJobReported(Message):
    """Somebody told the desk that a person took a paid job privately [R54, R81-R83, D20]; hr opens a case."""

    sender = "intake"
    receivers = ("hr",)

    report_id: UUID
    site_id: UUID
    person_id: UUID
    happened_at: datetime
    evidence: str
    reported_by: UUID
    reported_at: datetime


class CallbackMissed(Message):
    """A phoning owner was not answered within the ten minutes [R48, D3]."""

    sender = "intake"
    receivers = ("hr",)

    request_id: UUID
    request_number: str
    site_id: UUID
    clerk_id: UUID
    due_at: datetime


class MonthFiguresAsked(Message):
    """The desk asks each department for its own count of the month, to compare line by line [R41]."""

    sender = "intake"
    receivers = ("dispatch", "finance")

    site_id: UUID
    month: str
    asked_at: datetime


class StatisticsAgreed(Message):
    """All four departments signed the month's statistics; finance may close the accounts [R41, D18]."""

    sender = "intake"
    receivers = ("finance",)

    site_id: UUID
    month: str
    agreed_at: datetime


class ReportLine(Part):
    """One figure of the month's report: of the site, of a department or of a person in it."""

    department: str | None = None
    person_id: UUID | None = None
    name: str = ""
    item: str
    value: int


class MonthReported(Message):
    """The month's agreed statistics, for the administration department's appraisals [R42, R43]."""

    sender = "intake"
    receivers = ("hr",)

    site_id: UUID
    month: str
    report: dict[str, int]
    lines: list[ReportLine] = []
    reported_at: datetime


# --- said by dispatch -------------------------------------------------------------------------------------------


class WorkerShare(Part):
    """One worker of a job and his weight in the workers' share [D15]."""

    person_id: UUID
    name: str
    weight: int


class WorkAcknowledged(Message):
    """The department has its copy of the notice and answers for it [R29, R99]."""

    sender = "dispatch"
    receivers = ("intake",)

    request_id: UUID
    round: int
    revision: int = 0
    site_id: UUID
    acknowledged_by: UUID
    acknowledged_at: datetime


class AcknowledgementMissed(Message):
    """A department did not acknowledge a notice in time: the desk head is told [R29, R99, D4]."""

    sender = "dispatch"
    receivers = ("intake",)

    request_id: UUID
    round: int
    site_id: UUID
    department: FieldDepartment
    due_at: datetime


class WorkDeclined(Message):
    """The department declined a notice, with its reason [D27]: the desk agrees anew with the owner, or withdraws it."""

    sender = "dispatch"
    receivers = ("intake",)

    request_id: UUID
    revision: int
    site_id: UUID
    department: FieldDepartment
    declined_by: UUID
    reason: str
    declined_at: datetime


class NoticeReturned(Message):
    """The department brought its copy of the notice back to the desk after the job [D27]."""

    sender = "dispatch"
    receivers = ("intake",)

    request_id: UUID
    round: int
    site_id: UUID
    returned_by: UUID
    returned_at: datetime


class DamageReported(Message):
    """Something of the owner's was damaged on a visit [R63, D24]; a loss may be made good from the reserve [R74]."""

    sender = "dispatch"
    receivers = ("intake", "finance")
    personal = frozenset({"description"})

    damage_id: UUID
    request_id: UUID
    round: int
    site_id: UUID
    department: FieldDepartment
    description: str
    estimate_fen: int | None
    reported_by: UUID
    reported_at: datetime


class WorkAssigned(Message):
    """The department head chose who goes [R30]."""

    sender = "dispatch"
    receivers = ("intake",)

    request_id: UUID
    round: int
    site_id: UUID
    workers: list[WorkerShare]
    assigned_at: datetime


class WorkAccepted(Message):
    """Owner or occupant checked the work and signed [R31, R32]; finance acts on round 0 alone, rework is free."""

    sender = "dispatch"
    receivers = ("intake", "finance")
    personal = frozenset({"signer_name"})

    request_id: UUID
    round: int
    site_id: UUID
    department: FieldDepartment
    workers: list[WorkerShare]
    fee_fen: int
    signer_name: str
    relation: str
    signed_hash: str
    revision: int = 0
    arrived_at: datetime
    arrived_late: bool
    accepted_at: datetime


class WorkTerminated(Message):
    """The job ended without being done [R62, R67, D24]: nothing is billed."""

    sender = "dispatch"
    receivers = ("intake", "finance")

    request_id: UUID
    round: int
    site_id: UUID
    department: FieldDepartment
    cause: Literal["unable", "safety", "owner"]
    reason: str
    terminated_at: datetime


class SupportRequested(Message):
    """A worker on site asks for support or stopped for safety [R67]; the desk keeps the owner informed."""

    sender = "dispatch"
    receivers = ("intake",)

    request_id: UUID
    round: int
    site_id: UUID
    worker_id: UUID
    for_safety: bool
    reason: str
    requested_at: datetime


class ConsultationAnswered(Message):
    """The department's answer to the desk's question [R19, R23]."""

    sender = "dispatch"
    receivers = ("intake",)

    consultation_id: UUID
    request_id: UUID
    site_id: UUID
    answer: str
    answered_by: UUID
    answered_at: datetime


class DutyOverridden(Message):
    """A head sent a worker whose duties were not done [D8]: what a later neglect case cites [R78]."""

    sender = "dispatch"
    receivers = ("hr",)

    override_id: UUID
    request_id: UUID
    site_id: UUID
    department: FieldDepartment
    worker_id: UUID
    head_id: UUID
    reason: str
    overridden_at: datetime


class DutyNeglected(Message):
    """Regular work was found undone because somebody did paid work [R50, R51, R78]: hr opens a case on the head."""

    sender = "dispatch"
    receivers = ("hr",)

    neglect_id: UUID
    override_id: UUID | None
    site_id: UUID
    department: FieldDepartment
    worker_id: UUID
    head_id: UUID
    day: date
    reason: str
    found_by: UUID
    found_at: datetime


class DepartmentFiguresGiven(Message):
    """A department's own count of the month: jobs of round 0 accepted and terminated [R41]."""

    sender = "dispatch"
    receivers = ("intake",)

    site_id: UUID
    month: str
    department: FieldDepartment
    accepted: int
    terminated: int
    asked_at: datetime


# --- said by finance --------------------------------------------------------------------------------------------


class PriceItem(Part):
    """One line of the price book: a fee must lie from `min_fen` to `max_fen` [D10]."""

    code: str
    trade: str
    name: str
    unit: str
    min_fen: int
    max_fen: int


class PricePublished(Message):
    """The leader approved a version of the price book [R55, R56]; it holds from `effective_from` on."""

    sender = "finance"
    receivers = ("intake",)

    version: int
    effective_from: date
    items: list[PriceItem]
    approved_at: datetime


class FeeCollected(Message):
    """The agreed fee was taken against a numbered receipt [R33, R34]."""

    sender = "finance"
    receivers = ("intake",)

    request_id: UUID
    site_id: UUID
    department: FieldDepartment
    receipt_number: str
    amount_fen: int
    method: Literal["cash", "wechat", "alipay", "bank"]
    month: str
    collected_by: UUID
    collected_at: datetime


class NoticesReceived(Message):
    """Finance has its copies of these notices, by the name of who took them in [R26]."""

    sender = "finance"
    receivers = ("intake",)

    site_id: UUID
    request_ids: list[UUID]
    received_by: UUID
    received_at: datetime


class FeeRefunded(Message):
    """Part or all of a fee was given back to the owner; it lessens the income of the open `month` [D13, D16]."""

    sender = "finance"
    receivers = ("intake",)

    refund_id: UUID
    request_id: UUID
    site_id: UUID
    department: FieldDepartment
    receipt_number: str
    amount_fen: int
    reason: str
    month: str
    refunded_at: datetime


class CashNotHandedOver(Message):
    """Cash of a day is still out of finance's hands the next morning [R36, R85, D6]: a case opens."""

    sender = "finance"
    receivers = ("intake", "hr")

    missing_id: UUID
    site_id: UUID
    day: date
    holder_id: UUID
    holder_name: str
    amount_fen: int
    receipt_numbers: list[str]
    found_at: datetime


class CashReturned(Message):
    """Cash named by a CashNotHandedOver has all reached finance after all [D7]."""

    sender = "finance"
    receivers = ("intake", "hr")

    missing_id: UUID
    site_id: UUID
    holder_id: UUID
    amount_fen: int
    returned_at: datetime


class FinanceFiguresGiven(Message):
    """Finance's own count of the month for one department: receipts, and money received net of refunds [R41, D13]."""

    sender = "finance"
    receivers = ("intake",)

    site_id: UUID
    month: str
    department: FieldDepartment
    receipts: int
    received_fen: int
    asked_at: datetime


class JobShare(Part):
    """A person's share of one job (fen); negative where a fee was refunded [D14, D16]."""

    receipt_number: str
    share_fen: int


Guard = Literal["", "exceeds", "capped", "wage_unknown"]
"""What the guard on deductions says of a line to its approver; nothing when the wage bears what it may [D22]."""


class PayoutLine(Part):
    """What one person gets for a month [R92-R94].

    bonus = share + reward; fine = from_bonus + from_wage + carried; net = bonus - from_bonus. `carried_fen` is
    what the guard leaves for the next month; `guard` is its word to the approver, empty when it has none [D22].
    """

    person_id: UUID
    name: str
    share_fen: int
    reward_fen: int
    fine_fen: int
    from_bonus_fen: int
    from_wage_fen: int
    net_fen: int
    case_numbers: list[str]
    carried_fen: int = 0
    guard: Guard = ""
    jobs: list[JobShare] = []


class PayoutApproved(Message):
    """The leader approved a site's settlement of a month; HR pays it out to the individual [R92]."""

    sender = "finance"
    receivers = ("hr",)

    settlement_id: UUID
    site_id: UUID
    month: str
    lines: list[PayoutLine]
    net_fen: int
    from_wage_fen: int
    approved_by: UUID
    approved_at: datetime


class LedgerAnchored(Message):
    """The ledger's chain of hashes reached `seq` with this head: another service remembers it [house rule 11]."""

    sender = "finance"
    receivers = ("hr",)

    seq: int
    hash: str
    anchored_at: datetime


CATALOGUE: dict[str, type[Message]] = {cls.__name__: cls for cls in Message.__subclasses__()}
"""Every message by its name, which is also its name on the wire."""
