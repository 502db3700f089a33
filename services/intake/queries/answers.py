"""Answers the desk has ready for questions asked often 常见问题 [R22]."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import Select, or_, select
from sqlalchemy.orm import Session

from services.intake.models import Answer
from shared.access import at_sites_of
from shared.paging import Page, page_of
from shared.people import Actor


@dataclass(frozen=True)
class AnswerView:
    """An answer to a question asked often; without a site it is the company's."""

    id: UUID
    site_id: UUID | None
    trade: str | None
    question: str
    answer: str
    made_by: UUID
    made_at: datetime
    retired_at: datetime | None


def answers(session: Session, actor: Actor, *, q: str, after: UUID | None, limit: int) -> Page[AnswerView]:
    """Answers that are given, with these words in question or answer."""
    return page_of(session, _given(actor, q), Answer.id, answer_view, after=after, limit=limit)


def answers_about(session: Session, actor: Actor, *, q: str, trade: str | None) -> list[AnswerView]:
    """The first hundred with these words; of one trade, with those that are about none, or of all."""
    query = _given(actor, q).order_by(Answer.id).limit(100)
    if trade is not None:
        query = query.where(or_(Answer.trade == trade, Answer.trade.is_(None)))
    return [answer_view(row) for row in session.scalars(query)]


def _given(actor: Actor, q: str) -> Select[Answer]:
    return select(Answer).where(
        or_(Answer.site_id.is_(None), at_sites_of(actor, Answer.site_id)),  # type: ignore[arg-type]  # null is no site
        Answer.retired_at.is_(None),
        or_(Answer.question.icontains(q, autoescape=True), Answer.answer.icontains(q, autoescape=True)),
    )


def answer_view(a: Answer) -> AnswerView:
    """One answer as shown."""
    return AnswerView(a.id, a.site_id, a.trade, a.question, a.answer, a.made_by, a.made_at, a.retired_at)
