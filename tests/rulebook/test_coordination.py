"""六、联动配合: the departments answer the desk at once and are at the home in time [R95-R101]."""

from datetime import timedelta

from services.dispatch.actions import visit
from services.dispatch.queries.work_orders import work_order_by_id
from tests.rulebook.company import Company
from tests.services.intake.desk import NOW, minutes

SECOND = timedelta(seconds=1)


def test_r099_the_department_answers_for_the_job_at_once_and_its_people_report_at_the_desk(company: Company) -> None:
    crew, made = company.crew, company.noticed()
    order = crew.acknowledge(crew.order(made.id), now=minutes(5))
    company.carry("WorkAcknowledged")
    assert company.desk.view(made).visits[0].acknowledged_at == minutes(5)
    assert not order.acknowledge_late
    visit.check_in(crew.session, work_order_id=crew.assign(order).id, actor=crew.worker, now=minutes(9))
    assert crew.order(made.id).checked_in_at == minutes(9)
    assert crew.acknowledge(crew.receive(), now=NOW + timedelta(minutes=5, seconds=1)).acknowledge_late


def test_r100_the_work_to_be_done_is_what_the_notice_asks_for(company: Company) -> None:
    crew, made = company.crew, company.noticed()
    order = work_order_by_id(crew.session, crew.head, crew.order(made.id).id)
    view = company.desk.view(made)
    assert view.notice is not None
    asked = (view.notice.number, view.description, view.address, view.visit_from, view.visit_to, view.fee_fen)
    assert asked == (
        order.notice_number,
        order.description,
        order.address,
        order.visit_from,
        order.visit_to,
        order.fee_fen,
    )


def test_r101_who_is_not_at_the_home_in_time_is_late_and_the_desk_knows_it(company: Company) -> None:
    in_time, late = company.noticed(), company.noticed()
    due = minutes(300 + 15)
    company.done(in_time, now=due)
    company.done(late, now=due + SECOND)
    assert [company.desk.view(made).visits[0].arrived_late for made in (in_time, late)] == [False, True]
