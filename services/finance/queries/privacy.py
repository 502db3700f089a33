"""Telling what is held of an owner [D26]."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from pydantic_core import to_jsonable_python
from sqlalchemy import text
from sqlalchemy.orm import Session

from shared.people import Actor

# what is his: not who of the company did it, nor how the fee was divided
_HELD = text("""
    SELECT c.request_id, c.notice_number, c.site_id, c.state, c.fee_fen, c.items, c.issued_at, c.accepted_at,
        (SELECT coalesce(jsonb_agg(jsonb_build_object(
            'number', r.number, 'state', r.state, 'amount_fen', r.amount_fen, 'method', r.method,
            'reference', r.reference, 'collected_at', r.collected_at, 'refunded_fen', r.refunded_fen,
            'void_reason', r.void_reason, 'invoices', (
                SELECT coalesce(jsonb_agg(jsonb_build_object('number', i.number, 'state', i.state) ORDER BY i.id), '[]')
                FROM invoices i WHERE i.receipt_id = r.id)) ORDER BY r.number), '[]')
         FROM receipts r WHERE r.request_id = c.request_id) AS receipts,
        (SELECT coalesce(jsonb_agg(jsonb_build_object(
            'amount_fen', f.amount_fen, 'method', f.method, 'state', f.state, 'reason', f.reason,
            'proposed_at', f.proposed_at, 'decision', f.decision, 'decided_at', f.decided_at) ORDER BY f.id), '[]')
         FROM refunds f WHERE f.request_id = c.request_id) AS refunds,
        (SELECT coalesce(jsonb_agg(jsonb_build_object(
            'description', d.description, 'estimate_fen', d.estimate_fen, 'reported_at', d.reported_at, 'made_good', (
                SELECT coalesce(jsonb_agg(jsonb_build_object('amount_fen', p.amount_fen, 'state', p.state,
                    'reason', p.reason) ORDER BY p.id), '[]')
                FROM proposals p WHERE p.damage_id = d.damage_id)) ORDER BY d.damage_id), '[]')
         FROM damages d WHERE d.request_id = c.request_id) AS damages
    FROM charges c
    WHERE c.request_id = ANY(:request_ids) AND (CAST(:sites AS uuid[]) IS NULL OR c.site_id = ANY(:sites))
    ORDER BY c.request_id
""")


def held_of(session: Session, actor: Actor, request_ids: Sequence[UUID]) -> list[dict[str, Any]]:
    """All that is held of these requests: what was charged, paid, given back, and damaged (fen)."""
    session.flush()
    sites = None if actor.site_ids is None else list(actor.site_ids)
    rows = session.execute(_HELD, {"request_ids": list(request_ids), "sites": sites}).mappings()
    return [to_jsonable_python(dict(row)) for row in rows]
