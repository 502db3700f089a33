"""Income by month, site and trade, for charts [R69-R72]."""

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from services.finance.models import Receipt, Refund, Site
from services.finance.rules.receipt import ReceiptState
from shared.access import at_sites_of
from shared.people import Actor


@dataclass(frozen=True)
class IncomeView:
    """What came in (fen) in a month at a site, less what was given back, and its three parts."""

    month: str
    site_id: UUID
    received_fen: int
    company_fen: int
    workers_fen: int
    reserve_fen: int


def income(session: Session, actor: Actor, *, first: str, last: str) -> list[IncomeView]:
    """Income of each month from `first` to `last` at each of the person's sites; refunds lessen it [D16]."""
    parts = ("amount_fen", "company_fen", "workers_fen", "reserve_fen")
    came = select(Receipt.month, Receipt.site_id, *(getattr(Receipt, part).label(part) for part in parts)).where(
        Receipt.state == ReceiptState.USED, Receipt.month.between(first, last), at_sites_of(actor, Receipt.site_id)
    )
    went = select(Refund.month, Refund.site_id, *((-getattr(Refund, part)).label(part) for part in parts)).where(
        Refund.month.between(first, last), at_sites_of(actor, Refund.site_id)
    )
    both = came.union_all(went).subquery()
    query = (
        select(both.c.month, both.c.site_id, *(func.sum(both.c[part]) for part in parts))
        .join(Site, Site.id == both.c.site_id)
        .group_by(both.c.month, both.c.site_id, Site.code)
        .order_by(both.c.month, Site.code)
    )
    return [IncomeView(month, site_id, *(int(fen) for fen in fens)) for month, site_id, *fens in session.execute(query)]


@dataclass(frozen=True)
class TradeIncomeView:
    """What came in (fen) of a trade at a site."""

    trade: str
    site_id: UUID
    amount_fen: int
    jobs: int


_BY_TRADE = text("""
    SELECT coalesce(i.trade, '') AS trade, r.site_id, sum(CAST(item ->> 'amount_fen' AS bigint)) AS amount_fen,
           count(DISTINCT r.id) AS jobs
    FROM receipts r
    JOIN charges c ON c.request_id = r.request_id
    CROSS JOIN LATERAL jsonb_array_elements(c.items) AS item
    LEFT JOIN price_versions v ON v.number = c.price_version
    LEFT JOIN price_items i ON i.version_id = v.id AND i.code = item ->> 'code'
    WHERE r.month = :month AND r.state = 'used' AND (CAST(:all AS boolean) OR r.site_id = ANY(:site_ids))
    GROUP BY 1, 2 ORDER BY 1, 2
""")


def income_by_trade(session: Session, actor: Actor, *, month: str) -> list[TradeIncomeView]:
    """Fees taken in a month by the trade of the price book their items belong to; refunds are not taken off."""
    site_ids = list(actor.site_ids or ())
    rows = session.execute(_BY_TRADE, {"month": month, "all": actor.site_ids is None, "site_ids": site_ids})
    return [TradeIncomeView(row.trade, row.site_id, int(row.amount_fen), row.jobs) for row in rows]
