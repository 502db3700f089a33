"""The table of wages [D22]."""

from uuid import UUID

from sqlalchemy.orm import Mapped, mapped_column

from services.finance.models.base import Base


class Wage(Base):
    """A person's monthly wage, as hr says, for the guard on deductions [D22]."""

    __tablename__ = "wages"

    person_id: Mapped[UUID] = mapped_column(primary_key=True)
    version: Mapped[int]
    monthly_wage_fen: Mapped[int]
