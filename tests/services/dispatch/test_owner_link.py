"""The owner signs on his own phone, by the link to his own page: what it opens, and what it signs [R31, R32, D23]."""

import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from fastapi.testclient import TestClient
from httpx2 import Response
from sqlalchemy import text

from services.dispatch.models import WorkOrder
from services.dispatch.tasks import tasks
from shared.db import WORKER, database
from shared.ids import new_id
from shared.messages import OwnerErased, OwnerLinkGiven
from shared.owner_link import token_of
from shared.people import hash_token
from tests.bad_input.house import web_of
from tests.people import published
from tests.services.dispatch.crew import NOW, Crew, hire, notice, revised, rework

HOST = "https://bianmin.example"
OURS = {"Origin": HOST, "Sec-Fetch-Site": "same-origin"}
DRAWN = '<svg xmlns="http://www.w3.org/2000/svg"><path d="M1 1L9 9"/></svg>'


def give_link(crew: Crew, request_id: UUID, code: str, *, minutes: int = 0) -> None:
    given = OwnerLinkGiven(
        request_id=request_id,
        site_id=crew.site_id,
        link_hash=hash_token(code),
        given_at=NOW + timedelta(minutes=minutes),
    )
    tasks.handlers["OwnerLinkGiven"](crew.session, given, now=NOW)
    crew.session.flush()


def links(crew: Crew) -> list[str]:
    return list(crew.session.scalars(text("SELECT link_hash FROM owner_links")))


def test_the_last_link_counts_in_whatever_order_they_come_and_none_after_the_owner_was_erased(crew: Crew) -> None:
    order = crew.terminate(crew.assigned())
    give_link(crew, order.request_id, "second", minutes=5)
    give_link(crew, order.request_id, "first")
    assert links(crew) == [hash_token("second")]
    erased = OwnerErased(request_id=order.request_id, site_id=crew.site_id, by=None, reason="policy", erased_at=NOW)
    tasks.handlers["OwnerErased"](crew.session, erased, now=NOW)
    assert links(crew) == []
    give_link(crew, order.request_id, "third", minutes=9)
    assert links(crew) == []


class Phone:
    """A department over HTTP, where everything commits, and the browser of an owner who has never signed in."""

    def __init__(self, client: TestClient) -> None:
        self.client = client
        with database("dispatch", WORKER).session() as session:
            self.crew = hire(session)

    def bring(self, *steps: str, code: str = "a-link", **changes: Any) -> WorkOrder:
        """An order as far as steps of the crew bring it, and its owner's link."""
        with database("dispatch", WORKER).session() as session:
            self.crew.session = session
            order = self.crew.started(**changes) if steps else self.crew.receive(**changes)
            for step in steps[1:]:
                getattr(self.crew, step)(order)
            give_link(self.crew, order.request_id, code)
            session.expunge_all()
            return order

    def get(self, code: str = "a-link", **headers: str) -> Response:
        return self.client.get("/o", params={"c": code}, headers={"Accept": "text/html", **headers})

    def shown_hash(self, code: str = "a-link") -> str:
        (found,) = re.findall(r'name="shown_hash" value="([0-9a-f]{64})"', self.get(code).text)
        return str(found)

    def sign(self, shown_hash: str, *, code: str = "a-link", headers: Any = OURS, **fields: str) -> Response:
        sent = {
            "code": code,
            "csrf": token_of(code),
            "shown_hash": shown_hash,
            "signer_name": "欧阳建国",
            "relation": "owner",
            "signature": DRAWN,
        }
        return self.client.post(
            "/o/sign", data=sent | fields, headers={"Accept": "text/html"} | headers, follow_redirects=False
        )

    def rows(self, statement: str) -> list[tuple[Any, ...]]:
        with database("dispatch", WORKER).session() as session:
            return [tuple(row) for row in session.execute(text(statement))]

    def said(self) -> list[tuple[str, str]]:
        with database("dispatch", WORKER).session() as session:
            return [one for one in published(session) if one[0] == "WorkAccepted"]


@pytest.fixture
def phone(installation: str) -> Iterator[Phone]:
    with TestClient(web_of("dispatch"), base_url=HOST) as client:
        yield Phone(client)


def test_the_owner_reads_the_list_in_both_languages_and_signs_it_once(phone: Phone) -> None:
    phone.bring("started", "finish")
    page = phone.get()
    for words in ("结算清单", "服务已完工", "换水龙头 × 1 个", "¥50.00", "业主自购", "3-2-1502"):
        assert words in page.text, words
    english = re.sub(r"<[^>]*>", "", phone.get(**{"Accept-Language": "en"}).text)
    assert "The work is finished" in english
    assert "签字" not in english
    shown = phone.shown_hash()
    for _ in range(2):
        answer = phone.sign(shown)
        assert (answer.status_code, answer.headers["location"]) == (303, "/dispatch/o?c=a-link")
    assert phone.rows("SELECT signer_name, relation, presented_by FROM signatures") == [("欧阳建国", "owner", None)]
    assert phone.rows("SELECT state FROM work_orders") == [("accepted",)]
    assert phone.said() == [("WorkAccepted", "intake"), ("WorkAccepted", "finance")]
    after = phone.get().text
    assert "您已签字验收" in after
    assert "确认签字" not in after


def test_the_signature_is_sealed_and_the_log_says_that_the_owner_came_by_his_link(phone: Phone) -> None:
    phone.bring("started", "finish")
    phone.sign(phone.shown_hash())
    ((sealed, stored),) = phone.rows("SELECT signature_sealed, signed_hash FROM signatures")
    assert "<svg" not in sealed
    assert re.fullmatch("[0-9a-f]{64}", stored)
    logged = phone.rows("SELECT cause, actor_id, after::text FROM audit_log WHERE table_name = 'signatures'")
    assert [(cause, actor) for cause, actor, _ in logged] == [("owner by link: POST /o/sign", None)]
    assert "<svg" not in logged[0][2]


def test_a_list_that_changed_meanwhile_is_shown_again_and_not_signed(phone: Phone) -> None:
    order = phone.bring("started", "finish")
    shown = phone.shown_hash()
    with database("dispatch", WORKER).session() as session:
        phone.crew.session = session
        tasks.handlers["NoticeRevised"](
            session, revised(phone.crew.order(order.request_id), fee_fen=6000, items=[]), now=NOW
        )
    refused = phone.sign(shown)
    assert refused.status_code == 409
    assert "费用或内容刚刚变更" in refused.text
    assert "¥60.00" in refused.text
    assert shown not in refused.text
    assert phone.rows("SELECT * FROM signatures") == []
    assert phone.sign(phone.shown_hash()).status_code == 303


@pytest.mark.parametrize(
    ("steps", "words"),
    [
        ((), "还没有上门"),
        (("started",), "正在服务"),
        (("started", "stop"), "服务暂停"),
        (("started", "terminate"), "已终止"),
    ],
)
def test_nobody_signs_before_the_work_is_finished_or_when_it_was_given_up(
    phone: Phone, steps: tuple[str, ...], words: str
) -> None:
    phone.bring(*steps)
    page = phone.get().text
    assert words in page
    assert "确认签字" not in page
    refused = phone.sign("0" * 64)
    assert refused.status_code == 409
    assert "现在不能签字" in refused.text
    assert phone.said() == []


@pytest.mark.parametrize(
    "fields", [{"signature": ""}, {"signer_name": " "}, {"relation": "witnessed"}, {"signature": "x" * 20001}]
)
def test_a_form_that_is_not_whole_is_shown_again_with_what_was_written(phone: Phone, fields: dict[str, str]) -> None:
    phone.bring("started", "finish")
    refused = phone.sign(phone.shown_hash(), **({"signer_name": "王丽"} | fields))
    assert refused.status_code == 422
    assert "没有办成" in refused.text
    assert phone.rows("SELECT * FROM signatures") == []


def test_a_rework_is_signed_by_the_same_link_and_costs_nothing(phone: Phone) -> None:
    with database("dispatch", WORKER).session() as session:
        phone.crew.session = session
        said = notice(phone.crew.site_id)
        tasks.handlers["NoticeIssued"](session, said, now=NOW)
        first = phone.crew.order(said.request_id)
        phone.crew.assign(phone.crew.acknowledge(first))
        phone.crew.do_duties()
        phone.crew.accept(phone.crew.finish(phone.crew.arrive(first)))
        tasks.handlers["ReworkOrdered"](session, rework(said), now=NOW)
        again = phone.crew.order(said.request_id, 1)
        phone.crew.assign(phone.crew.acknowledge(again))
        phone.crew.finish(phone.crew.arrive(again))
        give_link(phone.crew, said.request_id, "a-link")
    assert "免费返修" in phone.get().text
    assert phone.sign(phone.shown_hash()).status_code == 303
    assert phone.rows("SELECT round, state FROM work_orders ORDER BY round") == [(0, "accepted"), (1, "accepted")]


def test_a_wrong_an_old_and_an_erased_link_are_answered_alike(phone: Phone) -> None:
    phone.bring("started", "finish")
    answers = [phone.get("x"), phone.get(""), phone.sign("0" * 64, code="x")]
    phone.sign(phone.shown_hash())
    with database("dispatch", WORKER).session() as session:
        session.execute(text("UPDATE work_orders SET accepted_at = accepted_at - interval '31 days'"))
    answers.append(phone.get())
    with database("dispatch", WORKER).session() as session:
        session.execute(text("UPDATE work_orders SET accepted_at = now(), erased_at = now()"))
    answers.append(phone.get())
    assert {(one.status_code, one.text) for one in answers} == {(404, answers[0].text)}
    assert "链接已失效" in answers[0].text


def test_no_other_site_sends_the_form_and_one_link_signs_its_own_job_alone(phone: Phone) -> None:
    phone.bring("started", "finish")
    other = phone.bring("started", "finish", code="another", notice_number="TZ-BK-20260401-0002")
    shown = phone.shown_hash()
    for headers in ({"Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site"}, {}):
        assert phone.sign(shown, headers=headers).status_code == 403
    assert phone.sign(shown, csrf=token_of("another")).status_code == 403
    assert phone.sign(phone.shown_hash("another")).status_code == 409  # the other job's list, under this link
    assert phone.rows("SELECT * FROM signatures") == []
    assert phone.sign(shown, work_order_id=str(other.id)).status_code == 303
    assert phone.rows(f"SELECT state FROM work_orders WHERE id = '{other.id}'") == [("finished",)]


def test_a_second_signature_changes_nothing(phone: Phone) -> None:
    phone.bring("started", "finish", request_id=new_id())
    shown = phone.shown_hash()
    answers = [phone.sign(shown), phone.sign(shown, signer_name="王丽", relation="occupant")]
    assert [one.status_code for one in answers] == [303, 303]
    assert phone.rows("SELECT signer_name FROM signatures") == [("欧阳建国",)]
