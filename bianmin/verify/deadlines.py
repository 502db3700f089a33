"""Deadlines: every promise by a moment was kept, given up, or its passing acted on."""

from bianmin.verify.invariant import Invariant

DEADLINES = {
    "callback_warning": (
        "intake.requests",
        "number",
        "warn_due_at",
        "warned_at IS NULL AND callback_ended_at IS NULL",
    ),
    "callback": ("intake.requests", "number", "callback_due_at", "callback_ended_at IS NULL"),
    "consultation_reply": ("intake.consultations", "id", "reply_due_at", "reply_ended_at IS NULL"),
    "revisit": ("intake.revisits", "request_id", "due_at", "listed_at IS NULL AND done_at IS NULL"),
    "month_statistics": ("intake.months", "month", "closes_at", "asked_at IS NULL"),
    "erase_owner": ("intake.requests", "number", "erase_due_at", "erased_at IS NULL"),
    "acknowledgement": (
        "dispatch.work_orders",
        "notice_number",
        "acknowledge_due_at",
        "acknowledged_at IS NULL AND NOT acknowledge_late AND cancelled_at IS NULL AND declined_at IS NULL",
    ),
    "rework_assignment": (
        "dispatch.work_orders",
        "notice_number",
        "assign_due_at",
        "assigned_at IS NULL AND NOT assign_late",
    ),
    "arrival": (
        "dispatch.work_orders",
        "notice_number",
        "arrive_due_at",
        "arrived_at IS NULL AND late_noted_at IS NULL AND num_nonnulls(terminated_at, cancelled_at, declined_at) = 0",
    ),
    "certificate": ("dispatch.certificates", "id", "warn_at", "warned_at IS NULL"),
    "daily_cash_check": ("finance.site_days", "day", "closes_at", "checked_at IS NULL"),
    "cash_chase": ("finance.site_days", "day", "chase_at", "chased_at IS NULL"),
    "month_close": ("finance.settlements", "month", "closes_at", "state = 'open'"),
    "ledger_seal": ("finance.unsealed_journals", "journal_id", "due_at", "due_at IS NOT NULL"),
    "ledger_anchor": ("finance.ledger_anchors", "due_at", "due_at", "told_at IS NULL"),
    "hr_task": ("hr.hr_tasks", "id", "due_at", "late_at IS NULL AND done_at IS NULL"),
    "case_appeal": ("hr.cases", "number", "appeal_due_at", "state = 'decided'"),
    "webhook_delivery": (
        "hr.webhook_deliveries",
        "delivery_id",
        "next_attempt_at",
        "delivered_at IS NULL AND failed_at IS NULL",
    ),
}
"""Each kind: its table, what names a row, its column, and the condition of promises that have not ended."""

_SNAPSHOT_AT = "installation.clock_now() - (clock_timestamp() - now())"
"""SQL: the moment of the snapshot, in business time: what passes while the verifier reads is nobody's fault."""

INVARIANTS = [
    Invariant(
        66,
        "deadlines_are_acted_on",
        "no deadline has passed by more than a minute without being acted on",
        " UNION ALL ".join(
            f"SELECT format('{kind} of %s was due at %s', {row}, {due}) FROM {table}"  # noqa: S608  # our own SQL
            f" WHERE {open_} AND {due} < {_SNAPSHOT_AT} - interval '1 minute'"
            for kind, (table, row, due, open_) in DEADLINES.items()
        ),
        settled=True,
    ),
]
