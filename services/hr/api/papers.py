"""HR's papers, to print and to look at: everybody's own, and those of a site for who sees them [R92, D19]."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Response

from services.hr.api.may import may
from services.hr.papers.decision import decision_letter, own_decision_letter
from services.hr.papers.pay import own_pay_statement, pay_statement
from shared.paper_routes import DRAWN, FileType, PageNumber, hand_out
from shared.web import Edge

routes = APIRouter(tags=["papers"])


@routes.get("/cases/{case_id}/decision-letter.{file_type}", summary="The decision letter 处理决定书 [D19]", **DRAWN)
def print_decision_letter(
    case_id: UUID, file_type: FileType, edge: Annotated[Edge, may("read_cases")], page: PageNumber = 1
) -> Response:
    return hand_out(edge, "hr", decision_letter(edge.session, edge.actor, case_id), file_type, page=page)


@routes.get(
    "/cases/mine/{case_id}/decision-letter.{file_type}", summary="The letter to the person asking [D19]", **DRAWN
)
def print_own_decision_letter(
    case_id: UUID, file_type: FileType, edge: Annotated[Edge, may("read_own")], page: PageNumber = 1
) -> Response:
    return hand_out(edge, "hr", own_decision_letter(edge.session, edge.actor, case_id), file_type, page=page)


@routes.get(
    "/payouts/{settlement_id}/people/{person_id}/pay-statement.{file_type}",
    summary="Somebody's pay statement 报酬单 [R92]",
    **DRAWN,
)
def print_pay_statement(
    settlement_id: UUID,
    person_id: UUID,
    file_type: FileType,
    edge: Annotated[Edge, may("read_payouts")],
    page: PageNumber = 1,
) -> Response:
    paper = pay_statement(edge.session, edge.actor, settlement_id=settlement_id, person_id=person_id)
    return hand_out(edge, "hr", paper, file_type, page=page)


@routes.get(
    "/payouts/mine/{settlement_id}/pay-statement.{file_type}",
    summary="The pay statement 报酬单 of the person asking [R92-R94]",
    **DRAWN,
)
def print_own_pay_statement(
    settlement_id: UUID, file_type: FileType, edge: Annotated[Edge, may("read_own")], page: PageNumber = 1
) -> Response:
    paper = own_pay_statement(edge.session, edge.actor, settlement_id=settlement_id)
    return hand_out(edge, "hr", paper, file_type, page=page)
