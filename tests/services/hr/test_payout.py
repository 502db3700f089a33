"""Payouts reach hr whole, once, and only when they add up [R92-R94]."""

from collections.abc import Callable
from datetime import datetime
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.orm import Session

from services.hr.actions import case
from services.hr.actions import payout as actions
from services.hr.models import Payment
from services.hr.queries.payouts import PayoutView, payouts
from services.hr.queries.statements import own_statements
from services.hr.rules.case import Charge
from services.hr.rules.ladder import Offence
from services.hr.rules.payout import PAYMENT, PaymentState, PaymentStep, adds_up, check_payout
from services.hr.tasks import hear_payout_approved
from shared.errors import NotFound, NotYet, RuleBroken
from shared.ids import new_id
from shared.messages import JobShare, PayoutApproved, PayoutLine
from shared.people import Actor
from tests.people import employ, open_site, published
from tests.services.hr.court import finish
from tests.services.hr.statements import statements

FEN = st.integers(-(10**9), 10**9)
AMOUNTS = ("share_fen", "reward_fen", "fine_fen", "from_bonus_fen", "from_wage_fen", "net_fen")


def line(person_id: UUID, share: int, reward: int, from_bonus: int, from_wage: int) -> PayoutLine:
    return PayoutLine(
        person_id=person_id,
        name="李雷",
        share_fen=share,
        reward_fen=reward,
        fine_fen=from_bonus + from_wage,
        from_bonus_fen=from_bonus,
        from_wage_fen=from_wage,
        net_fen=share + reward - from_bonus,
        case_numbers=["AJ-BK-2026-0001"] if from_bonus + from_wage else [],
    )


LINES = st.builds(line, st.uuids(), FEN, FEN, FEN, FEN)


@pytest.fixture
def worker(session: Session, site_id: UUID) -> Actor:
    return employ(session, "worker", "engineering", site_id)


@pytest.fixture
def hr(session: Session, site_id: UUID) -> Actor:
    return employ(session, "hr", "hr", site_id)


def payout(site_id: UUID, *lines: PayoutLine, **facts: Any) -> PayoutApproved:
    return PayoutApproved(
        **{
            "settlement_id": new_id(),
            "site_id": site_id,
            "month": "2026-03",
            "lines": list(lines),
            "net_fen": sum(one.net_fen for one in lines),
            "from_wage_fen": sum(one.from_wage_fen for one in lines),
            "approved_by": new_id(),
            "approved_at": datetime.fromisoformat("2026-04-01T01:00:00Z"),
            **facts,
        }
    )


def views(session: Session, actor: Actor) -> list[PayoutView]:
    session.flush()
    return payouts(session, actor, after=None, limit=10).items


@given(lines=st.lists(LINES, max_size=5, unique_by=lambda one: one.person_id))
def test_lines_that_add_up_are_paid(lines: list[PayoutLine]) -> None:
    check_payout(
        lines,
        net_fen=sum(one.net_fen for one in lines),
        from_wage_fen=sum(one.from_wage_fen for one in lines),
    )


@given(one=LINES, amount=st.sampled_from(AMOUNTS), off=FEN.filter(bool))
def test_a_line_with_any_one_amount_off_does_not_add_up(one: PayoutLine, amount: str, off: int) -> None:
    assert adds_up(one)
    assert not adds_up(one.model_copy(update={amount: getattr(one, amount) + off}))


@given(one=LINES, net_off=FEN, wage_off=FEN)
def test_totals_that_are_off_are_refused(one: PayoutLine, net_off: int, wage_off: int) -> None:
    if net_off == wage_off == 0:
        return
    with pytest.raises(RuleBroken) as refused:
        check_payout([one], net_fen=one.net_fen + net_off, from_wage_fen=one.from_wage_fen + wage_off)
    assert refused.value.code == "totals_differ"


def test_a_person_with_two_lines_is_refused() -> None:
    one = line(new_id(), 100, 0, 0, 0)
    with pytest.raises(RuleBroken) as refused:
        check_payout([one, one], net_fen=200, from_wage_fen=0)
    assert refused.value.code == "person_twice"


def test_a_payout_is_held_whole_and_finance_is_told(
    session: Session, site_id: UUID, worker: Actor, hr: Actor, now: datetime
) -> None:
    lines = [line(worker.person_id, 10000, 500, 10500, 9500), line(hr.person_id, 0, 300, 0, 0)]
    told = payout(site_id, *lines)
    hear_payout_approved(session, told, now=now)
    (view,) = views(session, hr)
    assert (view.settlement_id, view.month, view.net_fen, view.from_wage_fen) == (
        told.settlement_id,
        "2026-03",
        300,
        9500,
    )
    assert (view.approved_by, view.received_at) == (told.approved_by, now)
    kept = [{field: getattr(one, field) for field in PayoutLine.model_fields} for one in view.lines]
    assert kept == [dict(one) for one in lines]
    assert [(one.state, one.reference, one.paid_at) for one in view.lines] == [
        ("nothing_to_pay", None, None),
        ("due", None, None),
    ]
    body = session.execute(text("SELECT body FROM outbox")).scalar_one()
    assert published(session) == [("PayoutReceived", "finance")]
    assert body == {
        "settlement_id": str(told.settlement_id),
        "site_id": str(site_id),
        "month": "2026-03",
        "line_count": 2,
        "net_fen": 300,
        "received_at": "2026-04-01T02:00:00Z",
    }


def test_a_payout_told_twice_is_held_and_acknowledged_once(
    session: Session, site_id: UUID, worker: Actor, hr: Actor, now: datetime
) -> None:
    told = payout(site_id, line(worker.person_id, 10000, 0, 0, 0))
    for _ in range(2):
        hear_payout_approved(session, told, now=now)
    assert len(views(session, hr)) == 1
    assert published(session) == [("PayoutReceived", "finance")]


def test_a_month_without_income_pays_nobody(session: Session, site_id: UUID, hr: Actor, now: datetime) -> None:
    hear_payout_approved(session, payout(site_id), now=now)
    assert [view.lines for view in views(session, hr)] == [[]]


def test_a_month_of_a_site_is_paid_by_one_settlement(session: Session, site_id: UUID, hr: Actor, now: datetime) -> None:
    hear_payout_approved(session, payout(site_id), now=now)
    hear_payout_approved(session, payout(site_id, month="2026-04"), now=now)
    with pytest.raises(RuleBroken) as refused:
        hear_payout_approved(session, payout(site_id), now=now)
    assert refused.value.code == "paid_already"


def test_a_payout_that_does_not_add_up_is_not_held(
    session: Session, site_id: UUID, worker: Actor, hr: Actor, now: datetime
) -> None:
    good = line(worker.person_id, 10000, 0, 0, 0)
    for told, code in (
        (payout(site_id, good.model_copy(update={"share_fen": 9999})), "line_does_not_add_up"),
        (payout(site_id, good, net_fen=9999), "totals_differ"),
    ):
        with pytest.raises(RuleBroken) as refused:
            hear_payout_approved(session, told, now=now)
        assert refused.value.code == code
    assert views(session, hr) == []
    assert published(session) == []


def test_a_payout_of_an_unknown_site_waits(session: Session, now: datetime) -> None:
    with pytest.raises(NotYet):
        hear_payout_approved(session, payout(new_id()), now=now)


def test_payouts_are_shown_to_the_site_only(session: Session, site_id: UUID, now: datetime) -> None:
    hear_payout_approved(session, payout(site_id), now=now)
    assert views(session, employ(session, "hr", "hr", open_site(session, "XH"))) == []


# --- paid to the individual ---------------------------------------------------------------------------------------


def said(session: Session, kind: str) -> list[dict[str, Any]]:
    query = text("SELECT body FROM outbox WHERE type = :kind ORDER BY sequence")
    return list(session.execute(query, {"kind": kind}).scalars())


def held(session: Session, site_id: UUID, now: datetime, *lines: PayoutLine) -> PayoutApproved:
    told = payout(site_id, *lines)
    hear_payout_approved(session, told, now=now)
    session.flush()
    return told


def paid(session: Session, told: PayoutApproved, person_id: UUID, actor: Actor, now: datetime) -> Payment:
    facts: Any = {"settlement_id": told.settlement_id, "person_id": person_id, "actor": actor, "now": now}
    return actions.paid(session, reference="GZ-2026-04", **facts)


def failed(session: Session, told: PayoutApproved, person_id: UUID, actor: Actor, now: datetime) -> Payment:
    facts: Any = {"settlement_id": told.settlement_id, "person_id": person_id, "actor": actor, "now": now}
    return actions.failed(session, cause="account_closed", reason="账户已销", **facts)


@given(state=st.sampled_from(PaymentState), step=st.sampled_from(PaymentStep))
def test_what_is_paid_or_needs_no_payment_is_neither_paid_nor_failed(state: PaymentState, step: PaymentStep) -> None:
    if state in {PaymentState.PAID, PaymentState.NOTHING_TO_PAY}:
        with pytest.raises(RuleBroken, match="R92"):
            PAYMENT.move(state, step)
    else:
        assert PAYMENT.move(state, step) == ("paid" if step is PaymentStep.PAY else "failed")


def test_a_line_that_carries_part_of_a_fine_to_the_next_month_adds_up(
    session: Session, site_id: UUID, worker: Actor, hr: Actor, now: datetime
) -> None:
    jobs = [JobShare(receipt_number="SJ-BK-1", share_fen=3500), JobShare(receipt_number="SJ-BK-2", share_fen=-500)]
    one = line(worker.person_id, 3000, 0, 3000, 5000).model_copy(
        update={"fine_fen": 20000, "carried_fen": 12000, "guard": "capped", "jobs": jobs}
    )
    assert adds_up(one)
    held(session, site_id, now, one)
    (kept,) = views(session, hr)[0].lines
    assert (kept.carried_fen, kept.guard, kept.jobs) == (12000, "capped", jobs)


def test_each_person_is_confirmed_by_name_and_finance_is_told_once(
    session: Session, site_id: UUID, worker: Actor, hr: Actor, now: datetime
) -> None:
    mate = employ(session, "worker", "engineering", site_id)
    told = held(session, site_id, now, line(worker.person_id, 3500, 0, 0, 0), line(mate.person_id, 100, 0, 0, 0))
    paid(session, told, worker.person_id, hr, now)
    with pytest.raises(RuleBroken) as refused:
        paid(session, told, worker.person_id, hr, now)
    assert refused.value.code == "step_not_allowed"
    with pytest.raises(RuleBroken):
        failed(session, told, worker.person_id, hr, now)
    (view,) = views(session, hr)
    assert {one.person_id: (one.state, one.reference) for one in view.lines} == {
        worker.person_id: ("paid", "GZ-2026-04"),
        mate.person_id: ("due", None),
    }
    assert said(session, "PayoutPaid") == [
        {
            "settlement_id": str(told.settlement_id),
            "site_id": str(site_id),
            "person_id": str(worker.person_id),
            "net_fen": 3500,
            "reference": "GZ-2026-04",
            "paid_at": "2026-04-01T02:00:00Z",
        }
    ]


def test_a_payment_that_failed_is_tried_again_with_a_growing_attempt_and_then_paid(
    session: Session, site_id: UUID, worker: Actor, hr: Actor, now: datetime
) -> None:
    told = held(session, site_id, now, line(worker.person_id, 3500, 0, 0, 0))
    for _ in range(2):
        failed(session, told, worker.person_id, hr, now)
    paid(session, told, worker.person_id, hr, now)
    (kept,) = views(session, hr)[0].lines
    assert (kept.state, [(one.attempt, one.cause, one.told_by) for one in kept.failures]) == (
        "paid",
        [(1, "account_closed", hr.person_id), (2, "account_closed", hr.person_id)],
    )
    assert [(body["attempt"], body["cause"]) for body in said(session, "PayoutFailed")] == [
        (1, "account_closed"),
        (2, "account_closed"),
    ]


def test_a_payee_nobody_knows_fails_at_once_and_the_others_are_kept(
    session: Session, site_id: UUID, worker: Actor, hr: Actor, now: datetime
) -> None:
    stranger = new_id()
    told = held(session, site_id, now, line(worker.person_id, 3500, 0, 0, 0), line(stranger, 100, 0, 0, 0))
    hear_payout_approved(session, told, now=now)
    (view,) = views(session, hr)
    assert {one.person_id: (one.state, len(one.failures)) for one in view.lines} == {
        worker.person_id: ("due", 0),
        stranger: ("failed", 1),
    }
    (body,) = said(session, "PayoutFailed")
    assert (body["person_id"], body["attempt"], body["cause"]) == (str(stranger), 1, "unknown_payee")
    assert said(session, "PayoutReceived")[0]["line_count"] == 2


def test_a_line_whose_fines_took_everything_is_settled_without_a_payment(
    session: Session, site_id: UUID, worker: Actor, hr: Actor, now: datetime
) -> None:
    nobody = new_id()
    told = held(session, site_id, now, line(worker.person_id, 3500, 0, 3500, 9000), line(nobody, 0, 0, 0, 0))
    (view,) = views(session, hr)
    assert [(one.state, one.failures) for one in view.lines] == [("nothing_to_pay", [])] * 2
    for act in (paid, failed):
        with pytest.raises(RuleBroken) as refused:
            act(session, told, worker.person_id, hr, now)
        assert refused.value.code == "step_not_allowed"
    assert said(session, "PayoutPaid") == said(session, "PayoutFailed") == []


def test_more_payouts_cost_no_more_questions(
    session: Session, site_id: UUID, worker: Actor, hr: Actor, now: datetime
) -> None:
    costs = []
    for month in ("2026-01", "2026-02", "2026-03"):
        lines = [line(person.person_id, 3500, 0, 0, 0) for person in (worker, hr)]
        hear_payout_approved(session, payout(site_id, *lines, month=month), now=now)
        session.flush()
        session.expunge_all()
        with statements(session) as sent:
            payouts(session, hr, after=None, limit=10)
            own_statements(session, worker, month=None)
        costs.append(len(sent))
    assert len(set(costs)) == 1


def test_nobody_confirms_his_own_line_and_no_line_of_another_site(
    session: Session, site_id: UUID, worker: Actor, hr: Actor, now: datetime
) -> None:
    told = held(session, site_id, now, line(hr.person_id, 0, 300, 0, 0), line(worker.person_id, 100, 0, 0, 0))
    elsewhere = employ(session, "hr", "hr", open_site(session, "XH"))
    for act in (paid, failed):
        with pytest.raises(RuleBroken) as refused:
            act(session, told, hr.person_id, hr, now)
        assert refused.value.code == "not_four_eyes"
        with pytest.raises(NotFound):
            act(session, told, worker.person_id, elsewhere, now)
        with pytest.raises(NotFound):
            act(session, told, new_id(), hr, now)


def test_the_database_too_lets_nobody_confirm_his_own_line(
    session: Session, site_id: UUID, worker: Actor, now: datetime
) -> None:
    held(session, site_id, now, line(worker.person_id, 100, 0, 0, 0))
    with pytest.raises(IntegrityError, match="ck_payments_four_eyes"):
        session.execute(text("UPDATE payments SET paid_by = person_id"))


def test_a_statement_shows_a_person_his_own_line_with_its_jobs_and_fines_and_no_other(
    session: Session, site_id: UUID, worker: Actor, hr: Actor, now: datetime
) -> None:
    charge = Charge(Offence.PRIVATE_JOB, site_id, worker.person_id, now, "业主反映")
    opened = case.open_(session, charge=charge, actor=hr, now=now)
    session.flush()
    finish(session, opened, employ(session, "leader", "management"), now)
    jobs = [JobShare(receipt_number="SJ-BK-1", share_fen=30000)]
    mine = line(worker.person_id, 30000, 0, 20000, 0).model_copy(update={"jobs": jobs})
    told = held(session, site_id, now, mine, line(hr.person_id, 0, 300, 0, 0))
    (statement,) = own_statements(session, worker, month="2026-03")
    assert (statement.settlement_id, statement.site_name) == (told.settlement_id, "BK 小区")
    assert (statement.line.net_fen, statement.line.from_wage_fen, statement.line.jobs) == (10000, 0, jobs)
    assert [(one.case_number, one.offence, one.fine_fen) for one in statement.fines] == [
        ("AJ-BK-2026-0001", "private_job", 20000)
    ]
    assert own_statements(session, worker, month="2026-04") == []
    assert [one.line.reward_fen for one in own_statements(session, hr, month=None)] == [300]
    assert own_statements(session, employ(session, "worker", "engineering"), month=None) == []


@pytest.mark.parametrize(
    ("query", "index"),
    [
        ("payout_lines WHERE person_id = :id", "ix_payout_lines_person_id"),
        ("payouts WHERE site_id = :id ORDER BY settlement_id LIMIT 9", "ix_payouts_site_id"),
        ("month_reports WHERE site_id = :id ORDER BY id LIMIT 9", "ix_month_reports_site_id"),
    ],
)
def test_what_is_read_of_a_person_or_a_site_is_found_by_an_index(
    session: Session, site_id: UUID, query: str, index: str
) -> None:
    session.execute(text("SET LOCAL enable_seqscan = off; SET LOCAL enable_bitmapscan = off"))
    plan = session.execute(text(f"EXPLAIN SELECT * FROM {query}"), {"id": site_id})
    assert index in "\n".join(plan.scalars())


@pytest.mark.parametrize("change", ["UPDATE payout_lines SET net_fen = 0", "DELETE FROM payouts", "TRUNCATE payouts"])
def test_a_payout_held_cannot_be_changed(
    session: Session, site_id: UUID, worker: Actor, now: datetime, change: str
) -> None:
    hear_payout_approved(session, payout(site_id, line(worker.person_id, 100, 0, 0, 0)), now=now)
    session.flush()
    with pytest.raises(DBAPIError, match="permission denied"):
        session.execute(text(change))


@pytest.mark.parametrize("change", ["UPDATE {} SET site_id = site_id", "DELETE FROM {}", "TRUNCATE {} CASCADE"])
@pytest.mark.parametrize("table", ["payouts", "overrides", "missed_callbacks", "month_reports"])
def test_not_even_the_owner_changes_what_was_heard(
    owner_of: Callable[[str], Connection], table: str, change: str
) -> None:
    owner, site = owner_of("hr"), new_id()
    for put in (
        "INSERT INTO sites VALUES (:site, 1, 'BK', 'x', 'Asia/Shanghai', '18:00')",
        "INSERT INTO payouts VALUES (:id, :site, '2026-03', 0, 0, :id, now(), now())",
        "INSERT INTO overrides VALUES (:id, :id, :site, 'engineering', :id, :id, 'x', now())",
        "INSERT INTO missed_callbacks VALUES (:id, 'x', :site, :id, now())",
        "INSERT INTO month_reports VALUES (:id, :site, '2026-03', '{}', now())",
    ):
        owner.execute(text(put), {"id": new_id(), "site": site})
    with pytest.raises(DBAPIError, match="append-only"):
        owner.execute(text(change.format(table)))


@pytest.mark.parametrize("change", ["DELETE FROM {}", "TRUNCATE {}"])
@pytest.mark.parametrize("table", ["case_evidence", "payment_failures", "site_changes", "wages"])
def test_not_even_the_owner_changes_what_was_written_down(
    owner_of: Callable[[str], Connection], table: str, change: str
) -> None:
    with pytest.raises(DBAPIError, match="append-only"):
        owner_of("hr").execute(text(change.format(table)))
