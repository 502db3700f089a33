"""The departments: work orders from the notice to the signature, duties, and questions of the desk."""

from datetime import timedelta
from io import BytesIO
from typing import Any

from PIL import Image

from shared.ids import new_id
from shared.messages import ConsultationAsked
from tests.bad_input.acts import Act, Call
from tests.bad_input.house import House
from tests.conftest import START
from tests.services.dispatch.crew import notice


def order(house: House, step: str, body: dict[str, Any] | bytes | None = None) -> Call:
    """A step of an order just received, for a visit now."""
    house.hear(notice(house.site_id, visit_from=START, visit_to=START + timedelta(hours=1)))
    received = house.get("head", "/work-orders?state=received").json()["items"][-1]
    return Call(f"/work-orders/{received['id']}/{step}", body)


def before(call: Call, step: str) -> str:
    """The path of an earlier step of the same order."""
    return f"{call.path.rsplit('/', 1)[0]}/{step}"


def worker_id(house: House) -> str:
    return str(house.people["worker"].person_id)


def team(house: House) -> dict[str, Any]:
    return {"workers": [{"person_id": worker_id(house), "weight": 1}]}


def acknowledged(house: House, step: str, body: dict[str, Any] | bytes | None = None) -> Call:
    call = order(house, step, body)
    house.did("head", before(call, "acknowledge"))
    return call


def assigned(house: House, step: str, body: dict[str, Any] | bytes | None = None) -> Call:
    call = acknowledged(house, step, body)
    house.did("head", before(call, "assign"), team(house))
    return call


def started(house: House, step: str, body: dict[str, Any] | bytes | None = None) -> Call:
    call = assigned(house, step, body)
    house.did("worker", before(call, "arrive"))
    return call


def stopped(house: House) -> Call:
    call = started(house, "resume")
    house.did("worker", before(call, "stop"), STOP)
    return call


def checked(house: House, step: str, body: dict[str, Any] | bytes | None = None) -> Call:
    call = started(house, step, body)
    house.did("worker", before(call, "check-materials"), {"complete": True})
    return call


def finished(house: House) -> Call:
    call = checked(house, "accept")
    house.did("worker", before(call, "finish"))
    shown = house.get("worker", before(call, "settlement-list")).json()
    return Call(
        call.path,
        {"shown_hash": shown["hash"], "signer_name": "欧阳建国", "relation": "owner", "signature": "<svg/>"},
    )


def ended(house: House) -> Call:
    call = started(house, "return")
    house.did("worker", before(call, "terminate"), TERMINATE)
    return call


def picture() -> bytes:
    """A small PNG file."""
    file = BytesIO()
    Image.new("RGB", (4, 3), "red").save(file, "PNG")
    return file.getvalue()


def a_duty(house: House, **changes: Any) -> Call:
    return Call("/duties", {"site_id": str(house.site_id), "name": "巡查泵房", **changes})


def prescribed(house: House, step: str) -> Call:
    made = house.did("head", "/duties", a_duty(house).body)
    return Call(f"/duties/{made['id']}/{step}")


def a_check(house: House) -> Call:
    return Call("/duty-days/check", {"person_id": worker_id(house), "day": "2026-04-01", "good": False, "note": "脏"})


def a_neglect(house: House) -> Call:
    call = assigned(house, "override", {"worker_id": worker_id(house), "reason": "爆管"})
    override = house.did("head", call.path, call.body)["overridden"][0]["id"]
    facts = {"worker_id": worker_id(house), "day": "2026-04-01", "reason": "大堂未清洁", "override_id": override}
    return Call("/duty-days/neglect", facts)


def a_question(house: House) -> Call:
    asked = ConsultationAsked(
        consultation_id=new_id(),
        request_id=new_id(),
        site_id=house.site_id,
        department="engineering",
        question="能换吗?",
        reply_due_at=START,
    )
    house.hear(asked)
    return Call(f"/consultations/{asked.consultation_id}/answer", {"answer": "能"})


STOP = {"reason": "电线裸露", "for_safety": True}
TERMINATE = {"cause": "safety", "reason": "电线裸露"}
OF_ORDER = "/work-orders/{work_order_id}/"


def a_reveal(house: House) -> Call:
    return Call(before(assigned(house, "phone"), "phone/reveal"), {"reason": "到门口无人"})


def an_export(house: House) -> Call:
    request_id = house.get("head", f"/work-orders/{order(house, 'x').path.split('/')[2]}").json()["request_id"]
    return Call("/owners/export", {"request_ids": [request_id], "reason": "业主要求"})


ACTS = [
    Act("dispatch", OF_ORDER + "phone/reveal", "worker", a_reveal, again="each showing is written down"),
    Act(
        "dispatch",
        "/owners/export",
        "administrator",
        an_export,
        again="each time is written down",
        everywhere="each takes out what is at his own sites",
    ),
    Act("dispatch", OF_ORDER + "acknowledge", "head", lambda house: order(house, "acknowledge")),
    Act("dispatch", OF_ORDER + "decline", "head", lambda house: order(house, "decline", {"reason": "无人可派"})),
    Act(
        "dispatch",
        OF_ORDER + "assign",
        "head",
        lambda house: acknowledged(house, "assign", team(house)),
        again="before they left the head may choose anew",
    ),
    Act(
        "dispatch",
        OF_ORDER + "override",
        "head",
        lambda house: assigned(house, "override", {"worker_id": worker_id(house), "reason": "爆管"}),
    ),
    Act("dispatch", OF_ORDER + "check-in", "worker", lambda house: assigned(house, "check-in")),
    Act("dispatch", OF_ORDER + "arrive", "worker", lambda house: assigned(house, "arrive")),
    Act(
        "dispatch",
        OF_ORDER + "check-materials",
        "worker",
        lambda house: started(house, "check-materials", {"complete": False, "note": "缺一个水龙头"}),
        again="what was missing may have been bought since",
    ),
    Act(
        "dispatch",
        OF_ORDER + "tell-owner",
        "worker",
        lambda house: started(house, "tell-owner", {"kind": "told", "note": "管道在墙内"}),
        again="an owner is asked and told more than once",
    ),
    Act(
        "dispatch",
        OF_ORDER + "damage",
        "worker",
        lambda house: started(house, "damage", {"description": "碰倒花瓶", "estimate_fen": 12000}),
        again="two vases may break",
    ),
    Act("dispatch", OF_ORDER + "photos", "worker", lambda house: started(house, "photos", picture())),
    Act("dispatch", OF_ORDER + "stop", "worker", lambda house: started(house, "stop", STOP)),
    Act("dispatch", OF_ORDER + "resume", "head", stopped),
    Act("dispatch", OF_ORDER + "finish", "worker", lambda house: checked(house, "finish")),
    Act("dispatch", OF_ORDER + "accept", "worker", finished),
    Act("dispatch", OF_ORDER + "terminate", "worker", lambda house: started(house, "terminate", TERMINATE)),
    Act("dispatch", OF_ORDER + "return", "worker", ended),
    Act("dispatch", "/duties", "head", a_duty),
    Act("dispatch", "/duties/{duty_id}/retire", "head", lambda house: prescribed(house, "retire")),
    Act("dispatch", "/duties/{duty_id}/tick", "worker", lambda house: prescribed(house, "tick")),
    Act(
        "dispatch",
        "/duties/done",
        "worker",
        lambda _: Call("/duties/done"),
        again="the first time stands",
        everywhere="each worker says it of himself",
    ),
    Act("dispatch", "/duty-days/check", "head", a_check, again="the head may look again"),
    Act("dispatch", "/duty-days/neglect", "desk_head", a_neglect),
    Act("dispatch", "/consultations/{consultation_id}/answer", "head", a_question),
]
