"""What an owner does by the link to his own page, and what he is offered there; nothing here decides for the desk."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID, uuid5

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from services.intake.actions.request import request_for
from services.intake.actions.revision import move_noticed
from services.intake.models import OwnerActDone, Request, Revisit, Visit
from services.intake.queries.owner import slots_of
from services.intake.rules.owner import OwnerAct, check_act, check_movable, check_not_over, check_slot
from services.intake.rules.request import REQUEST, RequestState, RequestStep, check_not_paid
from shared.alerts import Alert, raise_alerts
from shared.errors import RuleBroken
from shared.messages import Role
from shared.people import Actor

TOLD: dict[OwnerAct, tuple[Role, ...]] = {
    OwnerAct.MOVE: ("clerk",),
    OwnerAct.WISH: ("clerk", "desk_head"),
    OwnerAct.PROBLEM: ("clerk", "desk_head"),
    OwnerAct.PRIVATE_JOB: ("desk_head",),
}
"""Act -> who at the desk is told at once; a confirmation and a rating stand on the request."""


def offer(
    session: Session, *, request_id: UUID, slots: Sequence[tuple[datetime, datetime]], actor: Actor, now: datetime
) -> Request:
    """The desk offers other times to the owner, who may take one of them on his page; none: no more [R17, R46].

    Whoever offers answers for it that the department can come then. Raises NotFound, RuleBroken.
    """
    request = request_for(session, actor, request_id)
    visit_from, _ = _agreed(request)
    check_act(OwnerAct.MOVE, request.state, acts_before=0)
    check_movable(request.state, visit_from, now=now)
    check_not_paid(request.receipt_number)
    for start, end in slots:
        check_slot(start, end, now=now)
    request.offered = [[start.isoformat(), end.isoformat()] for start, end in sorted(dict(slots).items())]
    request.offered_by, request.offered_at = actor.person_id, now
    return request


def confirm(session: Session, request: Request, *, key: str, now: datetime) -> None:
    """The owner will be at home at the agreed time [R18, R49]."""
    _, to = _agreed(request)
    if _again(session, request, key):
        return
    _check(session, request, OwnerAct.CONFIRM)
    check_not_over(to, now=now)
    _keep(session, request, OwnerAct.CONFIRM, key=key, now=now, at_visit=True)


def move(session: Session, request: Request, *, slot: str, key: str, now: datetime) -> None:
    """The visit moves to a time that he is offered; the fee stays, and an offer is answered once [R17, R18, D10].

    When the notice is out it is revised by that, and whoever holds a copy is told [R24].
    """
    visit_from, _ = _agreed(request)
    if _again(session, request, key):
        return
    _check(session, request, OwnerAct.MOVE)
    check_movable(request.state, visit_from, now=now)
    wanted = next((one for one in slots_of(request, now=now) if one[0].isoformat() == slot), None)
    if wanted is None:
        raise RuleBroken("slot_not_offered", "this time is not offered, or not any more", rule="R17")
    if request.state is RequestState.NOTICED:
        move_noticed(session, request, wanted, now=now)
    else:
        request.state = REQUEST.move(request.state, RequestStep.AGREE)
        request.visit_from, request.visit_to = wanted
    request.offered = []
    _keep(session, request, OwnerAct.MOVE, key=key, now=now, at_visit=True)


def wish(session: Session, request: Request, *, words: str, key: str, now: datetime) -> None:
    """He would like another time, or has something to say: the desk answers him, and revises the notice [R19, R24]."""
    _say(session, request, OwnerAct.WISH, words=words, key=key, now=now)


def rate(session: Session, request: Request, *, stars: int, words: str | None, key: str, now: datetime) -> None:
    """1 to 5 for a visit, once; it stands beside what the desk hears at its revisit, and replaces nothing [R37]."""
    if _again(session, request, key):
        return
    _check(session, request, OwnerAct.RATE)
    round_ = _round(session, request)
    rated = select(OwnerActDone.id).where(
        OwnerActDone.request_id == request.id, OwnerActDone.round == round_, OwnerActDone.act == OwnerAct.RATE
    )
    if session.execute(rated).first() is not None:
        raise RuleBroken("rated_already", f"visit {round_} has its rating", rule="R37")
    _keep(session, request, OwnerAct.RATE, key=key, now=now, stars=stars, words=words)


def report_problem(session: Session, request: Request, *, words: str, key: str, now: datetime) -> None:
    """Something is not right: the desk calls him now, and decides on the rework [R37-R39]."""
    if _say(session, request, OwnerAct.PROBLEM, words=words, key=key, now=now):
        session.execute(
            update(Revisit)
            .where(Revisit.request_id == request.id, Revisit.done_at.is_(None), Revisit.due_at > now)
            .values(due_at=now)
        )


def tell_private_job(session: Session, request: Request, *, words: str, key: str, now: datetime) -> None:
    """Somebody took money for himself: the desk head is told, who reports whom it concerns, and hr decides [R54, D20].

    An owner knows no names of ours, and nobody is accused by an address alone: so no case opens by itself.
    """
    _say(session, request, OwnerAct.PRIVATE_JOB, words=words, key=key, now=now)


def _agreed(request: Request) -> tuple[datetime, datetime]:
    if request.visit_from is None or request.visit_to is None:
        raise RuleBroken("nothing_agreed", "no visit is agreed", rule="R49")
    return request.visit_from, request.visit_to


def _say(session: Session, request: Request, act: OwnerAct, *, words: str, key: str, now: datetime) -> bool:
    """Keep what he writes; whether it is new."""
    if _again(session, request, key):
        return False
    _check(session, request, act)
    _keep(session, request, act, key=key, now=now, words=words)
    return True


def _again(session: Session, request: Request, key: str) -> bool:
    """Whether this very form was sent before."""
    return session.get(OwnerActDone, _id(request, key)) is not None


def _id(request: Request, key: str) -> UUID:
    return uuid5(request.id, key)


def _check(session: Session, request: Request, act: OwnerAct) -> None:
    count = select(func.count()).select_from(OwnerActDone).where(OwnerActDone.request_id == request.id)
    check_act(act, request.state, acts_before=session.execute(count).scalar_one())


def _round(session: Session, request: Request) -> int:
    last = select(func.max(Visit.round)).where(Visit.request_id == request.id)
    return session.execute(last).scalar_one() or 0


def _keep(
    session: Session,
    request: Request,
    act: OwnerAct,
    *,
    key: str,
    now: datetime,
    at_visit: bool = False,
    stars: int | None = None,
    words: str | None = None,
) -> None:
    done = OwnerActDone(
        id=_id(request, key),
        request_id=request.id,
        site_id=request.site_id,
        act=act,
        round=_round(session, request),
        visit_from=request.visit_from if at_visit else None,
        visit_to=request.visit_to if at_visit else None,
        stars=stars,
        words=words,
        done_at=now,
    )
    session.add(done)
    facts: dict[str, str | int] = {"number": request.number, "request_id": str(request.id)}
    raise_alerts(
        session,
        [Alert(f"owner_{act}", request.site_id, done.id, role=role, facts=facts) for role in TOLD.get(act, ())],
        now=now,
    )
