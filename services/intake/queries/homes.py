"""Homes as earlier requests know them [R13-R15]."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from shared.people import Actor
from shared.phone import phone_digits
from shared.sealing import searchable, searched_by


@dataclass(frozen=True)
class HomeRequest:
    """A request of a home, in short."""

    id: UUID
    number: str
    state: str
    open: bool
    trade: str
    description: str
    recorded_at: datetime


@dataclass(frozen=True)
class HomeView:
    """A home as earlier requests know it: the owners' names, its last ten requests and all open ones."""

    site_id: UUID
    address: str
    owner_names: list[str]
    requests: list[HomeRequest]


# a room is the beginning of an address, without spaces, in small letters
_HOMES = text(r"""
    WITH asked AS (
        SELECT CAST(:phone_hashes AS text[]) AS phone_hashes,
               NULLIF(lower(regexp_replace(:room, '\s', '', 'g')), '') AS room
    ), home AS (
        SELECT site_id, address_key FROM requests, asked
        WHERE (CAST(:sites AS uuid[]) IS NULL OR site_id = ANY(:sites))
          AND (requests.phone_hash = ANY(asked.phone_hashes)
               OR address_key LIKE regexp_replace(asked.room, '([\\%_])', '\\\1', 'g') || '%')
        GROUP BY site_id, address_key ORDER BY max(recorded_at) DESC LIMIT 20
    )
    SELECT * FROM (
        SELECT r.site_id, r.address_key, r.address, r.owner_name, r.id, r.number, r.state, r.ended_at IS NULL AS open,
               r.trade, r.description, r.recorded_at,
               row_number() OVER (PARTITION BY r.site_id, r.address_key ORDER BY r.id DESC) AS newest
        FROM requests r JOIN home USING (site_id, address_key)
    ) AS all_of_them
    WHERE newest <= 10 OR open ORDER BY site_id, address_key, newest
""")


def phone_hash(phone: str) -> str | None:
    """By which requests of the same number are found, though it is sealed; None for what has no digits [R15, D26]."""
    digits = phone_digits(phone)
    return searchable(digits) if digits else None


def phone_hashes(phone: str | None) -> list[str]:
    """What requests of the same number may have, until after a rotation all are hashed anew; empty without digits."""
    digits = phone_digits(phone or "")
    return searched_by(digits) if digits else []


def homes(session: Session, actor: Actor, *, phone: str, room: str) -> list[HomeView]:
    """Homes known by the phone number, else by the room: the beginning of an address."""
    sites = None if actor.site_ids is None else list(actor.site_ids)
    for asked in ({"phone_hashes": phone_hashes(phone), "room": ""}, {"phone_hashes": [], "room": room}):
        found: dict[tuple[UUID, str], HomeView] = {}
        for row in session.execute(_HOMES, {"sites": sites, **asked}):
            home = found.setdefault((row.site_id, row.address_key), HomeView(row.site_id, row.address, [], []))
            if row.owner_name not in home.owner_names:
                home.owner_names.append(row.owner_name)
            home.requests.append(
                HomeRequest(row.id, row.number, row.state, row.open, row.trade, row.description, row.recorded_at)
            )
        if found:
            return list(found.values())
    return []
