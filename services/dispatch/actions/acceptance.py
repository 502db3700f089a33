"""Owner or occupant checks the work and signs [R31, R32, D23]."""

from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from services.dispatch.actions.work_order import work_order_for
from services.dispatch.models import Signature, WorkOrder
from services.dispatch.queries.acceptances import settlement_list
from services.dispatch.rules.acceptance import Relation, SignedPaper, check_shown, check_witness
from services.dispatch.rules.work_order import WORK_ORDER, WorkState, WorkStep
from shared.bus.outbox import publish
from shared.calendar import business_month
from shared.messages import WorkAccepted, WorkerShare
from shared.people import Actor, known_site


def accept(
    session: Session,
    *,
    work_order_id: UUID,
    shown_hash: str,
    signer_name: str,
    relation: Relation,
    signature: str,
    witness_name: str | None,
    reason: str | None,
    actor: Actor,
    now: datetime,
) -> Signature:
    """Keep the signature with the hash of what was signed; finance and the desk act on it [R32, R33, R37].

    `shown_hash` is that of the settlement list the owner saw; another revision has to be shown again [D23].
    """
    order = work_order_for(session, actor, work_order_id)
    return _sign(
        session,
        order,
        shown_hash=shown_hash,
        signer_name=signer_name,
        relation=relation,
        signature=signature,
        witness_name=witness_name,
        reason=reason,
        presented_by=actor.person_id,
        now=now,
    )


def sign_by_link(
    session: Session,
    order: WorkOrder,
    *,
    shown_hash: str,
    signer_name: str,
    relation: Relation,
    signature: str,
    now: datetime,
) -> None:
    """The owner or occupant signs on his own phone, by the owner's link, once the work is finished [R31, R32].

    A form that is sent again finds the order signed and changes nothing; a list that changed meanwhile is refused, as
    on the worker's phone [D23].
    """
    if order.state is WorkState.ACCEPTED:
        return
    _sign(
        session,
        order,
        shown_hash=shown_hash,
        signer_name=signer_name,
        relation=relation,
        signature=signature,
        presented_by=None,
        now=now,
    )


def _sign(
    session: Session,
    order: WorkOrder,
    *,
    shown_hash: str,
    signer_name: str,
    relation: Relation,
    signature: str,
    witness_name: str | None = None,
    reason: str | None = None,
    presented_by: UUID | None,
    now: datetime,
) -> Signature:
    site = known_site(session, order.site_id)
    order.state = WORK_ORDER.move(order.state, WorkStep.ACCEPT)
    check_witness(relation, signer_name=signer_name, witness_name=witness_name, reason=reason)
    shown = settlement_list(order)
    check_shown(shown, shown_hash)
    paper = SignedPaper(
        shown=shown,
        signer_name=signer_name,
        relation=relation,
        witness_name=witness_name,
        signature=signature,
    )
    signed = Signature(
        work_order_id=order.id,
        signer_name=signer_name,
        relation=relation,
        witness_name=witness_name,
        reason=reason,
        signature=signature,
        signed_hash=paper.sha256(),
        presented_by=presented_by,
        signed_at=now,
    )
    session.add(signed)
    order.accepted_at = now
    order.accepted_month = business_month(now, zone=site.zone, closing=site.closing)
    publish(
        session,
        WorkAccepted.model_validate(
            {
                "request_id": order.request_id,
                "round": order.round,
                "site_id": order.site_id,
                "department": order.department,
                "workers": [
                    WorkerShare(person_id=worker.person_id, name=worker.name, weight=worker.weight)
                    for worker in order.workers
                ],
                "fee_fen": order.fee_fen,
                "signer_name": signer_name,
                "relation": relation,
                "signed_hash": signed.signed_hash,
                "revision": order.revision,
                "arrived_at": order.arrived_at,
                "arrived_late": order.arrived_late,
                "accepted_at": now,
            }
        ),
    )
    return signed
