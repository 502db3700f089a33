"""Owners who wait for their call [R47, R48]."""

from typing import Annotated

from fastapi import APIRouter

from services.intake.api.may import may
from services.intake.queries.callbacks import callbacks
from services.intake.queries.requests import RequestView
from shared.web import Edge

routes = APIRouter(tags=["callbacks"])


@routes.get("/callbacks", summary="Owners waiting for a call, the least time left first [R48]")
def list_callbacks(edge: Annotated[Edge, may("read_callbacks")]) -> list[RequestView]:
    return callbacks(edge.session, edge.actor)
