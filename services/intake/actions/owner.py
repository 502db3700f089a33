"""What an owner does by the link to his own page, and the link itself; nothing here takes a decision from the desk."""

from datetime import datetime
from secrets import token_urlsafe
from uuid import UUID, uuid5

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from services.intake.models import OwnerActDone, Request, Revisit, Visit
from services.intake.queries.owner import slots_of
from services.intake.rules.owner import OwnerAct, check_act, check_not_over, link_opens
from services.intake.rules.request import REQUEST, RequestStep
from shared.alerts import Alert, raise_alerts
from shared.errors import NotFound, RuleBroken
from shared.messages import Role
from shared.people import Actor, hash_token

CODE_BYTES = 16

TOLD: dict[OwnerAct, tuple[Role, ...]] = {
    OwnerAct.MOVE: ("clerk",),
    OwnerAct.WISH: ("clerk", "desk_head"),
    OwnerAct.PROBLEM: ("clerk", "desk_head"),
    OwnerAct.PRIVATE_JOB: ("desk_head",),
}
"""Act -> who at the desk is told at once; a confirmation and a rating stand on the request."""


def give_link(request: Request) -> None:
    """A new secret for the owner's page; the one before opens nothing any more."""
    code = token_urlsafe(CODE_BYTES)
    request.link, request.link_hash = code, hash_token(code)


def renew_link(session: Session, *, request_id: UUID, actor: Actor, now: datetime) -> Request:
    """The owner gets another link, as when the first came into wrong hands. Raises NotFound, RuleBroken."""
    request = session.get(Request, request_id, with_for_update=True)
    if request is None or not actor.sees(request.site_id):
        raise NotFound("request", request_id)
    if request.erased_at is not None or not link_opens(request.ended_at, now=now):
        raise RuleBroken("request_ended", f"the request is {request.state}: its owner's page is closed", rule="D26")
    give_link(request)
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
    """The visit moves to another time that suits him, before its notice is issued; the fee stays [R17, R18, D10]."""
    if _again(session, request, key):
        return
    _check(session, request, OwnerAct.MOVE)
    wanted = next((one for one in slots_of(request, now=now) if one[0].isoformat() == slot), None)
    if wanted is None:
        raise RuleBroken("slot_not_offered", "this time is not offered, or not any more", rule="R17")
    request.state = REQUEST.move(request.state, RequestStep.AGREE)
    request.visit_from, request.visit_to = wanted
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
