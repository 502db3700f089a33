"""The reserve fund [R72-R77, D17]."""

from dataclasses import replace

import pytest

from services.finance.actions import reserve
from services.finance.queries.reserves import proposals, reserve_fen, reserve_statement, reserves
from services.finance.rules.reserve import Use
from shared.errors import Malformed, NotFound, RuleBroken
from shared.ids import new_id
from tests.services.finance.office import CLOSING, MAY_FIRST, MONTH_END, MORNING, Office


def propose(office: Office, use: Use = Use.REWARD, amount_fen: int = 1000, person=None, actor=None, **cited):
    person_id = (person or office.cashier).person_id if use is Use.REWARD else None
    proposal = reserve.propose(
        office.session,
        site_id=office.site_id,
        use=use,
        person_id=person_id,
        amount_fen=amount_fen,
        reason="协调有功",
        actor=actor or office.clerk,
        now=MORNING,
        **cited,
    )
    office.session.flush()
    return proposal


def decide(office: Office, proposal, *, approve: bool = True, actor=None, now=MORNING):
    decided = reserve.decide(
        office.session,
        proposal_id=proposal.id,
        approve=approve,
        reason="同意",
        actor=actor or office.leader,
        now=now,
    )
    office.session.flush()
    return decided


def test_the_fund_of_a_site_is_fifteen_percent_of_its_fees(office: Office) -> None:
    elsewhere = Office(office.session, code="LH")
    office.paid(10000)
    balances = {r.site_id: r.balance_fen for r in reserves(office.session, replace(office.leader, site_ids=None))}
    assert balances == {office.site_id: 1500, elsewhere.site_id: 0}


def test_an_approved_reward_leaves_the_fund_and_is_owed_to_the_person_for_that_month(office: Office) -> None:
    office.paid(10000)
    decided = decide(office, propose(office))
    assert (decided.state, decided.month, decided.decided_by) == ("approved", "2026-04", office.leader.person_id)
    assert reserve_fen(office.session, office.site_id) == 500
    assert office.balance("rewards_due", office.cashier) == -1000
    office.books_balance()


@pytest.mark.parametrize("use", [Use.LOSS, Use.REWORK])
def test_an_approved_loss_or_rework_makes_good_the_companys_cost(office: Office, use: Use) -> None:
    office.paid(10000)
    decide(office, propose(office, use))
    assert reserve_fen(office.session, office.site_id) == 500
    assert office.balance("company_share") == -5000 - 1000
    office.books_balance()


def test_a_rejected_proposal_moves_nothing_and_is_decided_for_good(office: Office) -> None:
    office.paid(10000)
    proposal = propose(office)
    assert decide(office, proposal, approve=False).state == "rejected"
    assert reserve_fen(office.session, office.site_id) == 1500
    with pytest.raises(RuleBroken, match="rejected"):
        decide(office, proposal)


def test_the_fund_is_never_overdrawn(office: Office) -> None:
    office.paid(10000)
    Office(office.session, code="LH").paid(10**6)
    decide(office, propose(office))
    with pytest.raises(RuleBroken, match="D17") as refused:
        decide(office, propose(office, Use.LOSS, 501))
    assert refused.value.allowed == ("up to ¥5.00",)


def test_who_proposed_does_not_decide(office: Office) -> None:
    office.paid(10000)
    with pytest.raises(RuleBroken) as refused:
        decide(office, propose(office), actor=replace(office.clerk, role="leader"))
    assert refused.value.code == "not_four_eyes"


def test_nobody_proposes_or_approves_a_reward_for_himself(office: Office) -> None:
    office.paid(10000)
    with pytest.raises(RuleBroken, match="whoever gets the money"):
        propose(office, person=office.clerk)
    to_the_leader = propose(office, person=office.leader)
    with pytest.raises(RuleBroken, match="whoever gets the money"):
        decide(office, to_the_leader)
    assert reserve_fen(office.session, office.site_id) == 1500


def test_a_reward_names_somebody_of_the_site(office: Office) -> None:
    elsewhere = Office(office.session, code="LH")
    with pytest.raises(NotFound):
        propose(office, person=elsewhere.cashier)
    with pytest.raises(NotFound):
        propose(office, actor=elsewhere.clerk)
    with pytest.raises(Malformed):
        reserve.propose(
            office.session,
            site_id=office.site_id,
            use=Use.REWARD,
            person_id=None,
            amount_fen=1,
            reason="x",
            actor=office.clerk,
            now=MORNING,
        )


def test_a_proposal_of_another_site_is_not_found(office: Office) -> None:
    proposal = propose(office)
    with pytest.raises(NotFound):
        decide(office, proposal, actor=Office(office.session, code="LH").leader)


def test_proposals_are_listed_by_state(office: Office) -> None:
    office.paid(10000)
    decide(office, propose(office))
    waiting = propose(office)
    page = proposals(office.session, office.leader, state="proposed", after=None, limit=10)
    assert [p.id for p in page.items] == [waiting.id]
    assert len(proposals(office.session, office.leader, state=None, after=None, limit=10).items) == 2


def test_a_worker_is_not_rewarded_from_the_fund_because_he_has_his_share(office: Office) -> None:
    with pytest.raises(RuleBroken, match="has his share") as refused:
        propose(office, person=office.worker)
    assert refused.value.rule == "R73"
    assert propose(office, person=office.desk_head).state == "proposed"


def test_a_loss_cites_its_damage_and_a_rework_its_job_and_nothing_else_does(office: Office) -> None:
    damage_id, request_id = office.damage(), office.notice()
    assert propose(office, Use.LOSS, damage_id=damage_id).damage_id == damage_id
    assert propose(office, Use.REWORK, request_id=request_id).request_id == request_id
    for use in (Use.REWARD, Use.REWORK):
        with pytest.raises(Malformed, match="R74"):
            propose(office, use, damage_id=damage_id)
    for use in (Use.REWARD, Use.LOSS):
        with pytest.raises(Malformed, match="R75"):
            propose(office, use, request_id=request_id)
    elsewhere = Office(office.session, code="LH")
    for unknown in (new_id(), elsewhere.notice()):
        with pytest.raises(NotFound):
            propose(office, Use.REWORK, request_id=unknown)
    for unknown in (new_id(), elsewhere.damage()):
        with pytest.raises(NotFound):
            propose(office, Use.LOSS, damage_id=unknown)


def test_a_statement_explains_the_fund_from_balance_to_balance(office: Office) -> None:
    office.paid(10000)
    office.paid(99)
    office.paid(1000, now=CLOSING)  # the next day's
    used = decide(office, propose(office, Use.LOSS, 700))
    office.paid(5000, now=MONTH_END)  # May's, as every fact after closing time
    decide(office, propose(office, Use.LOSS, 100), now=MAY_FIRST)
    april = reserve_statement(office.session, office.leader, site_id=office.site_id, month="2026-04")
    assert (april.opening_fen, april.closing_fen) == (0, 1500 + 15 + 150 - 700)
    assert [(m.day.day, m.kind, m.amount_fen, m.proposal_id, m.reason) for m in april.movements] == [
        (1, "loss", -700, used.id, "协调有功"),
        (1, "receipt", 1515, None, None),
        (2, "receipt", 150, None, None),
    ]
    may = reserve_statement(office.session, office.leader, site_id=office.site_id, month="2026-05")
    assert (may.opening_fen, may.closing_fen) == (april.closing_fen, april.closing_fen + 750 - 100)
    assert may.closing_fen == reserve_fen(office.session, office.site_id)
    with pytest.raises(NotFound):
        reserve_statement(
            office.session, Office(office.session, code="LH").lead, site_id=office.site_id, month="2026-04"
        )
