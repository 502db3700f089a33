"""The month's statistics: count, ask the departments, compare, sign, report [R40-R43, D18]."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import delete, select, text
from sqlalchemy.orm import Session

from services.intake.models import MONTH_END, Month, MonthSignature
from services.intake.queries.reports import month_report
from services.intake.queries.statistics import month_lines
from services.intake.rules.access import MAY
from services.intake.rules.report import site_totals
from services.intake.rules.statistics import (
    SIGNERS,
    Line,
    StatisticsPolicy,
    check_agreed,
)
from shared.access import check_four_eyes
from shared.bus.outbox import publish
from shared.calendar import business_month, last_day, moment, month_closes_at, next_month
from shared.errors import NotFound, NotYourRole, RuleBroken
from shared.messages import (
    DepartmentFiguresGiven,
    FinanceFiguresGiven,
    MonthFiguresAsked,
    MonthReported,
    StatisticsAgreed,
)
from shared.people import Actor, Site, known_site, site_for
from shared.policy_rows import in_force


def open_month(session: Session, site: Site, month: str) -> None:
    """Begin a month of statistics for a site, with the moment its figures are asked for; one not over yet is moved."""
    policy = in_force(session, StatisticsPolicy, site_id=site.id, at=moment(last_day(month), site.closing, site.zone))
    pause = timedelta(minutes=policy.minutes_after_closing)
    session.execute(
        text("""
            INSERT INTO months (site_id, month, closes_at) VALUES (:site_id, :month, :closes_at)
            ON CONFLICT (site_id, month) DO UPDATE SET closes_at = excluded.closes_at WHERE months.asked_at IS NULL
        """),
        {
            "site_id": site.id,
            "month": month,
            "closes_at": month_closes_at(month, zone=site.zone, closing=site.closing, pause=pause),
        },
    )


def site_changed(session: Session, site_id: UUID, *, now: datetime) -> None:
    """A site's first month is the one in which hr told us of it; a month under way ends by the site's new hours."""
    site = known_site(session, site_id)
    under_way = session.scalars(select(Month.month).where(Month.site_id == site_id, Month.asked_at.is_(None)))
    for month in {*under_way, business_month(now, zone=site.zone, closing=site.closing)}:
        open_month(session, site, month)


def end_months(session: Session, *, now: datetime) -> int:
    """Months that are over: ask every department for its count, and begin the next month."""
    due = session.scalars(MONTH_END.rows(Month, now=now)).all()
    for month in due:
        open_month(session, known_site(session, month.site_id), next_month(month.month))
        _ask(session, month, now)
    return len(due)


def _ask(session: Session, month: Month, now: datetime) -> None:
    month.asked_at = now
    publish(session, MonthFiguresAsked(site_id=month.site_id, month=month.month, asked_at=now))


def ask_figures(session: Session, *, site_id: UUID, month: str, actor: Actor, now: datetime) -> Month:
    """Ask once more, after a difference was settled; signatures given to the figures before are void [R41]."""
    found = month_under_comparison(session, actor, site_id, month)
    void_signatures(session, found)
    _ask(session, found, now)
    return found


def month_under_comparison(session: Session, actor: Actor, site_id: UUID, month: str) -> Month:
    """A month that is over and not agreed yet, locked. Raises NotFound, or RuleBroken for any other."""
    site_for(session, actor, site_id)
    found = session.get(Month, (site_id, month), with_for_update=True)
    if found is None:
        raise NotFound("month", month)
    if found.asked_at is None or found.agreed_at is not None:
        state = "not over" if found.asked_at is None else "agreed already"
        raise RuleBroken("not_under_comparison", f"{month} is {state}", rule="R41")
    return found


def void_signatures(session: Session, found: Month) -> None:
    """What was signed is not what stands there now."""
    session.execute(
        delete(MonthSignature).where(MonthSignature.site_id == found.site_id, MonthSignature.month == found.month)
    )


_PUT_FIGURE = text("""
    INSERT INTO month_figures (site_id, month, department, item, value, asked_at)
    VALUES (:site_id, :month, :department, :item, :value, :asked_at)
    ON CONFLICT (site_id, month, department, item) DO UPDATE SET value = excluded.value, asked_at = excluded.asked_at
    WHERE month_figures.asked_at <= excluded.asked_at
""")


def figures_given(session: Session, message: DepartmentFiguresGiven | FinanceFiguresGiven) -> None:
    """A department's own count; an answer to an earlier asking never replaces a later one."""
    items = (
        {"accepted": message.accepted, "terminated": message.terminated}
        if isinstance(message, DepartmentFiguresGiven)
        else {"receipts": message.receipts, "received_fen": message.received_fen}
    )
    session.execute(
        _PUT_FIGURE,
        [
            {
                "site_id": message.site_id,
                "month": message.month,
                "department": message.department,
                "item": item,
                "value": value,
                "asked_at": message.asked_at,
            }
            for item, value in items.items()
        ],
    )


def sign(session: Session, *, site_id: UUID, month: str, actor: Actor, now: datetime) -> Month:
    """The actor's department agrees with every line; with the fourth signature the month is reported [R41, R42]."""
    found = month_under_comparison(session, actor, site_id, month)
    check_signer(actor)
    lines = month_lines(session, site_id, month)
    check_agreed(lines)
    signatures = select(MonthSignature.department, MonthSignature.signed_by).where(
        MonthSignature.site_id == site_id, MonthSignature.month == month
    )
    signers = dict(session.execute(signatures).all())
    if actor.department in signers:
        raise RuleBroken("signed_already", f"{actor.department} has signed {month}", rule="R41")
    check_four_eyes(MAY["sign_statistics"], actor, signer=frozenset(signers.values()))
    session.add(
        MonthSignature(
            site_id=site_id, month=month, department=actor.department, signed_by=actor.person_id, signed_at=now
        )
    )
    if signers.keys() | {actor.department} == set(SIGNERS):
        found.agreed_at = now
        _report(session, found, lines, now)
    return found


def check_signer(actor: Actor) -> None:
    """Raises NotYourRole unless the person's department is one of the four."""
    if actor.department not in SIGNERS:
        raise NotYourRole("not_a_signer", f"{actor.department} does not sign statistics", rule="R41", allowed=SIGNERS)


def _report(session: Session, found: Month, lines: Sequence[Line], now: datetime) -> None:
    """The agreed statistics go to the administration department, and finance may close the accounts [R42, D18]."""
    figures = month_report(session, known_site(session, found.site_id), found.month, lines)
    found.report, found.report_lines = site_totals(figures), [line.model_dump(mode="json") for line in figures]
    publish(
        session,
        StatisticsAgreed(site_id=found.site_id, month=found.month, agreed_at=now),
        MonthReported(site_id=found.site_id, month=found.month, report=found.report, lines=figures, reported_at=now),
    )
