"""The departments' paper 结算清单: what stands on it, made of what the queries show."""

from collections.abc import Mapping
from uuid import UUID

from services.dispatch.papers.acceptance import settlement_list
from shared.ui.papers.archive import Rebuild

PAPERS: Mapping[str, Rebuild] = {
    "settlement_list": lambda session, actor, thing: settlement_list(session, actor, UUID(thing)),
}
"""Each paper by its kind, of the thing it is a paper of."""
