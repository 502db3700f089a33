"""Certificates 证书: electrical work needs a valid low-voltage electrician's certificate 低压电工证 [R66]."""

from collections.abc import Iterable
from datetime import date, datetime, time, timedelta
from uuid import UUID, uuid5

from shared.calendar import moment
from shared.errors import RuleBroken
from shared.messages import Certificate
from shared.policy import Days, Policy

NEEDED = {"electricity": "low_voltage_electrician"}
"""Trade -> the kind of certificate everybody sent to it must hold."""


class CertificatePolicy(Policy):
    """How many days before a certificate ends its holder and his head are told."""

    decision = "R66"

    warn_days: Days = 30


def valid_until(trade: str, certificates: Iterable[Certificate]) -> date | None:
    """The last day on which a person is certified for a trade that needs it; None: he has no such certificate."""
    return max((one.valid_until for one in certificates if one.kind == NEEDED.get(trade)), default=None)


def is_certified(trade: str, certificates: Iterable[Certificate], *, day: date) -> bool:
    """Whether a person may do the trade's work on a day, as far as certificates go; the last day counts [R66]."""
    until = valid_until(trade, certificates)
    return trade not in NEEDED or (until is not None and day <= until)


def check_certified(team: Iterable[tuple[str, Iterable[Certificate]]], trade: str, *, day: date) -> None:
    """Raises RuleBroken, naming everybody of the team who may not do the trade's work on that day [R66]."""
    lacking = [name for name, certificates in team if not is_certified(trade, certificates, day=day)]
    if lacking:
        raise RuleBroken("no_certificate", f"no valid {NEEDED[trade]} on {day}: {', '.join(lacking)}", rule="R66")


def warn_at(until: date, policy: CertificatePolicy, *, zone: str) -> datetime:
    """When holder and head are told that a certificate ends: midnight at the site, so many days before."""
    return moment(until - timedelta(days=policy.warn_days), time(0), zone)


def ending_at(certificate_id: UUID, site_id: UUID) -> UUID:
    """What a head's alert is about: a certificate that ends, at each site of its holder."""
    return uuid5(certificate_id, str(site_id))
