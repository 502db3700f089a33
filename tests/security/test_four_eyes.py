"""Nobody approves, confirms, counts or decides what he himself proposed, collected or is accused of [D18].

Roles keep the two apart on one day; here the person has got the other role since, as happens when people are moved.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import pytest
from sqlalchemy import text

from services.hr.rules.post import DEPARTMENTS
from shared.db import SERVICES
from shared.messages import Role
from shared.people import hash_token
from tests.bad_input import of_finance_books as books
from tests.bad_input import of_finance_cash as cash
from tests.bad_input import of_hr_logins as logins
from tests.bad_input import of_hr_people as people
from tests.bad_input import of_intake_desk as desk
from tests.bad_input import of_intake_followup as followup
from tests.bad_input.acts import Call
from tests.bad_input.house import House, house_of
from tests.people import employ
from tests.security.routes import table_of

VERBS = frozenset({"approve", "decide", "confirm", "count", "agree", "sign", "settle", "accept", "compute", "finish"})
"""Actions whose name begins so conclude what somebody began."""

ONE_PERSON = {
    ("intake", "agree_visit"): "the owner is the other side [R49]",
    ("intake", "settle_line"): "a proposal, which the other side accepts [R41]",
    ("dispatch", "accept"): "the owner or occupant signs, the worker only holds the paper [R32, D23]",
    ("dispatch", "finish"): "the worker says so, the owner's signature concludes it [R31]",
    ("finance", "settle_difference"): "a statement of the receiver, which the giver confirms [R86]",
    ("finance", "compute_settlement"): "a draft, which the leader approves [R91, R92]",
    ("hr", "accept_case"): "the accused accepts what the leader decided [D19]",
}
"""Actions of such a name that need no second person, each with the reason."""


@dataclass(frozen=True)
class Step:
    """A step for two: somebody tied to the thing is refused even when he has the role, another goes through.

    `tied` is the token of the person who has the tie after `prepare`; `role` is the one he has got since.
    """

    service: str
    action: str
    tie: str
    tied: str
    role: Role
    prepare: Callable[[House], Call]
    another: str = ""

    def __str__(self) -> str:
        return f"{self.service} {self.action} by the {self.tie}"


def become(house: House, token: str, role: Role) -> None:
    """The person has been moved to another post."""
    department = "engineering" if role in {"head", "worker"} else next(iter(DEPARTMENTS[role]))
    with house.session() as session:
        session.execute(
            text("UPDATE people SET role = :role, department = :department WHERE token_hash = :token"),
            {"role": role, "department": department, "token": hash_token(token)},
        )


def a_reward_for_the_clerk(house: House) -> Call:
    body = {"site_id": str(house.site_id), "use": "reward", "amount_fen": 500, "reason": "协调"}
    return Call("/reserve/proposals", body | {"person_id": str(house.people["clerk"].person_id)})


def accounts_signed_by_the_desk(house: House) -> Call:
    month = books.begun(house)
    house.did("desk_head", f"{month}/agree-accounts")
    return Call(f"{month}/agree-accounts")


def a_fee_of_one_who_became_a_cashier(house: House) -> Call:
    call = cash.collect_with_the_carried_one(house)
    house.did("worker", call.path, call.body)
    worker = {"from_person_id": str(house.people["worker"].person_id), **cash.COUNT, **cash.REASON}
    become(house, "worker", "cashier")
    return Call("/hand-overs/on-behalf", {"site_id": str(house.site_id), **worker})


def too_little_left_by_one_who_is_gone(house: House) -> Call:
    call = cash.gone_with_cash(house)
    assert call.body is not None
    taken = house.did("cashier", call.path, call.body | {"counted_fen": cash.FEE - 100})
    house.did("cashier", f"/hand-overs/{taken['id']}/settle-difference", cash.REASON)
    return Call(f"/hand-overs/{taken['id']}/confirm-difference")


def a_month_the_desk_signed(house: House) -> Call:
    call = followup.a_month(house, "sign")
    house.did("desk_head", call.path, call.body)
    return call


def a_report_on_the_clerk(house: House) -> Call:
    call = desk.a_report(house)
    assert call.body is not None
    return Call(call.path, call.body | {"person_id": str(house.people["clerk"].person_id)})


def of_hr_himself(house: House, step: str) -> Call:
    """A step about the person of hr; there is a second one."""
    with house.session() as session:
        employ(session, "hr", "hr", house.site_id, token="second hr")
    call = {"move": people.a_move, "leave": people.a_leave, "wage": people.a_wage}[step](house)
    return Call(f"/people/{house.people['hr'].person_id}/{step}", call.body)


HR2 = "second hr"

STEPS = [
    Step("intake", "report_private_job", "subject", "clerk", "clerk", a_report_on_the_clerk, "desk_head"),
    Step("intake", "sign_statistics", "signer", "desk_head", "finance_lead", a_month_the_desk_signed),
    Step(
        "intake",
        "accept_line",
        "proposer",
        "desk_head",
        "head",
        lambda house: followup.a_line(house, "accept", "dispute", "settle"),
    ),
    Step("finance", "approve_prices", "proposer", "finance_lead", "leader", books.a_draft_to_approve),
    Step(
        "finance",
        "count_hand_over",
        "giver",
        "clerk",
        "cashier",
        cash.at("/hand-overs/{}/count", cash.offered, cash.COUNT),
    ),
    Step("finance", "propose_reserve_use", "beneficiary", "clerk", "clerk", a_reward_for_the_clerk, "desk_head"),
    Step("finance", "decide_reserve_use", "proposer", "clerk", "leader", books.a_reward),
    Step("finance", "decide_reserve_use", "beneficiary", "cashier", "leader", books.a_reward),
    Step("finance", "agree_accounts", "signer", "desk_head", "cashier", accounts_signed_by_the_desk),
    Step("finance", "approve_settlement", "proposer", "finance_lead", "leader", books.a_computed_month),
    Step("finance", "approve_settlement", "signer", "desk_head", "leader", books.a_computed_month),
    Step("finance", "confirm_difference", "receiver", "cashier", "desk_head", too_little_left_by_one_who_is_gone),
    Step("finance", "receive_on_behalf", "giver", "worker", "cashier", a_fee_of_one_who_became_a_cashier),
    Step(
        "finance",
        "make_good",
        "giver",
        "clerk",
        "cashier",
        cash.at("/cash-differences/{}/make-good", cash.short, {"counted_fen": 100}),
    ),
    Step(
        "finance",
        "decide_refund",
        "proposer",
        "cashier",
        "leader",
        cash.at("/refunds/{}/decide", cash.refund, {"approve": True} | cash.REASON),
    ),
    Step(
        "finance",
        "decide_refund",
        "collector",
        "clerk",
        "leader",
        cash.at("/refunds/{}/decide", cash.refund, {"approve": True} | cash.REASON),
    ),
    Step("finance", "decide_reopening", "proposer", "finance_lead", "leader", books.a_reopening),
    Step("hr", "let_leave", "subject", "hr", "hr", partial(of_hr_himself, step="leave"), HR2),
    Step("hr", "move_person", "subject", "hr", "hr", partial(of_hr_himself, step="move"), HR2),
    Step("hr", "set_wage", "subject", "hr", "hr", partial(of_hr_himself, step="wage"), HR2),
    Step("hr", "propose_factor_reset", "subject", "worker", "administrator", logins.a_lost_factor, "administrator"),
    Step("hr", "confirm_factor_reset", "proposer", "administrator", "leader", logins.a_proposed_reset),
    Step("hr", "confirm_factor_reset", "subject", "worker", "leader", logins.a_proposed_reset),
    Step("hr", "decide_case", "opener", "clerk", "leader", people.a_decision),
    Step("hr", "decide_case", "subject", "worker", "leader", people.a_decision),
    Step("hr", "decide_appeal", "opener", "clerk", "leader", people.an_appeal_decision),
    Step("hr", "decide_appeal", "subject", "worker", "leader", people.an_appeal_decision),
    Step("hr", "decide_appeal", "decider", "deputy", "leader", people.an_appeal_decision),
    Step("hr", "confirm_payment", "beneficiary", "worker", "hr", people.a_payment),
    Step("hr", "finish_task", "subject", "worker", "hr", people.a_task),
]


@pytest.mark.parametrize("step", STEPS, ids=str)
@pytest.mark.usefixtures("installation")
def test_it_takes_another(step: Step) -> None:
    with house_of(step.service) as house:
        call = step.prepare(house)
        become(house, step.tied, step.role)
        said = house.messages_said()
        refused = house.post(step.tied, call.path, call.body)
        row = table_of(step.service)[step.action]
        if (step.action, step.tie) == ("count_hand_over", "giver"):
            # whom it is offered to is never the giver, which the database sees to: he is refused as a stranger
            assert (refused.status_code, refused.json()["rule"]) == (403, row.rule), refused.text
        else:
            told = refused.json()
            assert (refused.status_code, told["type"]) == (409, "urn:bianmin:problem:not_four_eyes"), refused.text
            assert (told["rule"], "leaves this to somebody else" in told["detail"]) == (row.rule, True)
        assert house.messages_said() == said
        another = house.post(step.another or step.role, call.path, call.body)
        assert another.is_success, another.text


def test_every_tie_of_every_row_is_tried() -> None:
    declared = {
        (service, action, str(tie))
        for service in SERVICES
        for action, row in table_of(service).items()
        for tie in row.never
    }
    assert sorted((step.service, step.action, step.tie) for step in STEPS) == sorted(declared)


def test_whatever_concludes_what_somebody_began_needs_another_or_has_a_reason() -> None:
    concluding = {
        (service, action) for service in SERVICES for action in table_of(service) if action.split("_")[0] in VERBS
    }
    needs_another = {(service, action) for service, action in concluding if table_of(service)[action].never}
    assert concluding - needs_another == set(ONE_PERSON)
