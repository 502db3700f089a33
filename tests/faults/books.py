"""What the four schemas say, compared with what the traffic meant to do: by SQL of the tests' own, seeing all."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, Engine, text

from bianmin.stack import SERVICES
from tests.faults.traffic import Ledger


@dataclass
class Findings:
    """What is amiss, in words."""

    lost: list[str] = field(default_factory=list)
    doubled: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    parked: list[str] = field(default_factory=list)


_SAID = " UNION ALL ".join(
    f"SELECT message_id, receiver, type, body ->> 'request_id' AS request_id FROM {service}.outbox"
    for service in SERVICES
)
_HEARD = " UNION ALL ".join(
    f"SELECT message_id, '{service}' AS receiver, type, state, reason FROM {service}.inbox" for service in SERVICES
)

_LOST_MESSAGES = f"""
    SELECT type || ' to ' || receiver || ' ' || message_id FROM ({_SAID}) AS said
    WHERE NOT EXISTS (SELECT FROM faults.effects e WHERE (e.message_id, e.receiver) = (said.message_id, said.receiver))
      AND NOT EXISTS (SELECT FROM ({_HEARD}) h WHERE (h.message_id, h.receiver) = (said.message_id, said.receiver)
                      AND h.state IN ('parked', 'discarded'))
"""
_UNKNOWN_MESSAGES = f"""
    SELECT 'the inbox of ' || receiver || ' has ' || message_id || ', which nobody said' FROM ({_HEARD}) AS heard
    WHERE NOT EXISTS (SELECT FROM ({_SAID}) AS said
                      WHERE (said.message_id, said.receiver) = (heard.message_id, heard.receiver))
"""
_DOUBLED_EFFECTS = """
    SELECT count(*) || ' effects at ' || receiver || ' of ' || message_id FROM faults.effects
    GROUP BY receiver, message_id HAVING count(*) > 1
"""
_DOUBLED_FACTS = f"""
    SELECT count(*) || ' times ' || type || ' to ' || receiver || ' of request ' || request_id FROM ({_SAID}) AS said
    WHERE type IN ('NoticeIssued', 'WorkAcknowledged', 'WorkAssigned', 'WorkAccepted', 'FeeCollected',
                   'NoticeReturned', 'CallbackMissed')
    GROUP BY type, receiver, request_id HAVING count(*) > 1
"""
_PARKED = f"SELECT receiver || ' ' || type || ': ' || reason FROM ({_HEARD}) AS heard WHERE state = 'parked'"

_UNBALANCED = """
    SELECT 'journal ' || journal_id || ' sums to ' || sum(amount_fen) FROM finance.journal_lines
    GROUP BY journal_id HAVING sum(amount_fen) <> 0
"""
_MISSED = """
    SELECT 'callback of ' || id || ' missed, and hr does not know' FROM intake.requests
    WHERE callback_missed AND id NOT IN (SELECT request_id FROM hr.missed_callbacks)
    UNION ALL SELECT 'hr knows of a missed callback of ' || m.request_id || ', and intake does not'
    FROM hr.missed_callbacks m JOIN intake.requests r ON r.id = m.request_id WHERE NOT r.callback_missed
"""
_ORDERS = """
    SELECT r.owner_name AS key, r.state AS request, r.callback_missed, r.received_fen, r.fee_fen AS agreed_fen,
           (SELECT count(*) FROM dispatch.work_orders w WHERE w.request_id = r.id AND w.state = 'accepted') AS jobs,
           (SELECT count(*) FROM dispatch.work_orders w WHERE w.request_id = r.id) AS orders,
           c.state AS charge, c.fee_fen AS charged_fen,
           (SELECT count(*) FROM finance.receipts p WHERE p.request_id = r.id) AS receipts,
           (SELECT sum(p.amount_fen) FROM finance.receipts p
            WHERE p.request_id = r.id AND p.state = 'used') AS paid_fen,
           (SELECT count(*) FROM finance.journals j JOIN finance.receipts p ON j.reference = p.number
            WHERE p.request_id = r.id) AS journals
    FROM intake.requests r LEFT JOIN finance.charges c ON c.request_id = r.id
"""
_CASH = "SELECT account, sum(amount_fen) FROM finance.journal_lines GROUP BY account"


def compare(engine: Engine, ledger: Ledger) -> Findings:
    """Every message one effect; every intent one request, job, receipt and journal of its very fee; every fen held."""
    findings = Findings()
    with engine.connect() as connection:
        findings.lost += connection.execute(text(_LOST_MESSAGES)).scalars()
        findings.lost += connection.execute(text(_MISSED)).scalars()
        findings.doubled += connection.execute(text(_DOUBLED_EFFECTS)).scalars()
        findings.doubled += connection.execute(text(_DOUBLED_FACTS)).scalars()
        findings.wrong += connection.execute(text(_UNKNOWN_MESSAGES)).scalars()
        findings.wrong += connection.execute(text(_UNBALANCED)).scalars()
        findings.parked += connection.execute(text(_PARKED)).scalars()
        _compare_orders(findings, connection, ledger)
        _compare_cash(findings, connection, ledger)
    return findings


def _compare_orders(findings: Findings, connection: Connection, ledger: Ledger) -> None:
    rows = connection.execute(text(_ORDERS)).all()
    registered = Counter(row.key for row in rows)
    by_key = {row.key: row for row in rows}
    meant = {intent.key: intent for intent in ledger.intents}
    unanswered = {intent.key for intent in ledger.unanswered}
    findings.lost += [f"the request of {key}" for key in (meant.keys() | unanswered) - by_key.keys()]
    findings.doubled += [f"{count} requests of {key}" for key, count in registered.items() if count > 1]
    findings.wrong += [f"nobody asked for {key}" for key in by_key.keys() - meant.keys() - unanswered]
    findings.lost += [
        f"the missed callback of {key}" for key in unanswered & by_key.keys() if not by_key[key].callback_missed
    ]
    for key in meant.keys() & by_key.keys():
        row, fee = by_key[key], meant[key].fee_fen
        facts: list[tuple[str, Any, Any]] = [
            ("state at the desk", row.request, "accepted"),
            ("fee at the desk", row.received_fen, fee),
            ("fee agreed", row.agreed_fen, fee),
            ("fee charged", row.charged_fen, fee),
            ("charge", row.charge, "collected"),
            ("fee paid", row.paid_fen, fee),
        ]
        findings.lost += [f"{what} of {key} is {is_}, not {ought}" for what, is_, ought in facts if is_ != ought]
        for what, count in (
            ("jobs", row.jobs),
            ("orders", row.orders),
            ("receipts", row.receipts),
            ("journals", row.journals),
        ):
            if count != 1:
                (findings.doubled if count > 1 else findings.lost).append(f"{count} {what} of {key}")
        if meant[key].to_be_missed and not row.callback_missed:
            findings.lost.append(f"the missed callback of {key}")


def _compare_cash(findings: Findings, connection: Connection, ledger: Ledger) -> None:
    """What was taken is where it was brought, to the fen."""
    taken = sum(intent.fee_fen for intent in ledger.intents)
    stands = {account: int(fen) for account, fen in connection.execute(text(_CASH))}
    ought = {"cash_at_finance": ledger.handed_over_fen, "cash_in_hand": taken - ledger.handed_over_fen}
    for account, fen in ought.items():
        if stands.get(account, 0) != fen:
            findings.wrong.append(f"{account} is {stands.get(account, 0)} fen, not {fen}")
    shares = -sum(stands.get(account, 0) for account in ("company_share", "workers_share", "reserve_fund"))
    if shares != taken:
        findings.wrong.append(f"{shares} fen were divided, {taken} were taken")
