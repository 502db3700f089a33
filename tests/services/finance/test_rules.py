"""Finance's rules, without a database."""

from datetime import UTC, date, datetime, time
from itertools import product
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.finance.rules import charge, hand_over, ledger, price, receipt, refund, reopening, reserve, settlement
from services.finance.rules.daily_check import CashPolicy, check_times
from services.finance.rules.deduction import GuardPolicy, deduct
from services.finance.rules.split import Split, SplitPolicy, share_among, split
from shared.errors import Malformed, NotYourRole, RuleBroken
from shared.ids import new_id
from shared.messages import PayoutLine, PriceItem
from shared.money import MAX_FEN

FEN = st.integers(min_value=1, max_value=MAX_FEN)
PEOPLE = st.dictionaries(st.uuids(), st.integers(min_value=1, max_value=1000), min_size=1, max_size=6)
ZONE = "Asia/Shanghai"


@pytest.mark.parametrize(
    ("total", "parts"),
    [(99, Split(49, 35, 15)), (100, Split(50, 35, 15)), (1, Split(1, 0, 0)), (2, Split(1, 1, 0)), (10, Split(5, 4, 1))],
)
def test_a_fee_is_split_50_35_15_to_the_fen(total: int, parts: Split) -> None:
    assert split(total, SplitPolicy()) == parts


def test_a_tie_goes_to_the_workers_then_the_reserve_then_the_company() -> None:
    assert split(1, SplitPolicy(company=50, workers=50, reserve=0)) == Split(0, 1, 0)
    assert split(1, SplitPolicy(company=20, workers=40, reserve=40)) == Split(0, 1, 0)
    assert split(1, SplitPolicy(company=45, workers=10, reserve=45)) == Split(0, 0, 1)


@given(FEN)
def test_a_split_loses_nothing_and_no_part_is_off_by_a_fen(total: int) -> None:
    parts = split(total, SplitPolicy())
    assert parts.company_fen + parts.workers_fen + parts.reserve_fen == total
    for part, percent in ((parts.company_fen, 50), (parts.workers_fen, 35), (parts.reserve_fen, 15)):
        assert abs(part * 100 - total * percent) < 100


@given(st.integers(min_value=0, max_value=MAX_FEN), PEOPLE)
def test_the_workers_part_is_shared_by_weight_and_loses_nothing(total: int, weights: dict[UUID, int]) -> None:
    shares = share_among(total, weights)
    assert sum(shares.values()) == total
    assert shares == share_among(total, dict(reversed(weights.items())))
    for person, weight in weights.items():
        assert abs(shares[person] * sum(weights.values()) - total * weight) < sum(weights.values())


@given(FEN, PEOPLE)
def test_what_a_fee_posts_sums_to_zero(amount: int, weights: dict[UUID, int]) -> None:
    parts = split(amount, SplitPolicy())
    for holder in (new_id(), None):
        lines = ledger.fee_received(amount, parts, share_among(parts.workers_fen, weights), holder_id=holder)
        assert sum(line.amount_fen for line in lines) == 0
        assert all(line.amount_fen for line in lines)
        assert lines[0] == ledger.Line(ledger.Account.CASH_IN_HAND if holder else ledger.Account.BANK, amount, holder)


@given(st.lists(st.tuples(*[st.integers(min_value=0, max_value=10**9)] * 3), max_size=5))
def test_what_a_settlement_posts_sums_to_zero(people: list[tuple[int, int, int]]) -> None:
    lines = []
    for share, reward, fine in people:
        taken = deduct(bonus_fen=share + reward, fine_fen=fine, wage_fen=None, policy=GuardPolicy())
        lines.append(
            PayoutLine(
                person_id=new_id(),
                name="",
                share_fen=share,
                reward_fen=reward,
                fine_fen=fine,
                from_bonus_fen=taken.from_bonus_fen,
                from_wage_fen=taken.from_wage_fen,
                net_fen=taken.net_fen,
                case_numbers=[],
            )
        )
    posted = ledger.settlement_approved(lines)
    assert sum(line.amount_fen for line in posted) == 0
    assert all(line.amount_fen for line in posted)


@pytest.mark.parametrize("use", reserve.Use)
def test_a_use_of_the_reserve_is_owed_to_the_person_or_makes_good_the_companys_cost(use: reserve.Use) -> None:
    person = new_id() if use is reserve.Use.REWARD else None
    fund, owed = ledger.reserve_used(use, 700, person_id=person)
    assert (fund.account, fund.amount_fen) == ("reserve_fund", 700)
    assert (owed.account, owed.person_id) == ("rewards_due" if person else "company_share", person)
    assert owed.amount_fen == -700


@pytest.mark.parametrize(
    "machine",
    [
        charge.CHARGE,
        receipt.RECEIPT,
        hand_over.HAND_OVER,
        reserve.PROPOSAL,
        price.PRICE_VERSION,
        settlement.SETTLEMENT,
        refund.REFUND,
        reopening.REOPENING,
    ],
)
def test_a_step_is_taken_only_if_the_table_has_it_and_a_refusal_names_those_it_has(machine) -> None:
    states = {state for state, _ in machine.table} | set(machine.table.values())
    steps = {step for _, step in machine.table}
    for state, step in product(states, steps):
        if (state, step) in machine.table:
            assert machine.move(state, step) == machine.table[state, step]
        else:
            with pytest.raises(RuleBroken) as refused:
                machine.move(state, step)
            assert list(refused.value.allowed) == machine.steps_from(state)


@given(FEN, FEN)
def test_only_exactly_the_agreed_fee_may_be_taken(fee: int, amount: int) -> None:
    if fee == amount:
        charge.check_amount(fee_fen=fee, amount_fen=amount)
    else:
        with pytest.raises(RuleBroken, match="R33, R57"):
            charge.check_amount(fee_fen=fee, amount_fen=amount)


@pytest.mark.parametrize("weights", [[], [0], [1, 0], [-1]])
def test_a_job_without_weighted_workers_cannot_be_shared(weights: list[int]) -> None:
    with pytest.raises(RuleBroken, match="D15"):
        charge.check_weights(weights)


def test_receipts_are_numbered_in_a_series_of_their_site() -> None:
    assert receipt.receipt_number(site_code="BK", number=1) == "SJ-BK-000001"


@pytest.mark.parametrize("method", receipt.Method)
def test_only_cash_needs_no_reference(method: receipt.Method) -> None:
    receipt.check_reference(method, "4200001")
    if method is receipt.Method.CASH:
        receipt.check_reference(method, None)
    else:
        with pytest.raises(Malformed, match="D12"):
            receipt.check_reference(method, None)


def test_a_worker_collects_only_for_his_own_job_with_the_receipt_he_carries_in_cash() -> None:
    cash = receipt.Method.CASH
    receipt.check_worker_collects(on_the_job=True, carries_receipt=True, method=cash)
    with pytest.raises(NotYourRole):
        receipt.check_worker_collects(on_the_job=False, carries_receipt=True, method=cash)
    with pytest.raises(RuleBroken, match="R35"):
        receipt.check_worker_collects(on_the_job=True, carries_receipt=False, method=cash)
    with pytest.raises(RuleBroken, match="D12"):
        receipt.check_worker_collects(on_the_job=True, carries_receipt=True, method=receipt.Method.WECHAT)


@pytest.mark.parametrize("giver", ["worker", "clerk", "desk_head"])
@pytest.mark.parametrize("receiver", ["worker", "clerk", "desk_head", "head", "cashier", "finance_lead", "leader"])
def test_cash_goes_from_worker_to_desk_and_from_desk_to_finance_only(giver: str, receiver: str) -> None:
    chain = {
        ("worker", "clerk"),
        ("worker", "desk_head"),
        ("clerk", "cashier"),
        ("clerk", "finance_lead"),
        ("desk_head", "cashier"),
        ("desk_head", "finance_lead"),
    }
    if (giver, receiver) in chain:
        hand_over.check_receiver(giver, receiver)
    else:
        with pytest.raises(RuleBroken, match="R84"):
            hand_over.check_receiver(giver, receiver)


def test_a_count_is_a_sum_or_note_by_note_in_money_that_circulates() -> None:
    assert hand_over.counted(counted_fen=500, notes=None) == 500
    assert hand_over.counted(counted_fen=None, notes={10000: 3, 5000: 1, 10: 2}) == 35020
    for counted_fen, notes in ((None, None), (1, {1: 1}), (None, {10000: 1, 3000: 1})):
        with pytest.raises(Malformed, match="R85"):
            hand_over.counted(counted_fen=counted_fen, notes=notes)


def test_what_differs_from_the_offer_is_another_step() -> None:
    assert hand_over.count_step(amount_fen=500, counted_fen=500) == "count"
    assert hand_over.count_step(amount_fen=500, counted_fen=499) == "count_different"
    assert hand_over.count_step(amount_fen=500, counted_fen=501) == "count_different"


def test_a_day_is_checked_at_closing_and_chased_at_nine_the_next_morning_by_the_sites_clock() -> None:
    times = check_times(date(2026, 4, 1), zone=ZONE, closing=time(18), policy=CashPolicy())
    assert times.closes_at == datetime(2026, 4, 1, 10, tzinfo=UTC)
    assert times.chase_at == datetime(2026, 4, 2, 1, tzinfo=UTC)


def test_accounts_wait_for_the_statistics_and_for_every_days_check() -> None:
    settlement.check_accounts_ready(statistics_agreed=True, unclosed_days=0)
    with pytest.raises(RuleBroken, match="R90") as refused:
        settlement.check_accounts_ready(statistics_agreed=False, unclosed_days=3)
    assert len(refused.value.allowed) == 2


def test_hr_must_hold_what_was_approved() -> None:
    settlement.check_received(ours=(2, 700), theirs=(2, 700))
    with pytest.raises(RuleBroken, match="R92"):
        settlement.check_received(ours=(2, 700), theirs=(2, 701))


def test_a_reward_and_nothing_else_names_a_person() -> None:
    reserve.check_person(reserve.Use.REWARD, new_id())
    reserve.check_person(reserve.Use.LOSS, None)
    with pytest.raises(Malformed, match="R73"):
        reserve.check_person(reserve.Use.REWARD, None)
    with pytest.raises(Malformed, match="R73"):
        reserve.check_person(reserve.Use.REWORK, new_id())


def test_the_reserve_may_be_used_to_the_last_fen_and_no_further() -> None:
    reserve.check_balance(balance_fen=1500, amount_fen=1500)
    with pytest.raises(RuleBroken, match="D17") as refused:
        reserve.check_balance(balance_fen=1500, amount_fen=1501)
    assert refused.value.allowed == ("up to ¥15.00",)


def test_a_price_book_has_every_code_once_and_ranges_that_run_upwards() -> None:
    tap = PriceItem(code="tap", trade="water", name="换水龙头", unit="个", min_fen=3000, max_fen=3000)
    price.check_items([tap])
    with pytest.raises(Malformed, match="tap"):
        price.check_items([tap, tap])
    with pytest.raises(Malformed, match="R55"):
        price.check_items([tap.model_copy(update={"max_fen": 2999})])


@given(st.lists(st.integers(min_value=1, max_value=10**9), min_size=1, max_size=6), PEOPLE)
def test_refunds_in_pieces_give_back_exactly_what_each_was_given(pieces: list[int], weights: dict[UUID, int]) -> None:
    given_parts = split(sum(pieces), SplitPolicy())
    given_shares = share_among(given_parts.workers_fen, weights)
    refunded, workers = 0, 0
    back, back_shares = [0, 0, 0], dict.fromkeys(given_shares, 0)
    for piece in pieces:
        parts = refund.parts_of(given_parts, refunded_fen=refunded, amount_fen=piece)
        assert parts.company_fen + parts.workers_fen + parts.reserve_fen == piece
        shares = refund.shares_of(given_shares, before_fen=workers, amount_fen=parts.workers_fen)
        assert sum(shares.values()) == parts.workers_fen
        lines = ledger.fee_refunded(piece, parts, shares, cash=True)
        assert sum(line.amount_fen for line in lines) == 0
        refunded, workers = refunded + piece, workers + parts.workers_fen
        back = [sum(two) for two in zip(back, (parts.company_fen, parts.workers_fen, parts.reserve_fen), strict=True)]
        back_shares = {person: fen + shares.get(person, 0) for person, fen in back_shares.items()}
    assert back == [given_parts.company_fen, given_parts.workers_fen, given_parts.reserve_fen]
    assert back_shares == given_shares


def test_a_refund_is_the_fee_at_most_and_cash_no_more_than_the_till_holds() -> None:
    refund.check_refundable(fee_fen=100, refunded_fen=40, amount_fen=60)
    with pytest.raises(RuleBroken, match="D16") as refused:
        refund.check_refundable(fee_fen=100, refunded_fen=40, amount_fen=61)
    assert refused.value.allowed == ("up to ¥0.60",)
    refund.check_till(till_fen=100, amount_fen=100)
    with pytest.raises(RuleBroken, match="R87"):
        refund.check_till(till_fen=100, amount_fen=101)
    refund.check_with_finance(received=True)
    with pytest.raises(RuleBroken, match="R87"):
        refund.check_with_finance(received=False)


@pytest.mark.parametrize(("first", "last"), [(1, 0), (2, 501), (0, 10)])
def test_a_book_follows_the_numbers_issued_before_and_has_five_hundred_at_most(first: int, last: int) -> None:
    receipt.check_book(first=1, last=500, issued=0)
    receipt.check_book(first=501, last=501, issued=500)
    with pytest.raises((Malformed, RuleBroken), match="R34"):
        receipt.check_book(first=first, last=last, issued=0)
    with pytest.raises(Malformed, match="R34"):
        receipt.check_book(first=1, last=501, issued=0)


@pytest.mark.parametrize(
    "role",
    ["worker", "clerk"],
)
def test_who_can_hand_over_his_cash_does_so_himself(role: str) -> None:
    for gone in ({"active": False}, {"at_site": False}, {"role": "head"}):
        hand_over.check_cannot_offer(**({"active": True, "at_site": True, "role": "clerk"} | gone))
    with pytest.raises(RuleBroken, match="R84"):
        hand_over.check_cannot_offer(active=True, at_site=True, role=role)


@given(FEN, FEN)
def test_what_a_count_posts_sums_to_zero_and_the_giver_owes_what_is_missing(offered: int, counted: int) -> None:
    giver, receiver = new_id(), new_id()
    for holder in (receiver, None):
        lines = ledger.cash_counted(offered, counted, from_id=giver, holder_id=holder)
        assert sum(line.amount_fen for line in lines) == 0
        owed = [line.amount_fen for line in lines if line.account is ledger.Account.CASH_DIFFERENCES]
        assert owed == ([offered - counted] if offered != counted else [])
    assert sum(line.amount_fen for line in ledger.shortage_made_good(offered, giver_id=giver)) == 0


def test_cash_is_always_offered_and_a_method_that_is_not_is_named() -> None:
    cash, bank = receipt.Method.CASH, receipt.Method.BANK
    receipt.check_offered(bank, receipt.MethodPolicy())
    with pytest.raises(RuleBroken, match="D12") as refused:
        receipt.check_offered(bank, receipt.MethodPolicy(methods=(cash,)))
    assert refused.value.allowed == ("cash",)
    with pytest.raises(ValueError, match="cash is always accepted"):
        receipt.MethodPolicy(methods=(bank,))
