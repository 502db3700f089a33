"""Numbering papers without gaps: the count of a series commits with the paper that bears the number [R24, R34]."""

from sqlalchemy import text
from sqlalchemy.orm import Mapped, Session, mapped_column


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
