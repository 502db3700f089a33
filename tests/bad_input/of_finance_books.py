"""Finance's books: the price book, the reserve fund, the month's settlement and its reopening."""

from sqlalchemy import update

from services.finance.models import Settlement, SiteDay
from services.finance.rules.settlement import SettlementState
from shared.ids import new_id
from shared.messages import NoticeIssued, SiteChanged, StatisticsAgreed
from shared.people import known_site
from tests.bad_input.acts import Act, Call
from tests.bad_input.house import House
from tests.conftest import START

MONTH = "2026-04"
COMPANY_WIDE = "the price book is the company's, the same at all sites"
ITEM = {"code": "tap", "trade": "water", "name": "换水龙头", "unit": "个", "min_fen": 3000, "max_fen": 8000}


def a_price_book(house: House) -> Call:
    return Call("/price-versions", {"effective_from": "2026-05-01", "items": [ITEM]})


def drafted(house: House) -> str:
    return str(house.did("finance_lead", "/price-versions", a_price_book(house).body)["id"])


def a_draft_to_approve(house: House) -> Call:
    return Call(f"/price-versions/{drafted(house)}/approve")


def a_draft_to_withdraw(house: House) -> Call:
    return Call(f"/price-versions/{drafted(house)}/withdraw")


def a_job(house: House) -> str:
    """Finance's copy of a notice."""
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
            fee_fen=100_00,
            price_code="tap",
            price_version=1,
            issued_at=START,
        )
    )
    return str(request_id)


def a_rework(house: House) -> Call:
    body = {"site_id": str(house.site_id), "use": "rework", "amount_fen": 500, "reason": "返修"}
    return Call("/reserve/proposals", body | {"request_id": a_job(house)})


def a_reward(house: House) -> Call:
    """A fund that holds nothing can still be asked; the leader rejects."""
    body = {"site_id": str(house.site_id), "use": "reward", "amount_fen": 500, "reason": "协调"}
    body["person_id"] = str(house.people["cashier"].person_id)
    proposed = house.did("clerk", "/reserve/proposals", body)
    return Call(f"/reserve/proposals/{proposed['id']}/decide", {"approve": False, "reason": "不同意"})


def begun(house: House) -> str:
    """The site's month, as it is when everything before the accounts is done."""
    with house.session() as session:
        site = known_site(session, house.site_id)
        told = SiteChanged(
            site_id=site.id, version=2, code=site.code, name=site.name, zone=site.zone, closing=site.closing
        )
    house.hear(told)
    house.hear(StatisticsAgreed(site_id=house.site_id, month=MONTH, agreed_at=START))
    with house.session() as session:
        session.execute(update(SiteDay).values(checked_at=START, closed_at=START))
        session.execute(update(Settlement).values(state=SettlementState.CLOSED))
    return f"/settlements/{house.site_id}/{MONTH}"


def a_closed_month(house: House) -> Call:
    return Call(f"{begun(house)}/agree-accounts")


def agreed(house: House) -> str:
    month = begun(house)
    for who in ("desk_head", "cashier"):
        house.did(who, f"{month}/agree-accounts")
    return month


def an_agreed_month(house: House) -> Call:
    return Call(f"{agreed(house)}/compute")


def a_computed_month(house: House) -> Call:
    month = agreed(house)
    house.did("finance_lead", f"{month}/compute")
    return Call(f"{month}/approve")


def a_month_to_reopen(house: House) -> Call:
    return Call(f"{agreed(house)}/reopen", {"reason": "漏记一笔"})


def a_reopening(house: House) -> Call:
    month = agreed(house)
    house.did("finance_lead", f"{month}/reopen", {"reason": "漏记一笔"})
    return Call(f"{month}/reopen/decide", {"approve": True, "reason": "同意"})


ACTS = [
    Act(
        "finance",
        "/price-versions",
        "finance_lead",
        a_price_book,
        again="each draft is a version of its own",
        everywhere=COMPANY_WIDE,
    ),
    Act("finance", "/price-versions/{version_id}/approve", "leader", a_draft_to_approve, everywhere=COMPANY_WIDE),
    Act(
        "finance", "/price-versions/{version_id}/withdraw", "finance_lead", a_draft_to_withdraw, everywhere=COMPANY_WIDE
    ),
    Act("finance", "/reserve/proposals", "clerk", a_rework, again="each proposal is one of its own"),
    Act("finance", "/reserve/proposals/{proposal_id}/decide", "leader", a_reward),
    Act("finance", "/settlements/{site_id}/{month}/agree-accounts", "desk_head", a_closed_month),
    Act(
        "finance",
        "/settlements/{site_id}/{month}/compute",
        "finance_lead",
        an_agreed_month,
        again="computed again until it is approved",
    ),
    Act("finance", "/settlements/{site_id}/{month}/approve", "leader", a_computed_month),
    Act("finance", "/settlements/{site_id}/{month}/reopen", "finance_lead", a_month_to_reopen),
    Act("finance", "/settlements/{site_id}/{month}/reopen/decide", "leader", a_reopening),
]
