"""Answers the desk has ready for questions asked often 常见问题 [R22]."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from services.intake.models import Answer
from services.intake.rules.scope import TradePolicy, trade_of
from shared.errors import NotFound, NotYourRole, RuleBroken
from shared.ids import NO_SITE, new_id
from shared.people import Actor, site_for
from shared.policy_rows import in_force


def check_answers_for(actor: Actor, site_id: UUID | None) -> None:
    """Raises NotYourRole when a person of some sites would answer for all of them."""
    if site_id is None and actor.site_ids is not None:
        raise NotYourRole("not_of_all_sites", "an answer of the company is given by somebody of all sites", rule="R22")


def give(
    session: Session,
    *,
    site_id: UUID | None,
    question: str,
    answer: str,
    trade: str | None,
    actor: Actor,
    now: datetime,
) -> Answer:
    """Have an answer ready at a site, or without one at all of them.

    The same question has one answer there until that is retired.
    """
    check_answers_for(actor, site_id)
    if site_id is not None:
        site_for(session, actor, site_id)
    if trade is not None:
        trade_of(in_force(session, TradePolicy, site_id=site_id or NO_SITE, at=now), trade)
    known = select(Answer.id).where(
        Answer.site_id.is_not_distinct_from(site_id), Answer.question == question, Answer.retired_at.is_(None)
    )
    if session.scalars(known).one_or_none() is not None:
        raise RuleBroken("answered_already", "this question has its answer", rule="R22", allowed=["retire"])
    made = Answer(
        id=new_id(),
        site_id=site_id,
        trade=trade,
        question=question,
        answer=answer,
        made_by=actor.person_id,
        made_at=now,
    )
    session.add(made)
    return made


def retire(session: Session, *, answer_id: UUID, actor: Actor, now: datetime) -> Answer:
    """The answer no longer holds."""
    answer = session.get(Answer, answer_id, with_for_update=True)
    if answer is None or not (answer.site_id is None or actor.sees(answer.site_id)):
        raise NotFound("answer", answer_id)
    check_answers_for(actor, answer.site_id)
    if answer.retired_at is not None:
        raise RuleBroken("retired_already", "the answer is not given any more", rule="R22")
    answer.retired_at, answer.retired_by = now, actor.person_id
    return answer
