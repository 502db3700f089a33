"""Who may do what in hr. A case is opened by whoever finds it and decided by the leader alone [R78-R88, D19]."""

from shared.access import Permissions, reads, roles

MAY: Permissions = {
    "open_site": roles("administrator"),
    "employ_person": roles("administrator", "hr"),
    "issue_token": roles("administrator", "hr"),
    "let_leave": roles("administrator", "hr"),
    "open_case": roles("clerk", "desk_head", "head", "cashier", "finance_lead", "hr"),
    "decide_case": roles("leader"),
    "finish_task": roles("hr"),
    "read_sites": reads(
        "clerk", "desk_head", "head", "worker", "cashier", "finance_lead", "leader", "hr", "administration", "operator"
    ),
    "read_people": reads(
        "clerk", "desk_head", "head", "cashier", "finance_lead", "leader", "hr", "administration", "operator"
    ),
    "read_cases": reads("desk_head", "finance_lead", "leader", "hr"),
    "read_tasks": reads("leader", "hr"),
    "read_overrides": reads("desk_head", "finance_lead", "leader", "hr"),
    "read_missed_callbacks": reads("desk_head", "leader", "hr", "administration"),
    "read_reports": reads("leader", "hr", "administration"),
    "read_payouts": reads("leader", "hr"),
    "read_deliveries": reads("leader", "hr"),
    "acknowledge_delivery": roles("hr"),
    "manage_webhooks": roles("administrator"),
    "replay_webhook": roles("administrator", "hr"),
    "read_webhooks": reads("hr", "operator"),
}
