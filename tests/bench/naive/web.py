"""The HTTP steps, under the paths of Bianmin, so that one driver takes an order through either."""

from datetime import datetime
from hashlib import sha256
from typing import Annotated, Any, TypeVar
from uuid import UUID

from fastapi import Depends, FastAPI, Header, HTTPException
from pydantic import BaseModel
from sqlalchemy import func, select

from tests.bench.naive import tasks
from tests.bench.naive.tables import Charge, Person, Receipt, Request, Revisit, WorkOrder, transaction

T = TypeVar("T", Request, WorkOrder, Charge)

web = FastAPI()


def person(authorization: Annotated[str, Header()] = "") -> Person:
    """Whose token it is."""
    with transaction() as session:
        known = session.get(Person, authorization.removeprefix("Bearer "))
    if known is None:
        raise HTTPException(401)
    return known


Who = Annotated[Person, Depends(person)]


class Form(BaseModel):
    """The registration form."""

    owner_name: str
    address: str
    phone: str
    description: str
    trade: str


class Item(BaseModel):
    """Of the price book."""

    price_code: str
    quantity: int
    unit_fen: int


class Agreement(BaseModel):
    """Time and fee."""

    visit_from: datetime
    visit_to: datetime
    items: list[Item]


class Member(BaseModel):
    """A worker of the job."""

    person_id: UUID


class Team(BaseModel):
    """The workers of the job."""

    workers: list[Member]


class Materials(BaseModel):
    """What the owner has bought."""

    complete: bool


class Signature(BaseModel):
    """Under the settlement list."""

    shown_hash: str
    signer_name: str


class Payment(BaseModel):
    """The money taken."""

    amount_fen: int


class Answer(BaseModel):
    """What the owner said at the revisit."""

    outcome: str


@web.post("/intake/api/requests", status_code=201)
def register(form: Form, who: Who) -> dict[str, Any]:
    with transaction() as session:
        request = Request(**form.model_dump())
        session.add(request)
    tasks.callback_due.apply_async((str(request.id),), countdown=tasks.CALLBACK_SECONDS)
    return {"id": request.id, **form.model_dump()}


@web.post("/intake/api/requests/{id_}/agree")
def agree(id_: UUID, agreement: Agreement, who: Who) -> dict[str, Any]:
    with transaction() as session:
        request = _in_state(session.get(Request, id_, with_for_update=True), "recorded")
        request.fee_fen = sum(item.quantity * item.unit_fen for item in agreement.items)
        request.state, request.reached_at = "agreed", func.now()
        return {"id": id_, "fee_fen": request.fee_fen}


@web.post("/intake/api/requests/{id_}/notice")
def issue_notice(id_: UUID, who: Who) -> dict[str, Any]:
    with transaction() as session:
        request = _in_state(session.get(Request, id_, with_for_update=True), "agreed")
        request.state = "noticed"
    tasks.dispatch_notice_issued.delay(str(id_), request.fee_fen)
    tasks.finance_notice_issued.delay(str(id_), request.fee_fen)
    return {"id": id_, "state": "noticed"}


@web.post("/dispatch/api/work-orders/{id_}/acknowledge")
def acknowledge(id_: UUID, who: Who) -> dict[str, Any]:
    order = _step(id_, "received", "acknowledged")
    tasks.intake_reported.delay(str(order.request_id), "acknowledged")
    return {"id": id_, "state": order.state}


@web.post("/dispatch/api/work-orders/{id_}/assign")
def assign(id_: UUID, team: Team, who: Who) -> dict[str, Any]:
    order = _step(id_, "acknowledged", "assigned", worker_id=team.workers[0].person_id)
    tasks.intake_reported.delay(str(order.request_id), "assigned")
    return {"id": id_, "state": order.state}


@web.post("/dispatch/api/work-orders/{id_}/arrive")
def arrive(id_: UUID, who: Who) -> dict[str, Any]:
    return {"id": id_, "state": _step(id_, "assigned", "arrived").state}


@web.post("/dispatch/api/work-orders/{id_}/check-materials")
def check_materials(id_: UUID, materials: Materials, who: Who) -> dict[str, Any]:
    return {"id": id_, "state": _step(id_, "arrived", "checked").state}


@web.post("/dispatch/api/work-orders/{id_}/finish")
def finish(id_: UUID, who: Who) -> dict[str, Any]:
    return {"id": id_, "state": _step(id_, "checked", "finished").state}


@web.get("/dispatch/api/work-orders/{id_}/settlement-list")
def settlement_list(id_: UUID, who: Who) -> dict[str, Any]:
    with transaction() as session:
        order = _in_state(session.get(WorkOrder, id_), "finished")
    return {"fee_fen": order.fee_fen, "hash": _hash(order)}


@web.post("/dispatch/api/work-orders/{id_}/accept")
def accept(id_: UUID, signature: Signature, who: Who) -> dict[str, Any]:
    order = _step(id_, "finished", "accepted", signer_name=signature.signer_name)
    if signature.shown_hash != _hash(order):
        raise HTTPException(409, "another settlement list was shown")
    tasks.intake_reported.delay(str(order.request_id), "accepted")
    tasks.finance_accepted.delay(str(order.request_id), str(order.worker_id))
    return {"id": id_, "state": order.state, "fee_fen": order.fee_fen}


@web.post("/dispatch/api/work-orders/{id_}/return")
def return_notice(id_: UUID, who: Who) -> dict[str, Any]:
    order = _step(id_, "accepted", "returned")
    tasks.intake_reported.delay(str(order.request_id), "returned")
    return {"id": id_, "state": order.state}


@web.post("/finance/api/charges/{id_}/collect", status_code=201)
def collect(id_: UUID, payment: Payment, who: Who) -> dict[str, Any]:
    with transaction() as session:
        charge = _in_state(session.get(Charge, id_, with_for_update=True), "accepted")
        if payment.amount_fen != charge.fee_fen:
            raise HTTPException(409, "exactly the agreed fee is taken")
        charge.state = "collected"
        workers_fen, reserve_fen = charge.fee_fen * 35 // 100, charge.fee_fen * 15 // 100
        receipt = Receipt(
            request_id=id_,
            amount_fen=charge.fee_fen,
            company_fen=charge.fee_fen - workers_fen - reserve_fen,
            workers_fen=workers_fen,
            reserve_fen=reserve_fen,
        )
        session.add(receipt)
    tasks.intake_fee_collected.delay(str(id_), payment.amount_fen)
    return {"id": receipt.id, "amount_fen": receipt.amount_fen}


@web.post("/intake/api/requests/{id_}/revisit")
def revisit(id_: UUID, answer: Answer, who: Who) -> dict[str, Any]:
    with transaction() as session:
        listed = session.scalars(select(Revisit).where(Revisit.request_id == id_).limit(1)).one_or_none()
        if listed is None:
            raise HTTPException(409, "not on the list")
        listed.outcome = answer.outcome
    return {"id": id_, "outcome": answer.outcome}


def _in_state(found: T | None, state: str) -> T:
    """What was found, when it is in that state."""
    if found is None:
        raise HTTPException(404)
    if found.state != state:
        raise HTTPException(409, f"it is {found.state}, not {state}")
    return found


def _step(id_: UUID, before: str, after: str, **facts: Any) -> WorkOrder:
    """The order takes one step."""
    with transaction() as session:
        order = _in_state(session.get(WorkOrder, id_, with_for_update=True), before)
        for name, value in {"state": after, **facts}.items():
            setattr(order, name, value)
        return order


def _hash(order: WorkOrder) -> str:
    return sha256(f"{order.id} {order.fee_fen}".encode()).hexdigest()
