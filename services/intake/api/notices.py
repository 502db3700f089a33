"""The service notice 有偿服务通知单, its revisions and its copies [R24-R28]."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter
from pydantic import Field

from services.intake.actions import copy, notice, revision
from services.intake.api.may import may
from services.intake.api.requests import Items, Phone
from services.intake.queries.requests import RequestView, request_by_id
from services.intake.rules.notice import Copy
from shared.web import Body, Edge, Moment, Short, Words

routes = APIRouter(tags=["notices"])


class ReviseNotice(Body):
    """What changes on a notice already issued, and why; what is left out stays as it is [R24-R28]."""

    visit_from: Moment | None = None
    visit_to: Moment | None = None
    items: Items | None = None
    owner_name: Short | None = None
    address: Short | None = None
    phone: Phone | None = None
    description: Words | None = None
    reason: Words

    def changes(self) -> revision.Revision:
        """What the action takes."""
        return revision.Revision(
            visit_from=self.visit_from,
            visit_to=self.visit_to,
            items=None if self.items is None else [item.wanted() for item in self.items],
            owner_name=self.owner_name,
            address=self.address,
            phone=self.phone,
            description=self.description,
        )


class ReprintCopy(Body):
    """Which copy is printed once more, and why."""

    copy_: Copy = Field(alias="copy")
    reason: Words


@routes.post("/requests/{request_id}/notice", status_code=201, summary="Issue the service notice in three copies [R24]")
def issue_notice(request_id: UUID, edge: Annotated[Edge, may("issue_notice")]) -> RequestView:
    def act() -> RequestView:
        notice.issue(edge.session, request_id=request_id, actor=edge.actor, now=edge.now)
        return request_by_id(edge.session, edge.actor, request_id)

    return edge.once(None, act)


@routes.post("/requests/{request_id}/revise", summary="Change the notice until the owner signed [R24-R28, D23]")
def revise_notice(request_id: UUID, body: ReviseNotice, edge: Annotated[Edge, may("revise_notice")]) -> RequestView:
    def act() -> RequestView:
        revision.revise(
            edge.session,
            request_id=request_id,
            revision=body.changes(),
            reason=body.reason,
            actor=edge.actor,
            now=edge.now,
        )
        return request_by_id(edge.session, edge.actor, request_id)

    return edge.once(body, act)


@routes.post("/requests/{request_id}/notice/reprint", summary="Print a copy once more; it is counted [R25, R28]")
def reprint_notice(request_id: UUID, body: ReprintCopy, edge: Annotated[Edge, may("reprint_notice")]) -> RequestView:
    def act() -> RequestView:
        copy.reprint(
            edge.session,
            request_id=request_id,
            copy=body.copy_,
            reason=body.reason,
            actor=edge.actor,
            now=edge.now,
        )
        return request_by_id(edge.session, edge.actor, request_id)

    return edge.once(body, act)
