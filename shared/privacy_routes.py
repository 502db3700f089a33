"""The route under /api/privacy, and what its neighbours send: the same in every service that keeps owners' data."""

from dataclasses import dataclass
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter
from pydantic import Field

from shared.access import Permissions
from shared.paging import Page
from shared.privacy_rows import PrivacyActView, privacy_acts
from shared.web import After, Body, Edge, Limit, Words, permissions


class OwnersRequests(Body):
    """The requests of one owner, as the desk's `owners/find` gave them, and why."""

    request_ids: list[UUID] = Field(min_length=1, max_length=500)
    reason: Words


@dataclass(frozen=True)
class PhoneView:
    """An owner's number in full."""

    phone: str | None


def make_privacy(service: str, table: Permissions) -> APIRouter:
    """The routes under /api/privacy of a service."""
    may = permissions(service, table)
    router = APIRouter(prefix="/api/privacy", tags=["privacy"])

    @router.get("/acts", summary="Each time an owner's data was shown in full, taken out or erased: who, and why [D26]")
    def list_acts(
        edge: Annotated[Edge, may("read_privacy_acts")],
        *,
        request_id: UUID | None = None,
        after: After = None,
        limit: Limit = 100,
    ) -> Page[PrivacyActView]:
        return privacy_acts(edge.session, edge.actor, request_id=request_id, after=after, limit=limit)

    return router
