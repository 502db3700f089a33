"""The table of receipt books [R34, R35]."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import ExcludeConstraint
from sqlalchemy.orm import Mapped, mapped_column

from services.finance.models.base import Base
from shared.ids import new_id


class ReceiptBook(Base):
    """A book of receipts 票据簿 that finance issued to a site's desk: its numbers from `first` to `last` [R34, R35]."""

    __tablename__ = "receipt_books"
    __table_args__ = (
        UniqueConstraint("site_id", "first"),
        ExcludeConstraint(
            ("site_id", "="),
            (text("int8range(first, last, '[]')"), "&&"),
            name="ex_receipt_books_numbers",
            using="gist",
        ),
        Index("ix_receipt_books_site_id", "site_id", "id"),
        CheckConstraint("0 < first AND first <= last", name="numbers"),
        CheckConstraint("(returned_at IS NULL) = (returned_by IS NULL)", name="returned"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    site_id: Mapped[UUID] = mapped_column(ForeignKey("sites.id"))
    first: Mapped[int]
    last: Mapped[int]
    issued_by: Mapped[UUID]
    issued_at: Mapped[datetime]
    returned_by: Mapped[UUID | None]
    returned_at: Mapped[datetime | None]
