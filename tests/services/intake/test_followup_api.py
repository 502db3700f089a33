"""Revisits, lines of the statistics and the month's report, over HTTP where everything really commits."""

from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from services.intake.actions import statistics
from shared.db import WORKER, database
from shared.ids import new_id
from tests.papers.printing import pdf_file, words
from tests.people import employ
from tests.services.intake.desk import minutes
from tests.services.intake.test_api import House, house, problem

__all__ = ["house"]

SURVEY = {"quality": 5, "attitude": 4, "price_as_agreed": True}


@pytest.fixture
def made(house: House) -> str:
    """A request whose owner signed; the month is over and its figures are there."""
    with database("intake", WORKER).session() as session:
        house.desk.session = session
        made = house.desk.accepted()
        session.execute(text("UPDATE sites SET name = '<b>碧湖</b>' WHERE id = :id"), {"id": house.desk.site_id})
        house.desk.begin_month()
        statistics.end_months(session, now=minutes(60 * 24 * 30))
        house.desk.figures(accepted=1, now=minutes(60 * 24 * 30))
        employ(session, "head", "environment", house.desk.site_id, token="environment")
        return str(made.id)


def test_an_owner_who_is_reached_is_asked_the_three_questions(house: House, made: str) -> None:
    path, said = f"/requests/{made}/revisit", {"outcome": "satisfied", "note": "满意"}
    assert problem(house.post("clerk", path, said)) == (422, "survey_needed")
    wrong: list[dict[str, Any]] = [
        {"quality": 6},
        {"quality": 0},
        {"attitude": 4.5},
        {"price_as_agreed": "yes"},
        {"colour": 1},
    ]
    for changes in wrong:
        assert house.post("clerk", path, said | {"survey": SURVEY | changes}).status_code == 422
    answer = house.post("clerk", path, said | {"survey": SURVEY}).json()
    assert (answer["state"], answer["revisits"][0]["survey"]) == ("closed", SURVEY)


def test_an_owner_not_reached_three_times_goes_to_the_desk_head(house: House, made: str) -> None:
    with database("intake", WORKER).session() as session:
        session.execute(text("UPDATE revisits SET listed_at = due_at"))
    (row,) = house.get("clerk", "/revisits").json()["items"]
    assert (row["request_id"], row["attempts"], row["visit"]["workers"]) == (made, [], ["张师傅"])
    for _ in range(3):
        house.post("clerk", f"/requests/{made}/revisit", {"outcome": "not_reached", "note": "无人接听"})
    assert house.get("clerk", "/revisits").json() == {"items": [], "next": None}
    assert [row["failed_attempts"] for row in house.get("clerk", "/revisits?unreachable=true").json()["items"]] == [3]
    assert [one["kind"] for one in house.get("desk_head", "/alerts").json()["items"]] == ["owner_unreachable"]
    path = f"/requests/{made}/close-unreachable"
    assert problem(house.post("clerk", path, {"reason": "停机"})) == (403, "role_not_allowed")
    assert house.post("desk_head", path, {"reason": " "}).status_code == 422
    closed = house.post("desk_head", path, {"reason": "停机"}).json()
    assert (closed["state"], closed["phone"]) == ("closed_unreachable", "138****8000")


def test_a_line_is_disputed_settled_and_signed_over_http(house: House, made: str, tmp_path: Path) -> None:
    path, line = f"/months/2026-04/sites/{house.site_id}", {"department": "engineering", "item": "accepted"}
    assert house.post("head", f"{path}/lines/dispute", line | {"reason": "少一单"}).status_code == 200
    assert problem(house.post("desk_head", f"{path}/sign")) == (409, "statistics_differ")
    below = line | {"figure": -1, "note": "x"}
    assert problem(house.post("desk_head", f"{path}/lines/settle", below)) == (422, "figure_below_zero")
    assert house.post("desk_head", f"{path}/lines/settle", line | {"figure": 2, "note": "已对单"}).status_code == 200
    assert problem(house.post("environment", f"{path}/lines/accept", line)) == (403, "not_the_other_side")
    (month,) = house.post("head", f"{path}/lines/accept", line).json()
    assert month["lines"][0] == line | {
        "compared_with": "engineering",
        "ours": 1,
        "theirs": 1,
        "state": "settled",
        "reason": "少一单",
        "figure": 2,
    }
    for who in ("desk_head", "finance_lead", "head", "environment"):
        (month,) = house.post(who, f"{path}/sign").json()
    assert [signature["name"] for signature in month["signatures"]] == [
        signature["name"] for signature in house.get("auditor", "/months/2026-04").json()[0]["signatures"]
    ]
    assert (len(month["signatures"]), month["report"]["engineering.accepted"]) == (4, 2)
    assert [entry["step"] for entry in month["entries"]] == ["dispute", "settle", "accept"]
    page = words(pdf_file(tmp_path, house.get("finance_lead", f"{path}/report.pdf").content))
    assert all(signature["name"].replace(" ", "") in page for signature in month["signatures"])
    assert "草稿" not in page
    assert "四部门核对一致：2026-04-0100:00" in page  # on the wall of the site


def test_the_report_is_data_and_a_document_to_print_in_which_nothing_is_taken_for_markup(
    house: House, made: str, tmp_path: Path
) -> None:
    path = f"/months/2026-04/sites/{house.site_id}/report"
    data = house.get("head", path).json()
    assert (data["agreed_at"], data["report"]["accepted"]) == (None, 1)
    assert {"department": "engineering", "item": "accepted", "value": 1, "name": "张师傅"}.items() <= next(
        line for line in data["lines"] if line["name"] == "张师傅"
    ).items()
    page = words(pdf_file(tmp_path, house.get("auditor", f"{path}.pdf").content))
    for said in ("<b>碧湖</b>", "草稿", "工程部·张师傅", "验收完成", "¥0.00"):
        assert said in page
    assert problem(house.get("worker", path)) == (403, "role_not_allowed")
    other = f"/months/2026-04/sites/{new_id()}/report"
    assert problem(house.get("head", other)) == (404, "not_found")
    assert problem(house.get("head", f"{other}.pdf")) == (404, "not_found")
