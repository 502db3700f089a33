"""Hand-overs of cash [R36, R84-R86]."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter
from pydantic import Field

from services.finance.actions import hand_over
from services.finance.api.may import may
from services.finance.queries.hand_overs import HandOverView, hand_over_as_left, hand_overs
from services.finance.rules.hand_over import HandOverState
from shared.money import PositiveFen
from shared.paging import Page
from shared.web import After, Body, Edge, Limit, Words

routes = APIRouter(tags=["hand overs"])


class OfferHandOver(Body):
    """Cash offered to the next in the chain [R36]."""

    site_id: UUID
    to_person_id: UUID
    receipt_ids: list[UUID] | None = Field(
        default=None, min_length=1, max_length=1000, description="omit for all the cash in hand at the site"
    )


Pieces = Annotated[int, Field(ge=1, le=100_000, strict=True)]


Notes = Annotated[
    dict[int, Pieces] | None,
    Field(min_length=1, description="fen of a note or coin -> pieces, like {'10000': 3}; instead of counted_fen"),
]


class CountHandOver(Body):
    """What the receiver counted: the sum, or note by note; one of both [R85]."""

    counted_fen: PositiveFen | None = None
    notes: Notes = None


class ReceiveOnBehalf(CountHandOver):
    """The cash of somebody who can't hand it over himself any more, counted by finance [R84, R86]."""

    site_id: UUID
    from_person_id: UUID
    reason: Words


@routes.post("/hand-overs", status_code=201, summary="Offer cash to the next in the chain [R36, R84, R85]")
def offer_hand_over(body: OfferHandOver, edge: Annotated[Edge, may("offer_hand_over")]) -> HandOverView:
    def act() -> HandOverView:
        offered = hand_over.offer(
            edge.session,
            site_id=body.site_id,
            to_person_id=body.to_person_id,
            receipt_ids=body.receipt_ids,
            actor=edge.actor,
            now=edge.now,
        )
        return hand_over_as_left(edge.session, offered, edge.actor)

    return edge.once(body, act)


@routes.get("/hand-overs", summary="Hand-overs in order of offering; a worker's own [R36]")
def list_hand_overs(
    edge: Annotated[Edge, may("read_hand_overs")],
    state: HandOverState | None = None,
    after: After = None,
    limit: Limit = 100,
) -> Page[HandOverView]:
    return hand_overs(edge.session, edge.actor, state=state, after=after, limit=limit)


@routes.post(
    "/hand-overs/{hand_over_id}/count", summary="The receiver counts, then is told what was offered [R85, R86]"
)
def count_hand_over(
    hand_over_id: UUID, body: CountHandOver, edge: Annotated[Edge, may("count_hand_over")]
) -> HandOverView:
    def act() -> HandOverView:
        counted = hand_over.count(
            edge.session,
            hand_over_id=hand_over_id,
            counted_fen=body.counted_fen,
            notes=body.notes,
            actor=edge.actor,
            now=edge.now,
        )
        return hand_over_as_left(edge.session, counted, edge.actor)

    return edge.once(body, act)


@routes.post("/hand-overs/{hand_over_id}/withdraw", summary="The giver takes his offer back [R36]")
def withdraw_hand_over(hand_over_id: UUID, edge: Annotated[Edge, may("withdraw_hand_over")]) -> HandOverView:
    withdrawn = hand_over.withdraw(edge.session, hand_over_id=hand_over_id, actor=edge.actor, now=edge.now)
    return hand_over_as_left(edge.session, withdrawn, edge.actor)


@routes.post(
    "/hand-overs/on-behalf", status_code=201, summary="Finance takes the cash of somebody who is gone [R84, R86]"
)
def receive_on_behalf(body: ReceiveOnBehalf, edge: Annotated[Edge, may("receive_on_behalf")]) -> HandOverView:
    def act() -> HandOverView:
        received = hand_over.receive_on_behalf(
            edge.session,
            site_id=body.site_id,
            from_person_id=body.from_person_id,
            reason=body.reason,
            counted_fen=body.counted_fen,
            notes=body.notes,
            actor=edge.actor,
            now=edge.now,
        )
        return hand_over_as_left(edge.session, received, edge.actor)

    return edge.once(body, act)
