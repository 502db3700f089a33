"""What somebody can do to the rows below every trigger and foreign key, and which invariant sees it."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Tampering:
    """Statements that violate an invariant, a word of the sentence that must name the row, and what else they break."""

    invariant: str
    statements: tuple[str, ...]
    named: str
    also: frozenset[str] = frozenset()


def without_check(table: str, name: str) -> str:
    """The superuser takes a rule of the database away first."""
    return f"ALTER TABLE {table} DROP CONSTRAINT {name}"


def tampering(invariant: str, *statements: str, named: str, also: str = "") -> Tampering:
    return Tampering(invariant, statements, named, frozenset(also.split()))


def one(table: str, change: str, where: str, key: str = "ctid") -> str:
    """An UPDATE of the first row that fits."""
    return f"UPDATE {table} SET {change} WHERE {key} = (SELECT {key} FROM {table} WHERE {where} ORDER BY {key} LIMIT 1)"


def renamed(kind: str) -> str:
    return one("finance.journals", "reference = 'tampered'", f"kind = '{kind}'")


ANY_SITE = "(SELECT id FROM finance.sites ORDER BY code LIMIT 1)"
SOMEBODY_ELSE = "'00000000-0000-0000-0000-000000000001'"

TAMPERINGS = [
    tampering(
        "journals_balance",
        "INSERT INTO finance.journals (id, site_id, kind, at, day, reference)"
        " SELECT gen_random_uuid(), site_id, 'rework', at, day, 'empty' FROM finance.journals LIMIT 1",
        named="rework empty",
        also="journals_are_chained",
    ),
    tampering(
        "journals_balance",
        one("finance.journal_lines", "amount_fen = amount_fen + 1", "account = 'fines'"),
        named="summing to 1 fen",
        also="lines_have_a_journal settlements_are_posted the_chain_is_whole",
    ),
    tampering(
        "lines_have_a_journal",
        "INSERT INTO finance.journal_lines (journal_id, line, account, site_id, amount_fen)"
        f" VALUES ({SOMEBODY_ELSE}, 1, 'fines', {ANY_SITE}, 5)",
        named="line 1 of journal 00000000",
    ),
    *(
        tampering(f"{name}s_are_posted", renamed(kind), named="tampered", also="the_chain_is_whole")
        for name, kind in (
            ("receipt", "receipt"),
            ("refund", "refund"),
            ("hand_over", "hand_over"),
            ("made_good", "made_good"),
            ("reserve_use", "reward"),
            ("reserve_use", "loss"),
            ("settlement", "settlement"),
            ("payment", "payment"),
            ("deposit", "deposit"),
        )
    ),
    tampering(
        "receipts_are_posted",
        "DELETE FROM finance.journals WHERE kind = 'receipt' AND id = ("
        "SELECT journal_id FROM finance.journal_lines WHERE account = 'bank' AND amount_fen > 0 ORDER BY 1 LIMIT 1)",
        named="receipt used SJ-",
        also="lines_have_a_journal journals_are_chained",
    ),
    tampering(
        "fees_are_split",
        "INSERT INTO finance.policies (id, name, site_id, effective_from, settings, changed_by, changed_at, reason)"
        " VALUES (gen_random_uuid(), 'SplitPolicy', NULL, '2026-01-01',"
        f""" '{{"company": 40, "workers": 45, "reserve": 15}}', {SOMEBODY_ELSE}, '2026-01-01', 'tampered')""",
        named="receipt SJ-BK-000001: ",
    ),
    tampering(
        "fees_are_split",
        without_check("finance.receipts", "ck_receipts_split"),
        one("finance.receipts", "company_fen = company_fen + 1, reserve_fen = reserve_fen - 1", "state = 'used'"),
        named="reserve is",
        also="receipts_are_posted the_reserve_fund_is_what_came_in months_add_up",
    ),
    tampering(
        "workers_get_their_shares",
        "UPDATE finance.charge_workers SET weight = 7 WHERE weight = 2",
        "UPDATE dispatch.assignments SET weight = 7 WHERE weight = 2",
        named="worker",
    ),
    tampering(
        "refunds_take_back_what_was_given",
        one("finance.receipts", "refunded_fen = refunded_fen + 1", "state = 'used' AND refunded_fen = 0"),
        named="1 fen are refunded by the receipt, 0 by its refunds",
    ),
    tampering(
        "refunds_take_back_what_was_given",
        without_check("finance.refunds", "ck_refunds_split"),
        one("finance.refunds", "company_fen = company_fen + 1, reserve_fen = reserve_fen - 1", "state = 'approved'"),
        named="company gave back",
        also="refunds_are_posted the_reserve_fund_is_what_came_in months_add_up",
    ),
    tampering(
        "workers_give_back_their_part",
        one("finance.refund_shares", "share_fen = share_fen - 1", "share_fen < 0"),
        named="gave back",
        also="refunds_are_posted lines_are_what_each_person_earned months_pay_out_what_was_earned",
    ),
    tampering(
        "splits_are_a_whole",
        without_check("finance.policies", "ck_policies_split_is_whole"),
        "INSERT INTO finance.policies (id, name, site_id, effective_from, settings, changed_by, changed_at, reason)"
        " VALUES (gen_random_uuid(), 'SplitPolicy', NULL, '2030-01-01',"
        f""" '{{"company": 50, "workers": 35, "reserve": 14}}', {SOMEBODY_ELSE}, '2026-01-01', 'tampered')""",
        named='"reserve": 14',
    ),
    tampering(
        "splits_are_a_whole",
        without_check("finance.policies", "ck_policies_split_is_whole"),
        "INSERT INTO finance.policies (id, name, site_id, effective_from, settings, changed_by, changed_at, reason)"
        " VALUES (gen_random_uuid(), 'SplitPolicy', NULL, '2030-01-01',"
        f""" '{{"company": "half", "workers": 35, "reserve": 15}}', {SOMEBODY_ELSE}, '2026-01-01', 'tampered')""",
        named="cannot be computed",
    ),
    tampering(
        "hand_overs_add_up",
        one("finance.cash_differences", f"receiver_id = {SOMEBODY_ELSE}", "true"),
        named="100 recorded as missing",
    ),
    tampering(
        "hand_overs_add_up",
        one("finance.hand_overs", "amount_fen = amount_fen + 1", "state = 'counted'"),
        named="fen expected",
        also="hand_overs_are_posted",
    ),
    tampering(
        "cash_in_hand_is_held",
        one("finance.receipts", "short_fen = short_fen + 1", "holder_id IS NOT NULL"),
        one("finance.receipts", "short_fen = short_fen - 1", "received_at IS NOT NULL"),
        named="cash_in_hand of",
    ),
    tampering(
        "shortages_are_owed",
        "UPDATE finance.cash_differences SET made_good_at = NULL, made_good_by = NULL",
        named="0 fen by the ledger, 100 by the documents",
        also="made_goods_are_posted the_till_is_what_was_counted_into_it",
    ),
    tampering(
        "shortages_stand_on_receipts",
        one("finance.receipts", "short_fen = short_fen + 1", "received_at IS NOT NULL"),
        named="fen are short of receipts",
    ),
    tampering(
        "the_reserve_fund_is_what_came_in",
        one("finance.proposals", "amount_fen = amount_fen + 1", "use = 'loss' AND state = 'approved'"),
        named="reserve_fund of the site",
        also="reserve_uses_are_posted",
    ),
    tampering(
        "nothing_is_overdrawn",
        "INSERT INTO finance.deposits (id, site_id, amount_fen, reference, deposited_by, deposited_at)"
        f" VALUES ({SOMEBODY_ELSE}, {ANY_SITE}, 1000000000, 'CK', {SOMEBODY_ELSE}, '2026-04-30')",
        "INSERT INTO finance.journals (id, site_id, kind, at, day, reference)"
        f" VALUES ({SOMEBODY_ELSE}, {ANY_SITE}, 'deposit', '2026-04-30', '2026-04-30', {SOMEBODY_ELSE})",
        "INSERT INTO finance.journal_lines (journal_id, line, account, site_id, amount_fen)"
        f" VALUES ({SOMEBODY_ELSE}, 1, 'bank', {ANY_SITE}, 1000000000),"
        f" ({SOMEBODY_ELSE}, 2, 'cash_at_finance', {ANY_SITE}, -1000000000)",
        named="cash_at_finance of the site",
        also="journals_are_chained balances_are_the_sums_of_lines",
    ),
    tampering(
        "the_till_is_what_was_counted_into_it",
        one("finance.refunds", "method = 'bank'", "method = 'cash' AND state = 'approved'"),
        named="cash_at_finance of the site",
        also="refunds_are_posted the_bank_is_what_went_through_it",
    ),
    tampering(
        "the_bank_is_what_went_through_it",
        one("finance.deposits", "amount_fen = amount_fen + 1", "true"),
        named="bank of the site",
        also="deposits_are_posted the_till_is_what_was_counted_into_it",
    ),
    tampering(
        "payroll_is_what_is_unpaid",
        one("finance.settlement_lines", "paid_at = NULL, payment_reference = NULL", "net_fen > 0"),
        named="payroll of",
        also="payments_are_posted the_bank_is_what_went_through_it payments_are_known",
    ),
    tampering(
        "cash_is_held_by_the_last_of_its_chain",
        """DELETE FROM finance.hand_over_receipts WHERE receipt_id = (
             SELECT x.receipt_id FROM finance.hand_over_receipts x
             JOIN finance.hand_over_receipts y ON y.hand_over_id = x.hand_over_id AND y.receipt_id <> x.receipt_id
             JOIN finance.hand_overs h ON h.id = x.hand_over_id AND h.state = 'counted'
             JOIN finance.receipts r ON r.id = x.receipt_id AND r.received_at IS NOT NULL
             WHERE NOT EXISTS (SELECT FROM finance.hand_over_receipts z
                               WHERE z.receipt_id = x.receipt_id AND z.hand_over_id <> x.hand_over_id) LIMIT 1)""",
        named="receipt SJ-",
    ),
    tampering(
        "months_add_up",
        one(
            "finance.settlements", "received_fen = received_fen + 1, company_fen = company_fen + 1", "state='received'"
        ),
        named="of 2026-04",
    ),
    tampering(
        "settlements_are_the_sum_of_their_lines",
        one("finance.settlements", "carried_fen = carried_fen + 1", "state = 'received'"),
        named="of 2026-04",
    ),
    tampering(
        "lines_are_what_each_person_earned",
        one("finance.fines", f"person_id = {SOMEBODY_ELSE}", "settlement_id IS NOT NULL"),
        named=SOMEBODY_ELSE.strip("'"),
        also="fines_are_what_was_decided",
    ),
    tampering(
        "months_pay_out_what_was_earned",
        "DELETE FROM finance.fines WHERE case_id = (SELECT min(CAST(case_id AS text))::uuid FROM finance.fines)",
        named="of 2026-04",
        also="lines_are_what_each_person_earned fines_are_known_at_finance",
    ),
    tampering(
        "what_is_carried_is_kept",
        "INSERT INTO finance.carryovers"
        " (from_settlement_id, person_id, kind, name, site_id, month, amount_fen, case_numbers)"
        f" SELECT id, {SOMEBODY_ELSE}, 'fine', '', site_id, month, 7, '{{}}' FROM finance.settlements"
        " WHERE state = 'received' LIMIT 1",
        named="0 fen of fine are left by the line, 7 carried",
        also="months_pay_out_what_was_earned",
    ),
    tampering(
        "the_workers_share_is_cleared",
        one("finance.journal_lines", f"person_id = {SOMEBODY_ELSE}", "account = 'workers_share' AND amount_fen < 0"),
        named=f"workers_share of {SOMEBODY_ELSE[1:-1]}",
        also="receipts_are_posted the_chain_is_whole",
    ),
    tampering(
        "rewards_due_are_cleared",
        one("finance.journal_lines", f"person_id = {SOMEBODY_ELSE}", "account = 'rewards_due' AND amount_fen < 0"),
        named=f"rewards_due of {SOMEBODY_ELSE[1:-1]}",
        also="reserve_uses_are_posted the_chain_is_whole",
    ),
    tampering(
        "fines_and_rewards_are_settled_once",
        one("finance.fines", "settled_at = NULL", "settled_at IS NOT NULL"),
        named="fine",
    ),
    tampering(
        "payouts_are_what_was_approved",
        one("hr.payouts", f"approved_by = {SOMEBODY_ELSE}", "true"),
        named="received of 2026-04",
    ),
    tampering(
        "payout_lines_are_what_was_approved",
        one("hr.payout_lines", "case_numbers = '{AJ-BK-2026-9999}'", "true"),
        named="person",
    ),
    tampering(
        "payout_lines_are_what_was_approved",
        """UPDATE hr.payout_lines SET jobs = '[{"receipt_number": "SJ-BK-000001", "share_fen": 1}]'""",
        named="person",
    ),
    tampering(
        "payouts_are_delivered_once",
        "UPDATE hr.deliveries SET sequence = sequence + 10",
        named="deliveries are numbered 11",
    ),
    tampering(
        "payments_are_what_is_due",
        one("finance.settlement_lines", "paid_at = paid_at + interval '1 s'", "paid_at IS NOT NULL"),
        named="payment is paid",
    ),
    tampering(
        "payouts_are_received",
        one("finance.settlements", "hr_received_at = hr_received_at + interval '1 s'", "state = 'received'"),
        named="is received",
    ),
    tampering(
        "payments_are_known",
        one("finance.payout_failures", "cause = 'returned'", "true"),
        named="attempt 1 failed",
    ),
    tampering(
        "acknowledged_messages_are_held",
        "DELETE FROM finance.inbox WHERE type = 'WorkAccepted'",
        named="WorkAccepted",
    ),
    tampering(
        "acknowledged_messages_are_held",
        one("hr.inbox", "type = 'PayoutApproved'", "type = 'MonthReported'"),
        named="held as PayoutApproved from intake",
    ),
    tampering(
        "messages_were_sent",
        "INSERT INTO finance.inbox (message_id, sender, type, state, traceparent, ack_due)"
        f" VALUES ({SOMEBODY_ELSE}, 'hr', 'PayoutPaid', 'handled', '', false)",
        named="hr never sent it there",
    ),
    tampering(
        "nothing_is_parked", one("finance.inbox", "state = 'parked'", "type = 'NoticeIssued'"), named="NoticeIssued"
    ),
    tampering(
        "nothing_is_stuck",
        one("hr.outbox", "acknowledged_at = NULL, published_at = published_at - interval '1 h'", "true"),
        named="unacknowledged since",
        also="nothing_is_under_way",
    ),
    tampering("nothing_is_under_way", one("hr.inbox", "ack_due = true", "true"), named="its acknowledgement is due"),
    tampering("nothing_was_discarded", one("hr.inbox", "state = 'discarded'", "true"), named="discarded at hr"),
    tampering(
        "deadlines_are_acted_on",
        one("hr.cases", "state = 'decided', appeal_due_at = opened_at", "state = 'dismissed'"),
        named="case_appeal of AJ-",
    ),
    tampering(
        "charges_are_what_was_signed",
        one("finance.charges", "accepted_at = accepted_at + interval '1 s'", "state = 'collected'"),
        named="notice TZ-",
    ),
    tampering(
        "charges_are_what_was_signed",
        one("finance.charge_workers", "weight = weight + 1", "weight = 1"),
        named="weight 2 at finance, 1 at dispatch",
    ),
    tampering(
        "the_desk_knows_what_was_signed",
        one("intake.requests", "fee_fen = fee_fen + 1", "receipt_number IS NOT NULL"),
        named="request DJ-",
        also="jobs_are_known_everywhere",
    ),
    tampering(
        "the_desk_knows_what_was_paid",
        one("intake.requests", "received_month = '2026-05'", "receipt_number IS NOT NULL"),
        named="in 2026-05 at the desk",
    ),
    tampering(
        "the_desk_knows_what_was_refunded",
        one("intake.fee_refunds", "amount_fen = amount_fen + 1", "true"),
        named="at the desk",
    ),
    tampering("fines_are_what_was_decided", one("finance.fines", "month = '2026-03'", "true"), named="in 2026-03"),
    tampering(
        "cases_of_cash_are_what_is_missing",
        one("intake.cash_alerts", "amount_fen = amount_fen + 1", "true"),
        named="alert",
    ),
    tampering(
        "prices_are_what_was_approved", one("intake.price_items", "min_fen = min_fen + 1", "true"), named="of version 1"
    ),
    tampering(
        "wages_are_what_hr_says",
        one("finance.wages", "monthly_wage_fen = monthly_wage_fen + 1", "true"),
        named="fen at finance",
    ),
    tampering("people_are_what_hr_says", one("intake.people", "role = 'leader'", "role = 'clerk'"), named="intake"),
    tampering(
        "people_are_known_everywhere", one("finance.people", "version = version - 1", "true"), named="2 services"
    ),
    tampering("sites_are_what_hr_says", one("dispatch.sites", "closing = '17:00'", "true"), named="dispatch knows"),
    tampering("sites_are_known_everywhere", one("intake.sites", "version = 0", "true"), named="2 services"),
    tampering(
        "jobs_are_known_everywhere",
        "DELETE FROM finance.charges WHERE state = 'terminated'",
        named="order terminated, charge",
    ),
    tampering(
        "reworks_are_known_everywhere",
        one("intake.visits", "accepted_at = accepted_at + interval '1 s'", "round = 1"),
        named="visit 1 of request",
    ),
    tampering(
        "payments_are_known_at_the_desk",
        one("intake.requests", "receipt_number = NULL", "receipt_number IS NOT NULL"),
        named="receipt SJ-",
    ),
    tampering(
        "fines_are_known_at_finance",
        one("hr.cases", "state = 'final', step = 'fine', final_at = now(), fine_fen = 1", "state = 'dismissed'"),
        named="1 fen",
    ),
    tampering(
        "missing_cash_is_known",
        one("finance.missing_cash", "returned_at = NULL", "returned_at IS NOT NULL"),
        named="cash of",
    ),
    tampering(
        "prices_and_wages_are_known",
        "DELETE FROM intake.price_items WHERE code = 'tap'",
        named="item tap of version 1",
    ),
    tampering("what_departments_report_is_known", "DELETE FROM hr.missed_callbacks", named="callback of DJ-"),
    tampering(
        "months_are_known",
        one("hr.month_reports", """report = '{"received_fen": 1}'""", "true"),
        named="2026-04 at site",
    ),
    tampering(
        "forms_are_numbered",
        one("intake.requests", "number = replace(number, '-0001', '-0009')", "number LIKE '%-0001'"),
        named="series DJ-",
    ),
    tampering(
        "cases_are_numbered",
        one("hr.cases", "number = 'AJ-BK-2026-0099'", "state = 'dismissed'"),
        named="series AJ-BK-2026",
    ),
    tampering(
        "receipt_books_are_complete",
        "DELETE FROM finance.receipts WHERE state = 'on_hand' AND number = 'SJ-BK-000100'",
        named="99 numbers",
    ),
    tampering(
        "price_versions_are_numbered",
        "INSERT INTO finance.price_versions (id, number, state, effective_from, drafted_by, drafted_at)"
        f" VALUES ({SOMEBODY_ELSE}, 5, 'draft', '2026-06-01', {SOMEBODY_ELSE}, '2026-05-01')",
        named="1 to 5, and there are 2",
    ),
    tampering(
        "journals_are_chained",
        "DELETE FROM finance.ledger_chain WHERE seq = (SELECT max(seq) FROM finance.ledger_chain)",
        named="and the journal is payment",
    ),
    tampering(
        "the_chain_is_whole",
        "UPDATE finance.ledger_chain SET hash = repeat('0', 64) WHERE seq = ("
        "SELECT min(seq) FROM finance.ledger_chain WHERE seq NOT IN (SELECT seq FROM hr.ledger_anchors))",
        named="is not what was hashed",
    ),
    tampering(
        "the_chain_reaches_its_anchors",
        "UPDATE finance.journals SET day = '2026-04-02' WHERE id = ("
        "SELECT journal_id FROM finance.ledger_chain WHERE seq = 1)",
        """DO $$
        DECLARE
            link record;
            head text := '';
        BEGIN
            FOR link IN SELECT seq, journal_id FROM finance.ledger_chain ORDER BY seq LOOP
                head := finance.chain_hash(link.seq, head, finance.journal_text(link.journal_id));
                UPDATE finance.ledger_chain SET hash = head WHERE seq = link.seq;
            END LOOP;
        END $$""",
        named="was rewritten before it",
    ),
    tampering(
        "audit_logs_are_whole",
        "UPDATE finance.audit_log SET cause = cause || '.' WHERE place = 7",
        named="finance: entry",
    ),
    tampering(
        "audit_logs_are_sealed",
        "INSERT INTO hr.audit_log (at, recorded_at, cause, login, table_name, row_key, operation)"
        " SELECT at, clock_timestamp() - interval '1 hour', cause, login, table_name, row_key, operation"
        " FROM hr.audit_log LIMIT 1",
        named="is not sealed",
    ),
    tampering(
        "audit_logs_reach_their_anchors",
        "INSERT INTO installation.audit_anchors"
        " SELECT 'hr', place, hash, now() FROM hr.audit_log ORDER BY place DESC NULLS LAST LIMIT 1"
        " ON CONFLICT (service, place) DO UPDATE SET seen_at = excluded.seen_at",  # a verifier may have been there
        "DELETE FROM hr.audit_log WHERE place = (SELECT max(place) FROM hr.audit_log)",
        named="does not reach it",
    ),
    tampering(
        "balances_are_the_sums_of_lines",
        "UPDATE finance.balances SET balance_fen = balance_fen + 1 WHERE account = 'reserve_fund'",
        named="reserve_fund of",
    ),
    tampering(
        "journals_are_sealed_at_once",
        """WITH cut AS (
             DELETE FROM finance.ledger_chain WHERE seq = (SELECT max(seq) FROM finance.ledger_chain)
             RETURNING journal_id
           )
           INSERT INTO finance.unsealed_journals (journal_id, due_at, closed_at)
           SELECT journal_id, installation.clock_now() + interval '1 day', clock_timestamp() - interval '1 hour'
           FROM cut""",
        named="is not sealed",
        also="balances_are_the_sums_of_lines",
    ),
]
