"""Who may do what in hr. A case is opened by whoever finds it and decided by the leader alone [R78-R88, D19].

What anybody may do, like accepting a decision, he may do for himself alone: the action sees to it.
"""

from typing import get_args

from services.hr.rules.case import OPENERS
from shared.access import Permissions, reads, roles
from shared.messages import Role

ANYBODY: frozenset[Role] = frozenset(get_args(Role))

MAY: Permissions = {
    "open_site": roles("administrator"),
    "employ_person": roles("administrator", "hr"),
    "issue_token": roles("administrator", "hr"),
    "invite_person": roles("administrator"),
    "manage_service_accounts": roles("administrator"),
    "manage_sessions": ANYBODY,
    "end_sessions": roles("administrator"),
    "manage_own_tokens": ANYBODY,
    "let_leave": roles("administrator", "hr"),
    "change_site": roles("administrator"),
    "name_leader": roles("administrator"),
    "move_person": roles("administrator", "hr"),
    "record_skills": roles("administrator", "hr"),
    "set_wage": roles("hr"),
    "open_case": OPENERS,
    "add_evidence": ANYBODY,
    "hear_case": ANYBODY,
    "decide_case": roles("leader"),
    "accept_case": ANYBODY,
    "appeal_case": ANYBODY,
    "confirm_payment": roles("hr"),
    "finish_task": roles("hr"),
    "read_sites": reads(
        "clerk", "desk_head", "head", "worker", "cashier", "finance_lead", "leader", "hr", "administration", "operator"
    ),
    "read_people": reads(
        "clerk", "desk_head", "head", "cashier", "finance_lead", "leader", "hr", "administration", "operator"
    ),
    "read_posts": reads("leader", "hr"),
    "read_wages": roles("leader", "hr"),  # nobody else needs to know, not even the auditor
    "read_own": ANYBODY,
    "read_points": reads("leader", "hr", "administration"),
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
