"""The catalogue of trades of a site [R7-R10, D2]."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from services.intake.rules.scope import TradePolicy
from shared.people import Actor, site_for
from shared.policy_rows import in_force


@dataclass(frozen=True)
class TradeView:
    """A trade of a site's catalogue: the department that does it, or why it is refused."""

    code: str
    name: str
    department: str | None
    refusal: str


def trades(session: Session, actor: Actor, *, site_id: UUID, now: datetime) -> list[TradeView]:
    """The catalogue of trades in force at a site [R7-R10, D2]. Raises NotFound for a site of others."""
    site = site_for(session, actor, site_id)
    catalogue = in_force(session, TradePolicy, site_id=site.id, at=now)
    return [TradeView(t.code, t.name, t.department, t.refusal) for t in catalogue.trades]


_NAMES = text("""
    SELECT trade->>'code' AS code, trade->>'name' AS name
    FROM policies, jsonb_array_elements(settings->'trades') AS trade
    WHERE policies.name = 'TradePolicy' ORDER BY effective_from
""")


def trade_names(session: Session) -> dict[str, str]:
    """Code -> name of every trade there is or ever was, the name given last; also of those no site has any more."""
    names = {trade.code: trade.name for trade in TradePolicy().trades}
    return names | {row.code: row.name for row in session.execute(_NAMES)}
