"""五、奖惩, its last step: what was approved reaches the company's own HR system, each payout once [R92-R94, D18]."""

from datetime import timedelta

import pytest

from services.hr.actions import attempt, delivery, webhook
from services.hr.queries.deliveries import DeliveryTotals, deliveries
from services.hr.queries.reconciliations import reconciliation
from services.hr.rules.webhook import WebhookPolicy
from shared import outbound
from shared.people import Actor
from tests.people import employ
from tests.rulebook.company import Company, introduce, refused
from tests.rulebook.test_rewards import settled_with_a_fine
from tests.services.finance.office import MAY_FIRST
from tests.services.finance.test_settlement import approve, compute


def paid_out(company: Company) -> Actor:
    """A month whose payout was approved and has reached hr; somebody of hr."""
    introduce(company.discipline.session, company.office.worker)
    company.office.paid(10000)
    company.office.end_month()
    compute(company.office)
    approve(company.office)
    company.carry("PayoutApproved", now=MAY_FIRST)
    return employ(company.discipline.session, "hr", "hr", company.office.site_id)


def test_r092_an_approved_payout_is_delivered_to_the_hr_system_once_with_each_persons_amount(company: Company) -> None:
    reader = paid_out(company)
    company.carry("PayoutApproved", now=MAY_FIRST)
    page = deliveries(company.discipline.session, reader, after=0, limit=10)
    assert [(one.sequence, one.payload["month"]) for one in page.items] == [(1, "2026-04")]
    assert [(one["person_id"], one["net_fen"]) for one in page.items[0].payload["lines"]] == [
        (str(company.office.worker.person_id), 3500)
    ]
    assert page.totals == DeliveryTotals(deliveries=1, lines=1, net_fen=3500, from_wage_fen=0)


def test_r092_what_the_hr_system_acknowledged_is_what_was_approved_and_nothing_is_acknowledged_twice(
    company: Company,
) -> None:
    session, reader = company.discipline.session, paid_out(company)
    (made,) = deliveries(session, reader, after=0, limit=10).items
    open_ = reconciliation(session, reader, day=MAY_FIRST.date())
    assert (open_.received.net_fen, open_.unacknowledged.net_fen) == (3500, 3500)
    delivery.acknowledge(session, delivery_id=made.id, reference="HR-1", actor=reader, now=MAY_FIRST)
    done = reconciliation(session, reader, day=MAY_FIRST.date())
    assert (done.acknowledged.net_fen, done.unacknowledged.net_fen) == (3500, 0)
    with refused(session, "R92", code="acknowledged_already"):
        delivery.acknowledge(session, delivery_id=made.id, reference="HR-2", actor=reader, now=MAY_FIRST)


def test_r094_the_hr_system_is_told_what_to_deduct_from_the_wage_and_for_which_case(company: Company) -> None:
    settled_with_a_fine(company, fee_fen=10000)
    approve(company.office)
    company.carry("PayoutApproved", now=MAY_FIRST)
    session = company.discipline.session
    (made,) = deliveries(session, employ(session, "hr", "hr"), after=0, limit=10).items
    (line,) = made.payload["lines"]
    assert (line["from_bonus_fen"], line["from_wage_fen"], line["net_fen"]) == (3500, 16500, 0)
    assert len(line["case_numbers"]) == 1
    assert made.payload["totals"]["from_wage_fen"] == 16500


def test_d18_hr_is_sent_the_payout_again_on_the_policys_schedule_until_it_takes_it(
    company: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    session, administrator = company.discipline.session, employ(company.discipline.session, "administrator", "hr")
    sent: list[str] = []

    def away(*_: object, headers: dict[str, str], **__: object) -> outbound.Answer:
        sent.append(headers["webhook-id"])
        return outbound.Answer(503 if len(sent) < 3 else 200, "")

    monkeypatch.setattr(outbound, "post", away)
    webhook.add(session, url="https://93.184.216.34/hr", site_id=None, actor=administrator, now=MAY_FIRST)
    paid_out(company)
    waited = timedelta(0)
    for delay in WebhookPolicy().delays[:3]:
        if delay:
            waited += timedelta(seconds=delay - 1)
            assert attempt.claim(session, now=MAY_FIRST + waited) is None
        waited += timedelta(seconds=delay * 0.1 + 1)
        sending = attempt.claim(session, now=MAY_FIRST + waited)
        assert sending is not None
        attempt.record(session, sending, attempt.send(sending), now=MAY_FIRST + waited)
    assert attempt.claim(session, now=MAY_FIRST + timedelta(days=30)) is None
    assert len(sent) == 3
    assert len(set(sent)) == 1
