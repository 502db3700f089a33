"""Finance's receipts, hand-overs, differences, and refunds."""

from functools import partial
from typing import Any
from uuid import UUID

from shared.ids import new_id
from shared.messages import NoticeIssued, PersonChanged, WorkAccepted, WorkerShare
from shared.people import hash_token
from tests.bad_input.acts import Act, Call
from tests.bad_input.house import House
from tests.conftest import START

FEE = 5000
CASH = {"method": "cash", "amount_fen": FEE}
REASON = {"reason": "as it was"}
COUNT = {"counted_fen": FEE}


def noticed(house: House) -> str:
    """Our copy of a notice; its request."""
    request_id = new_id()
    house.hear(
        NoticeIssued(
            request_id=request_id,
            notice_number=f"TZ-{request_id}",
            site_id=house.site_id,
            department="engineering",
            trade="water",
            channel="phone",
            owner_name="欧阳建国",
            address="3-2-1502",
            phone="13800138000",
            description="水龙头漏水",
            visit_from=START,
            visit_to=START,
            fee_fen=FEE,
            price_version=1,
            issued_at=START,
        )
    )
    return str(request_id)


def accepted(house: House) -> str:
    """A job its owner signed for."""
    request_id = noticed(house)
    house.hear(
        WorkAccepted(
            request_id=UUID(request_id),
            round=0,
            site_id=house.site_id,
            department="engineering",
            workers=[WorkerShare(person_id=house.people["worker"].person_id, name="师傅", weight=1)],
            fee_fen=FEE,
            signer_name="欧阳建国",
            relation="owner",
            signed_hash="0" * 64,
            arrived_at=START,
            arrived_late=False,
            accepted_at=START,
        )
    )
    return request_id


def book(house: House) -> str:
    """A book at the desk: the first, or the one there is."""
    known = house.get("cashier", "/receipt-books").json()["items"]
    if known:
        return str(known[0]["id"])
    issued = {"site_id": str(house.site_id), "first": 1, "last": 30}
    return str(house.did("cashier", "/receipt-books", issued)["id"])


def carried(house: House, *, for_job: str = "") -> str:
    book(house)
    worker = {"worker_id": str(house.people["worker"].person_id)}
    return str(house.did("clerk", f"/charges/{for_job or accepted(house)}/carry", worker)["id"])


def used(house: House, **payment: Any) -> str:
    book(house)
    return str(house.did("clerk", f"/charges/{accepted(house)}/collect", CASH | payment)["id"])


def paid_by_bank(house: House) -> str:
    return used(house, method="bank", reference="4200001")


def offered(house: House) -> str:
    """The clerk's cash, offered to the cashier."""
    used(house)
    to = {"site_id": str(house.site_id), "to_person_id": str(house.people["cashier"].person_id)}
    return str(house.did("clerk", "/hand-overs", to)["id"])


def differing(house: House) -> str:
    hand_over = offered(house)
    house.did("cashier", f"/hand-overs/{hand_over}/count", {"counted_fen": FEE - 100})
    return hand_over


def stated(house: House) -> str:
    hand_over = differing(house)
    house.did("cashier", f"/hand-overs/{hand_over}/settle-difference", REASON)
    return hand_over


def short(house: House) -> str:
    house.did("clerk", f"/hand-overs/{stated(house)}/confirm-difference")
    return str(house.get("cashier", "/cash-differences").json()["items"][0]["id"])


def refund(house: House) -> str:
    body = {"receipt_id": paid_by_bank(house), "amount_fen": 100, "method": "bank", **REASON}
    return str(house.did("cashier", "/refunds", body)["id"])


def receive(house: House) -> Call:
    noticed(house)
    return Call("/charges/receive", {"site_id": str(house.site_id)})


def carry(house: House) -> Call:
    book(house)
    return Call(f"/charges/{accepted(house)}/carry", {"worker_id": str(house.people["worker"].person_id)})


def collect(house: House) -> Call:
    book(house)
    return Call(f"/charges/{accepted(house)}/collect", CASH)


def collect_with_the_carried_one(house: House) -> Call:
    request_id = accepted(house)
    return Call(f"/charges/{request_id}/collect", CASH | {"receipt_id": carried(house, for_job=request_id)})


def issue(house: House) -> Call:
    return Call("/receipt-books", {"site_id": str(house.site_id), "first": 1, "last": 30})


def out_at_closing(house: House) -> Call:
    """A receipt the day's check found out."""
    receipt_id = carried(house)
    with house.session() as session:
        from services.finance.models import CarriedFinding, SiteDay  # noqa: PLC0415  # tables of one service

        day = START.date()
        session.add(SiteDay(site_id=house.site_id, day=day, closes_at=START, checked_at=START, chase_at=START))
        session.flush()
        session.add(
            CarriedFinding(
                site_id=house.site_id,
                day=day,
                receipt_id=UUID(receipt_id),
                number="",
                carried_by=house.people["worker"].person_id,
            )
        )
    return Call(f"/receipts/{receipt_id}/explain", REASON)


def offer(house: House) -> Call:
    receipt_id = used(house)
    to = {"site_id": str(house.site_id), "to_person_id": str(house.people["cashier"].person_id)}
    return Call("/hand-overs", to | {"receipt_ids": [receipt_id]})


def deposit(house: House) -> Call:
    hand_over = offered(house)
    house.did("cashier", f"/hand-overs/{hand_over}/count", COUNT)
    return Call("/deposits", {"site_id": str(house.site_id), "amount_fen": FEE, "reference": "ICBC-1"})


def gone_with_cash(house: House) -> Call:
    """The worker took the fee and left the company."""
    call = collect_with_the_carried_one(house)
    house.did("worker", call.path, call.body)
    worker = house.people["worker"]
    house.hear(
        PersonChanged(
            person_id=worker.person_id,
            version=2,
            name=worker.name,
            role="worker",
            department="engineering",
            site_ids=[],
            all_sites=False,
            active=True,
            token_hash=hash_token("worker"),
        )
    )
    return Call(
        "/hand-overs/on-behalf",
        {"site_id": str(house.site_id), "from_person_id": str(worker.person_id), **COUNT, **REASON},
    )


def at(path: str, thing: Any, body: dict[str, Any] | None = None) -> Any:
    """Prepares the thing and calls the path with its id."""
    return partial(_at, path, thing, body)


def _at(path: str, thing: Any, body: dict[str, Any] | None, house: House) -> Call:
    return Call(path.format(thing(house)), body)


def proposal(house: House) -> Call:
    return Call("/refunds", {"receipt_id": paid_by_bank(house), "amount_fen": FEE, "method": "bank", **REASON})


def an_export(house: House) -> Call:
    return Call("/owners/export", {"request_ids": [noticed(house)], "reason": "业主要求"})


ACTS = [
    Act(
        "finance",
        "/owners/export",
        "administrator",
        an_export,
        again="each time is written down",
        everywhere="each takes out what is at his own sites",
    ),
    Act("finance", "/charges/receive", "cashier", receive),
    Act("finance", "/charges/{request_id}/carry", "clerk", carry),
    Act("finance", "/charges/{request_id}/collect", "clerk", collect),
    Act("finance", "/receipt-books", "cashier", issue),
    Act("finance", "/receipt-books/{book_id}/return", "clerk", at("/receipt-books/{}/return", book)),
    Act("finance", "/receipts/{receipt_id}/bring-back", "clerk", at("/receipts/{}/bring-back", carried)),
    Act("finance", "/receipts/{receipt_id}/void", "clerk", at("/receipts/{}/void", carried, REASON)),
    Act("finance", "/receipts/{receipt_id}/explain", "desk_head", out_at_closing),
    Act(
        "finance",
        "/receipts/{receipt_id}/invoice",
        "cashier",
        at("/receipts/{}/invoice", used, {"number": "FP-1", "state": "issued"}),
    ),
    Act("finance", "/hand-overs", "clerk", offer),
    Act("finance", "/hand-overs/on-behalf", "cashier", gone_with_cash),
    Act("finance", "/hand-overs/{hand_over_id}/count", "cashier", at("/hand-overs/{}/count", offered, COUNT)),
    Act("finance", "/hand-overs/{hand_over_id}/withdraw", "clerk", at("/hand-overs/{}/withdraw", offered)),
    Act(
        "finance",
        "/hand-overs/{hand_over_id}/settle-difference",
        "cashier",
        at("/hand-overs/{}/settle-difference", differing, REASON),
    ),
    Act(
        "finance",
        "/hand-overs/{hand_over_id}/confirm-difference",
        "clerk",
        at("/hand-overs/{}/confirm-difference", stated),
    ),
    Act(
        "finance",
        "/cash-differences/{difference_id}/make-good",
        "cashier",
        at("/cash-differences/{}/make-good", short, {"counted_fen": 100}),
    ),
    Act("finance", "/deposits", "cashier", deposit),
    Act("finance", "/refunds", "cashier", proposal),
    Act(
        "finance", "/refunds/{refund_id}/decide", "leader", at("/refunds/{}/decide", refund, {"approve": True} | REASON)
    ),
]
