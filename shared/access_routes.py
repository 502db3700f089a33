"""The route /api/may: what the person asking may do here, for menus; the same in all four services."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter

from shared.access import COMMON, OWN_WORDS, TIE_WORDS, Own, Permissions, Tie, may_now
from shared.web import Edge, permissions


@dataclass(frozen=True)
class MayView:
    """An action the person's role may take: how far he reaches, whoever is tied so never may, and the clauses."""

    action: str
    own: Own
    own_words: str
    never: list[Tie]
    never_words: list[str]
    rule: str


def make_may(service: str, table: Permissions) -> APIRouter:
    """The route /api/may of a service, which answers from its table and what is common to all."""
    may = permissions(service, COMMON)
    router = APIRouter(prefix="/api/may", tags=["permissions"])

    @router.get("", summary="What the person asking may do here, for menus")
    def read_may(edge: Annotated[Edge, may("read_may")]) -> list[MayView]:
        return [
            MayView(
                action,
                row.of(edge.actor),
                OWN_WORDS[row.of(edge.actor)],
                list(row.never),
                [TIE_WORDS[tie] for tie in row.never],
                row.rule,
            )
            for action, row in may_now(COMMON | table, edge.actor).items()
        ]

    return router
