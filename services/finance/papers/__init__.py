"""Finance's papers 收据、现金交接单、收费标准、公积金对账单: what stands on each, made of what the queries show."""

from collections.abc import Mapping
from uuid import UUID

from services.finance.papers.cash import hand_over_slip, receipt
from services.finance.papers.prices import price_list
from services.finance.papers.reserve import reserve_statement_paper
from shared.ui.papers.archive import Rebuild

PAPERS: Mapping[str, Rebuild] = {
    "receipt": lambda session, actor, thing: receipt(session, actor, UUID(thing)),
    "hand_over_slip": lambda session, actor, thing: hand_over_slip(session, actor, UUID(thing)),
    "price_list": lambda session, _, thing: price_list(session, UUID(thing)),
    "reserve_statement": lambda session, actor, thing: reserve_statement_paper(
        session, actor, month=thing.split()[0], site_id=UUID(thing.split()[1])
    ),
}
"""Each paper by its kind, of the thing it is a paper of."""
