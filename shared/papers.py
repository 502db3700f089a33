"""The tables of papers: how many of a series are numbered, and what was issued [R24, R34].

Numbers have no gaps: the count of a series commits with the paper that bears the number.
"""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, text
from sqlalchemy.orm import Mapped, Session, declared_attr, mapped_column


class PaperCountRow:
    """How many papers of a series, like 'TZ-BK-20260401', are numbered; locked while one more is."""

    __tablename__ = "paper_counts"

    series: Mapped[str] = mapped_column(primary_key=True)
    count: Mapped[int]


_NEXT = text("""
    INSERT INTO paper_counts (series, count) VALUES (:series, :howmany)
    ON CONFLICT (series) DO UPDATE SET count = paper_counts.count + excluded.count
    RETURNING count
""")


def next_numbers(session: Session, series: str, *, howmany: int) -> list[str]:
    """The next numbers of a series: 'TZ-BK-20260401-0007' is its seventh. Others numbering it wait for us to commit."""
    if howmany == 0:
        return []
    last = session.execute(_NEXT, {"series": series, "howmany": howmany}).scalar_one()
    return [f"{series}-{count:04d}" for count in range(last - howmany + 1, last + 1)]


def next_number(session: Session, series: str) -> str:
    """The next number of a series."""
    (number,) = next_numbers(session, series, howmany=1)
    return number


class PaperRow:
    """A paper that was issued: its PDF, stored once, and what whoever scans its code is told of it.

    `thing` is what it is a paper of, and `facts_hash` says which facts of it stand there; `size` names its stage too,
    where it has several. `number`, `day` and `amount_fen` are the paper's own. An erased paper has no content, and its
    hash is its code.
    """

    __tablename__ = "papers"

    code: Mapped[str] = mapped_column(primary_key=True)
    kind: Mapped[str]
    size: Mapped[str]
    thing: Mapped[str]
    facts_hash: Mapped[str]
    site_id: Mapped[UUID | None]
    number: Mapped[str]
    day: Mapped[date]
    amount_fen: Mapped[int | None]
    sha256: Mapped[str]
    content: Mapped[bytes | None]
    issued_by: Mapped[UUID]
    issued_at: Mapped[datetime]

    @declared_attr.directive
    @classmethod
    def __table_args__(cls) -> tuple[CheckConstraint | Index | dict[str, str], ...]:
        return (
            CheckConstraint("content IS NULL OR sha256 = encode(sha256(content), 'hex')", name="addressed_by_hash"),
            Index("uq_papers_thing", "thing", "kind", "size", "facts_hash", unique=True),
            {"comment": "append-only"},
        )
