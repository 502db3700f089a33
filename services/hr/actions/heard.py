"""Facts for appraisals, kept as they were heard [R43, R48, D8]."""

from datetime import datetime

from pydantic_core import to_jsonable_python
from sqlalchemy import bindparam, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Session

from shared.alerts import Alert, raise_alerts
from shared.errors import RuleBroken
from shared.ids import new_id
from shared.messages import CallbackMissed, DutyOverridden, LedgerAnchored, MonthReported

_PUT_OVERRIDE = text("""
    INSERT INTO overrides (id, request_id, site_id, department, worker_id, head_id, reason, overridden_at)
    VALUES (:override_id, :request_id, :site_id, :department, :worker_id, :head_id, :reason, :overridden_at)
    ON CONFLICT DO NOTHING
""")

_PUT_MISSED_CALLBACK = text("""
    INSERT INTO missed_callbacks (request_id, request_number, site_id, clerk_id, due_at)
    VALUES (:request_id, :request_number, :site_id, :clerk_id, :due_at)
    ON CONFLICT DO NOTHING
""")

_PUT_REPORT = text("""
    INSERT INTO month_reports (id, site_id, month, report, lines, reported_at)
    VALUES (:id, :site_id, :month, :report, :lines, :reported_at)
    ON CONFLICT DO NOTHING
""").bindparams(bindparam("report", type_=JSONB), bindparam("lines", type_=JSONB))

_PUT_ANCHOR = text("""
    INSERT INTO ledger_anchors (seq, hash, anchored_at, heard_at) VALUES (:seq, :hash, :anchored_at, :now)
    ON CONFLICT DO NOTHING
""")

_ANCHOR_HASH = text("SELECT hash FROM ledger_anchors WHERE seq = :seq")


def duty_overridden(session: Session, message: DutyOverridden) -> None:
    """What a later case of neglect may cite [D8, R78]."""
    session.execute(_PUT_OVERRIDE, message.model_dump())


def callback_missed(session: Session, message: CallbackMissed, *, now: datetime) -> None:
    """A promise to an owner was not kept: kept for ever, and the desk head is told [R48, D3]."""
    session.execute(_PUT_MISSED_CALLBACK, message.model_dump())
    told = Alert(
        "callback_missed",
        message.site_id,
        message.request_id,
        role="desk_head",
        facts={"request_number": message.request_number},
    )
    raise_alerts(session, [told], now=now)


def month_reported(session: Session, message: MonthReported) -> None:
    """The administration department 行政部 has the month's statistics [R42, R43]."""
    session.execute(_PUT_REPORT, message.model_dump() | {"id": new_id(), "lines": to_jsonable_python(message.lines)})


def ledger_anchored(session: Session, message: LedgerAnchored, *, now: datetime) -> None:
    """Kept for ever, beside finance's reach. Raises RuleBroken when its ledger has got another past meanwhile."""
    session.execute(_PUT_ANCHOR, message.model_dump() | {"now": now})
    if session.execute(_ANCHOR_HASH, {"seq": message.seq}).scalar_one() != message.hash:
        raise RuleBroken("ledger_rewritten", f"journal {message.seq} of the ledger had another hash before")
