"""The receipt 收款收据 and the hand-over slip 现金交接单 with its count sheet [R33-R36, R84, R85]."""

from uuid import UUID

from sqlalchemy.orm import Session

from services.finance.queries.charges import charge_by_id
from services.finance.queries.hand_overs import hand_over_by_id
from services.finance.queries.receipts import ReceiptView, receipt_by_id, receipts_by_id
from services.finance.rules.hand_over import DENOMINATIONS, HandOverState
from services.finance.rules.receipt import InvoiceState, Method, ReceiptState
from shared.calendar import local
from shared.errors import RuleBroken
from shared.money import format_fen
from shared.people import Actor, names_of, site_for
from shared.ui.papers.archive import Paper
from shared.ui.papers.words import department, fee_lines, in_capitals, long_day, money, when

METHODS = {Method.CASH: "现金", Method.WECHAT: "微信", Method.ALIPAY: "支付宝", Method.BANK: "银行转账"}
"""How the owner paid, as the receipt has it."""

STATES = {
    HandOverState.OFFERED: "待清点",
    HandOverState.DIFFERS: "清点有差额",
    HandOverState.STATED: "差额待交款人确认",
    HandOverState.COUNTED: "已清点",
    HandOverState.WITHDRAWN: "已撤回",
}
"""Where a hand-over stands, as the slip has it."""


def receipt(session: Session, actor: Actor, receipt_id: UUID) -> Paper:
    """A receipt that is written, carried or used. Raises NotFound, RuleBroken for a number that is still blank."""
    found = receipt_by_id(session, actor, receipt_id)
    if found.request_id is None or found.issued_at is None:
        raise RuleBroken("receipt_is_blank", "nothing is written on this receipt", rule="R34", allowed=["collect"])
    charge = charge_by_id(session, actor, found.request_id)
    site = site_for(session, actor, found.site_id)
    day = found.day or local(found.issued_at, site.zone).date()
    invoice = _invoice(found)
    used = found.state == ReceiptState.USED
    kept = (found.amount_fen or 0) - found.refunded_fen
    return Paper(
        kind="receipt",
        thing=str(found.id),
        site=site,
        number=found.number,
        day=day,
        at=found.collected_at or found.issued_at,
        facts=[found.amount_fen, found.refunded_fen, charge.notice_number, charge.items],
        data={
            "day": long_day(day) if used else "　　　年　　月　　日",
            "notice": charge.notice_number,
            "payer": "业主（见通知单）",
            "department": department(charge.department),
            "method": METHODS[Method(found.method)] if found.method else "现金",
            "collector": names_of(session, found.collected_by)[found.collected_by],
            "items": fee_lines(charge.items),
            "total": money(found.amount_fen),
            "capitals": in_capitals(found.amount_fen),
            "refunded": money(found.refunded_fen) if found.refunded_fen else "",
            "kept": money(kept),
            "invoice": invoice,
        },
        amount_fen=found.amount_fen,
        stage=" ".join(filter(None, ["used" if used else "carried", invoice])),
        cancelled=found.state == ReceiptState.VOIDED,
    )


def _invoice(found: ReceiptView) -> str:
    """The number of the invoice in force beside it."""
    last = found.invoices[-1] if found.invoices else None
    return last.number if last is not None and last.state == InvoiceState.ISSUED else ""


def hand_over_slip(session: Session, actor: Actor, hand_over_id: UUID) -> Paper:
    """A hand-over of cash; until it is counted a sheet to count on, which names no sum to anybody. Raises NotFound."""
    found = hand_over_by_id(session, actor, hand_over_id)
    site = site_for(session, actor, found.site_id)
    blind = found.state in {HandOverState.OFFERED, HandOverState.WITHDRAWN}
    receipts = [] if blind else receipts_by_id(session, actor, found.receipt_ids)
    names = names_of(session, found.from_id, found.to_id)
    notes = {int(fen): pieces for fen, pieces in (found.counted_notes or {}).items()}
    offered = local(found.offered_at, site.zone)
    differs = None if blind or found.counted_fen is None else found.counted_fen - (found.amount_fen or 0)
    return Paper(
        kind="hand_over_slip",
        thing=str(found.id),
        site=site,
        number=f"JJ-{site.code}-{offered:%Y%m%d}-{found.id.hex[-6:].upper()}",
        day=offered.date(),
        at=found.counted_at or found.offered_at,
        facts=[found.from_id, found.to_id, found.counted_fen, found.counted_notes, found.difference_reason],
        data={
            "giver": names[found.from_id],
            "receiver": names[found.to_id],
            "state": STATES[HandOverState(found.state)],
            "offered_at": when(found.offered_at, site.zone),
            "counted_at": when(found.counted_at, site.zone),
            "notes": [*(_pieces(fen, notes) for fen in DENOMINATIONS), ["", "", ""]],
            "counted": money(found.counted_fen),
            "counted_capitals": in_capitals(found.counted_fen),
            "expected": "" if blind else money(found.amount_fen),
            "difference": money(differs),
            "reason": found.difference_reason or "",
            "on_behalf": found.on_behalf_reason or "",
            "receipts": [
                {
                    "number": one.number,
                    "day": one.day.isoformat() if one.day else "",
                    "amount": money((one.amount_fen or 0) - one.refunded_fen),
                }
                for one in receipts
            ],
            "receipts_total": money(sum((one.amount_fen or 0) - one.refunded_fen for one in receipts)),
        },
        amount_fen=None if blind else found.counted_fen,
        draft=found.state not in {HandOverState.COUNTED, HandOverState.WITHDRAWN},
        cancelled=found.state == HandOverState.WITHDRAWN,
    )


def _pieces(fen: int, notes: dict[int, int]) -> list[str]:
    counted = notes.get(fen)
    return [format_fen(fen), str(counted) if counted else "", format_fen(fen * counted) if counted else ""]
