"""The auditor: recomputes a month from what the four APIs export, with arithmetic of its own.

Nothing here is shared with the services' rules; where the same rule is needed it is written a second time, in
another way, so that one mistake cannot hide in both. Jobs noticed and cash taken after the month may be under way:
whether they are settled is asked by the audit of their own month.
"""

from collections import Counter
from dataclasses import dataclass

from bianmin.audit import bus, jobs, money, payouts
from bianmin.exports import Exports


@dataclass(frozen=True)
class Finding:
    """Something that does not agree."""

    check: str
    detail: str


@dataclass(frozen=True)
class Audit:
    """What was checked (and how many things of each kind), and what does not agree."""

    checked: dict[str, int]
    findings: list[Finding]

    @property
    def clean(self) -> bool:
        """Whether everything agrees."""
        return not self.findings


def audit(exports: Exports) -> Audit:
    """Run every check."""
    checked: Counter[str] = Counter()
    findings: list[Finding] = []
    for check in CHECKS:
        name = check.__name__.replace("_", " ").strip()
        checked[name] = 0
        for detail in check(exports):
            checked[name] += 1
            if detail is not None:
                findings.append(Finding(name, detail))
    return Audit(dict(checked), findings)


CHECKS = (
    jobs.every_receipt_is_the_fee_that_was_agreed_and_signed,
    jobs.every_settlement_list_adds_up_and_is_the_same_everywhere,
    jobs.every_copy_of_a_notice_was_received_and_the_departments_came_back,
    jobs.every_accepted_job_is_paid_and_no_other,
    money.every_split_is_50_35_15,
    money.every_refund_takes_back_what_was_shared_out,
    money.money_received_is_company_plus_workers_plus_reserve,
    payouts.payouts_are_shares_plus_rewards_less_what_the_bonus_bears,
    payouts.hr_holds_exactly_what_finance_approved,
    payouts.what_a_person_is_paid_is_the_sum_of_his_jobs,
    payouts.the_hr_system_was_delivered_every_payout_once,
    payouts.the_month_reported_is_the_month_that_was,
    money.cash_in_hands_is_exactly_what_open_cases_name,
    money.the_ledger_balances,
    money.the_reserve_fund_is_what_came_in_less_what_was_approved,
    bus.every_message_was_handled_exactly_once,
    bus.every_deadline_that_started_has_ended,
    jobs.callbacks_are_counted_as_they_were,
    jobs.every_number_of_every_receipt_book_is_accounted_for,
    jobs.papers_are_numbered_without_gaps,
    jobs.closed_requests_ended_with_a_satisfied_owner,
)
