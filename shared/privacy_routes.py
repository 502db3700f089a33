"""The route under /api/privacy: the same in every service that keeps something of owners."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter

from shared.access import Permissions, reads
from shared.paging import Page
from shared.privacy_rows import PrivacyActView, privacy_acts
from shared.web import After, Edge, Limit, permissions

MAY: Permissions = {"read_privacy_acts": reads("leader")}


def make_privacy(service: str) -> APIRouter:
    """The routes under /api/privacy of a service."""
    may = permissions(service, MAY)
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
