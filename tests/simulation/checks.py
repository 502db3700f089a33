"""What must hold after any step, and what must hold when all is quiet."""

from collections import Counter
from collections.abc import Iterator

from bianmin.audit import CHECKS, jobs, money, payouts
from bianmin.client import Person
from bianmin.exports import read_exports
from bianmin.verify.run import connected, verify
from shared.db import SERVICES
from shared.settings import settings
from tests.simulation.house import House, InHouse
from tests.simulation.people import MONTH

ALWAYS = {
    "every journal adds up to nothing": """
        SELECT journal_id::text || ' ' || sum(amount_fen) FROM finance.journal_lines
        GROUP BY journal_id HAVING sum(amount_fen) <> 0""",
    "every journal has lines": """
        SELECT id::text FROM finance.journals j
        WHERE NOT EXISTS (SELECT FROM finance.journal_lines l WHERE l.journal_id = j.id)""",
    "a fee is taken once": """
        SELECT request_id::text FROM finance.receipts WHERE state = 'used' GROUP BY request_id HAVING count(*) > 1""",
    "a receipt is one journal": """
        SELECT r.number FROM finance.receipts r
        LEFT JOIN finance.journals j ON j.kind = 'receipt' AND j.reference = r.number
        WHERE r.state = 'used' GROUP BY r.number HAVING count(j.id) <> 1""",
    "a receipt is its three shares, and the workers' share is theirs": """
        SELECT r.number FROM finance.receipts r
        WHERE r.state = 'used' AND (r.amount_fen <> r.company_fen + r.workers_fen + r.reserve_fen OR r.workers_fen <>
            (SELECT sum(share_fen) FROM finance.receipt_shares s WHERE s.receipt_id = r.id))""",
    "a fee is the one that was signed for": """
        SELECT r.number FROM finance.receipts r JOIN dispatch.work_orders o ON o.request_id = r.request_id
        WHERE r.state = 'used' AND o.round = 0 AND (r.amount_fen <> o.fee_fen OR o.accepted_at IS NULL)""",
    "a job of a request is one work order": """
        SELECT request_id::text FROM dispatch.work_orders GROUP BY request_id, round HAVING count(*) > 1""",
    "hr holds what finance approved": """
        SELECT p.settlement_id::text FROM hr.payouts p JOIN finance.settlements s ON s.id = p.settlement_id
        WHERE p.net_fen <> s.net_fen OR s.approved_by = s.drafted_by""",
    "a missed callback is told once": """
        SELECT request_id::text FROM hr.missed_callbacks GROUP BY request_id HAVING count(*) > 1""",
} | {
    f"{service} handles only what was said to it": f"""
        SELECT message_id::text FROM {service}.inbox i WHERE NOT EXISTS (
            SELECT FROM ({" UNION ALL ".join(f"SELECT message_id, receiver FROM {other}.outbox" for other in SERVICES)})
            said WHERE said.message_id = i.message_id AND said.receiver = '{service}')"""
    for service in SERVICES
}
"""What is promised -> a query of what breaks it."""

_ALL = " UNION ALL ".join(
    f"SELECT '{name.replace(chr(39), chr(39) * 2)}', ({sql} LIMIT 1)" for name, sql in ALWAYS.items()
)
_SAID = " UNION ALL ".join(f"SELECT receiver, type, body::text FROM {service}.outbox" for service in SERVICES)


OF_A_CLOSED_MONTH = (
    jobs.every_copy_of_a_notice_was_received_and_the_departments_came_back,
    money.money_received_is_company_plus_workers_plus_reserve,
    payouts.payouts_are_shares_plus_rewards_less_what_the_bonus_bears,
    payouts.hr_holds_exactly_what_finance_approved,
)
"""What the auditor can ask only of a month that was closed."""
_SAME = f"""
    SELECT count(*) FROM ({_SAID}) said (receiver, type, body)
    WHERE receiver = %s AND type = %s AND CAST(body AS jsonb) = CAST(%s AS jsonb)
"""


class Broken(Exception):
    """A promise was broken."""


def check_always(house: House) -> None:
    """Raises Broken when a promise does not hold now."""
    broken = [f"{name}: {what}" for name, what in house.owner.execute(_ALL) if what is not None]
    broken += [
        f"{receiver} took in a {type_} {count} times that was said {times} times"
        for (receiver, type_, body), count in house.heard.items()
        if count > 1 and count > (times := _times_said(house, receiver, type_, body))
    ]
    if broken:
        raise Broken("; ".join(broken))


def _times_said(house: House, receiver: str, type_: str, body: str) -> int:
    """How often that very thing was said to the receiver: what is not known by a key may be said once more."""
    [count] = house.owner.execute(_SAME, [receiver, type_, body]).fetchone() or [0]
    return int(count)


def check_settled(house: House, auditor: Person, founding: Counter[tuple[str, str]]) -> None:
    """Raises Broken when a promise of the end does not hold, now that all is quiet.

    `founding` is how often each receiver had heard each type before the run.
    """
    check_always(house)
    broken = list(_unsettled(house, founding))
    exports = read_exports(InHouse(house, settling=False), auditor, MONTH)
    for check in CHECKS:
        if exports.payouts or check not in OF_A_CLOSED_MONTH:
            broken += [f"{check.__name__}: {detail}" for detail in check(exports) if detail]
    with connected(settings().database_url) as connection:
        for found in verify(connection, settled=True).violated:
            broken += [f"{found.invariant.name}: {what}" for what in found.shown]
    if broken:
        raise Broken("; ".join(broken))


def said(house: House) -> Counter[tuple[str, str]]:
    """How often each type was said to each receiver."""
    rows = house.owner.execute(_SAID).fetchall()
    return Counter((receiver, type_) for receiver, type_, _ in rows)


def _unsettled(house: House, founding: Counter[tuple[str, str]]) -> Iterator[str]:
    if open_ := house.unquiet():
        yield open_
    heard: Counter[tuple[str, str]] = Counter()
    for (receiver, type_, _), count in house.heard.items():
        heard[receiver, type_] += count
    expected = said(house) - founding
    for key in expected | heard:
        if heard[key] != expected[key]:
            yield f"{key[0]} took in {heard[key]} {key[1]}, {expected[key]} were said"
