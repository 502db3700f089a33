"""The table of the company."""

from datetime import datetime

from sqlalchemy import CheckConstraint
from sqlalchemy.orm import Mapped, mapped_column

from services.hr.models.base import Base


class Company(Base):
    """The company 公司: founded once, one row for ever."""

    __tablename__ = "company"
    __table_args__ = (CheckConstraint("only_row", name="only_row"),)

    only_row: Mapped[bool] = mapped_column(primary_key=True, default=True)
    name: Mapped[str]
    founded_at: Mapped[datetime]
