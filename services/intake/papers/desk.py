"""The registration form 登记表, the service notice 通知单 and the owner's slip 预约单 [R13-R20, R24-R28]."""

from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from services.intake.queries.owner import owner_link
from services.intake.queries.requests import RequestView, request_by_id
from services.intake.rules.request import Channel, RequestState
from services.intake.rules.scope import TradePolicy
from shared.calendar import local
from shared.errors import RuleBroken
from shared.people import Actor, Site, names_of, site_for
from shared.policy_rows import in_force
from shared.ui.papers.archive import Paper
from shared.ui.papers.words import between, department, fee_lines, in_capitals, money, plain, when

CHANNELS = {Channel.PHONE: "来电", Channel.WALK_IN: "来访", Channel.ONLINE: "网上"}
"""How the owner came, as the form has it."""


def registration_form(session: Session, actor: Actor, request_id: UUID) -> Paper:
    """A request as the form has it; another form once more was agreed. Raises NotFound."""
    request = request_by_id(session, actor, request_id)
    site = site_for(session, actor, request.site_id)
    clerk = names_of(session, request.recorded_by)[request.recorded_by]
    windows = [
        between(datetime.fromisoformat(start), datetime.fromisoformat(end), site.zone) for start, end in request.windows
    ]
    return Paper(
        kind="registration_form",
        thing=str(request.id),
        site=site,
        number=request.number,
        day=local(request.recorded_at, site.zone).date(),
        at=request.recorded_at,
        facts=[_agreed(request), request.channel, request.windows, request.refusal, request.reached_at],
        data=_owner(session, request, site)
        | {
            "recorded_at": when(request.recorded_at, site.zone),
            "channel": CHANNELS[Channel(request.channel)],
            "windows": windows,
            "refusal": plain(request.refusal) if request.refusal else "",
            "reached_at": when(request.reached_at, site.zone),
            "clerk": clerk,
        },
        amount_fen=request.fee_fen,
        cancelled=request.state == RequestState.CANCELLED,
    )


def service_notice(session: Session, actor: Actor, request_id: UUID) -> Paper:
    """The notice of a request as last revised. Raises NotFound, RuleBroken before it was issued."""
    request = request_by_id(session, actor, request_id)
    notice = request.notice
    if notice is None:
        raise RuleBroken("no_notice", "no notice was issued for this request", rule="R24", allowed=["issue_notice"])
    site = site_for(session, actor, request.site_id)
    return Paper(
        kind="service_notice",
        thing=str(request.id),
        site=site,
        number=notice.number,
        day=local(notice.issued_at, site.zone).date(),
        at=notice.revisions[-1].made_at,
        facts=[_agreed(request), notice.revision],
        data=_owner(session, request, site)
        | {
            "issued_at": when(notice.issued_at, site.zone),
            "revision": notice.revision,
            "clerk": names_of(session, notice.issued_by)[notice.issued_by],
        },
        amount_fen=request.fee_fen,
        cancelled=notice.cancelled_at is not None,
    )


def owner_slip(session: Session, actor: Actor, request_id: UUID, *, address: str, now: datetime) -> Paper:
    """What the owner takes home: what was agreed, and the code to his own page, `address` with his secret after it.

    The notice's three copies are for finance, the department and the archive [R25-R28]; none of them bears it. Raises
    NotFound, RuleBroken while there is no link.
    """
    request = request_by_id(session, actor, request_id)
    link = owner_link(session, actor, request_id, now=now)
    if link.code is None:
        raise RuleBroken("no_link", "this request has no link", rule="D26", allowed=["renew_owner_link"])
    site = site_for(session, actor, request.site_id)
    return Paper(
        kind="owner_slip",
        thing=str(request.id),
        site=site,
        number=request.number,
        day=local(request.recorded_at, site.zone).date(),
        at=request.recorded_at,
        facts=[_agreed(request)],
        data=_owner(session, request, site),
        amount_fen=request.fee_fen,
        cancelled=request.state == RequestState.CANCELLED,
        leads_to=f"{address}?c={link.code}",
    )


def _agreed(request: RequestView) -> list[object]:
    """What owner and desk agreed, which every paper of the request states."""
    return [
        *(request.owner_name, request.address, request.phone, request.description, request.trade),
        *(request.visit_from, request.visit_to, request.fee_fen, request.items),
    ]


def _owner(session: Session, request: RequestView, site: Site) -> dict[str, object]:
    catalogue = in_force(session, TradePolicy, site_id=site.id, at=request.recorded_at)
    trades = {trade.code: plain(trade.name) for trade in catalogue.trades}
    return {
        "owner": request.owner_name,
        "phone": request.phone,
        "address": request.address,
        "description": request.description,
        "trade": trades.get(request.trade, request.trade),
        "department": department(request.department),
        "visit": between(request.visit_from, request.visit_to, site.zone),
        "items": fee_lines(request.items),
        "total": money(request.fee_fen),
        "capitals": in_capitals(request.fee_fen),
    }
