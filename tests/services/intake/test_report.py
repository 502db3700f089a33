"""The month's report: for the site, its departments and each person [R42, R43]."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text

from services.intake.actions import callback, revisit, statistics
from services.intake.queries.reports import ReportView, report
from services.intake.rules.report import LABELS, label, report_lines, shown, site_totals
from services.intake.rules.request import Channel
from shared.errors import NotFound
from shared.ids import new_id
from shared.messages import ReportLine
from tests.people import employ, open_site
from tests.services.intake.desk import MONTH_END, NOW, Desk, minutes

ZHANG, LI, WANG = ({"person_id": str(new_id()), "name": name, "weight": 1} for name in ("张师傅", "李师傅", "王师傅"))


@pytest.fixture
def april(desk: Desk) -> Desk:
    """Zhang and Li do a job whose rework Wang does; Zhang is late at a second; a third owner is never reached.

    Of two more owners one is not called back in time, one job is terminated, and a walk-in is refused.
    """
    desk.register(trade="appliance", channel=Channel.WALK_IN)
    desk.register()
    callback.miss_due(desk.session, now=minutes(11))
    first, second, third = (desk.noticed() for _ in range(3))
    desk.hear("WorkAccepted", first, workers=[ZHANG, LI])
    desk.hear("WorkAccepted", second, workers=[ZHANG], arrived_late=True)
    desk.hear("WorkAccepted", third, workers=[LI])
    desk.hear("WorkTerminated", desk.noticed())
    for made in (first, second):
        desk.hear("FeeCollected", made)
    desk.problem(first)
    desk.hear("WorkAccepted", first, round=1, fee_fen=0, workers=[WANG], now=minutes(60))
    desk.satisfied(first)
    desk.satisfied(second)
    desk.not_reached(third, 3)
    revisit.close_unreachable(desk.session, request_id=third.id, reason="停机", actor=desk.head, now=NOW)
    desk.begin_month()
    desk.session.flush()
    return desk


def april_report(desk: Desk) -> ReportView:
    return report(desk.session, desk.head, site_id=desk.site_id, month="2026-04")


def of(lines: list[ReportLine], department: str | None = None, person: Any = None) -> dict[str, int]:
    """The figures of one for whom the report counts."""
    person_id = person if isinstance(person, UUID | None) else UUID(person["person_id"])
    return {line.item: line.value for line in lines if (line.department, line.person_id) == (department, person_id)}


def test_the_report_of_the_site_counts_everything_of_the_month_once(april: Desk) -> None:
    assert of(april_report(april).lines) == {
        "requests": 6,
        "refused": 1,
        "accepted": 3,
        "terminated": 1,
        "receipts": 2,
        "received_fen": 10000,
        "callbacks": 5,
        "callbacks_kept": 4,
        "callbacks_missed": 1,
        "arrived_in_time": 3,
        "arrived_late": 1,
        "first_revisits": 2,
        "satisfied_at_first": 1,
        "price_as_agreed": 2,
        "quality_x100": 350,
        "attitude_x100": 450,
        "reworks_caused": 1,
        "rework_permille": 500,
        "rework_rounds": 1,
        "declined": 0,
        "unreachable": 1,
        "channel.phone": 5,
        "channel.walk_in": 1,
        "trade.appliance": 1,
        "trade.water": 5,
    }


def test_each_department_has_its_own_figures_and_one_that_did_nothing_has_nothing(april: Desk) -> None:
    engineering, environment = (
        of(april_report(april).lines, department) for department in ("engineering", "environment")
    )
    assert (engineering["requests"], engineering["accepted"], engineering["received_fen"]) == (5, 3, 10000)
    assert (engineering["rework_permille"], engineering["unreachable"]) == (500, 1)
    assert set(environment.values()) == {0}
    assert "rework_permille" not in environment
    assert of(april_report(april).lines, "front_desk") == {
        "requests": 6,
        "callbacks": 5,
        "callbacks_kept": 4,
        "callbacks_missed": 1,
    }


def test_rework_and_marks_are_those_of_whoever_made_the_first_visit_not_of_who_did_it_again(april: Desk) -> None:
    lines = april_report(april).lines
    assert of(lines, "engineering", ZHANG) == {
        "accepted": 2,
        "arrived_in_time": 1,
        "arrived_late": 1,
        "satisfied_at_first": 1,
        "quality_x100": 350,
        "attitude_x100": 450,
        "reworks_caused": 1,
    }
    assert (of(lines, "engineering", LI)["reworks_caused"], of(lines, "engineering", LI)["quality_x100"]) == (1, 200)
    wang = of(lines, "engineering", WANG)
    assert (wang["accepted"], wang["arrived_in_time"], wang["reworks_caused"]) == (0, 1, 0)
    assert "quality_x100" not in wang
    assert {line.name for line in lines if line.person_id == UUID(WANG["person_id"])} == {"王师傅"}


def test_a_missed_callback_is_the_clerks_who_recorded_the_request(april: Desk) -> None:
    figures = of(april_report(april).lines, "front_desk", april.clerk.person_id)
    assert (figures["requests"], figures["callbacks_missed"], figures["callbacks_kept"]) == (6, 1, 4)


def test_a_declined_notice_counts_for_its_department_in_the_month_it_was_declined_in(april: Desk) -> None:
    closing = MONTH_END - timedelta(minutes=30)
    for moment in (closing - timedelta(seconds=1), closing):
        april.hear("WorkDeclined", april.noticed(), now=moment)
    lines = april_report(april).lines
    assert (of(lines)["declined"], of(lines, "engineering")["declined"]) == (1, 1)
    assert (of(lines, "environment")["declined"], "declined" in of(lines, "front_desk")) == (0, False)


def test_the_report_stays_as_it_was_agreed(april: Desk) -> None:
    statistics.end_months(april.session, now=minutes(60 * 24 * 30))
    april.session.flush()
    april.figures(accepted=3, receipts=2, received_fen=10000, now=minutes(60 * 24 * 30))
    april.session.execute(
        text("UPDATE month_figures SET value = 1 WHERE department = 'engineering' AND item = 'terminated'")
    )
    for role, department in (
        ("desk_head", "front_desk"),
        ("finance_lead", "finance"),
        ("head", "engineering"),
        ("head", "environment"),
    ):
        actor = employ(april.session, role, department, april.site_id)  # type: ignore[arg-type]
        statistics.sign(april.session, site_id=april.site_id, month="2026-04", actor=actor, now=MONTH_END)
        april.session.flush()
    before = april_report(april)
    april.hear("WorkAccepted", april.noticed(), workers=[WANG])
    assert april_report(april) == before
    (said,) = april.messages("MonthReported")
    assert [ReportLine.model_validate(line) for line in said["lines"]] == before.lines
    assert (said["report"], before.agreed_at) == (before.report, MONTH_END)


def test_a_report_is_shown_to_people_of_its_site_only(april: Desk) -> None:
    stranger = employ(april.session, "desk_head", "front_desk", open_site(april.session, "ZJ"))
    with pytest.raises(NotFound):
        report(april.session, stranger, site_id=april.site_id, month="2026-04")


def test_rates_without_anybody_asked_are_left_out_and_totals_are_the_sites() -> None:
    lines = report_lines(
        {(None, None): {"requests": 2, "quality_x100": None}, ("engineering", None): {"accepted": 3}}, {}
    )
    assert all(line.item not in {"quality_x100", "rework_permille"} for line in lines)
    totals = site_totals(lines)
    assert (totals["requests"], totals["refused"], totals["engineering.accepted"]) == (2, 0, 3)
    assert "front_desk.requests" not in totals


def test_a_figure_is_shown_as_people_read_it() -> None:
    assert shown("received_fen", 383978) == "¥3,839.78"
    assert (shown("quality_x100", 422), shown("attitude_x100", 405)) == ("4.22", "4.05")
    assert (shown("rework_permille", 37), shown("accepted", 27)) == ("37", "27")


def test_every_figure_has_a_name_for_people() -> None:
    assert all(label(item) == text for item, text in LABELS.items())
    assert label("channel.phone") == "登记渠道 registered by phone"
    assert label("trade.water") == "登记工种 registered trade water"
