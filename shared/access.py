"""Who sees what: every query of a person is limited to his sites, here and nowhere else."""

from uuid import UUID

from sqlalchemy import ColumnElement, true
from sqlalchemy.orm import InstrumentedAttribute

from shared.messages import Role
from shared.people import Actor

Permissions = dict[str, frozenset[Role]]
"""Action -> roles that may take it; what is not listed is nobody's."""

WATCHERS: frozenset[Role] = frozenset({"operator", "auditor", "administrator"})
"""Who may look at queues, messages and deadlines."""

OPERATORS: frozenset[Role] = frozenset({"operator"})
"""Who may retry or discard a parked message."""


AUDITORS: frozenset[Role] = frozenset({"auditor"})
"""Who may read the audit log."""


def roles(*names: Role) -> frozenset[Role]:
    """A row of the table of permissions; the auditor is added to reads by `reads`."""
    return frozenset(names)


def reads(*names: Role) -> frozenset[Role]:
    """A row of the table for something that changes nothing: the auditor and administrator may always."""
    return frozenset({*names, "auditor", "administrator"})


def at_sites_of(actor: Actor, site_id: InstrumentedAttribute[UUID]) -> ColumnElement[bool]:
    """The condition that keeps a query to the person's sites."""
    return true() if actor.site_ids is None else site_id.in_(actor.site_ids)
