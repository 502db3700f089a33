"""What must be known to collect a fee, read in one round trip once its charge is locked [R33-R35, D12, D14, D15]."""

from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from services.finance.queries.daily_checks import day_after, day_not_over
from services.finance.rules.receipt import MethodPolicy, ReceiptPolicy
from services.finance.rules.split import SplitPolicy
from shared.policy_rows import TOGETHER, Policies

POLICIES = (MethodPolicy, SplitPolicy, ReceiptPolicy)


@dataclass(frozen=True)
class Collecting:
    """Who did the job with which weight, whether a receipt is written for it, the business day, and the policies."""

    weights: dict[UUID, int]
    written: bool
    day: date
    policies: Policies


_COLLECTING = text(f"""
    SELECT (SELECT coalesce(json_object_agg(person_id, weight), '{{}}')
            FROM charge_workers WHERE request_id = :request_id) AS weights,
           EXISTS (SELECT FROM receipts WHERE request_id = :request_id AND state <> 'voided') AS written,
           (SELECT coalesce(json_agg(json_build_array(day, closes_at)), '[]')
            FROM (SELECT day, closes_at FROM site_days WHERE site_id = :site_id ORDER BY day DESC LIMIT 2) d) AS days,
           (SELECT json_object_agg(name, settings) FROM ({TOGETHER}) p) AS policies
""")  # noqa: S608  # our own SQL


def collecting(session: Session, *, request_id: UUID, site_id: UUID, now: datetime) -> Collecting:
    """What holds for this charge at its site now; asked after the charge was locked, so that none of it is older."""
    names = [policy.__name__ for policy in POLICIES]
    keys = {"request_id": request_id, "site_id": site_id, "at": now, "names": names}
    with session.no_autoflush:
        row = session.execute(_COLLECTING, keys).one()
    newest = [(date.fromisoformat(day), datetime.fromisoformat(closes_at)) for day, closes_at in row.days]
    return Collecting(
        weights={UUID(person_id): weight for person_id, weight in row.weights.items()},
        written=row.written,
        day=day_not_over(newest, now=now) or day_after(session, site_id, newest, now=now),
        policies=Policies(row.policies),
    )
