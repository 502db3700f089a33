"""One job from the call to the pay, as people live it: each in a browser of his own, by clicking what a page offers.

The installation is the one `make up` starts, empty but for the company, one site and its people. Whatever a person does
here he does on a page; only the clock is moved by hand, as it would go by itself.
"""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from playwright.sync_api import expect

from bianmin.client import Person
from tests.folders import reachable_folder
from tests.journeys.town import Town, local_time, number_of, open_town, send

pytestmark = pytest.mark.journey

BEGINS = datetime(2026, 4, 27, 1, tzinfo=UTC)
"""Nine in the morning of a Monday at the site, four days before the month ends."""


@pytest.fixture(scope="module")
def town() -> Iterator[Town]:
    with reachable_folder() as folder, open_town(folder, BEGINS) as opened:
        yield opened


def test_a_call_becomes_a_job_a_fee_a_share_and_a_statement(town: Town) -> None:
    [team] = town.cast.teams
    clerk, head = team.clerks[0], team.heads["engineering"]

    # finance gives the desk a book of numbered receipts
    page = town.at(team.cashier, "/finance/receipt-books")
    page.get_by_text("发放一本").click()
    if page.locator("[name=site_id]:visible").count():
        page.locator("[name=site_id]:visible").select_option(team.site_id)
    page.locator("[name=first]").fill("1")
    page.locator("[name=last]").fill("20")
    send(page.get_by_role("button", name="发放", exact=True))

    # the desk registers a call; another clerk's board shows it without being asked
    board = town.at(team.clerks[1], "/intake/board")
    page = town.at(clerk)
    page.get_by_label("电话", exact=False).first.fill("138 0013 8000")
    page.get_by_label("房号").fill("3-2-1502")
    page.get_by_label("业主姓名").fill("欧阳建国")
    page.get_by_label("服务项目").select_option("water")
    page.get_by_label("情况说明").fill("厨房水龙头漏水")
    send(page.get_by_role("button", name=re.compile("登记")))
    expect(page).to_have_url(re.compile("/intake/requests/"))
    request_id = number_of(page)
    expect(board.get_by_text("厨房水龙头漏水")).to_be_visible()

    # the owner is called back: time and fee are agreed, the notice is printed
    visit = town.world.now + timedelta(hours=5)
    page.locator("[name=visit_from]").fill(local_time(visit))
    page.locator("[name=visit_to]").fill(local_time(visit + timedelta(hours=2)))
    page.locator("[name='items.0.price_code']").select_option("tap")
    page.locator("[name='items.0.quantity']").fill("1")
    page.locator("[name='items.0.unit_fen']").fill("80")
    send(page.get_by_role("button", name="约定时间和费用"))
    send(page.get_by_role("button", name=re.compile("生成通知单")))
    page.goto(f"/intake/requests/{request_id}/notice")
    with page.expect_download() as download:
        page.locator("a[href*='service-notice.pdf']").first.click()
    assert Path(download.value.path()).read_bytes().startswith(b"%PDF")
    town.later(minutes=1)

    # the department takes it and sends a worker
    page = town.at(head, "/dispatch/board")
    send(page.get_by_role("button", name=re.compile("接单")).first)
    page.goto("/dispatch/board")
    page.get_by_role("link", name=re.compile("3-2-1502")).first.click()
    order_id = number_of(page)
    name = page.locator("#do-assign form button strong").first.inner_text()
    worker = next(person for person in team.workers["engineering"] if person.name == name)
    send(page.locator("#do-assign form button").first)
    expect(page.locator("#history")).to_contain_text("派工")
    town.later(hours=5)

    # at the home: materials, arrival, the work; the owner signs on the worker's phone
    _visit_and_sign(town, worker, order_id)
    town.later(minutes=1)

    # the desk takes the fee against a receipt, and hands the cash over the same day
    page = town.at(clerk, f"/finance/charges/{request_id}")
    page.locator("[name=method]").select_option("cash")
    send(page.get_by_role("button", name=re.compile("收款")))
    expect(page.locator("main")).to_contain_text("已收款")
    page = town.at(clerk, "/finance/my-cash")
    page.locator("[name=to_person_id]").select_option(team.cashier.id)
    send(page.get_by_role("button", name="交出全部现金"))
    page = town.at(team.cashier)
    page.get_by_role("link", name="清点").first.click()
    for fen, notes in ((5000, 1), (2000, 1), (1000, 1)):
        page.locator(f"[name='notes.{fen}']").fill(str(notes))
    expect(page.locator("[data-counted]")).to_have_text("¥80.00")
    send(page.get_by_role("button", name="提交清点"))
    expect(page.locator("main")).to_contain_text("清点相符")

    # the owner is asked: there is a problem, so it is done again for nothing
    town.later(hours=25)
    page = town.at(clerk, f"/intake/requests/{request_id}/revisit")
    page.get_by_text("有问题，安排免费返修").click()
    problem = page.locator("form").filter(has=page.get_by_role("button", name="通知部门返修"))
    problem.locator("[name=note]").fill("还是滴水")
    for name in ("quality", "attitude"):
        problem.locator(f"[name='survey.{name}']").select_option("2")
    problem.locator("[name='survey.price_as_agreed']").select_option("true")
    again = town.world.now + timedelta(hours=3)
    problem.locator("[name=visit_from]").fill(local_time(again))
    problem.locator("[name=visit_to]").fill(local_time(again + timedelta(hours=2)))
    send(problem.get_by_role("button", name="通知部门返修"))
    expect(page.get_by_role("alert")).to_have_count(0)
    town.later(minutes=1)
    _send_again(town, head)
    town.later(hours=3)
    _visit_and_sign(town, worker, _job_of(town, worker))
    town.later(hours=25)
    page = town.at(clerk, f"/intake/requests/{request_id}/revisit")
    content = page.locator("form").filter(has=page.get_by_role("button", name="满意，结束"))
    for name in ("quality", "attitude"):
        content.locator(f"[name='survey.{name}']").select_option("5")
    content.locator("[name='survey.price_as_agreed']").select_option("true")
    send(content.get_by_role("button", name="满意，结束"))
    expect(page.locator("main")).to_contain_text("结束")

    # the month ends: four departments sign, finance divides what came in, the leader approves
    town.later(hours=36)
    month = f"/intake/months/2026-04/sites/{team.site_id}"
    for signer in (team.desk_head, *team.heads.values(), town.cast.finance_lead):
        send(town.at(signer, month).get_by_role("button", name=re.compile("本部门签字")))
    town.later(minutes=1)
    settlement = f"/finance/settlements/{team.site_id}/2026-04"
    for signer in (team.desk_head, town.cast.finance_lead):
        send(town.at(signer, settlement).get_by_role("button", name="核账签字"))
    page = town.at(town.cast.finance_lead, settlement)
    send(page.get_by_role("button", name="计算并送审"))
    for share in ("¥40.00", "¥28.00", "¥12.00"):
        expect(page.locator("main")).to_contain_text(share)
    send(town.at(town.cast.leader, settlement).get_by_role("button", name=re.compile("批准发放")))
    town.later(minutes=1)

    # HR sees what to pay, and the worker what he gets
    expect(town.at(town.cast.hr, "/hr/payouts").locator("main")).to_contain_text("2026-04")
    expect(town.at(worker, "/hr/income").locator("main")).to_contain_text("¥28.00")
    for who, visitor in town.visitors.items():
        assert not visitor.elsewhere, who


def _job_of(town: Town, worker: Person) -> str:
    """The job a worker's list offers first."""
    page = town.at(worker, "/dispatch/jobs", phone=True)
    page.locator("a[href*='/dispatch/work-orders/']").first.click()
    return number_of(page)


def _send_again(town: Town, head: Person) -> None:
    """The head takes the rework, and sends whom the page offers first: who did it before."""
    page = town.at(head, "/dispatch/board")
    page.get_by_role("link", name=re.compile("3-2-1502")).first.click()
    order_id = number_of(page)
    send(page.locator(".dock").get_by_role("button", name="接单"))
    page.goto(f"/dispatch/work-orders/{order_id}")
    send(page.locator("#do-assign form button").first)


def _visit_and_sign(town: Town, worker: Person, order_id: str) -> None:
    """On the worker's phone: his duties are done; he arrives, checks the owner's materials, and the owner signs."""
    page = town.at(worker, "/dispatch/duties/mine", phone=True)
    send(page.get_by_role("button", name=re.compile("完成")).first)
    page = town.at(worker, f"/dispatch/work-orders/{order_id}", phone=True)
    for step in ("到场", "材料已齐", "完工"):
        send(page.locator(".dock").get_by_role("button", name=step))
    page.get_by_role("link", name="请业主签字").click()
    frame = page.locator("#signature canvas")
    frame.scroll_into_view_if_needed()
    box = frame.bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + 40, box["y"] + 60)
    page.mouse.down()
    for step in range(1, 12):
        page.mouse.move(box["x"] + 40 + 15 * step, box["y"] + 60 + (20 if step % 2 else -20))
    page.mouse.up()
    page.locator("[name=signer_name]").fill("欧阳建国")
    page.locator("[name=relation]").select_option("owner")
    send(page.get_by_role("button", name="确认签字"))
    expect(page.locator("main")).to_contain_text("签字")
    page.goto(f"/dispatch/work-orders/{order_id}")
    send(page.get_by_role("button", name=re.compile("交回通知单")))
