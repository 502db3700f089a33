"""Lists in pages: a cursor is the id of the last row seen, ids being in order of creation."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar
from uuid import UUID

from sqlalchemy import Select
from sqlalchemy.orm import InstrumentedAttribute, Session

T = TypeVar("T")


@dataclass(frozen=True)
class Page(Generic[T]):
    """Some rows in order of creation, and where the next page begins (None: this is the last)."""

    items: list[T]
    next: UUID | None


def page_of(
    session: Session,
    query: Select[Any],
    key: InstrumentedAttribute[UUID],
    view: Callable[[Any], T],
    *,
    after: UUID | None,
    limit: int,
    newest: bool = False,
) -> Page[T]:
    """Read one page of `query` in order of `key`, or the newest first; `view` makes each row what is shown."""
    if after is not None:
        query = query.where(key < after if newest else key > after)
    ordered = query.order_by(key.desc() if newest else key)
    rows: Sequence[Any] = session.scalars(ordered.limit(limit + 1)).all()
    shown = rows[:limit]
    return Page([view(row) for row in shown], getattr(shown[-1], key.key) if len(rows) > limit else None)
