"""Telling what is held of an owner [D26]."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from pydantic_core import to_jsonable_python
from sqlalchemy import select
from sqlalchemy.orm import Session

from services.hr.models import MissedCallback, Override
from shared.access import at_sites_of
from shared.people import Actor


def held_of(session: Session, actor: Actor, request_ids: Sequence[UUID]) -> list[dict[str, Any]]:
    """What happened to these requests: a call not made in time, workers sent before their duties were done, and why.

    Who of the company it was is not the owner's: nor are the cases that came of it.
    """
    late = select(MissedCallback.request_id, MissedCallback.request_number, MissedCallback.due_at).where(
        MissedCallback.request_id.in_(request_ids), at_sites_of(actor, MissedCallback.site_id)
    )
    sent = select(Override.request_id, Override.reason, Override.overridden_at).where(
        Override.request_id.in_(request_ids), at_sites_of(actor, Override.site_id)
    )
    return [
        {"kind": kind} | to_jsonable_python(dict(row))
        for kind, query in (
            ("missed_callback", late.order_by(MissedCallback.request_id)),
            ("duty_overridden", sent.order_by(Override.id)),
        )
        for row in session.execute(query).mappings()
    ]
