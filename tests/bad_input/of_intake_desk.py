"""The front desk until the notice is out, and what it does with the notice then."""

from datetime import timedelta
from uuid import UUID

from services.intake.actions import notice, price, request
from services.intake.models import Consultation
from services.intake.rules.price import Wanted
from services.intake.rules.request import Channel
from shared.ids import new_id
from shared.messages import ConsultationAnswered
from tests.bad_input.acts import Act, Call
from tests.bad_input.house import House
from tests.conftest import START
from tests.services.intake.desk import price_book

FORM = {
    "channel": "phone",
    "owner_name": "欧阳建国",
    "address": "3-2-1502",
    "phone": "13800138000",
    "description": "水龙头漏水",
    "trade": "water",
}
WINDOW = {"visit_from": "2026-04-01T14:00:00+08:00", "visit_to": "2026-04-01T15:00:00+08:00"}
ITEMS = [{"price_code": "tap", "quantity": 2, "unit_fen": 5000}]
LATER = START + timedelta(days=1)


def a_form(house: House) -> Call:
    return Call("/requests", FORM | {"site_id": str(house.site_id)})


def recorded(house: House) -> UUID:
    """The id of a request of an owner who waits for his call; the first price book is there."""
    with house.session() as session:
        price.published(session, price_book(effective_from=START))
        made = request.register(
            session,
            site_id=house.site_id,
            form=request.RegistrationForm(Channel.PHONE, "欧阳建国", "3-2-1502", "13800138000", "漏水", "water"),
            actor=house.people["clerk"],
            now=START,
        )
        return made.id


def agreed(house: House) -> UUID:
    made = recorded(house)
    with house.session() as session:
        request.agree_visit(
            session,
            request_id=made,
            visit_from=LATER,
            visit_to=LATER + timedelta(hours=1),
            items=[Wanted("tap", 1, 5000)],
            actor=house.people["clerk"],
            now=START,
        )
    return made


def noticed(house: House) -> UUID:
    made = agreed(house)
    with house.session() as session:
        notice.issue(session, request_id=made, actor=house.people["clerk"], now=START)
    return made


def rows_of_a_list(house: House) -> Call:
    row = FORM | {"channel": "online", "source_key": "a"}
    return Call("/imports", {"source": "nyc311", "site_id": str(house.site_id), "rows": {"2": row}})


def an_attempt(house: House) -> Call:
    return Call(f"/requests/{recorded(house)}/attempts", {"note": "无人接听"})


def an_agreement(house: House) -> Call:
    return Call(f"/requests/{recorded(house)}/agree", WINDOW | {"items": ITEMS})


def a_withdrawal(house: House) -> Call:
    return Call(f"/requests/{noticed(house)}/cancel", {"reason": "业主不需要了"})


def a_question(house: House) -> Call:
    body = {"question": "能换吗?", "reply_due_at": LATER.isoformat(), "owner_was_told": True}
    return Call(f"/requests/{recorded(house)}/consultations", body)


def a_reply(house: House) -> Call:
    question = a_question(house)
    house.did("clerk", question.path, question.body)
    with house.session() as session:
        asked = session.query(Consultation).one()
    house.hear(
        ConsultationAnswered(
            consultation_id=asked.id,
            request_id=asked.request_id,
            site_id=house.site_id,
            answer="能",
            answered_by=new_id(),
            answered_at=START,
        )
    )
    return Call(f"/consultations/{asked.id}/reply")


def a_notice(house: House) -> Call:
    return Call(f"/requests/{agreed(house)}/notice")


def a_revision(house: House) -> Call:
    return Call(f"/requests/{noticed(house)}/revise", WINDOW | {"items": ITEMS, "reason": "业主改时间"})


def a_reprint(house: House) -> Call:
    return Call(f"/requests/{noticed(house)}/notice/reprint", {"copy": "department", "reason": "打湿了"})


def an_answer(house: House) -> Call:
    body = {"site_id": str(house.site_id), "question": "换水龙头要多久?", "answer": "半小时", "trade": "water"}
    return Call("/answers", body)


def an_answer_to_retire(house: House) -> Call:
    ready = an_answer(house)
    return Call(f"/answers/{house.did('desk_head', ready.path, ready.body)['id']}/retire")


def a_report(house: House) -> Call:
    return Call(
        "/private-job-reports",
        {
            "site_id": str(house.site_id),
            "person_id": str(house.people["worker"].person_id),
            "happened_at": (START - timedelta(days=1)).isoformat(),
            "evidence": "业主反映",
        },
    )


def a_look_for_a_home(house: House) -> Call:
    recorded(house)
    return Call("/homes/find", {"phone": FORM["phone"]})


def a_reveal(house: House) -> Call:
    return Call(f"/requests/{recorded(house)}/phone/reveal", {"reason": "回电"})


def other_times(house: House) -> Call:
    slots = [
        {"start": (LATER + timedelta(hours=hours)).isoformat(), "end": (LATER + timedelta(hours=hours + 1)).isoformat()}
        for hours in (2, 4)
    ]
    return Call(f"/requests/{noticed(house)}/offer", {"slots": slots})


def a_new_link(house: House) -> Call:
    return Call(f"/requests/{recorded(house)}/owner-link")


def a_look_for_an_owner(house: House) -> Call:
    recorded(house)
    return Call("/owners/find", {"phone": FORM["phone"]})


def an_export(house: House) -> Call:
    return Call("/owners/export", {"request_ids": [str(recorded(house))], "reason": "业主要求"})


def an_erasure(house: House) -> Call:
    made = noticed(house)
    house.did("clerk", f"/requests/{made}/cancel", {"reason": "业主不需要了"})
    return Call("/owners/erase", {"request_ids": [str(made)], "reason": "业主要求"})


EACH_ITS_OWN = "each finds what is at his own sites"

ACTS = [
    Act("intake", "/homes/find", "clerk", a_look_for_a_home, again="it changes nothing", everywhere=EACH_ITS_OWN),
    Act("intake", "/requests/{request_id}/phone/reveal", "clerk", a_reveal, again="each showing is written down"),
    Act("intake", "/requests/{request_id}/offer", "clerk", other_times, again="each offer replaces the one before"),
    Act("intake", "/requests/{request_id}/owner-link", "clerk", a_new_link, again="each ends the one before"),
    Act(
        "intake",
        "/owners/find",
        "administrator",
        a_look_for_an_owner,
        again="it changes nothing",
        everywhere=EACH_ITS_OWN,
    ),
    Act("intake", "/owners/export", "administrator", an_export, again="each time is written down"),
    Act("intake", "/owners/erase", "administrator", an_erasure, again="nothing is left to erase"),
    Act("intake", "/requests", "clerk", a_form, again="an owner may ask twice; that it may be a repeat is pointed out"),
    Act("intake", "/imports", "clerk", rows_of_a_list, again="what is known is told as known"),
    Act("intake", "/requests/{request_id}/attempts", "clerk", an_attempt, again="he is called again and again"),
    Act("intake", "/requests/{request_id}/agree", "clerk", an_agreement, again="agreed anew until the notice is out"),
    Act("intake", "/requests/{request_id}/cancel", "clerk", a_withdrawal),
    Act("intake", "/requests/{request_id}/consultations", "clerk", a_question, again="more than one thing is asked"),
    Act("intake", "/consultations/{consultation_id}/reply", "clerk", a_reply),
    Act("intake", "/requests/{request_id}/notice", "clerk", a_notice),
    Act("intake", "/requests/{request_id}/revise", "clerk", a_revision),
    Act("intake", "/requests/{request_id}/notice/reprint", "clerk", a_reprint, again="paper is spoilt more than once"),
    Act("intake", "/answers", "desk_head", an_answer),
    Act("intake", "/answers/{answer_id}/retire", "desk_head", an_answer_to_retire),
    Act("intake", "/private-job-reports", "clerk", a_report),
]
