"""The owner's own page: what a link opens and what it does not, and what its owner may do at each step of his job."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from html import unescape
from typing import Any
from uuid import UUID

import pytest
from fastapi.testclient import TestClient
from httpx2 import Response
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError

from services.intake.actions import owner, privacy
from services.intake.actions.link import renew_link
from services.intake.actions.revision import Revision, revise
from services.intake.models import Request, Revisit
from services.intake.pages import owner as owner_pages
from services.intake.pages.calendar_file import calendar_file
from services.intake.queries.privacy import held_of
from services.intake.rules.owner import (
    ALLOWED,
    MOST_ACTS,
    OwnerAct,
    check_act,
    check_movable,
    check_slot,
    given_name,
    offered,
)
from services.intake.rules.request import ENDED, RequestState
from shared.db import WORKER, database
from shared.errors import RuleBroken
from shared.ids import new_id
from shared.owner_link import LINK_DAYS, link_opens, token_of
from shared.people import hash_token
from shared.privacy import ERASED
from tests.bad_input.house import web_of
from tests.conftest import START
from tests.people import employ
from tests.services.intake.desk import NOW, Desk, minutes, open_desk
from tests.services.intake.test_privacy import everything

HOST = "https://bianmin.example"
OURS = {"Origin": HOST, "Sec-Fetch-Site": "same-origin"}

# the rule


def hours(number: float) -> datetime:
    return NOW + timedelta(hours=number)


def test_an_owner_moves_his_visit_only_within_the_times_he_called_convenient() -> None:
    windows = [(hours(24), hours(27)), (hours(-4), hours(1)), (hours(50), hours(50.5))]
    slots = offered(windows, visit_from=hours(25), visit_to=hours(26), now=NOW)
    assert slots == [(hours(24), hours(25)), (hours(26), hours(27))]
    assert offered([], visit_from=hours(25), visit_to=hours(26), now=NOW) == []


def test_a_time_that_has_begun_is_not_offered() -> None:
    windows = [(hours(-1), hours(3))]
    assert offered(windows, visit_from=hours(5), visit_to=hours(6), now=NOW) == [
        (hours(1), hours(2)),
        (hours(2), hours(3)),
    ]


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("王小明", "小明"),
        ("李伟", "伟"),
        ("欧阳建国", "建国"),
        ("欧阳", "阳"),
        ("Li Wei", "Wei"),
        ("Wang", "ang"),
        ("王", "王"),
    ],
)
def test_of_who_comes_an_owner_is_told_the_given_name_alone(name: str, told: str) -> None:
    assert given_name(name) == told


def test_a_link_opens_until_thirty_days_after_the_end() -> None:
    end = NOW + timedelta(days=LINK_DAYS)
    assert link_opens(None, now=NOW)
    assert link_opens(NOW, now=end - timedelta(seconds=1))
    assert not link_opens(NOW, now=end)


@pytest.mark.parametrize("state", RequestState)
@pytest.mark.parametrize("act", OwnerAct)
def test_each_act_is_refused_in_every_state_that_is_not_its_own(act: OwnerAct, state: RequestState) -> None:
    if state in ALLOWED[act]:
        check_act(act, state, acts_before=0)
        with pytest.raises(RuleBroken, match="50 times"):
            check_act(act, state, acts_before=MOST_ACTS)
    else:
        with pytest.raises(RuleBroken, match="takes no"):
            check_act(act, state, acts_before=0)


def test_nothing_an_owner_does_moves_a_visit_that_ended_or_that_he_signed_for() -> None:
    assert ALLOWED[OwnerAct.MOVE] == {RequestState.AGREED, RequestState.NOTICED}
    assert not ENDED & (ALLOWED[OwnerAct.CONFIRM] | ALLOWED[OwnerAct.WISH])


def test_a_notice_that_is_out_stays_as_it_is_from_an_hour_before_the_visit() -> None:
    check_movable(RequestState.NOTICED, hours(1.01), now=NOW)
    check_movable(RequestState.AGREED, hours(-1), now=NOW)  # nobody was sent
    for visit_from in (hours(1), hours(0.5), hours(-1)):
        with pytest.raises(RuleBroken) as refused:
            check_movable(RequestState.NOTICED, visit_from, now=NOW)
        assert refused.value.code == "too_late_to_move"


@pytest.mark.parametrize(
    ("start", "end", "code"),
    [(2, 2, "window_is_empty"), (3, 2, "window_is_empty"), (0, 1, "window_is_past"), (-2, -1, "window_is_past")],
)
def test_a_time_without_length_or_that_has_begun_cannot_be_offered(start: int, end: int, code: str) -> None:
    check_slot(hours(2), hours(3), now=NOW)
    with pytest.raises(RuleBroken) as refused:
        check_slot(hours(start), hours(end), now=NOW)
    assert refused.value.code == code


def test_a_calendar_file_keeps_texts_as_texts_and_lines_short() -> None:
    made = calendar_file(
        uid="DJ-1@bianmin",
        start=NOW,
        end=hours(1),
        made_at=NOW,
        title="a;b,c\\d",
        place="3-2-1502",
        words="坏了\r\nEND:VEVENT\r\nATTENDEE:x" + "漏水" * 60,
    ).decode()
    assert made.endswith("END:VCALENDAR\r\n")
    lines = made.split("\r\n")
    assert all(len(line.encode()) <= 75 for line in lines)
    assert "SUMMARY:a\\;b\\,c\\\\d" in lines
    assert f"DTSTART:{NOW:%Y%m%dT%H%M%SZ}" in lines
    whole = made.replace("\r\n ", "")
    assert whole.count("\r\nEND:VEVENT") == 1
    assert "\r\nATTENDEE" not in whole
    assert "DESCRIPTION:坏了\\nEND:VEVENT\\nATTENDEE:x" in whole


# the link


def test_every_request_gets_a_link_of_its_own_that_is_kept_sealed(desk: Desk) -> None:
    one, other = desk.register(), desk.register(trade="appliance")
    assert one.link is not None
    assert other.link is not None
    assert one.link != other.link
    assert len(one.link) == 22
    assert one.link_hash == hash_token(one.link)
    desk.session.flush()
    assert one.link not in everything(desk)


def test_the_department_is_told_the_hash_of_the_link_with_the_notice_and_of_each_later_one(desk: Desk) -> None:
    made = desk.agree(desk.register())
    renew_link(desk.session, request_id=made.id, actor=desk.clerk, now=NOW)
    assert desk.messages("OwnerLinkGiven") == []
    desk.issue(made)
    first = made.link_hash
    renew_link(desk.session, request_id=made.id, actor=desk.clerk, now=minutes(1))
    said = desk.messages("OwnerLinkGiven")
    assert [one["link_hash"] for one in said] == [first, made.link_hash]
    assert first != made.link_hash
    assert made.link is not None
    assert made.link not in str(said)


def test_who_erases_an_owner_erases_his_link_and_what_he_wrote(desk: Desk) -> None:
    made = desk.satisfied(desk.accepted())
    act(desk, made, "tell_private_job", words="王丽萍说：收了五十元")
    desk.session.flush()
    administrator = employ(desk.session, "administrator", "management", desk.site_id)
    assert "王丽萍说" in str(held_of(desk.session, [made.id]))
    privacy.erase(desk.session, request_ids=[made.id], reason="业主要求", actor=administrator, now=minutes(60))
    desk.session.expire_all()
    assert made.link is None
    assert made.link_hash is None
    assert "王丽萍说" not in everything(desk)
    assert [one.words for one in desk.view(made).owner_acts] == [ERASED]


def act(desk: Desk, made: Request, name: str, *, key: str = "", now: datetime = NOW, **facts: Any) -> None:
    getattr(owner, name)(desk.session, made, key=key or str(new_id()), now=now, **facts)
    desk.session.flush()


def test_what_an_owner_wrote_is_append_only(desk: Desk) -> None:
    made = desk.noticed()
    act(desk, made, "wish", words="早一点")
    for change in ("stars = 1", "act = 'rate'", "done_at = now()"):
        with pytest.raises(DBAPIError, match="permission denied"), desk.session.begin_nested():
            desk.session.execute(text(f"UPDATE owner_acts SET {change}"))


# what it does


def test_a_problem_brings_the_revisit_forward_and_tells_the_desk_which_decides(desk: Desk) -> None:
    made = desk.accepted()
    due = desk.view(made).revisits[0].due_at
    act(desk, made, "report_problem", words="还在漏水", now=minutes(30))
    desk.session.expire_all()
    assert desk.view(made).revisits[0].due_at == minutes(30) < due
    assert desk.view(made).state == RequestState.ACCEPTED
    assert desk.messages("ReworkOrdered") == []
    assert desk.alerts("owner_report_problem") == {("clerk", None, False), ("desk_head", None, False)}


def test_a_private_job_is_told_to_the_desk_head_alone_and_accuses_nobody(desk: Desk) -> None:
    made = desk.noticed()
    act(desk, made, "tell_private_job", words="说不用开票")
    assert desk.alerts("owner_tell_private_job") == {("desk_head", None, False)}
    assert desk.messages("PrivateJobReported") == []


def test_a_visit_is_moved_to_a_slot_with_its_fee_and_confirmed_by_that(desk: Desk) -> None:
    made = desk.agree(desk.register(windows=[(minutes(300), minutes(480))]))
    slot = minutes(420)
    act(desk, made, "move", slot=slot.isoformat())
    assert (made.visit_from, made.visit_to, made.fee_fen) == (slot, minutes(480), 5000)
    assert desk.alerts("owner_move") == {("clerk", None, False)}
    with pytest.raises(RuleBroken, match="not offered"):
        act(desk, made, "move", slot=minutes(1000).isoformat())
    desk.issue(made)
    with pytest.raises(RuleBroken, match="not offered"):  # his own convenient times count before the notice alone
        act(desk, made, "move", slot=minutes(300).isoformat())


def offer(desk: Desk, made: Request, *starts: float, now: datetime = NOW) -> None:
    slots = [(minutes(start), minutes(start + 90)) for start in starts]
    owner.offer(desk.session, request_id=made.id, slots=slots, actor=desk.clerk, now=now)
    desk.session.flush()


def test_an_offered_time_revises_the_notice_and_every_holder_is_told_once(desk: Desk) -> None:
    made = desk.noticed()
    offer(desk, made, 600, 480)
    key = str(new_id())
    for _ in range(2):
        act(desk, made, "move", key=key, slot=minutes(480).isoformat(), now=minutes(5))
    (said,) = desk.messages("NoticeRevised")
    assert (said["revision"], said["reason"], said["fee_fen"]) == (1, "owner chose a time he was offered", 5000)
    assert [datetime.fromisoformat(said[name]) for name in ("visit_from", "visit_to")] == [minutes(480), minutes(570)]
    view = desk.view(made)
    assert view.notice is not None
    assert [(one.revision, one.made_by) for one in view.notice.revisions] == [
        (0, desk.clerk.person_id),
        (1, desk.clerk.person_id),  # who offered it
    ]
    assert view.notice.revisions[1].changed.keys() == {"visit_from", "visit_to"}
    assert desk.alerts("owner_move") == {("clerk", None, False)}


def test_an_offer_is_answered_once_and_ends_when_the_desk_agrees_on_another_time(desk: Desk) -> None:
    made = desk.noticed()
    offer(desk, made, 480, 600)
    act(desk, made, "move", slot=minutes(480).isoformat())
    with pytest.raises(RuleBroken, match="not offered"):
        act(desk, made, "move", slot=minutes(600).isoformat())
    offer(desk, made, 700)
    revision = Revision(visit_from=minutes(800), visit_to=minutes(860))
    revise(desk.session, request_id=made.id, revision=revision, reason="业主来电", actor=desk.clerk, now=NOW)
    with pytest.raises(RuleBroken, match="not offered"):
        act(desk, made, "move", slot=minutes(700).isoformat())
    other = desk.agree(desk.register())
    offer(desk, other, 480)
    desk.agree(other)
    with pytest.raises(RuleBroken, match="not offered"):
        act(desk, other, "move", slot=minutes(480).isoformat())


def test_nobody_chooses_or_offers_a_time_when_workers_may_be_there_or_after_the_end(desk: Desk) -> None:
    made = desk.noticed()  # the visit is from minute 300
    offer(desk, made, 480)
    for refused in (
        lambda: act(desk, made, "move", slot=minutes(480).isoformat(), now=minutes(241)),
        lambda: offer(desk, made, 480, now=minutes(241)),
    ):
        with pytest.raises(RuleBroken, match="on the way"):
            refused()
    desk.cancel(made)
    with pytest.raises(RuleBroken, match="takes no"):
        act(desk, made, "move", slot=minutes(480).isoformat())
    with pytest.raises(RuleBroken, match="takes no"):
        offer(desk, made, 480)
    with pytest.raises(RuleBroken, match="takes no"):
        offer(desk, desk.accepted(), 480)
    with pytest.raises(RuleBroken, match="no visit is agreed"):
        offer(desk, desk.register(), 480)


def test_a_declined_notice_begins_again_with_the_time_the_owner_chose(desk: Desk) -> None:
    made = desk.noticed()
    desk.hear("WorkDeclined", made, reason="当天无人")
    offer(desk, made, 480)
    act(desk, made, "move", slot=minutes(480).isoformat())
    assert desk.view(made).declined is None
    (said,) = desk.messages("NoticeRevised")
    assert said["revision"] == 1


def test_a_visit_is_rated_once_and_each_visit_anew(desk: Desk) -> None:
    made = desk.accepted()
    act(desk, made, "rate", stars=1, words="来晚了")
    with pytest.raises(RuleBroken, match="has its rating"):
        act(desk, made, "rate", stars=5, words=None)
    desk.problem(made)
    with pytest.raises(RuleBroken, match="takes no rate"):
        act(desk, made, "rate", stars=5, words=None)
    desk.hear("WorkAccepted", made, round=1, fee_fen=0)
    act(desk, made, "rate", stars=5, words=None)
    assert [(one.round, one.stars) for one in desk.view(made).owner_acts] == [(0, 1), (1, 5)]
    heard = desk.session.scalars(select(Revisit).where(Revisit.request_id == made.id, Revisit.round == 0)).one()
    assert (heard.quality, heard.attitude) == (2, 4)  # what the desk heard at its revisit stands as it was


def test_a_time_that_has_passed_is_not_confirmed(desk: Desk) -> None:
    made = desk.noticed()
    with pytest.raises(RuleBroken, match="over already"):
        act(desk, made, "confirm", now=minutes(361))


# over HTTP


class Door:
    """The front desk over HTTP, where everything commits, and a browser of an owner who has never signed in."""

    def __init__(self, client: TestClient) -> None:
        self.client = client
        with database("intake", WORKER).session() as session:
            self.desk = open_desk(session, tokens=True)

    def bring(self, how: str, **facts: Any) -> tuple[UUID, str]:
        """A request as far as a method of the desk brings it: its id and the code of its link."""
        with database("intake", WORKER).session() as session:
            self.desk.session = session
            made: Request = getattr(self.desk, how)(**facts)
            session.flush()
            assert made.link is not None
            return made.id, made.link

    def agreed(self, **facts: Any) -> tuple[UUID, str]:
        with database("intake", WORKER).session() as session:
            self.desk.session = session
            made = self.desk.agree(self.desk.register(**facts))
            assert made.link is not None
            return made.id, made.link

    def get(self, code: str, path: str = "/o", **headers: str) -> Response:
        return self.client.get(path, params={"c": code}, headers={"Accept": "text/html", **headers})

    def post(self, code: str, path: str, fields: dict[str, str] | None = None, *, headers: Any = OURS) -> Response:
        sent = {"code": code, "csrf": token_of(code), "key": str(new_id())} | (fields or {})
        return self.client.post(
            f"/o/{path}", data=sent, headers={"Accept": "text/html"} | headers, follow_redirects=False
        )

    def acts(self) -> list[tuple[Any, ...]]:
        with database("intake", WORKER).session() as session:
            return [
                tuple(row)
                for row in session.execute(
                    text("SELECT request_id, act, stars, words FROM owner_acts ORDER BY done_at, id")
                )
            ]

    def desk_gets(self, who: str, path: str) -> Response:
        return self.client.get(f"/api{path}", headers={"Authorization": f"Bearer {who}"})

    def run(self, statement: str, **facts: Any) -> Any:
        with database("intake", WORKER).session() as session:
            return session.execute(text(statement), facts)


@pytest.fixture
def door(installation: str) -> Iterator[Door]:
    with TestClient(web_of("intake"), base_url=HOST) as client:
        yield Door(client)


def test_the_page_shows_the_job_in_both_languages_and_no_number_in_full(door: Door) -> None:
    _, code = door.bring("noticed")
    page = door.get(code)
    assert page.status_code == 200
    for said in ("3-2-1502", "138****8000", "换水龙头", "¥50.00", "已派单，服务人员", "这个时间可以", "TZ-BK-"):
        assert said in page.text, said
    assert "13800138000" not in page.text
    english = door.get(code, **{"Accept-Language": "en"})
    assert "This time suits me" in english.text
    shown = re.sub(r"<[^>]*>", "", english.text)
    for chinese in ("上门", "费用", "业主", "服务有问题"):
        assert chinese not in shown, chinese
    assert page.headers["cache-control"] == "no-store"


def test_the_page_says_nothing_of_another_job_and_of_the_worker_only_his_given_name(door: Door) -> None:
    other_id, other = door.bring("noticed")
    door.run("UPDATE requests SET description = '别人的水管' WHERE id = :id", id=other_id)
    made_id, code = door.bring("noticed")
    with database("intake", WORKER).session() as session:
        door.desk.session = session
        workers = [{"person_id": new_id(), "name": "王小明", "weight": 1}]
        door.desk.hear("WorkAssigned", session.get_one(Request, made_id), workers=workers)
    page = door.get(code).text
    assert "小明" in page
    assert "王小明" not in page
    assert "别人的水管" not in page
    assert other not in page
    assert str(other_id) not in page


def test_a_wrong_an_old_and_an_erased_link_are_answered_alike(door: Door) -> None:
    made_id, code = door.bring("accepted")
    answers = [door.get("x" * 22), door.get(""), door.get("，" * 30)]
    door.run(
        "UPDATE requests SET ended_at = :at, state = 'closed' WHERE id = :id", id=made_id, at=START - timedelta(days=31)
    )
    answers.append(door.get(code))
    answers.append(door.get(code, "/o/visit.ics"))
    answers.append(door.post(code, "problem", {"trouble": "漏水"}))
    door.run("UPDATE requests SET ended_at = NULL, link_hash = NULL, link_sealed = NULL WHERE id = :id", id=made_id)
    answers.append(door.get(code))
    assert {(one.status_code, one.text) for one in answers} == {(404, answers[0].text)}
    assert "链接已失效" in answers[0].text
    assert door.acts() == []


def test_a_clerk_reads_the_link_and_makes_another_after_which_the_first_opens_nothing(door: Door) -> None:
    made_id, code = door.bring("noticed")
    path = f"/requests/{made_id}/owner-link"
    assert door.desk_gets("clerk", path).json()["code"] == code
    answer = door.client.post(
        f"/api{path}", headers={"Authorization": "Bearer clerk", "Idempotency-Key": str(new_id())}
    )
    renewed = answer.json()["code"]
    assert renewed != code
    assert door.get(code).status_code == 404
    assert door.get(renewed).status_code == 200


def test_the_desks_page_of_a_request_shows_link_code_and_what_the_owner_did(door: Door) -> None:
    made_id, code = door.bring("accepted")
    door.post(code, "rate", {"stars": "2", "remark": "来晚了"})
    as_clerk = {"Authorization": "Bearer clerk", "Accept": "text/html"}
    page = door.client.get(f"/requests/{made_id}", headers=as_clerk)
    assert f"{HOST}/intake/o?c={code}" in page.text
    assert "<svg" in page.text
    assert "来晚了" in page.text
    assert "2 分" in page.text
    renewed = door.client.post(
        f"/requests/{made_id}/owner-link", data={"key": str(new_id())}, headers=as_clerk, follow_redirects=False
    )
    assert (renewed.status_code, renewed.headers["location"]) == (303, f"/intake/requests/{made_id}")
    assert door.get(code).status_code == 404
    door.run("UPDATE requests SET link_hash = NULL, link_sealed = NULL WHERE id = :id", id=made_id)
    assert "生成链接" in door.client.get(f"/requests/{made_id}", headers=as_clerk).text


def test_a_link_is_shown_to_nobody_whom_the_desk_is_not(door: Door) -> None:
    made_id, code = door.bring("noticed")
    with database("intake", WORKER).session() as session:
        employ(session, "auditor", "management", door.desk.site_id, token="auditor")
    assert door.desk_gets("auditor", f"/requests/{made_id}/owner-link").status_code == 403
    assert code not in door.desk_gets("auditor", f"/requests/{made_id}").text


def test_an_owner_confirms_once_and_the_same_form_again_changes_nothing(door: Door) -> None:
    made_id, code = door.bring("noticed")
    key = str(new_id())
    for _ in range(2):
        answer = door.post(code, "confirm", {"key": key})
        assert (answer.status_code, answer.headers["location"]) == (303, f"/intake/o?c={code}&said=confirm")
    assert door.acts() == [(made_id, "confirm", None, None)]
    after = door.get(code).text
    assert "时间已确认" in after
    assert "这个时间可以" not in after


def test_an_owner_moves_his_visit_on_the_page(door: Door) -> None:
    made_id, code = door.agreed(windows=[(minutes(300), minutes(480))])
    page = unescape(door.get(code).text)
    slots = re.findall(r'<option value="(20[^"]+)"', page)
    assert [datetime.fromisoformat(slot).astimezone(UTC) for slot in slots] == [minutes(360), minutes(420)]
    assert door.post(code, "move", {"slot": slots[1]}).status_code == 303
    moved = door.run("SELECT visit_from FROM requests WHERE id = :id", id=made_id).scalar_one()
    assert moved == minutes(420)
    refused = door.post(code, "move", {"slot": "2026-01-01T00:00:00+00:00"})
    assert refused.status_code == 409
    assert "这个时间已不能选" in refused.text


def test_the_desk_offers_times_on_the_requests_page_and_the_owner_takes_one(door: Door) -> None:
    made_id, code = door.bring("noticed")
    as_clerk = {"Authorization": "Bearer clerk", "Accept": "text/html"}
    path = f"/requests/{made_id}"
    wrong = {"slots.0.start": "2026-04-02T10:00", "slots.0.end": "2026-04-02T09:00", "key": str(new_id())}
    refused = door.client.post(f"{path}/offer", data=wrong, headers=as_clerk)
    assert refused.status_code == 409
    assert "上门结束时间须晚于开始时间" in refused.text
    assert "2026-04-02T09:00" in refused.text
    half = door.client.post(f"{path}/offer", data={"slots.1.start": "2026-04-02T10:00"}, headers=as_clerk)
    assert half.status_code == 422
    asked = wrong | {"slots.0.end": "2026-04-02T11:30", "key": str(new_id())}
    kept = door.client.post(f"{path}/offer", data=asked, headers=as_clerk, follow_redirects=False)
    assert (kept.status_code, kept.headers["location"]) == (303, f"/intake/requests/{made_id}")
    assert "给业主另选时间" in door.client.get(path, headers=as_clerk).text
    page = unescape(door.get(code).text)
    assert "客服给您另选了时间" in page
    (slot,) = re.findall(r'<option value="(20[^"]+)"', page)
    assert door.post(code, "move", {"slot": slot}).status_code == 303
    moved = door.run("SELECT visit_from, visit_to FROM requests WHERE id = :id", id=made_id).one()
    assert [at.astimezone(UTC).hour for at in moved] == [2, 3]
    after = door.get(code).text
    assert "时间已确认" in after
    assert "客服给您另选了时间" not in after
    assert "DTSTART:20260402T020000Z" in door.get(code, "/o/visit.ics").text
    shown = door.client.get(path, headers=as_clerk).text
    assert "业主改了上门时间" in shown
    assert "业主选了客服给的时间" in shown


@pytest.mark.parametrize(
    ("how", "path", "fields", "kind"),
    [
        ("noticed", "wish", {"wish": "下午更好"}, "owner_wish"),
        ("noticed", "private-job", {"private_job": "收了五十元"}, "owner_tell_private_job"),
        ("accepted", "problem", {"trouble": "还在漏"}, "owner_report_problem"),
    ],
)
def test_what_an_owner_writes_reaches_the_desk(
    door: Door, how: str, path: str, fields: dict[str, str], kind: str
) -> None:
    made_id, code = door.bring(how)
    assert door.post(code, path, fields).status_code == 303
    ((_, _, _, words),) = door.acts()
    assert words in fields.values()
    alerts = door.desk_gets("desk_head", "/alerts").json()["items"]
    assert str(made_id) in {one["facts"].get("request_id") for one in alerts if one["kind"] == kind}
    shown = door.desk_gets("clerk", f"/requests/{made_id}").json()["owner_acts"]
    assert [one["words"] for one in shown] == [words]


def test_a_rating_without_stars_shows_the_form_again_with_what_was_written(door: Door) -> None:
    _, code = door.bring("accepted")
    answer = door.post(code, "rate", {"remark": "师傅很细心"})
    assert answer.status_code == 422
    assert "师傅很细心" in answer.text
    assert "请填写" in answer.text
    assert door.acts() == []
    assert door.post(code, "rate", {"stars": "5", "remark": "师傅很细心"}).status_code == 303
    assert "5 分" in door.get(code).text
    assert door.post(code, "rate", {"stars": "1"}).status_code == 409


def test_what_an_owner_writes_is_shown_as_text(door: Door) -> None:
    _, code = door.bring("noticed")
    words = "<script>alert(1)</script>{{7*7}}"
    door.post(code, "wish", {"wish": words})
    page = door.get(code).text
    assert "<script>alert" not in page
    assert words in unescape(page)


PATHS = ("confirm", "move", "wish", "rate", "problem", "private-job")
FIELDS = {"wish": "x", "stars": "5", "trouble": "x", "private_job": "x", "slot": "x"}


@pytest.mark.parametrize("path", PATHS)
def test_no_other_site_sends_an_owners_form(door: Door, path: str) -> None:
    _, code = door.bring("accepted")
    for headers in (
        {"Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site"},
        {"Origin": HOST, "Sec-Fetch-Site": "same-site"},
        {"Sec-Fetch-Site": "same-origin"},
        {},
    ):
        assert door.post(code, path, FIELDS, headers=headers).status_code == 403
    for csrf in ("", token_of("another"), token_of(code)[:-1]):
        assert door.post(code, path, FIELDS | {"csrf": csrf}).status_code == 403
    assert door.acts() == []


def test_one_link_acts_on_its_own_request_alone(door: Door) -> None:
    mine, code = door.bring("noticed")
    other, _ = door.bring("noticed")
    door.post(code, "wish", {"wish": "x", "request_id": str(other)})
    assert {row[0] for row in door.acts()} == {mine}


def test_the_audit_log_says_that_an_owner_came_by_his_link_and_not_what_he_wrote(door: Door) -> None:
    _, code = door.bring("noticed")
    door.post(code, "wish", {"wish": "早一点来"})
    with database("intake", WORKER).session() as session:
        entries = session.execute(
            text("SELECT cause, actor_id, site_id, after::text FROM audit_log WHERE table_name = 'owner_acts'")
        ).all()
    ((cause, actor, site, after),) = entries
    assert cause == "owner by link: POST /o/wish"
    assert actor is None
    assert site == door.desk.site_id
    assert "早一点来" not in after
    assert code not in after


def test_a_link_is_used_only_so_often(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    _, code = door.bring("noticed")
    monkeypatch.setattr(owner_pages, "RATE", "2/minute")
    assert [door.get(code).status_code for _ in range(3)] == [200, 200, 429]


def test_the_appointment_is_a_calendar_file(door: Door) -> None:
    _, code = door.bring("noticed")
    answer = door.get(code, "/o/visit.ics")
    assert answer.headers["content-type"].startswith("text/calendar")
    assert answer.headers["content-disposition"].startswith("attachment")
    assert f"DTSTART:{minutes(300):%Y%m%dT%H%M%SZ}" in answer.text
    _, recorded = door.bring("register")
    assert door.get(recorded, "/o/visit.ics").status_code == 404


def test_the_code_is_in_no_log(door: Door, caplog: pytest.LogCaptureFixture) -> None:
    _, code = door.bring("noticed")
    with caplog.at_level("DEBUG"):
        door.get(code)
        door.post(code, "wish", {"wish": "x"})
    ours = [one for one in caplog.records if not one.name.startswith("httpx")]
    assert code not in " ".join(f"{one.msg} {one.args}" for one in ours)
