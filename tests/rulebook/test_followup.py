"""After the work: revisits, refunds, the month's statistics and its report [R37-R43, D4, D13, D16, D18, D25]."""

from datetime import timedelta
from uuid import UUID

import pytest

from services.hr.queries.reports import reports
from services.intake.actions import callback, revisit, statistics
from services.intake.actions import line as line_actions
from services.intake.models import Month, Person, Request
from services.intake.queries.reports import report
from services.intake.queries.revisits import revisits_due
from services.intake.queries.statistics import month_lines, months
from services.intake.rules.revisit import RevisitPolicy
from services.intake.rules.statistics import Item, LineState, StatisticsPolicy
from shared.alerts import alerts_of
from shared.errors import NotYourRole
from shared.ids import new_id
from shared.messages import FeeRefunded
from shared.people import Actor, known_site
from shared.policy_rows import change
from tests.people import employ, published
from tests.rulebook.company import Company, refused
from tests.services.intake.desk import MONTH_END, NOW, Desk, minutes

AFTER = MONTH_END + timedelta(seconds=1)
LINE = {"department": "engineering", "item": Item.ACCEPTED}


def signers(desk: Desk) -> list[Actor]:
    return [
        desk.head,
        employ(desk.session, "finance_lead", "finance", desk.site_id),
        employ(desk.session, "head", "engineering", desk.site_id),
        employ(desk.session, "head", "environment", desk.site_id),
    ]


def ended(desk: Desk) -> Request:
    """April is over with one job accepted and paid, and all departments count the same."""
    made = desk.accepted()
    desk.hear("FeeCollected", made)
    desk.begin_month()
    statistics.end_months(desk.session, now=AFTER)
    desk.figures(accepted=1, receipts=1, received_fen=5000, now=AFTER)
    return made


def sign(desk: Desk, actor: Actor) -> None:
    statistics.sign(desk.session, site_id=desk.site_id, month="2026-04", actor=actor, now=AFTER)
    desk.session.flush()


def say(desk: Desk, step: str, actor: Actor, **facts: object) -> None:
    known = {"site_id": desk.site_id, "month": "2026-04", "actor": actor, "now": AFTER} | LINE | facts
    getattr(line_actions, step)(desk.session, **known)
    desk.session.flush()


def refund(desk: Desk, made: Request, amount_fen: int, month: str) -> None:
    desk.handle(
        FeeRefunded(
            refund_id=new_id(),
            request_id=made.id,
            site_id=desk.site_id,
            department="engineering",
            receipt_number="SJ-BK-20260401-0001",
            amount_fen=amount_fen,
            reason="多收了",
            month=month,
            refunded_at=NOW,
        )
    )


def income(desk: Desk, month: str) -> int:
    lines = month_lines(desk.session, desk.site_id, month)
    return sum(line.ours for line in lines if line.item is Item.RECEIVED_FEN)


def figures(desk: Desk, department: str | None = None, person_id: UUID | None = None) -> dict[str, int]:
    lines = report(desk.session, desk.head, site_id=desk.site_id, month="2026-04").lines
    return {line.item: line.value for line in lines if (line.department, line.person_id) == (department, person_id)}


def test_r037_the_revisit_is_made_on_what_both_forms_say_and_each_call_is_kept(desk: Desk) -> None:
    made = desk.not_reached(desk.accepted())
    revisit.list_due(desk.session, now=minutes(24 * 60 + 1))
    desk.session.expire_all()
    (due,) = revisits_due(desk.session, desk.clerk).items
    assert (due.owner_name, due.description, due.windows) == (made.owner_name, made.description, made.windows)
    assert (due.notice_number, due.fee_fen, due.visit.signer_name) == ("TZ-BK-20260401-0001", 5000, "欧阳建国")
    assert [(call.at, call.by) for call in due.attempts] == [(NOW, desk.clerk.person_id)]


def test_r038_the_desk_sees_which_department_was_told_of_the_problem(desk: Desk) -> None:
    made = desk.problem(desk.accepted())
    (ordered,) = desk.messages("ReworkOrdered")
    assert published(desk.session)[-1] == ("ReworkOrdered", "dispatch")
    assert desk.view(made).revisits[0].told == ordered["department"] == "engineering"


def test_r039_who_cannot_be_asked_is_never_counted_as_satisfied(desk: Desk) -> None:
    made = desk.not_reached(desk.accepted(), 3)
    assert desk.view(made).ended_at is None
    revisit.close_unreachable(desk.session, request_id=made.id, reason="停机", actor=desk.head, now=NOW)
    desk.begin_month()
    view = desk.view(made)
    assert (view.state, view.revisits[0].satisfied) == ("closed_unreachable", None)
    assert (figures(desk)["unreachable"], figures(desk)["satisfied_at_first"]) == (1, 0)


def test_r040_the_months_income_is_what_came_in_less_what_was_given_back(desk: Desk) -> None:
    refund(desk, ended(desk), 1200, "2026-04")
    assert (income(desk, "2026-04"), figures(desk)["received_fen"]) == (3800, 3800)


def test_r041_nobody_signs_while_a_line_is_disputed_until_both_sides_accept_one_figure(desk: Desk) -> None:
    ended(desk)
    desk_head, finance, engineering, environment = signers(desk)
    say(desk, "dispute", engineering, reason="有一单不是我们的")
    for actor in (desk_head, finance, engineering, environment):
        with refused(desk.session, "R41", code="statistics_differ"):
            sign(desk, actor)
    say(desk, "settle", desk_head, figure=0, note="已对单")
    with refused(desk.session, "R41", code="statistics_differ"):
        sign(desk, desk_head)
    with refused(desk.session, "R41", code="not_the_other_side"):
        say(desk, "accept", finance, note="同意")
    say(desk, "accept", engineering, note="同意")
    line = next(line for line in month_lines(desk.session, desk.site_id, "2026-04"))
    assert (line.state, line.counts) == (LineState.SETTLED, 0)
    for actor in (desk_head, finance, engineering, environment):
        sign(desk, actor)
    (view,) = months(desk.session, desk.head, month="2026-04")
    assert view.agreed_at == AFTER


def test_r041_a_dispute_voids_what_was_signed_before_it(desk: Desk) -> None:
    ended(desk)
    desk_head, finance, *_ = signers(desk)
    sign(desk, desk_head)
    say(desk, "dispute", finance, reason="票据少一张")
    (view,) = months(desk.session, desk.head, month="2026-04")
    assert (view.signed, [entry.note for entry in view.entries]) == ([], ["票据少一张"])


def test_r042_the_administration_department_gets_the_report_line_by_line(company: Company) -> None:
    desk = company.desk
    ended(desk)
    for actor in signers(desk):
        sign(desk, actor)
    company.carry("MonthReported")
    reader = employ(company.discipline.session, "administration", "administration", desk.site_id)
    (received,) = reports(company.discipline.session, reader, after=None, limit=9).items
    (said,) = desk.messages("MonthReported")
    assert (
        received.report
        == said["report"]
        == report(desk.session, desk.head, site_id=desk.site_id, month="2026-04").report
    )
    people = {line["name"] for line in said["lines"] if line["person_id"]}
    assert people == {"张师傅", desk.session.get_one(Person, desk.clerk.person_id).name}


def test_r043_rework_counts_against_those_who_made_the_first_visit(desk: Desk) -> None:
    first, second = ({"person_id": str(new_id()), "name": name, "weight": 1} for name in ("张师傅", "李师傅"))
    made = desk.noticed()
    desk.hear("WorkAccepted", made, workers=[first], arrived_late=True)
    desk.problem(made)
    desk.hear("WorkAccepted", made, workers=[second], round=1, fee_fen=0)
    desk.satisfied(made)
    desk.begin_month()
    blamed = figures(desk, "engineering", UUID(str(first["person_id"])))
    helper = figures(desk, "engineering", UUID(str(second["person_id"])))
    assert (blamed["reworks_caused"], blamed["quality_x100"], blamed["arrived_late"]) == (1, 200, 1)
    assert (helper["reworks_caused"], helper["arrived_late"]) == (0, 0)
    assert "quality_x100" not in helper
    assert (figures(desk)["rework_permille"], figures(desk)["satisfied_at_first"]) == (1000, 0)


def test_r043_notices_a_department_declined_count_against_it(desk: Desk) -> None:
    desk.hear("WorkDeclined", desk.noticed())
    desk.begin_month()
    counted = [figures(desk, department).get("declined") for department in (None, "engineering", "environment")]
    assert counted == [1, 1, 0]


def test_r043_a_missed_callback_counts_against_the_clerk_who_recorded_the_request(desk: Desk) -> None:
    desk.register()
    desk.agree(desk.register())
    callback.miss_due(desk.session, now=minutes(11))
    desk.begin_month()
    clerk = figures(desk, "front_desk", desk.clerk.person_id)
    assert (clerk["callbacks_missed"], clerk["callbacks_kept"]) == (1, 1)


@pytest.mark.parametrize("attempts", [1, 3])
def test_d04_after_so_many_calls_the_desk_head_decides_on_an_owner_who_is_not_reached(
    desk: Desk, attempts: int
) -> None:
    if attempts != RevisitPolicy().attempts:
        administrator = employ(desk.session, "administrator", "management")
        change(
            desk.session,
            RevisitPolicy(attempts=attempts),
            site_id=desk.site_id,
            effective_from=NOW,
            reason="试行",
            actor=administrator,
            now=NOW,
        )
    made = desk.not_reached(desk.accepted(), attempts - 1)
    assert revisits_due(desk.session, desk.clerk, unreachable=True).items == []
    with refused(desk.session, "R37", code="owner_can_be_called"):
        revisit.close_unreachable(desk.session, request_id=made.id, reason="x", actor=desk.head, now=NOW)
    desk.not_reached(made)
    assert [due.request_id for due in revisits_due(desk.session, desk.clerk, unreachable=True).items] == [made.id]
    (told,) = alerts_of(desk.session, desk.head, unseen=True, after=None, limit=9).items
    assert (told.kind, told.facts["request_id"]) == ("owner_unreachable", str(made.id))


def test_d13_income_is_net_of_refunds_and_a_refund_told_twice_lessens_it_once(desk: Desk) -> None:
    made = desk.accepted()
    desk.hear("FeeCollected", made)
    once = FeeRefunded(
        refund_id=new_id(),
        request_id=made.id,
        site_id=desk.site_id,
        department="engineering",
        receipt_number="SJ-BK-20260401-0001",
        amount_fen=1000,
        reason="多收了",
        month="2026-04",
        refunded_at=NOW,
    )
    for _ in range(2):
        desk.handle(once)
    assert (income(desk, "2026-04"), desk.view(made).refunded_fen) == (4000, 1000)


def test_d16_a_refund_after_its_month_lessens_the_open_one_and_the_settled_month_stays(desk: Desk) -> None:
    refund(desk, ended(desk), 1000, "2026-05")
    assert (income(desk, "2026-04"), income(desk, "2026-05")) == (5000, -1000)


def test_d18_the_statistics_begin_so_many_minutes_after_closing_as_the_policy_says(desk: Desk) -> None:
    site = known_site(desk.session, desk.site_id)
    statistics.open_month(desk.session, site, "2026-04")
    change(
        desk.session,
        StatisticsPolicy(minutes_after_closing=90),
        site_id=None,
        effective_from=AFTER,
        reason="盘点较久",
        actor=employ(desk.session, "administrator", "management"),
        now=NOW,
    )
    statistics.open_month(desk.session, site, "2026-05")
    closes = [desk.session.get_one(Month, (desk.site_id, month)).closes_at for month in ("2026-04", "2026-05")]
    assert closes == [MONTH_END, MONTH_END + timedelta(days=31, minutes=60)]


def test_d18_only_a_department_that_signs_disputes_a_line(desk: Desk) -> None:
    ended(desk)
    with pytest.raises(NotYourRole):
        say(desk, "dispute", employ(desk.session, "leader", "management", desk.site_id), reason="x")
    say(desk, "dispute", signers(desk)[3], reason="x")


def test_d25_an_order_stays_open_until_the_owner_is_satisfied_or_the_desk_head_gives_up(desk: Desk) -> None:
    asked, given_up = (desk.not_reached(desk.accepted(), 3) for _ in range(2))
    assert {desk.view(made).state for made in (asked, given_up)} == {"accepted"}
    desk.satisfied(asked)
    revisit.close_unreachable(desk.session, request_id=given_up.id, reason="停机", actor=desk.head, now=NOW)
    assert [desk.view(made).state for made in (asked, given_up)] == ["closed", "closed_unreachable"]
