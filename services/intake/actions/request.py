"""Registering requests, agreeing on the visit, and how a request ends [R13-R23, R44-R49]."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import update
from sqlalchemy.orm import Session

from services.intake.actions.link import give_link
from services.intake.models import CallbackAttempt, Consultation, Notice, Request
from services.intake.queries.homes import phone_hash
from services.intake.queries.prices import prices_of, version_in_force
from services.intake.rules.callback import CallbackClock, CallbackPolicy, kept, start_clock
from services.intake.rules.notice import Form, check_waiting, check_window, paper_series
from services.intake.rules.price import Wanted, fee_of, settlement_list
from services.intake.rules.privacy import RetentionPolicy, erase_due
from services.intake.rules.request import REQUEST, Channel, RequestState, RequestStep, check_not_paid
from services.intake.rules.scope import Trade, TradePolicy, trade_of
from shared.alerts import Alert, raise_alerts
from shared.bus.outbox import publish
from shared.calendar import business_month, local
from shared.errors import NotFound, NotYet, RuleBroken
from shared.ids import new_id
from shared.messages import FeeCollected, NoticeCancelled
from shared.papers import next_numbers
from shared.people import Actor, Site, site_for
from shared.policy_rows import in_force, in_force_together


@dataclass(frozen=True)
class RegistrationForm:
    """What the registration form holds [R13-R17, R20]."""

    channel: Channel
    owner_name: str
    address: str
    phone: str
    description: str
    trade: str
    windows: Sequence[tuple[datetime, datetime]] = ()
    source: str | None = None
    source_key: str | None = None
    asked_at: datetime | None = None


def register(session: Session, *, site_id: UUID, form: RegistrationForm, actor: Actor, now: datetime) -> Request:
    """Record one request and start its clock; out of scope it is recorded as refused, with the reason [R6-R10]."""
    return register_all(session, site=site_for(session, actor, site_id), forms=[form], actor=actor, now=now)[0]


def register_all(
    session: Session, *, site: Site, forms: Sequence[RegistrationForm], actor: Actor, now: datetime
) -> list[Request]:
    """Record several requests of one site in one go [R20, R21]."""
    series = paper_series(Form.REGISTRATION, site_code=site.code, day=local(now, site.zone).date())
    numbers = next_numbers(session, series, howmany=len(forms))
    policies = in_force_together(session, CallbackPolicy, TradePolicy, RetentionPolicy, site_id=site.id, at=now)
    requests = [
        _record(
            form,
            site=site,
            number=number,
            trade=trade_of(policies[TradePolicy], form.trade),
            clock=start_clock(form.channel, now, policies[CallbackPolicy]),
            retention=policies[RetentionPolicy],
            actor=actor,
            now=now,
        )
        for form, number in zip(forms, numbers, strict=True)
    ]
    session.add_all(requests)
    _call_heads(session, requests, now)
    return requests


def _call_heads(session: Session, requests: Sequence[Request], now: datetime) -> None:
    """The head of the department is told at once of each request recorded [R44, R47]."""
    raise_alerts(
        session,
        [
            Alert(
                "request_recorded",
                request.site_id,
                request.id,
                role="head",
                department=request.department,
                facts={"number": request.number, "channel": request.channel, "trade": request.trade},
            )
            for request in requests
            if request.state is RequestState.RECORDED
        ],
        now=now,
    )


def _record(
    form: RegistrationForm,
    *,
    site: Site,
    number: str,
    trade: Trade,
    clock: CallbackClock | None,
    retention: RetentionPolicy,
    actor: Actor,
    now: datetime,
) -> Request:
    taken = trade.department is not None
    clock = clock if taken else None
    made = Request(
        id=new_id(),
        number=number,
        site_id=site.id,
        state=RequestState.RECORDED if taken else RequestState.REFUSED,
        channel=form.channel,
        trade=trade.code,
        department=trade.department,
        refusal=None if taken else trade.refusal,
        owner_name=form.owner_name,
        address=form.address,
        phone=form.phone,
        phone_hash=phone_hash(form.phone),
        description=form.description,
        windows=[[start.isoformat(), end.isoformat()] for start, end in form.windows],
        source=form.source,
        source_key=form.source_key,
        asked_at=form.asked_at,
        recorded_by=actor.person_id,
        recorded_at=now,
        month=business_month(now, zone=site.zone, closing=site.closing),
        warn_due_at=clock.warn_at if clock else None,
        callback_due_at=clock.due_at if clock else None,
        callback_missed=False,
        ended_at=None if taken else now,
        erase_due_at=None if taken else erase_due(now, retention),
    )
    give_link(made)
    return made


def request_for(session: Session, actor: Actor, request_id: UUID) -> Request:
    """A request at a site of the person asking, locked until the transaction ends. Raises NotFound."""
    request = session.get(Request, request_id, with_for_update=True)
    if request is None or not actor.sees(request.site_id):
        raise NotFound("request", request_id)
    return request


def request_of_message(session: Session, request_id: UUID) -> Request:
    """A request named by a message, locked. Raises NotYet when it cannot be seen yet."""
    request = session.get(Request, request_id, with_for_update=True)
    if request is None:
        raise NotYet(f"request {request_id} is not known yet")
    return request


def end_request(session: Session, request: Request, *, ending: str, now: datetime) -> None:
    """Nothing more will come of it; from now on the time runs after which its owner is forgotten [D26]."""
    request.ended_at, request.ending = now, ending
    request.erase_due_at = erase_due(now, in_force(session, RetentionPolicy, site_id=request.site_id, at=now))


def log_attempt(session: Session, *, request_id: UUID, note: str, actor: Actor, now: datetime) -> Request:
    """A call that did not reach the owner: kept, but the clock goes on [D3]."""
    request = request_for(session, actor, request_id)
    if request.state is not RequestState.RECORDED:
        raise RuleBroken("nobody_waits", f"request is {request.state}: no callback is open", rule="D3")
    session.add(CallbackAttempt(request_id=request.id, at=now, by=actor.person_id, reached=False, note=note))
    return request


def owner_reached(session: Session, request: Request, *, note: str, actor: Actor, now: datetime) -> None:
    """The owner was reached and told when [R48, D3]: this stops a clock that has not run out."""
    session.add(CallbackAttempt(request_id=request.id, at=now, by=actor.person_id, reached=True, note=note))
    if request.reached_at is None:
        request.reached_at = now
        _stop_clock(request, now)


def _stop_clock(request: Request, now: datetime) -> None:
    """The promise is kept, or given up with the request; one that has passed is left to the sweep to be missed."""
    if request.callback_due_at and request.callback_ended_at is None and kept(request.callback_due_at, now):
        request.callback_ended_at = now


def _end_promised_replies(session: Session, request: Request, now: datetime) -> None:
    """Who agreed on his visit, or wants none, waits for no reply [R23]; one that is overdue stays so."""
    session.execute(
        update(Consultation)
        .where(
            Consultation.request_id == request.id,
            Consultation.reply_ended_at.is_(None),
            Consultation.reply_due_at >= now,
        )
        .values(reply_ended_at=now)
    )


def agree_visit(
    session: Session,
    *,
    request_id: UUID,
    visit_from: datetime,
    visit_to: datetime,
    items: Sequence[Wanted],
    owner_waits: bool = False,
    actor: Actor,
    now: datetime,
) -> Request:
    """Agree time and fee with the owner, on the phone or at the desk [R18, R46, R49]; freezes the price [D10].

    An owner at the desk whom somebody can go with at once may wait for him there [R45].
    """
    request = request_for(session, actor, request_id)
    request.state = REQUEST.move(request.state, RequestStep.AGREE)
    check_window(visit_from, visit_to, now=now)
    check_waiting(request.channel, owner_waits=owner_waits)
    site = site_for(session, actor, request.site_id)
    version = version_in_force(session, local(now, site.zone).date())
    agreed = settlement_list(prices_of(session, version, [one.code for one in items]), items, trade=request.trade)
    request.visit_from, request.visit_to, request.owner_waits = visit_from, visit_to, owner_waits
    request.offered = []
    request.fee_fen, request.price_version = fee_of(agreed), version
    request.items = [item.model_dump() for item in agreed]
    owner_reached(session, request, note="visit agreed", actor=actor, now=now)
    _end_promised_replies(session, request, now)
    return request


def cancel(session: Session, *, request_id: UUID, reason: str, actor: Actor, now: datetime) -> Request:
    """The owner no longer wants it; a notice already out is withdrawn from those who hold it."""
    request = request_for(session, actor, request_id)
    request.state = REQUEST.move(request.state, RequestStep.CANCEL)
    check_not_paid(request.receipt_number)
    end_request(session, request, ending=reason, now=now)
    _stop_clock(request, now)
    _end_promised_replies(session, request, now)
    number = session.scalars(
        update(Notice)
        .where(Notice.request_id == request.id)
        .values(cancelled_at=now, cancel_reason=reason)
        .returning(Notice.number)
    ).one_or_none()
    if number is not None:
        publish(
            session,
            NoticeCancelled(
                request_id=request.id,
                notice_number=number,
                site_id=request.site_id,
                reason=reason,
                cancelled_at=now,
            ),
        )
    return request


def fee_collected(session: Session, message: FeeCollected) -> None:
    """Finance has the fee: it stands on the request, whatever else has been heard of it [R33, R34]."""
    request = request_of_message(session, message.request_id)
    request.receipt_number = message.receipt_number
    request.received_fen = message.amount_fen
    request.received_month = message.month
