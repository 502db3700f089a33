"""Policies as rows: from when each holds, for the company or for one site, who changed it and why.

A rule gets the policy that held at the moment of the fact, so a change never reaches into the past. The statement that
asks also notes which row it was: what is changed after it in the same transaction has it in the audit log.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar
from uuid import UUID

from sqlalchemy import Index, bindparam, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, Session, declared_attr, mapped_column

from shared.errors import RuleBroken
from shared.ids import new_id
from shared.people import Actor, site_for
from shared.policy import Policy

PolicyT = TypeVar("PolicyT", bound=Policy)


class PolicyRow:
    """A change of a policy; rows are only ever added. Without a site it holds for all that have none of their own."""

    __tablename__ = "policies"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    name: Mapped[str]
    site_id: Mapped[UUID | None]
    effective_from: Mapped[datetime]
    settings: Mapped[dict]  # type: ignore[type-arg]
    changed_by: Mapped[UUID]
    changed_at: Mapped[datetime]
    reason: Mapped[str]

    @declared_attr.directive
    @classmethod
    def __table_args__(cls) -> tuple[Index | dict[str, str], ...]:
        return (
            Index(
                "ix_policies_name",
                "name",
                "site_id",
                "effective_from",
                unique=True,
                postgresql_nulls_not_distinct=True,
            ),
            {"comment": "append-only"},
        )


_IN_FORCE = text("""
    SELECT id, settings, installation.note_policy(id, :name, version) FROM (
        SELECT DISTINCT ON (s.id) s.id, p.settings, p.id AS version
        FROM unnest(CAST(:site_ids AS uuid[])) AS s (id)
        LEFT JOIN policies p
          ON p.name = :name AND p.effective_from <= :at AND (p.site_id = s.id OR p.site_id IS NULL)
        ORDER BY s.id, p.site_id NULLS LAST, p.effective_from DESC
    ) in_force
""")

TOGETHER = """
    SELECT name, settings, installation.note_policy(CAST(:site_id AS uuid), name, version) FROM (
        SELECT DISTINCT ON (n.name) n.name, p.settings, p.id AS version
        FROM unnest(CAST(:names AS text[])) AS n (name)
        LEFT JOIN policies p
          ON p.name = n.name AND p.effective_from <= :at AND (p.site_id = :site_id OR p.site_id IS NULL)
        ORDER BY n.name, p.site_id NULLS LAST, p.effective_from DESC
    ) in_force
"""
"""SQL: the settings of the policies called `:names`, of `:site_id`, as they held `:at` a moment."""

_HISTORY = text("""
    SELECT id, name, site_id, effective_from, settings, changed_by, changed_at, reason FROM policies
    WHERE site_id IS NULL OR CAST(:sites AS uuid[]) IS NULL OR site_id = ANY(:sites)
    ORDER BY name, site_id NULLS FIRST, effective_from
""")

_ADD = text("""
    INSERT INTO policies (id, name, site_id, effective_from, settings, changed_by, changed_at, reason)
    VALUES (:id, :name, :site_id, :effective_from, :settings, :changed_by, :changed_at, :reason)
""").bindparams(bindparam("settings", type_=JSONB))


def in_force_at(
    session: Session, policy: type[PolicyT], *, site_ids: Sequence[UUID], at: datetime
) -> dict[UUID, PolicyT]:
    """The policy of each site at the moment of a fact: the site's own, else the company's, else the default."""
    rows = session.execute(_IN_FORCE, {"name": policy.__name__, "site_ids": list(site_ids), "at": at})
    return {row.id: policy.model_validate(row.settings or {}) for row in rows}


def in_force(session: Session, policy: type[PolicyT], *, site_id: UUID, at: datetime) -> PolicyT:
    """The policy of one site at the moment of a fact."""
    return in_force_at(session, policy, site_ids=[site_id], at=at)[site_id]


class Policies:
    """Several policies of one site as they held at one moment, read in one round trip."""

    def __init__(self, settings: dict[str, dict[str, Any] | None]) -> None:
        self._settings = settings

    def __getitem__(self, policy: type[PolicyT]) -> PolicyT:
        """One of those that were asked for; raises KeyError for any other."""
        return policy.model_validate(self._settings[policy.__name__] or {})


def in_force_together(session: Session, *policies: type[Policy], site_id: UUID, at: datetime) -> Policies:
    """These policies of one site at the moment of a fact."""
    names = [policy.__name__ for policy in policies]
    rows = session.execute(text(TOGETHER), {"names": names, "site_id": site_id, "at": at})
    return Policies({row.name: row.settings for row in rows})


def change(
    session: Session,
    policy: Policy,
    *,
    site_id: UUID | None,
    effective_from: datetime,
    reason: str,
    actor: Actor,
    now: datetime,
) -> None:
    """Set a policy from a moment on. Raises RuleBroken for the past, NotFound for a site of others."""
    if effective_from < now:
        raise RuleBroken("policy_is_past", "a policy changes from now on, never the past", rule=policy.decision)
    if site_id is not None:
        site_for(session, actor, site_id)
    session.execute(
        _ADD,
        {
            "id": new_id(),
            "name": type(policy).__name__,
            "site_id": site_id,
            "effective_from": effective_from,
            "settings": policy.model_dump(mode="json"),
            "changed_by": actor.person_id,
            "changed_at": now,
            "reason": reason,
        },
    )


@dataclass(frozen=True)
class PolicyView:
    """A policy of this service: its decision, its defaults, and every change so far."""

    name: str
    decision: str
    default: dict[str, Any]
    changes: list[dict[str, Any]]


def views(session: Session, actor: Actor, policies: tuple[type[Policy], ...]) -> list[PolicyView]:
    """Every policy of the service with its changes, at the sites of the person asking."""
    sites = None if actor.site_ids is None else list(actor.site_ids)
    changes: dict[str, list[dict[str, Any]]] = {}
    for row in session.execute(_HISTORY, {"sites": sites}).mappings():
        changes.setdefault(row["name"], []).append({key: row[key] for key in row if key != "name"})
    return [
        PolicyView(p.__name__, p.decision, p().model_dump(mode="json"), changes.get(p.__name__, [])) for p in policies
    ]
