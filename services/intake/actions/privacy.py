"""What is done with an owner's personal data: shown in full, taken out, erased; each time written down [D26]."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import func, select, text, update
from sqlalchemy.orm import Session

from services.intake.actions.request import request_for
from services.intake.models import ERASE, CallbackAttempt, Notice, Request, Revisit, Visit
from services.intake.rules.privacy import check_erase, check_reveal
from shared.access import at_sites_of
from shared.bus.outbox import publish
from shared.messages import OwnerErased
from shared.people import Actor
from shared.privacy import ERASED
from shared.privacy_rows import PrivacyAct, check_all_found, note_acts

BY_POLICY = "kept as long as the retention policy says"

# what was sent and answered is remembered too; the policy's own sweep finds none, as that is forgotten sooner
_ERASE_SENT = text("""
    UPDATE outbox SET body = body || CAST(:words AS jsonb) || CASE WHEN body ? 'problem'
        THEN jsonb_build_object('problem', CAST(:erased AS text)) ELSE '{}' END
    WHERE body->>'request_id' = ANY(CAST(:ids AS text[])) AND body ? 'phone'
""")
_ERASE_ANSWERED = text("""
    UPDATE idempotency_keys SET answer = answer || CAST(:words AS jsonb)
    WHERE answer->>'id' = ANY(CAST(:ids AS text[])) AND answer ? 'phone'
""")
_WORDS = text("""SELECT jsonb_object_agg(name, CAST(:erased AS text))::text
    FROM unnest(ARRAY['owner_name', 'address', 'phone', 'description']) AS name""")


def reveal(session: Session, *, request_id: UUID, reason: str, actor: Actor, now: datetime) -> Request:
    """Show the owner's number in full to whoever says why he needs it, while the request is open."""
    request = request_for(session, actor, request_id)
    check_reveal(request.state)
    note_acts(session, PrivacyAct.REVEAL, [(request.id, request.site_id)], by=actor.person_id, reason=reason, now=now)
    return request


def export(
    session: Session, *, request_ids: Sequence[UUID], reason: str, actor: Actor, now: datetime
) -> Sequence[Request]:
    """The requests whose owner asks what is held of him. Raises NotFound when one is none of the person's sites."""
    found = session.scalars(
        select(Request).where(Request.id.in_(request_ids), at_sites_of(actor, Request.site_id)).order_by(Request.id)
    ).all()
    check_all_found(request_ids, [request.id for request in found])
    taken = [(request.id, request.site_id) for request in found]
    note_acts(session, PrivacyAct.EXPORT, taken, by=actor.person_id, reason=reason, now=now)
    return found


def erase(session: Session, *, request_ids: Sequence[UUID], reason: str, actor: Actor, now: datetime) -> list[UUID]:
    """Erase the owner of these requests here and in every copy; numbers, money and moments stay as they were.

    Erasing again changes nothing. Raises RuleBroken while one of them is open, NotFound when one is unknown.
    """
    found = session.scalars(
        select(Request)
        .where(Request.id.in_(request_ids), at_sites_of(actor, Request.site_id))
        .order_by(Request.id)
        .with_for_update()
    ).all()
    check_all_found(request_ids, [request.id for request in found])
    check_erase([request.number for request in found if request.ended_at is None])
    erased = _erase(
        session, [one.id for one in found if one.erased_at is None], reason=reason, by=actor.person_id, now=now
    )
    words = session.execute(_WORDS, {"erased": ERASED}).scalar_one()
    ids = [str(one) for one in erased]
    session.execute(_ERASE_SENT, {"words": words, "erased": ERASED, "ids": ids})
    session.execute(_ERASE_ANSWERED, {"words": words, "ids": ids})
    return erased


def erase_due(session: Session, *, now: datetime) -> int:
    """Owners of requests that ended longer ago than the retention policy keeps them."""
    due = session.scalars(ERASE.rows(Request.id, now=now)).all()
    return len(_erase(session, due, reason=BY_POLICY, by=None, now=now))


def _erase(session: Session, request_ids: Sequence[UUID], *, reason: str, by: UUID | None, now: datetime) -> list[UUID]:
    """Take every personal word of these requests away, in sets, and tell whoever has a copy."""
    session.flush()
    erased = session.execute(
        update(Request)
        .where(Request.id.in_(request_ids))
        .values(
            owner_name=ERASED,
            address=ERASED,
            description=ERASED,
            phone_sealed=None,
            phone_hash=None,
            link_sealed=None,
            link_hash=None,
            erased_at=now,
        )
        .returning(Request.id, Request.site_id)
    ).all()
    session.execute(
        update(Visit)
        .where(Visit.request_id.in_(request_ids), Visit.signer_name.is_not(None))
        .values(signer_name=ERASED)
    )
    session.execute(update(CallbackAttempt).where(CallbackAttempt.request_id.in_(request_ids)).values(note=ERASED))
    session.execute(
        update(Revisit).where(Revisit.request_id.in_(request_ids), Revisit.note.is_not(None)).values(note=ERASED)
    )
    session.execute(select(func.erase_append_only(request_ids, ERASED)))
    sites = {row.id: row.site_id for row in erased}
    note_acts(session, PrivacyAct.ERASE, list(sites.items()), by=by, reason=reason, now=now)
    noticed = session.scalars(select(Notice.request_id).where(Notice.request_id.in_(request_ids)))
    publish(
        session,
        *(
            OwnerErased(request_id=id_, site_id=sites[id_], by=by, reason=reason, erased_at=now)
            for id_ in sorted(noticed)
        ),
    )
    return sorted(sites)
