"""What each person reads of his own payouts."""

from typing import Annotated

from fastapi import APIRouter

from services.hr.api.fields import Month
from services.hr.api.may import may
from services.hr.queries.statements import StatementView, own_statements
from shared.web import Edge

routes = APIRouter(tags=["statements"])


@routes.get("/payouts/mine", summary="The person's own statement: jobs, rewards, fines, net, wage deduction [R92-R94]")
def list_own_statements(edge: Annotated[Edge, may("read_own")], month: Month = None) -> list[StatementView]:
    return own_statements(edge.session, edge.actor, month=month)
