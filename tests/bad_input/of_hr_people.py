"""People, sites, discipline and payments at hr."""

from typing import Any

from shared.ids import new_id
from shared.messages import PayoutApproved, PayoutLine
from tests.bad_input.acts import Act, Call
from tests.bad_input.house import House
from tests.conftest import START
from tests.people import employ

A_POST: dict[str, Any] = {"role": "worker", "department": "engineering", "shift_start": "08:00", "shift_end": "17:30"}


def a_site(house: House) -> Call:
    return Call("/sites", {"code": "XH", "name": "西河里"})


def a_closing(house: House) -> Call:
    return Call(f"/sites/{house.site_id}/change", {"closing": "19:00", "reason": "夏令时间"})


def a_holiday(house: House) -> Call:
    return Call(f"/sites/{house.site_id}/holidays", {"day": "2026-04-06", "name": "清明节"})


def holidays_of_a_year(house: House) -> Call:
    return Call(f"/sites/{house.site_id}/holidays/fill", {"year": 2027, "reason": "国务院已公布"})


def no_holiday(house: House) -> Call:
    added = a_holiday(house)
    house.did("administrator", added.path, added.body)
    return Call(f"{added.path}/remove", {"day": "2026-04-06", "reason": "调休上班"})


def a_leader(house: House) -> Call:
    leader = str(house.people["leader"].person_id)
    return Call(f"/sites/{house.site_id}/leaders", {"department": "engineering", "leader_id": leader})


def a_person(house: House) -> Call:
    return Call("/people", {**A_POST, "name": "李雷", "site_ids": [str(house.site_id)]})


def employed(house: House) -> str:
    call = a_person(house)
    return f"/people/{house.did('hr', call.path, call.body)['id']}"


def a_token(house: House) -> Call:
    return Call(f"{employed(house)}/token")


def a_leave(house: House) -> Call:
    return Call(f"{employed(house)}/leave")


def a_move(house: House) -> Call:
    sites = [str(house.site_id)]
    return Call(f"{employed(house)}/move", {**A_POST, "role": "head", "site_ids": sites, "reason": "提拔为主管"})


def skills(house: House) -> Call:
    return Call(f"{employed(house)}/skills", {"skills": ["water"]})


def a_certificate(house: House) -> Call:
    body = {"kind": "low_voltage_electrician", "number": "T-1", "valid_until": "2028-01-01"}
    return Call(f"{employed(house)}/certificates", body)


def a_wage(house: House) -> Call:
    return Call(f"{employed(house)}/wage", {"monthly_wage_fen": 500000})


def a_charge(house: House) -> Call:
    return Call(
        "/cases",
        {
            "offence": "withheld_cash",
            "site_id": str(house.site_id),
            "person_id": str(house.people["worker"].person_id),
            "happened_at": "2026-03-31T10:00:00+08:00",
            "evidence": "业主反映",
            "amount_fen": 10000,
        },
    )


def opened(house: House) -> str:
    call = a_charge(house)
    return f"/cases/{house.did('clerk', call.path, call.body)['id']}"


def evidence(house: House) -> Call:
    return Call(f"{opened(house)}/evidence", {"text": "收据存根"})


def a_hearing(house: House) -> Call:
    return Call(f"{opened(house)}/hear", {"statement": "忘记上交", "attended": True})


def heard(house: House) -> str:
    call = a_hearing(house)
    house.did("hr", call.path, call.body)
    return call.path.removesuffix("/hear")


def a_decision(house: House) -> Call:
    return Call(f"{heard(house)}/decide", {"confirm": True, "reason": "属实"})


def decided(house: House) -> str:
    call = a_decision(house)
    house.did("leader", call.path, call.body)
    return call.path.removesuffix("/decide")


def an_acceptance(house: House) -> Call:
    return Call(f"{decided(house)}/accept")


def an_appeal(house: House) -> Call:
    return Call(f"{decided(house)}/appeal", {"reason": "当日已上交"})


def an_appeal_decision(house: House) -> Call:
    """Another leader than the one who decided."""
    case = heard(house)
    with house.session() as session:
        employ(session, "leader", "management", house.site_id, token="deputy")
    house.did("deputy", f"{case}/decide", {"confirm": True, "reason": "属实"})
    house.did("worker", f"{case}/appeal", {"reason": "当日已上交"})
    return Call(f"{case}/decide-appeal", {"uphold": False, "reason": "证据不足"})


def a_task(house: House) -> Call:
    body = {k: v for k, v in (a_charge(house).body or {}).items() if k != "amount_fen"}
    made = house.did("clerk", "/cases", {**body, "offence": "private_job", "in_working_hours": False})
    path = f"/cases/{made['id']}"
    house.did("hr", f"{path}/hear", {"statement": "帮朋友", "attended": True})
    house.did("leader", f"{path}/decide", {"confirm": True, "reason": "属实"})
    house.did("worker", f"{path}/accept")
    return Call(f"/tasks/{house.get('hr', '/tasks').json()['items'][-1]['id']}/finish", {"evidence": "书面警告已签收"})


def owed(house: House) -> str:
    worker = house.people["worker"]
    line = PayoutLine(
        person_id=worker.person_id,
        name=worker.name,
        share_fen=3500,
        reward_fen=0,
        fine_fen=0,
        from_bonus_fen=0,
        from_wage_fen=0,
        net_fen=3500,
        case_numbers=[],
    )
    told = PayoutApproved(
        settlement_id=new_id(),
        site_id=house.site_id,
        month="2026-03",
        lines=[line],
        net_fen=3500,
        from_wage_fen=0,
        approved_by=house.people["leader"].person_id,
        approved_at=START,
    )
    house.hear(told)
    return f"/payouts/{told.settlement_id}/lines/{worker.person_id}"


def a_payment(house: House) -> Call:
    return Call(f"{owed(house)}/paid", {"reference": "工资单 2026-04"})


def a_failure(house: House) -> Call:
    return Call(f"{owed(house)}/failed", {"cause": "account_closed", "reason": "账户已销"})


def results_of_a_file(house: House) -> Call:
    line = owed(house)
    whose = line.rsplit("/", 1)[1]
    rows = [{"row": 2, "person_id": whose, "reference": "工资单 2026-04"}]
    return Call(f"{line.removesuffix(f'/lines/{whose}')}/results", {"rows": rows})


HR = "hr"


def an_export(_: House) -> Call:
    return Call("/owners/export", {"request_ids": [str(new_id())], "reason": "业主要求"})


ACTS = [
    Act(
        HR,
        "/owners/export",
        "administrator",
        an_export,
        again="each time is written down",
        everywhere="each takes out what is at his own sites",
    ),
    Act(HR, "/sites", "administrator", a_site, everywhere="a new site is nobody's yet"),
    Act(HR, "/sites/{site_id}/change", "administrator", a_closing),
    Act(HR, "/sites/{site_id}/holidays", "administrator", a_holiday),
    Act(HR, "/sites/{site_id}/holidays/fill", "administrator", holidays_of_a_year),
    Act(HR, "/sites/{site_id}/holidays/remove", "administrator", no_holiday),
    Act(HR, "/sites/{site_id}/leaders", "administrator", a_leader),
    Act(HR, "/people", "hr", a_person, again="another person of the same name"),
    Act(HR, "/people/{person_id}/token", "hr", a_token, again="a new token ends the one before"),
    Act(HR, "/people/{person_id}/leave", "hr", a_leave),
    Act(HR, "/people/{person_id}/move", "hr", a_move),
    Act(HR, "/people/{person_id}/skills", "hr", skills),
    Act(HR, "/people/{person_id}/certificates", "hr", a_certificate),
    Act(HR, "/people/{person_id}/wage", "hr", a_wage),
    Act(HR, "/cases", "clerk", a_charge, again="another offence of the same person"),
    Act(HR, "/cases/{case_id}/evidence", "clerk", evidence, again="more evidence"),
    Act(HR, "/cases/{case_id}/hear", "hr", a_hearing),
    Act(HR, "/cases/{case_id}/decide", "leader", a_decision),
    Act(HR, "/cases/{case_id}/accept", "worker", an_acceptance),
    Act(HR, "/cases/{case_id}/appeal", "worker", an_appeal),
    Act(HR, "/cases/{case_id}/decide-appeal", "leader", an_appeal_decision),
    Act(HR, "/tasks/{task_id}/finish", "hr", a_task),
    Act(HR, "/payouts/{settlement_id}/lines/{person_id}/paid", "hr", a_payment),
    Act(HR, "/payouts/{settlement_id}/lines/{person_id}/failed", "hr", a_failure, again="each attempt is kept"),
    Act(HR, "/payouts/{settlement_id}/results", "hr", results_of_a_file),
]
