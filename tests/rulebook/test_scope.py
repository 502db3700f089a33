"""二、便民有偿服务范围: what is served, and who serves it [R6-R12]."""

import pytest

from services.dispatch.queries.work_orders import work_order_by_id
from services.finance.queries.charges import charge_by_id
from services.hr.actions import post
from services.intake.actions import request
from services.intake.rules.request import Channel
from shared.errors import NotFound, RuleBroken
from shared.ids import new_id
from tests.people import employ, open_site
from tests.rulebook.company import Company, refused
from tests.services.intake.desk import NOW, Desk
from tests.services.intake.test_api import FORM, House, problem


def test_r006_only_households_of_the_companys_own_sites_are_served(desk: Desk) -> None:
    assert desk.register().state == "recorded"
    form = request.RegistrationForm(Channel.PHONE, "欧阳建国", "3-2", "13800138000", "漏水", "water")
    for site_id in (new_id(), open_site(desk.session, "ZJ")):
        with pytest.raises(NotFound):
            request.register(desk.session, site_id=site_id, form=form, actor=desk.clerk, now=NOW)
    assert desk.register(trade="other").state == "refused"


@pytest.mark.parametrize("trade", ["water", "electricity"])
def test_r007_water_and_electricity_are_taken_on_by_engineering(desk: Desk, trade: str) -> None:
    made = desk.register(trade=trade)
    assert (made.state, made.department) == ("recorded", "engineering")


@pytest.mark.parametrize("trade", ["cleaning", "greening"])
def test_r008_cleaning_and_greening_are_taken_on_by_environment(desk: Desk, trade: str) -> None:
    made = desk.register(trade=trade)
    assert (made.state, made.department) == ("recorded", "environment")


def out_of_scope(desk: Desk, trade: str) -> str:
    """The reason the owner is told; nothing can be arranged."""
    made = desk.register(trade=trade)
    assert made.state == "refused"
    with pytest.raises(RuleBroken):
        desk.agree(made)
    return str(made.refusal)


def test_r009_repair_of_household_appliances_is_refused_with_the_reason(desk: Desk) -> None:
    assert "家电维修暂不列入有偿服务范围" in out_of_scope(desk, "appliance")


def test_r010_repair_of_the_building_is_refused_with_the_reason(desk: Desk) -> None:
    assert "房屋修缮暂不列入有偿服务范围" in out_of_scope(desk, "renovation")


def test_r011_requests_are_received_by_the_front_desk_and_nobody_else(desk_api: House) -> None:
    form = FORM | {"site_id": desk_api.site_id}
    for who in ("worker", "head", "finance_lead", "operator"):
        assert problem(desk_api.post(who, "/requests", form)) == (403, "role_not_allowed")
    for who in ("clerk", "desk_head"):
        assert desk_api.post(who, "/requests", form).status_code == 201


def test_r012_engineering_and_finance_take_part_in_every_job_each_with_its_own_people(company: Company) -> None:
    discipline, made = company.discipline, company.noticed()
    order = work_order_by_id(company.crew.session, company.crew.head, company.crew.order(made.id).id)
    charged = charge_by_id(company.office.session, company.office.cashier, made.id)
    assert (order.department, order.notice_number) == ("engineering", charged.notice_number)
    with refused(discipline.session, "R12"):
        post.employ(
            discipline.session,
            name="x",
            role="cashier",
            department="engineering",
            site_ids=[discipline.site_id],
            all_sites=False,
            shift_start=None,
            shift_end=None,
            actor=employ(discipline.session, "hr", "hr"),
            now=NOW,
        )
