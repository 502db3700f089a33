"""The price book as finance publishes it [R55, R56]."""

from sqlalchemy import text
from sqlalchemy.orm import Session

from shared.messages import PricePublished

_PUT = text("""
    INSERT INTO price_items (version, code, effective_from, trade, name, unit, min_fen, max_fen)
    VALUES (:version, :code, :effective_from, :trade, :name, :unit, :min_fen, :max_fen)
    ON CONFLICT DO NOTHING
""")


def published(session: Session, message: PricePublished) -> None:
    """Keep every item of the version; which version is in force is a question of the day."""
    session.execute(
        _PUT,
        [
            {"version": message.version, "effective_from": message.effective_from, **item.model_dump()}
            for item in message.items
        ],
    )
