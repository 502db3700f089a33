"""Pictures of a job: sent as the file itself, drawn anew, and given back as a download [R32, R63]."""

from hashlib import sha256
from typing import Annotated
from uuid import UUID

import fastapi
from fastapi import APIRouter, Response

from services.dispatch.actions import photo
from services.dispatch.api.may import may
from services.dispatch.models import PhotoKind
from services.dispatch.queries.photos import PhotoView, photo_by_id, photo_view, photos_of
from shared.headers import attachment
from shared.uploads import redrawn
from shared.web import Body, Edge

routes = APIRouter(tags=["photos"])

PICTURES = {
    media_type: {"schema": {"type": "string", "format": "binary"}} for media_type in ("image/jpeg", "image/png")
}


class SentPhoto(Body):
    """What makes two sendings the same."""

    kind: PhotoKind
    sha256: str


@routes.get("/work-orders/{work_order_id}/photos", summary="The pictures of a job [R32, R63]")
def list_photos(work_order_id: UUID, edge: Annotated[Edge, may("read_photos")]) -> list[PhotoView]:
    return photos_of(edge.session, edge.actor, work_order_id)


@routes.post(
    "/work-orders/{work_order_id}/photos",
    status_code=201,
    summary="A picture of the work, of damage, or of the signature: a JPEG or PNG file as the body [R32, R63]",
    openapi_extra={"requestBody": {"content": PICTURES, "required": True}},
)
def add_photo(
    work_order_id: UUID,
    content: Annotated[bytes, fastapi.Body(media_type="image/jpeg")],
    edge: Annotated[Edge, may("add_photo")],
    kind: PhotoKind = "work",
) -> PhotoView:
    def act() -> PhotoView:
        added = photo.add(
            edge.session,
            work_order_id=work_order_id,
            kind=kind,
            picture=redrawn(content),
            actor=edge.actor,
            now=edge.now,
        )
        return photo_view(added)

    return edge.once(SentPhoto(kind=kind, sha256=sha256(content).hexdigest()), act)


@routes.get(
    "/work-orders/{work_order_id}/photos/{photo_id}",
    summary="One picture, as a download [R32, R63]",
    response_class=Response,
    responses={200: {"content": PICTURES, "description": "the picture"}},
)
def read_photo(work_order_id: UUID, photo_id: UUID, edge: Annotated[Edge, may("read_photos")]) -> Response:
    found = photo_by_id(edge.session, edge.actor, work_order_id, photo_id)
    name = f"{found.id}.{'png' if found.media_type == 'image/png' else 'jpg'}"
    return Response(found.content, media_type=found.media_type, headers=attachment(name))
