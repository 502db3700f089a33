"""Notices taken in, receipt books, cash counted blind, differences, and refunds: one test for each rule or more."""

from dataclasses import replace
from datetime import datetime, timedelta

from fastapi.routing import iter_route_contexts
from sqlalchemy import select, text

from services.finance.actions import calculation, cash_difference, charge, hand_over, receipt, receipt_book, refund
from services.finance.api import api
from services.finance.models import MissingCash, Receipt, ReceiptShare, RefundShare
from services.finance.queries.cash import cash
from services.finance.queries.charges import charge_by_id
from services.finance.queries.daily_checks import cash_checks
from services.finance.queries.damages import damages
from services.finance.queries.hand_overs import hand_overs
from services.finance.queries.receipt_books import receipt_book_as_left, receipt_books
from services.finance.queries.receipts import receipt_as_left
from services.finance.queries.settlements import settlement_as_left
from services.finance.rules import ledger
from services.finance.rules.receipt import CarriedOutcome, InvoiceState, Method, MethodPolicy
from services.finance.rules.refund import RefundMethod
from services.finance.tasks import chase_cash, check_cash, hear_damage_reported, hear_notice_revised
from shared.ids import new_id
from shared.messages import DamageReported, FeeItem, NoticeRevised, PersonChanged
from shared.people import Actor, hash_token, person_changed
from shared.policy_rows import change
from tests.people import employ, published
from tests.rulebook.company import refused
from tests.services.finance.office import CLOSING, MAY_FIRST, MORNING, NEXT_MORNING, Office, sweep_all
from tests.services.finance.test_api import House
from tests.services.finance.test_receipt import carry, void

SECOND = timedelta(seconds=1)


def bodies(office: Office, kind: str) -> list[dict[str, object]]:
    rows = office.session.execute(text("SELECT body FROM outbox WHERE type = :kind ORDER BY sequence"), {"kind": kind})
    return [row.body for row in rows]


def alerts(office: Office, kind: str) -> set[str]:
    """The roles and people told."""
    rows = office.session.execute(
        text("SELECT coalesce(role, CAST(person_id AS text)) AS told FROM alerts WHERE kind = :kind"), {"kind": kind}
    )
    return {row.told for row in rows}


def revised(office: Office, request_id: object, revision: int, fee_fen: int) -> None:
    item = FeeItem(code="tap", name="换水龙头", unit="个", quantity=2, unit_fen=fee_fen // 2, amount_fen=fee_fen)
    message = NoticeRevised(
        request_id=request_id,
        notice_number="",
        revision=revision,
        site_id=office.site_id,
        owner_name="欧阳建国",
        address="3-2-1502",
        phone="13800138000",
        description="水龙头漏水",
        visit_from=MORNING,
        visit_to=MORNING,
        fee_fen=fee_fen,
        items=[item],
        price_version=2,
        reason="业主加一个",
        revised_at=MORNING,
    )
    hear_notice_revised(office.session, message, now=MORNING)
    office.session.flush()


def test_r026_finance_takes_its_copies_in_by_name_all_of_a_site_at_once(office: Office) -> None:
    copies = sorted([office.notice(), office.notice()])
    elsewhere = Office(office.session, code="LH")
    theirs = elsewhere.notice()
    assert charge.receive(office.session, site_id=office.site_id, actor=office.cashier, now=MORNING) == copies
    office.session.expire_all()
    taken = charge_by_id(office.session, office.cashier, copies[0])
    assert (taken.received_by, taken.received_at) == (office.cashier.person_id, MORNING)
    assert charge_by_id(office.session, elsewhere.cashier, theirs).received_by is None
    assert [body["request_ids"] for body in bodies(office, "NoticesReceived")] == [[str(id_) for id_ in copies]]
    with refused(office.session, "R26", code="nothing_to_receive"):
        charge.receive(office.session, site_id=office.site_id, actor=office.cashier, now=MORNING)


def test_r026_finances_copy_follows_the_newest_revision_of_the_notice(office: Office) -> None:
    request_id = office.notice(fee_fen=10000)
    revised(office, request_id, 2, 12000)
    revised(office, request_id, 1, 11000)
    now = charge_by_id(office.session, office.cashier, request_id)
    assert (now.fee_fen, now.revision, now.price_version) == (12000, 2, 2)
    assert [(item.quantity, item.amount_fen) for item in now.items] == [(2, 12000)]


def test_d23_a_revision_changes_nothing_of_what_the_owner_has_signed(office: Office) -> None:
    request_id = office.accepted(fee_fen=10000)
    revised(office, request_id, 1, 12000)
    signed = charge_by_id(office.session, office.cashier, request_id)
    assert (signed.fee_fen, signed.revision, signed.items[0].amount_fen) == (10000, 0, 10000)
    assert office.collect(request_id, amount_fen=10000).amount_fen == 10000


def test_r034_receipts_come_from_a_book_finance_issued_and_are_numbered_without_gaps(office: Office) -> None:
    with refused(office.session, "R34", code="numbers_do_not_follow"):
        office.book(first=62, last=70)
    with refused(office.session, "R34", code="numbers_do_not_follow"):
        office.book(first=60, last=70)
    office.book(first=61, last=61)
    elsewhere = Office(office.session, code="LH")
    used = [office.paid().number, elsewhere.paid().number, office.paid().number]
    assert used == ["SJ-BK-000001", "SJ-LH-000001", "SJ-BK-000002"]
    numbers = office.session.scalars(
        select(Receipt.number).where(Receipt.site_id == office.site_id).order_by(Receipt.number)
    ).all()
    assert list(numbers) == [f"SJ-BK-{number:06d}" for number in range(1, 62)]


def test_r034_no_fee_is_taken_without_a_receipt_on_hand(office: Office) -> None:
    office.session.execute(text("UPDATE receipts SET state = 'returned' WHERE site_id = :id"), {"id": office.site_id})
    request_id = office.accepted()
    with refused(office.session, "R34", code="no_receipt_on_hand"):
        office.collect(request_id)
    with refused(office.session, "R34", code="no_receipt_on_hand"):
        carry(office, request_id)


def test_r034_one_invoice_beside_the_receipt_is_in_force_until_a_red_one_cancels_it(office: Office) -> None:
    def record(number: str, state: InvoiceState, of: Receipt) -> Receipt:
        beside = receipt.record_invoice(
            office.session, receipt_id=of.id, number=number, state=state, actor=office.cashier, now=MORNING
        )
        office.session.flush()
        return beside

    used = office.paid()
    with refused(office.session, "R34", code="not_used"):
        record("FP-0", InvoiceState.ISSUED, carry(office, office.accepted()))
    with refused(office.session, "R34", code="invoice_does_not_follow"):
        record("FP-0", InvoiceState.RED, used)
    record("FP-1", InvoiceState.ISSUED, used)
    with refused(office.session, "R34", code="invoice_does_not_follow"):
        record("FP-2", InvoiceState.ISSUED, used)
    record("FP-3", InvoiceState.RED, used)
    shown = receipt_as_left(office.session, used).invoices
    assert [(invoice.number, invoice.state) for invoice in shown] == [("FP-1", "issued"), ("FP-3", "red")]


def test_r035_a_receipt_brought_back_unused_is_blank_and_the_next_one_given_out(office: Office) -> None:
    request_id = office.accepted()
    carried = carry(office, request_id)
    receipt.bring_back(office.session, receipt_id=carried.id, actor=office.clerk, now=MORNING)
    office.session.flush()
    assert (carried.state, carried.request_id, carried.carried_by) == ("on_hand", None, None)
    assert office.collect(request_id).id == carried.id


def test_r035_the_desk_returns_a_book_only_when_every_number_of_it_is_accounted_for(office: Office) -> None:
    book = receipt_books(office.session, office.cashier, after=None, limit=10).items[0]
    office.paid()
    carried, spoilt = (
        carry(office, office.accepted()),
        office.session.scalars(select(Receipt).where(Receipt.number == "SJ-BK-000060")).one(),
    )
    void(office, spoilt.id)
    with refused(office.session, "R35", code="receipts_are_out"):
        receipt_book.return_(office.session, book_id=book.id, actor=office.clerk, now=MORNING)
    void(office, carried.id)
    returned = receipt_book.return_(office.session, book_id=book.id, actor=office.clerk, now=MORNING)
    now = receipt_book_as_left(office.session, returned)
    assert (now.on_hand, now.carried, now.used, now.voided, now.returned) == (0, 0, 1, 2, 57)


def test_r035_a_day_closes_only_when_every_receipt_that_was_out_is_accounted_for(office: Office) -> None:
    used, other, idle = (office.accepted() for _ in range(3))
    out, lost, idle_out = carry(office, used), carry(office, other), carry(office, idle)
    sweep_all(office.session, check_cash, now=CLOSING + SECOND)

    def closed_at() -> datetime | None:
        office.session.expire_all()
        return cash_checks(office.session, office.cashier, month="2026-04")[0].closed_at

    assert closed_at() is None
    assert alerts(office, "receipt_out") == {"desk_head", str(office.worker.person_id)}
    office.collect(used, actor=office.worker, receipt_id=out.id, now=CLOSING + SECOND)
    receipt.bring_back(office.session, receipt_id=idle_out.id, actor=office.clerk, now=CLOSING + SECOND)
    assert closed_at() is None
    receipt.explain(
        office.session, receipt_id=lost.id, reason="明早上门", actor=office.desk_head, now=CLOSING + 2 * SECOND
    )
    office.session.flush()
    assert closed_at() == CLOSING + 2 * SECOND
    carried = cash_checks(office.session, office.cashier, month="2026-04")[0].carried
    assert {finding.outcome for finding in carried} == set(CarriedOutcome) - {"voided"}
    with refused(office.session, "R35", code="nothing_to_explain"):
        receipt.explain(office.session, receipt_id=lost.id, reason="明早上门", actor=office.desk_head, now=CLOSING)


def test_d05_finance_is_told_when_few_receipts_are_left_at_a_desk(office: Office) -> None:
    for _ in range(60 - 20):
        office.paid()
    assert alerts(office, "receipts_low") == set()
    office.paid()
    assert alerts(office, "receipts_low") == {"cashier"}


def test_d06_at_closing_time_holder_desk_head_and_finance_are_told_of_cash_not_handed_over(office: Office) -> None:
    office.paid()
    sweep_all(office.session, check_cash, now=CLOSING)
    assert alerts(office, "cash_held") == set()
    sweep_all(office.session, check_cash, now=CLOSING + SECOND)
    told = {str(office.clerk.person_id), "desk_head", "cashier", "finance_lead"}
    assert alerts(office, "cash_held") == told


def test_r085_the_receiver_counts_before_he_is_told_what_was_offered(office: Office) -> None:
    used = office.paid(10000)
    offered = office.offer(office.clerk, office.cashier)

    def seen(by: Actor) -> tuple[int | None, list[object]]:
        (view,) = hand_overs(office.session, by, state=None, after=None, limit=10).items
        return view.amount_fen, list(view.receipt_ids)

    assert seen(office.cashier) == (None, [])
    assert seen(office.clerk) == (10000, [used.id])
    office.count(offered, office.cashier, 9000)
    assert seen(office.cashier) == (10000, [used.id])


def test_r085_cash_may_be_counted_note_by_note(office: Office) -> None:
    office.paid(18050)
    offered = office.offer(office.clerk, office.cashier)
    with refused(office.session, "R85", code="no_such_note"):
        hand_over.count(
            office.session,
            hand_over_id=offered.id,
            counted_fen=None,
            notes={15000: 1, 3050: 1},
            actor=office.cashier,
            now=MORNING,
        )
    hand_over.count(
        office.session,
        hand_over_id=offered.id,
        counted_fen=None,
        notes={10000: 1, 5000: 1, 1000: 3, 50: 1},
        actor=office.cashier,
        now=MORNING,
    )
    assert (offered.state, offered.counted_fen) == ("counted", 18050)


def test_r086_what_is_missing_takes_the_names_of_both_and_is_owed_by_the_giver(office: Office) -> None:
    office.paid(10000)
    offered = office.offer(office.clerk, office.cashier)
    office.count(offered, office.cashier, 9700)
    assert (office.balance("cash_at_finance"), office.balance("cash_in_hand")) == (0, 10000)
    with refused(office.session, "R36", code="step_not_allowed"):
        cash_difference.confirm_difference(office.session, hand_over_id=offered.id, actor=office.clerk, now=MORNING)
    cash_difference.settle_difference(
        office.session, hand_over_id=offered.id, reason="少", actor=office.cashier, now=MORNING
    )
    with refused(office.session, "R86", code="not_the_giver"):
        cash_difference.confirm_difference(office.session, hand_over_id=offered.id, actor=office.desk_head, now=MORNING)
    cash_difference.confirm_difference(office.session, hand_over_id=offered.id, actor=office.clerk, now=MORNING)
    office.books_balance()
    assert (offered.state, offered.amount_fen - (offered.counted_fen or 0)) == ("counted", 300)
    assert office.balance("cash_at_finance") == 9700
    assert office.balance("cash_in_hand") == 0
    assert office.balance("cash_differences", office.clerk) == 300


def test_r086_a_receiver_answers_for_no_more_cash_than_he_was_given(office: Office) -> None:
    for fee_fen in (10000, 5000):
        request_id = office.accepted(fee_fen=fee_fen)
        carried = carry(office, request_id)
        office.collect(request_id, amount_fen=fee_fen, actor=office.worker, receipt_id=carried.id)
    office.short(office.worker, office.clerk, 600)
    (held,) = cash(office.session, office.cashier)
    assert (held.holder_id, held.amount_fen) == (office.clerk.person_id, 14400)
    assert office.balance("cash_in_hand", office.clerk) == 14400
    assert office.hand_over(office.clerk, office.cashier).amount_fen == 14400
    assert office.balance("cash_at_finance") == 14400
    assert office.balance("cash_differences", office.worker) == 600


def test_r086_more_than_was_offered_is_a_difference_too_and_nothing_is_owed_of_it(office: Office) -> None:
    office.paid(10000)
    more = office.short(office.clerk, office.cashier, -50)
    assert (more.amount_fen, office.balance("cash_differences", office.clerk)) == (-50, -50)
    with refused(office.session, "R86", code="nothing_to_make_good"):
        office.make_good(more)


def test_r088_a_shortage_is_named_the_next_morning_like_cash_withheld_and_returned_when_made_good(
    office: Office,
) -> None:
    office.paid(10000)
    short = office.short(office.clerk, office.cashier, 300)
    sweep_all(office.session, check_cash, now=CLOSING + SECOND)
    sweep_all(office.session, chase_cash, now=NEXT_MORNING)
    assert not bodies(office, "CashNotHandedOver")
    for day in (0, 1):
        sweep_all(office.session, chase_cash, now=NEXT_MORNING + timedelta(days=day) + SECOND)
    named = bodies(office, "CashNotHandedOver")[0]
    assert (named["holder_id"], named["amount_fen"], named["receipt_numbers"]) == (
        str(office.clerk.person_id),
        300,
        ["SJ-BK-000001"],
    )
    assert published(office.session).count(("CashNotHandedOver", "hr")) == 1
    assert not bodies(office, "CashReturned")
    with refused(office.session, "R86", code="amount_differs"):
        cash_difference.make_good(
            office.session, difference_id=short.id, counted_fen=299, actor=office.cashier, now=NEXT_MORNING
        )
    office.make_good(short, now=NEXT_MORNING + timedelta(hours=1))
    office.books_balance()
    assert bodies(office, "CashReturned")[0]["missing_id"] == named["missing_id"]
    assert (office.balance("cash_at_finance"), office.balance("cash_differences")) == (10000, 0)


def test_d07_cash_named_as_missing_is_not_returned_while_its_holder_owes_a_difference_of_it(office: Office) -> None:
    office.paid(10000)
    sweep_all(office.session, check_cash, now=CLOSING + SECOND)
    sweep_all(office.session, chase_cash, now=NEXT_MORNING + SECOND)
    short = office.short(office.clerk, office.cashier, 4000)
    sweep_all(office.session, check_cash, now=CLOSING + timedelta(days=1) + SECOND)
    sweep_all(office.session, chase_cash, now=NEXT_MORNING + timedelta(days=1) + SECOND)
    assert office.session.scalars(select(MissingCash.amount_fen)).all() == [10000]
    assert not bodies(office, "CashReturned")
    office.make_good(short)
    assert published(office.session).count(("CashReturned", "hr")) == 1


def test_r084_cash_of_somebody_who_is_gone_is_taken_by_finance_and_only_his(office: Office) -> None:
    def take(person: Actor, counted_fen: int) -> object:
        taken = hand_over.receive_on_behalf(
            office.session,
            site_id=office.site_id,
            from_person_id=person.person_id,
            reason="已离职",
            counted_fen=counted_fen,
            notes=None,
            actor=office.cashier,
            now=MORNING,
        )
        office.session.flush()
        return taken

    office.paid(10000)
    offered = office.offer(office.clerk, office.lead)
    with refused(office.session, "R84", code="can_hand_over_himself"):
        take(office.clerk, 10000)
    leave(office, office.clerk)
    taken = take(office.clerk, 9900)
    office.session.refresh(offered)
    assert (offered.state, taken.state, taken.amount_fen) == ("withdrawn", "differs", 10000)
    cash_difference.settle_difference(
        office.session, hand_over_id=taken.id, reason="少", actor=office.cashier, now=MORNING
    )
    cash_difference.confirm_difference(office.session, hand_over_id=taken.id, actor=office.desk_head, now=MORNING)
    office.books_balance()
    assert office.balance("cash_in_hand") == 0
    assert (office.balance("cash_at_finance"), office.balance("cash_differences", office.clerk)) == (9900, 100)


def leave(office: Office, person: Actor) -> None:
    """hr says he works here no more."""
    person_changed(
        office.session,
        PersonChanged(
            person_id=person.person_id,
            version=2,
            name=person.name,
            role=person.role,
            department=person.department,
            site_ids=[office.site_id],
            all_sites=False,
            active=False,
            token_hash=hash_token(str(new_id())),
        ),
    )
    office.session.expire_all()


def test_d07_there_is_no_account_and_no_route_for_expenses_out_of_the_drawer(finance_api: House) -> None:
    finance_api.paid()
    assert "expense" not in " ".join([*ledger.Account, *ledger.JournalKind])
    out_of_hand = ledger.cash_counted(100, 90, from_id=new_id(), holder_id=None)
    assert {line.account for line in out_of_hand if line.amount_fen > 0} == {"cash_at_finance", "cash_differences"}
    posts = {
        context.path.removeprefix("/api")
        for context in iter_route_contexts(api.routes)
        if "POST" in context.original_route.methods
    }
    from_the_drawer = {"/hand-overs", "/hand-overs/on-behalf"}
    assert {path for path in posts if path.split("/")[1] in {"hand-overs", "cash", "expenses"}} == {
        *from_the_drawer,
        *(f"/hand-overs/{{hand_over_id}}/{step}" for step in ("count", "withdraw", "settle-difference")),
        "/hand-overs/{hand_over_id}/confirm-difference",
    }
    body = {"receipt_id": str(new_id()), "amount_fen": 100, "reason": "买茶叶", "method": "cash"}
    assert finance_api.post("clerk", "/refunds", body).status_code == 403


def test_r087_a_fee_is_refunded_by_finance_alone_and_never_out_of_cash_in_somebodys_hands(office: Office) -> None:
    used = office.paid(10000)
    with refused(office.session, "R87", code="not_with_finance"):
        office.propose_refund(used, 100)
    office.hand_over(office.clerk, office.cashier)
    office.session.expire_all()
    office.refunded(used, 10000, method=RefundMethod.CASH)
    assert (office.balance("cash_at_finance"), office.balance("cash_in_hand")) == (0, 0)
    other = office.collect(office.accepted(), method=Method.BANK, reference="1")
    with refused(office.session, "R87", code="not_enough_cash"):
        office.refunded(other, 1, method=RefundMethod.CASH)


def test_d16_a_refund_is_taken_from_the_same_three_shares_and_in_pieces_it_adds_up(office: Office) -> None:
    used = office.collect(
        office.accepted(fee_fen=99, workers={office.worker.person_id: 1, office.mate.person_id: 1}),
        amount_fen=99,
        method=Method.WECHAT,
        reference="1",
    )
    pieces = [office.refunded(used, fen) for fen in (33, 33, 33)]
    assert [
        sum(getattr(piece, part) for piece in pieces) for part in ("company_fen", "workers_fen", "reserve_fen")
    ] == [
        49,
        35,
        15,
    ]
    given = office.session.execute(select(ReceiptShare.person_id, ReceiptShare.share_fen)).all()
    back = office.session.scalars(select(RefundShare)).all()
    for person_id, share_fen in given:
        assert sum(share.share_fen for share in back if share.person_id == person_id) == -share_fen
    office.books_balance()
    assert {
        account: office.balance(account) for account in ("bank", "company_share", "workers_share", "reserve_fund")
    } == {"bank": 0, "company_share": 0, "workers_share": 0, "reserve_fund": 0}


def test_d16_no_more_than_the_fee_is_refunded_even_by_proposals_that_wait(office: Office) -> None:
    used = office.collect(office.accepted(), method=Method.BANK, reference="1")
    office.propose_refund(used, 6000)
    with refused(office.session, "D16", code="more_than_the_fee"):
        office.propose_refund(used, 4001)
    office.propose_refund(used, 4000)


def test_d16_the_leader_decides_a_refund_and_not_who_proposed_it(office: Office) -> None:
    used = office.collect(office.accepted(), method=Method.BANK, reference="1")
    proposed = office.propose_refund(used, 100)
    with refused(office.session, "D16", code="not_four_eyes"):
        refund.decide(
            office.session,
            refund_id=proposed.id,
            approve=True,
            reason="",
            actor=replace(office.lead, role="leader"),
            now=MORNING,
        )
    refund.decide(office.session, refund_id=proposed.id, approve=False, reason="不退", actor=office.leader, now=MORNING)
    assert (proposed.state, office.balance("bank")) == ("rejected", 10000)
    assert not bodies(office, "FeeRefunded")


def test_d16_a_refund_after_the_month_was_settled_falls_into_the_open_month(office: Office) -> None:
    used = office.collect(office.accepted(), method=Method.BANK, reference="1")
    office.end_month()
    assert office.refunded(used, 3000, now=MAY_FIRST).month == "2026-05"
    assert [(body["month"], body["amount_fen"]) for body in bodies(office, "FeeRefunded")] == [("2026-05", 3000)]


def test_d17_a_refund_does_not_overdraw_the_reserve(office: Office) -> None:
    used = office.collect(office.accepted(), method=Method.BANK, reference="1")
    office.session.execute(
        text("""WITH j AS (INSERT INTO journals (id, site_id, kind, at, day, reference)
                           VALUES (gen_random_uuid(), :site_id, 'loss', :at, '2026-04-01', 'x') RETURNING id)
                INSERT INTO journal_lines (journal_id, line, account, site_id, amount_fen)
                SELECT j.id, n, a, :site_id, f FROM j, (VALUES (1, 'reserve_fund', 1000), (2, 'company_share', -1000))
                AS l (n, a, f)"""),
        {"site_id": office.site_id, "at": MORNING},
    )
    with refused(office.session, "D17", code="reserve_too_small"):
        office.refunded(used, 10000)
    assert office.refunded(used, 3000).reserve_fen == 450


def test_d12_only_the_methods_offered_are_taken_and_cash_always_is(office: Office) -> None:
    admin = employ(office.session, "administrator", "administration")
    change(
        office.session,
        MethodPolicy(methods=[Method.CASH, Method.WECHAT]),
        site_id=office.site_id,
        effective_from=MORNING,
        reason="银行收费",
        actor=admin,
        now=MORNING,
    )
    request_id = office.accepted()
    with refused(office.session, "D12", code="method_not_offered"):
        office.collect(request_id, method=Method.BANK, reference="1")
    office.collect(request_id, method=Method.WECHAT, reference="1")
    assert office.paid().method == "cash"


def test_r063_damage_reported_on_a_visit_is_known_to_finance_once(office: Office) -> None:
    damage = DamageReported(
        damage_id=new_id(),
        request_id=new_id(),
        round=0,
        site_id=office.site_id,
        department="engineering",
        description="打碎了洗手盆",
        estimate_fen=30000,
        reported_by=office.worker.person_id,
        reported_at=MORNING,
    )
    for _ in range(2):
        hear_damage_reported(office.session, damage, now=MORNING)
    (known,) = damages(office.session, office.desk_head, after=None, limit=10).items
    assert (known.description, known.estimate_fen) == ("打碎了洗手盆", 30000)


def test_r035_a_receipt_given_out_after_closing_time_is_of_the_next_day(office: Office) -> None:
    carry(office, office.accepted())
    office.session.execute(text("UPDATE receipts SET issued_at = :at WHERE state = 'carried'"), {"at": CLOSING})
    sweep_all(office.session, check_cash, now=CLOSING + timedelta(days=1) + SECOND)
    first, second, _ = cash_checks(office.session, office.cashier, month="2026-04")
    assert (first.carried, first.closed_at) == ([], CLOSING + timedelta(days=1) + SECOND)
    assert (len(second.carried), second.closed_at) == (1, None)


def test_r090_the_accounts_wait_for_the_last_day_that_is_not_closed(office: Office) -> None:
    carried = carry(office, office.accepted())
    with refused(office.session, "R90", code="accounts_not_ready"):
        office.end_month()
    void(office, carried.id)
    office.end_month()


def test_d13_the_income_that_is_shared_is_net_of_refunds(office: Office) -> None:
    used = office.collect(office.accepted(), method=Method.BANK, reference="1")
    office.refunded(used, 4000)
    office.end_month()
    computed = calculation.compute(
        office.session, site_id=office.site_id, month="2026-04", actor=office.lead, now=MAY_FIRST
    )
    (line,) = settlement_as_left(office.session, computed).lines
    assert (computed.received_fen, line.share_fen) == (6000, 2100)
