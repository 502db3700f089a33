"""A bare web application: FastAPI and SQLAlchemy as their tutorials have it, one row inserted for each request."""

import os
from uuid import UUID, uuid4

from fastapi import FastAPI
from pydantic import BaseModel
from sqlalchemy import create_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

engine = create_engine(os.environ["BARE_DATABASE_URL"], pool_size=8, max_overflow=0)


class Base(DeclarativeBase):
    """The tables."""


class Row(Base):
    """What is inserted."""

    __tablename__ = "bare_rows"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    method: Mapped[str]
    amount_fen: Mapped[int]


class NewRow(BaseModel):
    """What a request sends."""

    method: str
    amount_fen: int


class RowView(NewRow):
    """What it is answered."""

    id: UUID


Base.metadata.create_all(engine)
web = FastAPI()


@web.post("/rows", status_code=201)
def insert(body: NewRow) -> RowView:
    """Insert one row."""
    with Session(engine) as session, session.begin():
        row = Row(id=uuid4(), method=body.method, amount_fen=body.amount_fen)
        session.add(row)
        return RowView(id=row.id, method=row.method, amount_fen=row.amount_fen)
