"""The departments' pages: who may sees them in both languages, and what is posted does what the API does."""

from collections.abc import Iterator
from typing import Any

import pytest
from httpx2 import Response

from shared.ids import new_id
from tests.bad_input import of_dispatch as at
from tests.bad_input.house import House, house_of

pytestmark = pytest.mark.usefixtures("installation")

PAGES = {
    "/board": ("head", "派工", "Dispatch"),
    "/support": ("head", "支援与终止", "Support"),
    "/jobs": ("worker", "我的单", "My jobs"),
    "/work-orders": ("clerk", "工单", "Jobs"),
    "/duties": ("head", "检查质量", "Check the quality"),
    "/duties/prescribed": ("head", "规定新的职责", "Prescribe a duty"),
    "/duties/mine": ("worker", "我的职责", "My duties"),
    "/workers": ("desk_head", "在岗人员", "Workers"),
    "/hours": ("leader", "有偿工时", "Paid hours"),
    "/consultations": ("head", "客服咨询", "Questions"),
    "/neglects": ("administration", "耽误本职", "Duties neglected"),
    "/owners": ("administrator", "导出全部资料", "Take out all data"),
    "/privacy": ("leader", "个人信息使用记录", "Use of personal data"),
}
"""Page -> somebody who may, and what it says to him in each language."""


@pytest.fixture
def house() -> Iterator[House]:
    with house_of("dispatch") as opened:
        yield opened


def look(house: House, who: str, path: str, language: str = "zh") -> Response:
    headers = {"Authorization": f"Bearer {who}", "Accept": "text/html", "Accept-Language": language}
    return house.client.get(path, headers=headers)


def send(house: House, who: str, path: str, *, key: str = "", files: Any = None, **form: str) -> Response:
    """Post a form as a page of ours does."""
    headers = {"Authorization": f"Bearer {who}", "Accept": "text/html", "Accept-Language": "zh"}
    data = {"key": key or str(new_id())} | {name.replace("__", "."): value for name, value in form.items()}
    return house.client.post(path, data=data, files=files, headers=headers, follow_redirects=False)


def state(house: House, path: str) -> str:
    return str(house.get("head", f"/work-orders/{path.split('/')[2]}").json()["state"])


def test_each_page_is_there_in_both_languages_for_who_may(house: House) -> None:
    at.started(house, "x")
    for path, (who, chinese, english) in PAGES.items():
        for language, words in (("zh", chinese), ("en", english)):
            answer = look(house, who, path, language)
            assert answer.status_code == 200, (path, answer.text[-400:])
            assert words in answer.text, (path, language)


def test_a_job_goes_from_the_notice_to_its_return_on_pages_alone(house: House) -> None:
    job = at.before(at.order(house, "x"), "")
    here = job.rstrip("/")
    board = look(house, "head", "/board").text
    assert "3-2-1502" in board
    assert f"/dispatch{job}acknowledge" in board
    assert send(house, "head", f"{job}acknowledge").headers["location"] == f"/dispatch{here}"
    assert f"/dispatch{job}assign" in look(house, "head", "/board").text
    assert send(house, "head", f"{job}assign", workers__0__person_id=at.worker_id(house)).status_code == 303
    assert "下一单" in look(house, "worker", "/jobs").text
    for step, form, after in (
        ("arrive", {}, "started"),
        ("check-materials", {"complete": "true"}, "started"),
        ("tell-owner", {"kind": "told", "note": "管道在墙内"}, "started"),
        ("stop", {"reason": "需要加人手"}, "stopped"),
    ):
        answer = send(house, "worker", f"{job}{step}", **form)
        assert (answer.status_code, state(house, job)) == (303, after), (step, answer.text[-400:])
    assert "需要加人手" in look(house, "head", "/support").text
    assert send(house, "head", f"{job}resume").status_code == 303
    assert send(house, "worker", f"{job}finish").status_code == 303
    signing = look(house, "worker", f"{job}sign").text
    assert "¥50.00" in signing
    assert "signature_pad" in signing
    shown = house.get("worker", f"{job}settlement-list").json()["hash"]
    signed = {"shown_hash": shown, "signer_name": "欧阳建国", "relation": "owner", "signature": "<svg/>"}
    assert send(house, "worker", f"{job}accept", **signed).status_code == 303
    assert send(house, "worker", f"{job}return").status_code == 303
    page = look(house, "clerk", here).text
    assert "已验收" in page
    assert "欧阳建国" in page


def test_what_is_refused_is_shown_again_with_what_was_written(house: House) -> None:
    job = at.before(at.order(house, "x"), "")
    empty = send(house, "head", f"{job}decline", reason="")
    assert (empty.status_code, state(house, job)) == (422, "received")
    assert "请填写" in empty.text
    early = send(house, "worker", f"{job}arrive")
    assert early.status_code == 404  # not his job yet
    untold = at.before(at.started(house, "x"), "")
    refused = send(house, "worker", f"{untold}terminate", cause="unable", reason="墙内管道")
    assert (refused.status_code, state(house, untold)) == (409, "started")
    assert "终止前请先告知业主困难所在。" in refused.text
    assert "墙内管道" in refused.text
    undone = send(house, "worker", f"{untold}finish")
    assert undone.status_code == 409
    assert "请先核对材料" in undone.text


def test_a_changed_notice_asks_for_a_new_signature_and_a_witness_needs_his_name(house: House) -> None:
    call = at.finished(house)
    old = send(house, "worker", call.path, **{**call.body, "shown_hash": "0" * 64})
    assert old.status_code == 409
    assert "重新签字" in old.text
    assert call.body["shown_hash"] in old.text
    alone = send(house, "worker", call.path, **{**call.body, "relation": "witnessed"})
    assert alone.status_code == 422
    assert "见证人姓名" in alone.text
    by_witness = {"relation": "witnessed", "witness_name": "王邻居", "reason": "手伤"}
    assert send(house, "worker", call.path, **(call.body | by_witness)).status_code == 303
    assert state(house, call.path) == "accepted"


def test_the_same_form_twice_takes_effect_once(house: House) -> None:
    job, key = at.before(at.started(house, "x"), ""), str(new_id())
    for _ in range(2):
        answer = send(house, "worker", f"{job}damage", key=key, description="碰倒花瓶", estimate_fen="120")
        assert answer.status_code == 303
    (damage,) = house.get("head", f"/work-orders/{job.split('/')[2]}").json()["damages"]
    assert damage["estimate_fen"] == 12000


def test_a_photo_comes_with_a_form_and_anything_else_is_refused(house: House) -> None:
    job = at.before(at.started(house, "x"), "")
    kept = send(house, "worker", f"{job}photos", kind="damage", files={"picture": ("花瓶.png", at.picture())})
    assert kept.status_code == 303
    (photo,) = house.get("head", f"{job}photos").json()
    assert photo["kind"] == "damage"
    assert f"photos/{photo['id']}" in look(house, "head", job.rstrip("/")).text
    for files in ({"picture": ("a.png", b"no picture")}, None):
        refused = send(house, "worker", f"{job}photos", kind="work", files=files)
        assert refused.status_code == 422
        assert "请选择一张照片" in refused.text


def test_an_owners_number_is_shown_with_a_reason_and_on_that_answer_alone(house: House) -> None:
    job = at.before(at.assigned(house, "x"), "")
    assert "13800138000" not in look(house, "worker", job.rstrip("/")).text
    assert send(house, "worker", f"{job}phone/reveal", reason="").status_code == 422
    shown = send(house, "worker", f"{job}phone/reveal", reason="到门口无人")
    assert shown.status_code == 200
    assert "13800138000" in shown.text
    assert "到门口无人" in look(house, "leader", "/privacy").text


def test_a_page_offers_what_its_reader_may_do_now_and_nothing_else(house: House) -> None:
    job = at.before(at.started(house, "x"), "")
    here = job.rstrip("/")
    offered = {who: look(house, who, here).text for who in ("worker", "head", "clerk")}
    assert f"/dispatch{job}stop" in offered["worker"]
    assert f"/dispatch{job}stop" not in offered["head"]
    assert f"/dispatch{job}terminate" in offered["head"]
    assert f"/dispatch{job}assign" not in offered["head"]
    assert f'action="/dispatch{job}' not in offered["clerk"]


def test_duties_are_prescribed_ticked_checked_and_found_undone(house: House) -> None:
    made = send(house, "head", "/duties", site_id=str(house.site_id), name="巡查泵房")
    assert made.headers["location"] == "/dispatch/duties/prescribed"
    again = send(house, "head", "/duties", site_id=str(house.site_id), name="巡查泵房")
    assert again.status_code == 409
    assert "已经规定过了" in again.text
    (duty,) = house.get("worker", "/duties/mine").json()["duties"]
    assert "请逐项勾选" in send(house, "worker", "/duties/done").text
    assert send(house, "worker", f"/duties/{duty['duty_id']}/tick").status_code == 303
    day = house.get("worker", "/duties/mine").json()["day"]
    check = {"person_id": at.worker_id(house), "day": day}
    assert send(house, "head", "/duty-days/check", **check, good="false").status_code == 422
    assert send(house, "head", "/duty-days/check", **check, good="false", note="地面有水").status_code == 303
    assert "主管检查不合格" in look(house, "worker", "/duties/mine").text
    found = {"worker_id": at.worker_id(house), "day": day, "reason": "泵房未巡查"}
    assert send(house, "desk_head", "/duty-days/neglect", **found).status_code == 303
    assert "泵房未巡查" in look(house, "leader", "/neglects").text
    assert "泵房未巡查" in look(house, "head", "/neglects").text
    assert send(house, "head", f"/duties/{duty['duty_id']}/retire").status_code == 303
    assert send(house, "head", f"/duties/{duty['duty_id']}/retire").status_code == 409


def test_a_head_lets_a_worker_go_sends_several_and_answers_the_desk(house: House) -> None:
    job = at.before(at.assigned(house, "x"), "")
    leave = send(house, "head", f"{job}override", worker_id=at.worker_id(house), reason="爆管")
    assert leave.status_code == 303
    twice = {"workers__0__person_id": at.worker_id(house), "workers__1__person_id": at.worker_id(house)}
    refused = send(house, "head", f"{job}assign", **twice)
    assert refused.status_code == 422
    assert "同一个人选了两次" in refused.text
    weighed = send(house, "head", f"{job}assign", workers__0__person_id=at.worker_id(house), workers__0__weight="3")
    assert weighed.status_code == 303
    assert house.get("head", f"/work-orders/{job.split('/')[2]}").json()["workers"][0]["weight"] == 3
    question = at.a_question(house)
    assert "能换吗?" in look(house, "head", "/consultations").text
    assert send(house, "head", question.path, answer="能").status_code == 303
    assert send(house, "head", question.path, answer="不能").status_code == 409


def test_what_is_held_of_an_owner_is_taken_out_as_a_file(house: House) -> None:
    call = at.an_export(house)
    (request_id,) = call.body["request_ids"]
    assert send(house, "administrator", "/owners/export", request_ids="x", reason="业主要求").status_code == 422
    answer = send(house, "administrator", "/owners/export", request_ids=request_id, reason="业主要求")
    assert answer.status_code == 200
    assert answer.headers["content-type"].endswith("spreadsheetml.sheet")


def test_a_list_is_filtered_and_exported(house: House) -> None:
    at.order(house, "x")
    at.assigned(house, "x")
    only = look(house, "head", "/work-orders?state=received").text
    assert only.count("data-open") == 1
    assert look(house, "head", "/work-orders?q=3-2-1502").text.count("data-open") == 2
    assert "没有这样的工单" in look(house, "head", "/work-orders?q=9-9-9999").text
    assert look(house, "head", "/work-orders?export=xlsx").content.startswith(b"PK")
