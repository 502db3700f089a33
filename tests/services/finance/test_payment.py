"""Each line of a payout is paid, or it is known why not [R92]."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from services.finance.queries.checklists import checklist
from services.finance.queries.settlements import PayoutFailureView, SettlementView
from services.finance.rules.checklist import Checked
from services.finance.tasks import hear_payout_failed, hear_payout_paid
from shared.alerts import alerts_of
from shared.errors import NotYet, RuleBroken
from shared.ids import new_id
from shared.messages import PayoutFailed, PayoutPaid
from tests.services.finance.office import MAY_FIRST, Office
from tests.services.finance.test_settlement import APRIL, approve, april, compute, received

HOUR = timedelta(hours=1)


def paid(office: Office, settlement_id: UUID, **changed: Any) -> None:
    facts = {
        "settlement_id": settlement_id,
        "site_id": office.site_id,
        "person_id": office.worker.person_id,
        "net_fen": 3500,
        "reference": "ICBC-1",
        "paid_at": MAY_FIRST + HOUR,
    }
    hear_payout_paid(office.session, PayoutPaid(**(facts | changed)), now=MAY_FIRST + HOUR)
    office.session.flush()


def failed(office: Office, settlement_id: UUID, **changed: Any) -> None:
    facts = {
        "settlement_id": settlement_id,
        "site_id": office.site_id,
        "person_id": office.worker.person_id,
        "attempt": 1,
        "cause": "account_closed",
        "reason": "账户已销户",
        "failed_at": MAY_FIRST,
    }
    hear_payout_failed(office.session, PayoutFailed(**(facts | changed)), now=MAY_FIRST)
    office.session.flush()


@pytest.fixture
def approved(office: Office) -> SettlementView:
    """April with one line of 35 yuan."""
    office.paid(10000)
    office.end_month()
    compute(office)
    return approve(office)


def alerts(office: Office) -> list[str]:
    told = alerts_of(office.session, office.lead, unseen=True, after=None, limit=100).items
    failures = [alert for alert in told if alert.kind == "payout_failed"]
    return [f"{alert.kind} {alert.facts['cause']} {alert.facts['attempt']}" for alert in failures]


def test_a_payment_leaves_the_bank_once_however_often_it_is_told_and_before_hr_confirms(
    office: Office, approved: SettlementView
) -> None:
    for _ in range(2):
        paid(office, approved.id)
    assert (office.balance("payroll", office.worker), office.balance("bank")) == (0, -3500)
    (line,) = april(office).lines
    assert (line.paid_at, line.payment_reference) == (MAY_FIRST + HOUR, "ICBC-1")
    received(office, approved)
    assert april(office).state == "received"
    office.books_balance()


def test_a_payment_is_booked_at_the_site_of_its_settlement_whatever_site_the_message_names(
    office: Office, approved: SettlementView
) -> None:
    elsewhere = Office(office.session, code="LH")
    paid(office, approved.id, site_id=elsewhere.site_id)
    assert (office.balance("bank"), elsewhere.balance("bank")) == (-3500, 0)


def test_another_sum_or_a_second_payment_or_a_stranger_is_refused(office: Office, approved: SettlementView) -> None:
    with pytest.raises(RuleBroken) as refused:
        paid(office, approved.id, net_fen=3499)
    assert (refused.value.code, refused.value.allowed) == ("paid_differently", ("¥35.00",))
    with pytest.raises(RuleBroken, match="no line"):
        paid(office, approved.id, person_id=new_id())
    paid(office, approved.id)
    with pytest.raises(RuleBroken, match="paid already, by ICBC-1"):
        paid(office, approved.id, reference="ICBC-2")
    assert office.balance("bank") == -3500


def test_a_payment_of_a_month_not_approved_here_waits(office: Office) -> None:
    for settlement_id in (new_id(), april(office).id):
        with pytest.raises(NotYet):
            paid(office, settlement_id)
        with pytest.raises(NotYet):
            failed(office, settlement_id)


def test_a_failure_is_shown_and_told_once_for_each_attempt_until_the_payment_clears_it(
    office: Office, approved: SettlementView
) -> None:
    for attempt in (1, 1, 2):
        failed(office, approved.id, attempt=attempt)
    (line,) = april(office).lines
    assert line.failure == PayoutFailureView(2, "account_closed", "账户已销户", MAY_FIRST)
    assert alerts(office) == ["payout_failed account_closed 1", "payout_failed account_closed 2"]
    paid(office, approved.id)
    (line,) = april(office).lines
    assert (line.failure, line.payment_reference) == (None, "ICBC-1")


def test_a_failure_that_comes_late_is_kept_and_alarms_nobody_but_one_after_the_payment_is_refused(
    office: Office, approved: SettlementView
) -> None:
    paid(office, approved.id)
    failed(office, approved.id)
    assert (april(office).lines[0].failure, alerts(office)) == (None, [])
    with pytest.raises(RuleBroken, match="paid already"):
        failed(office, approved.id, attempt=2, failed_at=MAY_FIRST + 2 * HOUR)


def test_the_checklist_is_done_when_everybody_is_paid(office: Office, approved: SettlementView) -> None:
    def paid_item() -> Checked:
        return checklist(office.session, office.lead, site_id=office.site_id, month=APRIL)[-1]

    assert (paid_item().name, paid_item().state, paid_item().missing) == ("all_paid", "open", 1)
    paid(office, approved.id)
    assert (paid_item().state, paid_item().missing) == ("done", 0)
