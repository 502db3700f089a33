"""The price list 收费标准 to be put up where owners see it [R55-R57]."""

from datetime import UTC, datetime, time
from uuid import UUID

from sqlalchemy.orm import Session

from services.finance.queries.prices import in_force_until, price_version_by_id
from services.finance.rules.price import PriceState
from shared.money import format_fen
from shared.people import names_of
from shared.ui.papers.archive import Paper
from shared.ui.papers.words import long_day

TRADES = {"water": "水", "electricity": "电", "cleaning": "保洁", "greening": "绿化"}
"""What the usual trades are called; any other stands there by its code."""


def price_list(session: Session, version_id: UUID) -> Paper:
    """A version of the company's price book, a draft until it is approved. Raises NotFound."""
    version = price_version_by_id(session, version_id)
    until = in_force_until(session, version) if version.state == PriceState.APPROVED else None
    names = names_of(session, version.drafted_by, version.approved_by)
    return Paper(
        kind="price_list",
        thing=str(version.id),
        site=None,
        number=str(version.number),
        day=version.effective_from,
        at=version.approved_at or datetime.combine(version.effective_from, time(), UTC),
        facts=[version.items, version.effective_from, until],
        data={
            "from": long_day(version.effective_from),
            "until": long_day(until) if until is not None else "",
            "version": str(version.number),
            "items": [
                {
                    "trade": TRADES.get(item.trade, item.trade),
                    "name": item.name,
                    "unit": item.unit,
                    "price": format_fen(item.min_fen)
                    if item.min_fen == item.max_fen
                    else f"{format_fen(item.min_fen)} – {format_fen(item.max_fen)}",
                }
                for item in sorted(version.items, key=lambda item: (item.trade, item.code))
            ],
            "drafted_by": names[version.drafted_by],
            "approved_by": names[version.approved_by],
            "approved_at": f"{version.approved_at:%Y-%m-%d}" if version.approved_at else "",
        },
        draft=version.state == PriceState.DRAFT,
        cancelled=version.state == PriceState.WITHDRAWN,
    )
