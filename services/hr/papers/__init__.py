"""HR's papers 报酬单、处理决定书: what stands on each, made of what the queries show."""

from collections.abc import Mapping
from uuid import UUID

from services.hr.papers.decision import decision_letter
from services.hr.papers.pay import pay_statement
from shared.ui.papers.archive import Rebuild

PAPERS: Mapping[str, Rebuild] = {
    "decision_letter": lambda session, actor, thing: decision_letter(session, actor, UUID(thing)),
    "pay_statement": lambda session, actor, thing: pay_statement(
        session, actor, settlement_id=UUID(thing.split()[0]), person_id=UUID(thing.split()[1])
    ),
}
"""Each paper by its kind, of the thing it is a paper of."""
