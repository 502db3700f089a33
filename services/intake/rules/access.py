"""Who may do what at the front desk. Only the desk takes and arranges paid jobs [R11, R52-R54, D9]."""

from shared.access import Permissions, reads, roles

MAY: Permissions = {
    "register_request": roles("clerk", "desk_head"),
    "import_requests": roles("clerk", "desk_head"),
    "log_attempt": roles("clerk", "desk_head"),
    "agree_visit": roles("clerk", "desk_head"),
    "cancel_request": roles("clerk", "desk_head"),
    "ask_consultation": roles("clerk", "desk_head"),
    "reply_consultation": roles("clerk", "desk_head"),
    "issue_notice": roles("clerk", "desk_head"),
    "revise_notice": roles("clerk", "desk_head"),
    "reprint_notice": roles("clerk", "desk_head"),
    "report_private_job": roles("clerk", "desk_head"),
    "give_answer": roles("desk_head"),
    "retire_answer": roles("desk_head"),
    "record_revisit": roles("clerk", "desk_head"),
    "close_unreachable": roles("desk_head"),
    "ask_figures": roles("desk_head"),
    "sign_statistics": roles("desk_head", "head", "finance_lead"),
    "dispute_line": roles("desk_head", "head", "finance_lead"),
    "settle_line": roles("desk_head"),
    "accept_line": roles("head", "finance_lead", "cashier"),
    "read_requests": reads("clerk", "desk_head"),
    "read_callbacks": reads("clerk", "desk_head", "head"),
    "read_prices": reads("clerk", "desk_head"),
    "read_trades": reads("clerk", "desk_head", "head"),
    "read_private_jobs": reads("clerk", "desk_head"),
    "read_sites": reads("clerk", "desk_head", "head", "finance_lead", "administration"),
    "read_months": reads("clerk", "desk_head", "head", "cashier", "finance_lead", "administration"),
}
